"""Networks of several files of weights, each as its owner has it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from .state_dicts import load_weights


def load_members(sampler: nn.Module, folder: str | Path, members: Sequence[Mapping[str, Any]]) -> nn.Module:
    """Load each member's file into its place.

    Args:
        sampler: holds the networks; they are changed in place.
        folder: with the files.
        members: of each its place in the sampler (`module`, such as "networks.0"), its `file` below the folder, and what else
            `load_weights` is told: sha256, size_limit, entry, prefix.

    Returns:
        The sampler, in evaluation mode.

    Raises:
        StudyRefused: as `load_weights`.
    """
    for member in members:
        more = {key: value for key, value in member.items() if key not in ("module", "file")}
        load_weights(sampler.get_submodule(member["module"]), Path(folder) / member["file"], **more)
    return sampler.eval()


def joint_sha256(hashes: Sequence[str]) -> str:
    """What tells one list of files from another. Args: hashes: sha256 of each, in hexadecimal; of one file it is the answer."""
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()
