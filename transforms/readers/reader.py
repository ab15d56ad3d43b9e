"""What a reader of files is: one file in this folder, found by itself."""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cache
from typing import BinaryIO, ClassVar

import numpy as np

from ..image.study_image import Stated, StudyImage


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
    """One of each reader in this folder, in the order of the files' names."""
    return tuple(reader() for reader in _classes())


def _classes() -> Iterator[type[Reader]]:
    room = importlib.import_module(__package__)
    for module in sorted(info.name for info in pkgutil.iter_modules(room.__path__)):
        loaded = importlib.import_module(f"{room.__name__}.{module}")
        for member in vars(loaded).values():
            own = isinstance(member, type) and issubclass(member, Reader) and member.__module__ == loaded.__name__
            if own and member is not Reader:
                yield member
