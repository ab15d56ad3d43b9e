"""Weights in and out: plain state dicts whose sha256 is known."""

from __future__ import annotations

import hashlib
import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from caveat.reasons import StudyRefused

SIZE_LIMIT = 64 * 2**20
"""Bytes of a file of weights, unless a bundle states a limit of its own."""
LONGEST_NAME = 80
"""Of a tensor, in a message."""
_RUNNING = ("running_mean", "running_var")


def load_weights(
    network: nn.Module,
    path: str | Path,
    sha256: str | None,
    prefix: str = "",
    allow_unknown: bool = False,
    size_limit: int = SIZE_LIMIT,
    entry: str = "",
) -> nn.Module:
    """Load a plain state dict that is exactly what was published, and exactly what the network needs.

    Args:
        network: takes the weights; it is left as it was where they are refused.
        path: file of `save_weights`, or of `torch.save(state_dict)` with dense tensors alone.
        sha256: of the file, in hexadecimal; "" where there are no weights yet; None only with `allow_unknown`.
        prefix: what the wanted names begin with in the file, such as `networks.0.` for an ensemble's first member;
            other names are left aside. With "" all names must be the network's.
        allow_unknown: load a file whose sha256 is not known.
        size_limit: bytes that the file may have.
        entry: of a checkpoint that holds more than the state dict: where it stands. Other entries are left aside.

    Returns:
        The network, in evaluation mode. Weights stored in float16 are float32 again.

    Raises:
        ValueError: no sha256, and unknown weights not allowed.
        StudyRefused: WEIGHTS_NOT_TRAINED, WEIGHTS_HASH_MISMATCH, WEIGHTS_REFUSED, WEIGHTS_NOT_FINITE.
    """
    if sha256 is None and not allow_unknown:
        raise ValueError("weights need the sha256 they are expected to have, or allow_unknown=True")
    if sha256 == "":
        raise StudyRefused("WEIGHTS_NOT_TRAINED")
    content = read_bytes(Path(path), size_limit)
    if sha256 is not None:
        refuse_other_sha256(content, sha256)
    stored = plain_tensors(unpack(content, size_limit), entry)
    wanted = {name.removeprefix(prefix): tensor for name, tensor in stored.items() if name.startswith(prefix)}
    network.load_state_dict(_fit(wanted, network.state_dict()))
    return network.eval()


def save_weights(network_state: Mapping[str, torch.Tensor], path: str | Path) -> str:
    """Write a state dict for `load_weights`: the same tensors always give the same bytes.

    Args:
        network_state: floating tensors are stored in float16, except for batch normalisation's running statistics.
        path: file to write.

    Returns:
        sha256 of the file, in hexadecimal.

    Raises:
        ValueError: a number is not finite, or too large for float16.
    """
    packed = {}
    for name, tensor in network_state.items():
        keep = not tensor.is_floating_point() or name.rpartition(".")[2] in _RUNNING
        # A clone has a storage of its own: a view would write, and a shared storage would tie, what lies around it.
        packed[name] = (
            tensor.detach().cpu().to(tensor.dtype if keep else torch.float16).clone(memory_format=torch.contiguous_format)
        )
        if not bool(packed[name].isfinite().all()):
            raise ValueError(f"{name} is not finite in {packed[name].dtype}")
    buffer = io.BytesIO()  # of a path torch.save would write the name into the archive
    torch.save(packed, buffer)
    Path(path).write_bytes(buffer.getvalue())
    return hashlib.sha256(buffer.getvalue()).hexdigest()


def refuse_other_sha256(content: bytes, expected: str) -> None:
    """Raises: StudyRefused: WEIGHTS_HASH_MISMATCH."""
    found = hashlib.sha256(content).hexdigest()
    if found != expected.lower():
        raise StudyRefused("WEIGHTS_HASH_MISMATCH", f"sha256 {found}, expected {expected}")


def read_bytes(path: Path, size_limit: int) -> bytes:
    """A file of weights. Raises: StudyRefused: WEIGHTS_REFUSED: it is not there, cannot be read, or is too large."""
    try:
        size = path.stat().st_size
        if size > size_limit:
            raise StudyRefused("WEIGHTS_REFUSED", f"{size} bytes, at most {size_limit} are read")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise StudyRefused("WEIGHTS_REFUSED", "there is no such file") from error
    except OSError as error:
        raise StudyRefused("WEIGHTS_REFUSED", "the file cannot be read") from error


def unpack(content: bytes, size_limit: int) -> Any:
    """What an archive of `torch.save` holds: tensors and plain Python. Raises: StudyRefused: WEIGHTS_REFUSED."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        fits = unpacked <= size_limit
        stored: Any = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True) if fits else None
    except zipfile.BadZipFile as error:
        raise StudyRefused("WEIGHTS_REFUSED", "no file that torch.save writes (since torch 1.6), or a damaged one") from error
    except pickle.UnpicklingError as error:
        raise StudyRefused(
            "WEIGHTS_REFUSED", "the file holds more than tensors and plain Python, such as a whole network; that is not run"
        ) from error
    except Exception as error:  # zipfile and torch fail on a broken or hostile file in many ways
        raise StudyRefused("WEIGHTS_REFUSED", "the file is no archive of plain tensors") from error
    if not fits:
        raise StudyRefused("WEIGHTS_REFUSED", f"{unpacked} bytes when unpacked, at most {size_limit} are read")
    return stored


def plain_tensors(content: Any, entry: str = "") -> dict[str, torch.Tensor]:
    """The state dict of what a file holds. Args: entry: see `load_weights`. Raises: StudyRefused: WEIGHTS_REFUSED."""
    stored: Any = content.get(entry) if entry and isinstance(content, Mapping) else content
    if type(stored) not in (dict, OrderedDict):
        raise StudyRefused("WEIGHTS_REFUSED", f"a {type(stored).__name__} in place of a state dict")
    plain = sum(isinstance(name, str) and _is_plain(tensor) for name, tensor in stored.items())
    if plain < len(stored):
        raise StudyRefused("WEIGHTS_REFUSED", f"{len(stored) - plain} of {len(stored)} entries are no plain contiguous tensors")
    return stored


def _is_plain(tensor: object) -> bool:
    return (
        type(tensor) is torch.Tensor
        and tensor.layout == torch.strided
        and tensor.device.type == "cpu"
        and not tensor.is_quantized
        and tensor.is_contiguous()
    )


def _fit(stored: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The stored tensors in the network's dtypes, all of them finite."""
    missing, unknown = ([name for name in one if name not in other] for one, other in ((wanted, stored), (stored, wanted)))
    if missing or unknown:
        found = f"{len(missing)} of the network's {len(wanted)} tensors are missing, {len(unknown)} are not its own"
        both = f": {unknown[0][:LONGEST_NAME]} where {missing[0][:LONGEST_NAME]} is needed" if missing and unknown else ""
        raise StudyRefused("WEIGHTS_REFUSED", found + both)
    for name, tensor in wanted.items():
        allowed = {tensor.dtype, torch.float16} if tensor.is_floating_point() else {tensor.dtype}
        if stored[name].shape != tensor.shape or stored[name].dtype not in allowed:
            found = f"{tuple(stored[name].shape)} {stored[name].dtype}, expected {tuple(tensor.shape)} {tensor.dtype}"
            raise StudyRefused("WEIGHTS_REFUSED", f"{name} is {found}")
        if not bool(stored[name].isfinite().all()):
            raise StudyRefused("WEIGHTS_NOT_FINITE", f"in {name}")
    return {name: stored[name].to(tensor.dtype) for name, tensor in wanted.items()}
