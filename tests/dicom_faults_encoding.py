"""Faults of bytes: transfer syntaxes, files cut short, sizes that are not true. One function a case."""

from __future__ import annotations

from pathlib import Path

from dicom_cases import case
from dicom_phantoms import clean_series, write
from pydicom import dcmwrite
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)


@case(24, "TRUNCATED_PIXEL_DATA")
def pixel_data_too_short_in_one_slice(folder: Path) -> None:
    series = clean_series()
    series[9].PixelData = series[9].PixelData[:1024]
    write(series, folder)


@case(25, "TRUNCATED_PIXEL_DATA")
def one_file_cut_off(folder: Path) -> None:
    path = write(clean_series(), folder)[9]
    path.write_bytes(path.read_bytes()[:-1024])


@case(31)
def jpeg_ls(folder: Path) -> None:
    write(clean_series(), folder, JPEGLSLossless)


@case(32)
def jpeg_2000(folder: Path) -> None:
    write(clean_series(), folder, JPEG2000Lossless)


@case(33)
def rle(folder: Path) -> None:
    write(clean_series(), folder, RLELossless)


@case(34)
def jpeg_lossless(folder: Path) -> None:
    write(clean_series(), folder, JPEGLosslessSV1)


@case(35)
def big_endian(folder: Path) -> None:
    write(clean_series(), folder, ExplicitVRBigEndian)


@case(36)
def deflated(folder: Path) -> None:
    write(clean_series(), folder, DeflatedExplicitVRLittleEndian)


@case(37)
def no_preamble_no_meta_no_extension(folder: Path) -> None:
    """As some archives of the nineties hold them: a bare data set, implicit VR."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, header in enumerate(clean_series()):
        header.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
        bare = type(header)(header)
        dcmwrite(folder / f"{number:02d}", bare, implicit_vr=True, little_endian=True)


@case(44, "TRUNCATED_PIXEL_DATA")
def one_small_file_declares_30000_x_30000(folder: Path) -> None:
    header = clean_series()[9]
    header.Rows = header.Columns = 30_000
    write([header], folder)
