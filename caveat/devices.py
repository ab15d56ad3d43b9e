"""Devices, as a command line or a program names them."""

from __future__ import annotations

import re

from .reasons import StudyRefused


def devices_of(text: str) -> list[str]:
    """Devices separated by commas. Raises: StudyRefused: WRONG_USAGE."""
    devices = text.split(",")
    if not all(re.fullmatch(r"auto|cpu|cuda(:\d+)?", device) for device in devices):
        raise StudyRefused("WRONG_USAGE", "--device expects auto, cpu, cuda, or cuda:0,cuda:1")
    if len(devices) > 1 and len({device.split(":")[0] for device in devices}) > 1:
        raise StudyRefused(
            "WRONG_USAGE", "--device expects devices of one kind: results of two kinds differ in their last digits"
        )
    return devices


def check_device(device: str) -> None:
    """Loads torch where CUDA is asked for. Raises: StudyRefused: WRONG_USAGE where there is none, or none of this number."""
    if device.startswith("cuda"):
        import torch

        if not torch.cuda.is_available() or int(device.partition(":")[2] or 0) >= torch.cuda.device_count():
            raise StudyRefused("WRONG_USAGE", "no such CUDA device here; use --device auto or cpu")
