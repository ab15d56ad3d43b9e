"""From the checkpoints of trained members to one file of weights of their ensemble."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from .state_dicts import save_weights


def pack(checkpoints: Sequence[Path | str], out: Path | str, prefix: str = "networks.{}.") -> str:
    """Write the state dict of `Ensemble([member 0, member 1, ...])`, or of what else holds the trained networks.

    Args:
        checkpoints: one file a member, of MONAI's CheckpointSaver: `{"model": state dict, ...}` or a bare state dict,
            with or without the saver's own entry `checkpointer`.
        out: file to write, read by `load_weights`; a single member is read with the prefix `networks.0.` and so on.
        prefix: what comes before the names of a network, its number for {}: "sampler." for the one in `SliceBySlice`.

    Returns:
        sha256 of the file, in hexadecimal.

    Raises:
        ValueError: no checkpoint, a checkpoint without tensors, or one whose numbers are not finite.
    """
    if not checkpoints:
        raise ValueError("there is no checkpoint to pack")
    packed: dict[str, torch.Tensor] = {}
    for number, path in enumerate(checkpoints):
        packed |= {f"{prefix.format(number)}{name}": tensor for name, tensor in read_checkpoint(path).items()}
    return save_weights(packed, out)


def read_checkpoint(path: Path | str) -> dict[str, torch.Tensor]:
    """The state dict of one checkpoint, in any of the forms that `pack` takes. Raises: ValueError: it holds none."""
    content = torch.load(path, map_location="cpu", weights_only=True)
    state = content.get("model", content) if isinstance(content, dict) else {}
    state.pop("checkpointer", None)  # the saver's own memory of the best value so far
    if not state or not all(isinstance(tensor, torch.Tensor) for tensor in state.values()):
        raise ValueError(f"{Path(path).name} holds no state dict")
    return state
