"""Faults of what the numbers in the pixels mean: rescale, sign, polarity, colour. One function a case."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from dicom_cases import case
from dicom_grid import OBLIQUE, Grid
from dicom_phantoms import clean_series, enhanced_series, item, radiograph, set_pixels, stored_pixels, write
from pydicom import Dataset
from pydicom.sequence import Sequence as Items

SHUFFLED = tuple(int(index) for index in np.random.default_rng(0).permutation(20))


@case(11)
def slope_differs_per_slice(folder: Path) -> None:
    write(clean_series(modality="PT", bits_stored=16, slopes=(1.0, 0.5, 0.25)), folder)


@case(13)
def monochrome1_radiograph(folder: Path) -> None:
    write([radiograph(photometric="MONOCHROME1", ImagerPixelSpacing=[0.2, 0.2])], folder)


@case(14, grid=Grid(orientation=OBLIQUE))
def enhanced_ct_oblique(folder: Path) -> None:
    write([enhanced_series(Grid(orientation=OBLIQUE))], folder)


@case(15)
def enhanced_mr_shuffled_rescale_per_frame(folder: Path) -> None:
    write([enhanced_series(modality="MR", order=SHUFFLED, slopes=(1.0, 0.5))], folder)


@case(21)
def garbage_above_bits_stored(folder: Path) -> None:
    series = clean_series()
    for header in series:
        header.PixelData = (stored_pixels(header) | 0xA000).tobytes()
    write(series, folder)


@case(22)
def signed_12_bits_not_sign_extended(folder: Path) -> None:
    series = clean_series()
    for header in series:
        values = stored_pixels(header).astype(int) - 1024 - 500
        set_pixels(header, values & 0x0FFF)
        header.PixelRepresentation, header.RescaleIntercept = 1, 500
    write(series, folder)


@case(23, "SECONDARY_CAPTURE")
def colour_capture_without_geometry(folder: Path) -> None:
    write(colour_captures(), folder)


def colour_captures() -> list[Dataset]:
    """The phantom as a screen shows it."""
    series = clean_series(modality="MR")
    for header in series:
        for tag in ("PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient", "FrameOfReferenceUID", "SliceThickness"):
            delattr(header, tag)
        header.SOPClassUID, header.Modality = "1.2.840.10008.5.1.4.1.1.7", "OT"
        header.ImageType = ["DERIVED", "SECONDARY"]
        grey = (stored_pixels(header) // 8).astype(np.uint8)
        header.PixelData = np.stack([grey] * 3, axis=-1).tobytes()
        header.SamplesPerPixel, header.PhotometricInterpretation, header.PlanarConfiguration = 3, "RGB", 0
        header.BitsAllocated, header.BitsStored, header.HighBit = 8, 8, 7
    return series


@case(41, "INCONSISTENT_RESCALE")
def rescale_missing_in_half_of_the_slices(folder: Path) -> None:
    series = clean_series()
    for header in series[::2]:
        del header.RescaleSlope, header.RescaleIntercept, header.RescaleType
    write(series, folder)


@case(46)
def ct_in_hu_with_monochrome1(folder: Path) -> None:
    series = clean_series()
    for header in series:
        header.PhotometricInterpretation = "MONOCHROME1"
    write(series, folder)


@case(48)
def modality_lut_instead_of_slope(folder: Path) -> None:
    series = clean_series()
    for header in series:
        del header.RescaleSlope, header.RescaleIntercept, header.RescaleType
        table = item(LUTDescriptor=[4096, 0, 16], ModalityLUTType="HU")
        # Stored values count down, so that a reader without the table finds the picture inverted.
        table.add_new("LUTData", "OW", np.arange(4096, dtype="<u2")[::-1].tobytes())
        set_pixels(header, 4095 - (stored_pixels(header).astype(int) - 1024))
        header.ModalityLUTSequence = Items([table])
    write(series, folder)


@case(52, flags=("DERIVED_IMAGE", "BURNED_IN_ANNOTATION"))
def derived_with_burned_in_text(folder: Path) -> None:
    series = clean_series()
    for header in series:
        header.ImageType, header.BurnedInAnnotation = ["DERIVED", "PRIMARY", "AXIAL"], "YES"
    write(series, folder)
