"""One DICOM file, its header alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import FileDataset


@dataclass(frozen=True)
class Instance:
    """A file and its header; pixels are read later, by `values.py`, and only those that are wanted.

    Args:
        path: of the file. Never printed: names of DICOM files may hold a patient's.
        header: everything before the pixel data, with `file_meta`.
    """

    path: Path
    header: FileDataset
