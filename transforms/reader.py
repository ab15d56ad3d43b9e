"""What a reader of files is: one file in `readers/`, found by itself."""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import BinaryIO, ClassVar

import numpy as np

from . import readers as room

HEAD_BYTES = 4096
"""What a reader sees of a file before it says whether the file is its own."""


@dataclass(frozen=True)
class Stated:
    """What the user or a data list states beside the file.

    Args:
        spacing_mm: one number for every axis, or one per spatial axis; used only where the file carries none.
        assume_orientation: accept volumes that do not say how they lie.
        series: number of the DICOM series to read, as `caveat check` counts them; None lets the bundle's rules choose.
        allow_gaps: interpolate missing slices of a DICOM series, flagged.
        allow_tilt: read a DICOM series whose slices are not stacked along their normal, flagged.
        spacing_source: who states the spacing, as it stands in results.

    Raises:
        ValueError: a spacing that is not above zero.
    """

    spacing_mm: tuple[float, ...] = ()
    assume_orientation: bool = False
    series: int | None = None
    allow_gaps: bool = False
    allow_tilt: bool = False
    spacing_source: str = "stated by the user"

    def __post_init__(self) -> None:
        if not all(0 < spacing < float("inf") for spacing in self.spacing_mm):
            raise ValueError(f"spacing must be above zero, got {self.spacing_mm}")


@dataclass(frozen=True)
class StudyImage:
    """An image as it was read, and what the file says of its grid.

    Args:
        voxels: (channels, *spatial) float32, the stored intensities; rows, columns for pictures, x, y, z for volumes.
        affine: (4, 4) float64, voxel index to mm (RAS), or to pixels where no spacing is known.
        original_affine: (4, 4) float64, as in the file, whatever its unit.
        spacing_mm: mm per spatial axis, None where it is not known.
        spacing_source: where the spacing comes from, "" where it is not known.
        flags: reason codes of what was accepted all the same.
        frame_of_reference: sha256 of the identifier of the space that the image lies in, "" where the file has none.
    """

    voxels: np.ndarray
    affine: np.ndarray
    original_affine: np.ndarray
    spacing_mm: tuple[float, ...] | None
    spacing_source: str
    flags: tuple[str, ...] = ()
    frame_of_reference: str = ""


class Reader(ABC):
    """Refuses a file or reads it correctly; there is no third way. Nothing of the file's text leaves it, nor its path."""

    kind: ClassVar[str]
    """The kind of image, as it stands in results."""
    extensions: ClassVar[tuple[str, ...]]
    """How such files are usually named: a hint for searching folders, never for reading."""

    @abstractmethod
    def recognises(self, head: bytes) -> bool:
        """Whether a file that begins like this is one of this reader's. Args: head: up to `HEAD_BYTES` bytes."""

    @abstractmethod
    def read(self, file: BinaryIO, size: int, stated: Stated) -> StudyImage:
        """Read one image.

        Args:
            file: at its first byte, seekable.
            size: bytes in it.
            stated: what the user states.

        Raises:
            StudyRefused: whatever keeps the image from being read correctly.
        """

    @staticmethod
    @abstractmethod
    def example() -> tuple[bytes, np.ndarray]:
        """A small file, and the voxels (channels, *spatial) that are to be read from it: what the contract test starts from."""


@cache
def all_readers() -> tuple[Reader, ...]:
    """One of each reader in `readers/`, in the order of the files' names."""
    return tuple(reader() for reader in _classes())


def _classes() -> Iterator[type[Reader]]:
    for module in sorted(info.name for info in pkgutil.iter_modules(room.__path__)):
        loaded = importlib.import_module(f"{room.__name__}.{module}")
        for member in vars(loaded).values():
            if isinstance(member, type) and issubclass(member, Reader) and member.__module__ == loaded.__name__:
                yield member
