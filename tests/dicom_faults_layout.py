"""Faults of where slices lie: positions, orientations, spacings, matrices. One function a case."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from dicom_cases import case
from dicom_grid import OBLIQUE, SAGITTAL, Grid
from dicom_phantoms import clean_series, raw_number, set_pixels, stored_pixels, uid, write
from pydicom import Dataset

TILTED = Grid(tilt_degrees=15)
STEPPED = Grid(offsets_mm=tuple(np.cumsum([2.5] * 10 + [5.0] * 10) - 39.0))
JITTERED = Grid(offsets_mm=tuple(np.asarray(Grid().offsets) + 0.04 * np.sin(7.0 * np.arange(20))))


@case(0)
def clean(folder: Path) -> None:
    write(clean_series(), folder)


@case(4, "SLICE_GAP")
def one_slice_missing(folder: Path) -> None:
    series = clean_series()
    write(series[:9] + series[10:], folder)


@case(5, undetectable=True)
def end_slice_missing(folder: Path) -> None:
    write(clean_series()[:-1], folder)


def copied(header: Dataset, number: int) -> Dataset:
    """A copy as an object of its own."""
    other = copy.deepcopy(header)
    other.SOPInstanceUID, other.InstanceNumber = uid("copy", number), number
    return other


@case(6, flags=("DUPLICATE_DROPPED",))
def slice_twice_identical(folder: Path) -> None:
    series = clean_series()
    write([*series, copied(series[9], 21)], folder)


@case(7, "DUPLICATE_POSITION")
def position_twice_pixels_differ(folder: Path) -> None:
    series = clean_series()
    second = copied(series[9], 21)
    set_pixels(second, stored_pixels(series[9])[::-1])
    write([*series, second], folder)


def two_phases(of_second: Sequence[int], **tags: tuple[object, object]) -> list[Dataset]:
    """Twice the same places in one series, the second time brighter.

    Args:
        of_second: number of each slice of the second phase; those of the first are 1 to 20.
        tags: the value in the first phase and in the second.
    """
    first = clean_series()
    second = [copied(header, number) for header, number in zip(first, of_second, strict=True)]
    for header in second:
        set_pixels(header, stored_pixels(header) + 50)
    for phase, headers in enumerate((first, second)):
        for header in headers:
            for name, values in tags.items():
                setattr(header, name, values[phase])
    return first + second


@case(8, "AMBIGUOUS_TEMPORAL")
def two_phases_interleaved(folder: Path) -> None:
    series = two_phases(range(21, 41), TemporalPositionIdentifier=(1, 2), AcquisitionTime=("101500", "101530"))
    write([header for pair in zip(series[:20], series[20:], strict=True) for header in pair], folder)


@case(9, "GANTRY_TILT", TILTED)
def gantry_tilt_of_15_degrees(folder: Path) -> None:
    write(clean_series(TILTED), folder)


@case(10, "VARIABLE_SPACING", STEPPED)
def spacing_doubles_half_way(folder: Path) -> None:
    write(clean_series(STEPPED), folder)


@case(16, "MISSING_PIXEL_SPACING")
def no_pixel_spacing(folder: Path) -> None:
    write(without("PixelSpacing"), folder)


@case(17, "MISSING_POSITION")
def no_position(folder: Path) -> None:
    write(without("ImagePositionPatient"), folder)


@case(18, "MISSING_ORIENTATION", Grid(orientation=OBLIQUE))
def no_orientation_oblique(folder: Path) -> None:
    write(without("ImageOrientationPatient", Grid(orientation=OBLIQUE)), folder)


def without(tag: str, grid: Grid | None = None) -> list[Dataset]:
    """A clean series without one tag."""
    series = clean_series(grid)
    for header in series:
        delattr(header, tag)
    return series


def with_tag(tag: str, value: object, slices: Sequence[int] = range(20), grid: Grid | None = None) -> list[Dataset]:
    """A clean series, one tag set in some of its slices."""
    series = clean_series(grid)
    for index in slices:
        setattr(series[index], tag, value)
    return series


@case(19, flags=("OVERLAPPING_SLICES",))
def slice_thickness_wrong(folder: Path) -> None:
    write(with_tag("SliceThickness", 10), folder)


@case(20)
def spacing_between_slices_wrong(folder: Path) -> None:
    write(with_tag("SpacingBetweenSlices", 5), folder)


@case(26, "SINGLE_SLICE")
def single_slice(folder: Path) -> None:
    write(clean_series()[9:10], folder)


@case(27, grid=Grid(orientation=OBLIQUE))
def oblique(folder: Path) -> None:
    write(clean_series(Grid(orientation=OBLIQUE)), folder)


@case(28, grid=Grid(orientation=SAGITTAL))
def sagittal(folder: Path) -> None:
    write(clean_series(Grid(orientation=SAGITTAL)), folder)


@case(29, "MIXED_MATRIX")
def one_slice_of_32_x_28(folder: Path) -> None:
    series = clean_series()
    set_pixels(series[9], stored_pixels(series[9])[:28])
    write(series, folder)


@case(30, "MIXED_SPACING")
def one_slice_with_other_pixel_spacing(folder: Path) -> None:
    write(with_tag("PixelSpacing", [1.3, 1.0], [0]), folder)


@case(39, grid=JITTERED)
def positions_jitter_by_40_um(folder: Path) -> None:
    write(clean_series(JITTERED), folder)


@case(40, "BAD_ORIENTATION")
def orientation_not_orthonormal(folder: Path) -> None:
    write(with_tag("ImageOrientationPatient", [1, 0, 0, 0.1, 0.995, 0]), folder)


@case(42, "MIXED_FRAME_OF_REFERENCE")
def two_frames_of_reference_patient_moved(folder: Path) -> None:
    """Half way the patient moves by three columns, 2.7 mm, and the scanner begins a new frame of reference."""
    series = clean_series()
    for header in series[10:]:
        header.FrameOfReferenceUID = uid("another frame of reference")
        set_pixels(header, np.roll(stored_pixels(header), 3, axis=1))
    write(series, folder)


@case(43, "MISSING_POSITION")
def nan_position_in_one_slice(folder: Path) -> None:
    series = clean_series()
    raw_number(series[9], "ImagePositionPatient", "-24.95\\nan\\33.75")
    write(series, folder)


@case(45, "BAD_SPACING")
def pixel_spacing_0(folder: Path) -> None:
    write(with_tag("PixelSpacing", [0, 0]), folder)


@case(50)
def positions_rounded_to_tenths_of_a_mm(folder: Path) -> None:
    series = clean_series()
    for header in series:
        header.ImagePositionPatient = [round(float(number), 1) for number in header.ImagePositionPatient]
    write(series, folder)


@case(51, undetectable=True)
def writer_swapped_row_and_column_spacing(folder: Path) -> None:
    write(with_tag("PixelSpacing", [0.9, 1.2]), folder)


@case(53)
def orientation_differs_in_the_fifth_decimal(folder: Path) -> None:
    write(with_tag("ImageOrientationPatient", [1, 0.00001, 0, -0.00001, 1, 0], [9]), folder)


@case(55, "DUPLICATE_POSITION")
def position_copied_from_the_neighbour(folder: Path) -> None:
    series = clean_series()
    series[10].ImagePositionPatient = series[9].ImagePositionPatient
    write(series, folder)
