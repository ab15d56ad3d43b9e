"""What a reader of files is: one file in this folder, found by itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cache
from typing import BinaryIO, ClassVar

import numpy as np

from ..image.study_image import Stated, StudyImage
from ..plug_ins.classes_in import classes_in


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
    return tuple(reader() for reader in classes_in(__package__, Reader))
