"""A network that comes as TorchScript: its program and its weights in one file."""

from __future__ import annotations

import io
from pathlib import Path

import torch

from caveat.reasons import StudyRefused

from .state_dicts import SIZE_LIMIT, read_bytes, refuse_other_sha256


def load_torchscript(path: str | Path, sha256: str, size_limit: int = SIZE_LIMIT) -> torch.nn.Module:
    """The network of a file of `torch.jit.save`, in evaluation mode. Its program runs: give files that you trust alone.

    Args:
        path: the file. sha256: of it, in hexadecimal. size_limit: bytes that it may have.

    Raises:
        StudyRefused: WEIGHTS_REFUSED, WEIGHTS_HASH_MISMATCH.
    """
    content = read_bytes(Path(path), size_limit)
    refuse_other_sha256(content, sha256)
    return unpack_torchscript(content)


def unpack_torchscript(content: bytes) -> torch.nn.Module:
    """The network of a file that was read. Raises: StudyRefused: WEIGHTS_REFUSED."""
    try:
        network = torch.jit.load(io.BytesIO(content), map_location="cpu")
    except (RuntimeError, ValueError) as error:
        raise StudyRefused("WEIGHTS_REFUSED", "the file is no TorchScript") from error
    return network.eval() if hasattr(network, "training") else network  # frozen TorchScript has no mode
