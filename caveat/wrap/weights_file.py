"""A file of weights as its owner has it: what kind it is, and where in it the state dict stands."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..networks.weights.state_dicts import load_weights, plain_tensors, read_bytes, unpack
from ..networks.weights.torchscript import unpack_torchscript
from ..reasons import StudyRefused

LARGEST = 8 * 2**30
"""Bytes of a file that is looked at; a bundle then states the size of its own."""
ENTRIES = ("state_dict", "model_state_dict", "model", "network", "net", "network_weights")
"""Where checkpoints keep the state dict."""
PARALLEL = "module."
"""What torch's data parallel training puts before each name."""


@dataclass(frozen=True)
class WeightsFile:
    """What `load_weights` or `load_torchscript` needs to know of a file.

    Args:
        entry, prefix: see `load_weights`.
    """

    path: Path
    sha256: str
    size: int
    torchscript: bool = False
    entry: str = ""
    prefix: str = ""

    @classmethod
    def of(cls, path: Path) -> WeightsFile:
        """Look at a file. Raises: StudyRefused: WEIGHTS_REFUSED."""
        content = read_bytes(path, LARGEST)
        about = path, hashlib.sha256(content).hexdigest(), len(content)
        if _is_torchscript(content):
            return cls(*about, torchscript=True)
        stored = unpack(content, LARGEST)
        entry = _entry_of(stored)
        names = plain_tensors(stored, entry)
        return cls(*about, entry=entry, prefix=PARALLEL if all(name.startswith(PARALLEL) for name in names) else "")

    def load(self, network: nn.Module | None) -> nn.Module:
        """The network with these weights. Args: network: to load into; None for TorchScript. Raises: as `load_weights`."""
        if network is None:
            return unpack_torchscript(read_bytes(self.path, self.size))
        return load_weights(network, self.path, self.sha256, self.prefix, size_limit=self.size, entry=self.entry)

    def facts(self) -> dict[str, Any]:
        """What a config tells `load_members` of it, beside its name and sha256."""
        return {"size_limit": self.size} | {
            key: value for key, value in (("entry", self.entry), ("prefix", self.prefix)) if value
        }


def _is_torchscript(content: bytes) -> bool:
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            return any(name.endswith("/constants.pkl") for name in archive.namelist())
    except zipfile.BadZipFile:
        return False


def _entry_of(stored: Any) -> str:
    """Raises: StudyRefused: WEIGHTS_REFUSED: neither a state dict nor a checkpoint that holds one where it is known to stand."""
    if not isinstance(stored, Mapping) or all(isinstance(value, torch.Tensor) for value in stored.values()):
        return ""
    found = [name for name in ENTRIES if isinstance(stored.get(name), Mapping)]
    if len(found) != 1:
        known = ", ".join(ENTRIES)
        raise StudyRefused(
            "WEIGHTS_REFUSED", f"the file holds {len(found)} state dicts under names that are known ({known}), 1 is needed"
        )
    return found[0]
