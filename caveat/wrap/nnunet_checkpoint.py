"""A checkpoint of nnU-Net: tensors, numbers and plans; whatever else it holds is refused, not run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..reasons import StudyRefused

_SCALAR = np.float64(0).__reduce__()[0]  # what makes the numbers in its log
_NUMBERS = ("f2", "f4", "f8", "i4", "i8", "b1")
ALLOWED: list[Any] = [_SCALAR, (_SCALAR, "numpy.core.multiarray.scalar"), np.dtype, *(type(np.dtype(kind)) for kind in _NUMBERS)]
"""What may be made beside tensors and plain Python; the second name is that of numpy 1."""
NEEDED = ("network_weights", "init_args", "trainer_name")


def read_checkpoint(path: Path) -> dict[str, Any]:
    """What a fold's file holds, its tensors mapped into memory. Raises: StudyRefused: WEIGHTS_REFUSED."""
    try:
        with torch.serialization.safe_globals(ALLOWED):
            found = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # torch fails on a broken or hostile file in many ways
        raise StudyRefused("WEIGHTS_REFUSED", "a checkpoint holds more than tensors, numbers and plans, or is damaged") from error
    if not isinstance(found, dict) or any(key not in found for key in NEEDED):
        raise StudyRefused("WEIGHTS_REFUSED", f"the file is no checkpoint of nnU-Net v2: it lacks one of {', '.join(NEEDED)}")
    return found


def trained_with(checkpoint: Mapping[str, Any]) -> tuple[Any, Any]:
    """The plans and the data set of a fold's file, as plans.json and dataset.json would hold them; None for what is not there."""
    plans, dataset = (json.loads(json.dumps(checkpoint["init_args"].get(key))) for key in ("plans", "dataset_json"))
    return plans, dataset
