"""A table that says what each stored value means. pydicom's own way through it wraps where its outputs have 8 bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from caveat.reasons import StudyRefused

from .pixel_layout import PixelLayout


@dataclass(frozen=True)
class ModalityLut:
    """Values of `first`, `first + 1` ... stored; what lies outside takes the table's nearer end.

    Args:
        first: stored value that the table begins with.
        values: (entries,) uint16.
    """

    first: int
    values: np.ndarray

    def apply(self, stored: np.ndarray, out: np.ndarray) -> None:
        """Args: stored: whole numbers; out: float32, of the same shape, filled."""
        out[...] = self.values[np.clip(stored.astype(np.int64) - self.first, 0, len(self.values) - 1)]

    def rounds(self, stored: np.ndarray, out: np.ndarray) -> bool:
        """Never: its values have 16 bits. Args: as of `apply`."""
        return False


def modality_lut_of(data: Dataset, layout: PixelLayout) -> ModalityLut:
    """The table of a header or of a frame's item.

    Args:
        data: with a ModalityLUTSequence.
        layout: of the pixels: the table's first value has their sign.

    Raises:
        StudyRefused: BAD_RESCALE.

    Source: DICOM PS3.3, C.11.1.1.
    """
    return _lut_of(data.ModalityLUTSequence[0], layout)


def falls(item: Dataset, layout: PixelLayout) -> bool:
    """Whether a table, for display as well, ends darker than it begins; False where it cannot be read."""
    try:
        values = _lut_of(item, layout).values
    except (StudyRefused, ValueError, TypeError):
        return False
    return bool(values[-1] < values[0])


def _lut_of(item: Dataset, layout: PixelLayout) -> ModalityLut:
    """Raises: StudyRefused: BAD_RESCALE."""
    descriptor = _whole_numbers(item.get("LUTDescriptor"))
    if len(descriptor) != 3 or not 8 <= descriptor[2] <= 16:
        raise StudyRefused("BAD_RESCALE", "the table is not described")
    entries = descriptor[0] % 65536 or 65536  # as one unsigned word; zero stands for 65536
    first = descriptor[1]
    if layout.signed and first > 32767:  # written as an unsigned word
        first -= 65536
    values = _table(item.get("LUTData"), entries, descriptor[2], ">" if layout.dtype.byteorder == ">" else "<")
    if len(values) != entries:
        raise StudyRefused("BAD_RESCALE", f"a table of {len(values)} entries, declared are {entries}")
    return ModalityLut(first, values)


def _table(found: object, entries: int, bits: int, order: str) -> np.ndarray:
    """Entries of two bytes each, or of one where they have 8 bits; big-endian words of two entries are not taken apart."""
    if isinstance(found, bytes):
        if bits == 8 and order == "<" and entries <= len(found) <= entries + entries % 2:
            return np.frombuffer(found, dtype=np.uint8, count=entries).astype(np.uint16)
        return np.frombuffer(found[: len(found) // 2 * 2], dtype=f"{order}u2").astype(np.uint16)
    return np.array(_whole_numbers(found), dtype=np.int64).astype(np.uint16)


def _whole_numbers(found: object) -> list[int]:
    """Of one element that holds one or several."""
    if found is None:
        return []
    return [int(number) for number in found] if isinstance(found, Sequence) else [int(found)]  # type: ignore[call-overload]
