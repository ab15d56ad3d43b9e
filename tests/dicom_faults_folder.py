"""Faults of what lies together: names and numbers, other series, other files, dates. One function a case."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from dicom_cases import case
from dicom_grid import CORONAL, Grid
from dicom_phantoms import clean_series, image_header, item, uid, write
from pydicom import Dataset
from pydicom.sequence import Sequence as Items


def shuffled_names(count: int) -> list[str]:
    """Names whose order is not that of the slices."""
    return [hashlib.sha256(bytes([number])).hexdigest()[:8] for number in range(count)]


@case(1)
def shuffled_file_names(folder: Path) -> None:
    write(clean_series(), folder, names=shuffled_names(20))


def numbered(numbers: list[int | None]) -> list[Dataset]:
    """A clean series with other instance numbers, None for none."""
    series = clean_series()
    for header, number in zip(series, numbers, strict=True):
        header.InstanceNumber = number
        if number is None:
            del header.InstanceNumber
    return series


@case(2)
def reversed_instance_numbers(folder: Path) -> None:
    write(numbered(list(range(20, 0, -1))), folder)


@case(3)
def no_instance_numbers(folder: Path) -> None:
    write(numbered([None] * 20), folder, names=shuffled_names(20))


@case(12)
def localizer_inside_the_series(folder: Path) -> None:
    write([*clean_series(), localizer()], folder)


def localizer() -> Dataset:
    """One coronal slice that carries the identifiers of the series it was planned with."""
    header = clean_series(Grid(orientation=CORONAL))[9]
    header.ImageType, header.SOPInstanceUID, header.InstanceNumber = ["ORIGINAL", "PRIMARY", "LOCALIZER"], uid("localizer"), 0
    return header


@case(38, "AMBIGUOUS_SERIES")
def two_series_in_one_folder(folder: Path) -> None:
    write(clean_series(), folder / "a")
    write(clean_series(series=2), folder / "b")
    for path in sorted(folder.glob("*/*")):
        path.rename(folder / f"{path.parent.name}{path.name}")
    (folder / "a").rmdir()
    (folder / "b").rmdir()


@case(47)
def random_instance_numbers(folder: Path) -> None:
    write(numbered([int(number) + 1 for number in np.random.default_rng(0).permutation(20)]), folder)


@case(49)
def other_files_beside(folder: Path) -> None:
    write([structured_report(), *clean_series()], folder)
    for name in (".DS_Store", "Thumbs.db", "README.txt"):
        (folder / name).write_bytes(b"no image " * 20)


def structured_report() -> Dataset:
    """A report without pixels, in a series of its own."""
    header = image_header("SR", "1.2.840.10008.5.1.4.1.1.88.33", 1, 9, 1)
    header.ValueType, header.ContinuityOfContent = "CONTAINER", "SEPARATE"
    code = item(CodeValue="126000", CodingSchemeDesignator="DCM", CodeMeaning="Imaging Measurement Report")
    header.ConceptNameCodeSequence = Items([code])
    return header


@case(54)
def series_over_midnight(folder: Path) -> None:
    series = clean_series()
    for index, header in enumerate(series):
        header.SeriesDate = header.AcquisitionDate = header.ContentDate = "20200102" if index < 10 else "20200103"
        header.AcquisitionTime = header.ContentTime = "235950" if index < 10 else "000010"
    write(series, folder)
