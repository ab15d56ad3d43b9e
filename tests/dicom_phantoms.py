"""DICOM objects made by formula (`dicom_grid.py` says what is in them), and their files. The same bytes every time."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import SimpleITK as sitk
from dicom_grid import Grid, phantom
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.dataelem import RawDataElement
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.sequence import Sequence as Items
from pydicom.tag import Tag
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEGLosslessSV1,
    MRImageStorage,
    PositronEmissionTomographyImageStorage,
)

SOP_CLASSES = {"CT": CTImageStorage, "MR": MRImageStorage, "PT": PositronEmissionTomographyImageStorage}


def uid(*words: object) -> str:
    """A unique identifier made of words, the same one every time."""
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, '/'.join(map(str, words))).int}"


def clean_series(
    grid: Grid | None = None,
    modality: str = "CT",
    series: int = 1,
    study: int = 1,
    bits_stored: int = 12,
    signed: bool = False,
    slopes: Sequence[float] = (1.0,),
) -> list[Dataset]:
    """Classic single-frame objects, in the order of their slices.

    Args:
        grid: where the slices lie.
        modality: CT (rescaled to HU, intercept -1024), PT (rescaled) or MR (values as stored).
        series: number of the series; its identifier is made of it and of the study's number.
        study: number of the study; each has a patient and a frame of reference of its own.
        bits_stored: of 16; 12 hold values up to 4095 / slope.
        signed: two's complement.
        slopes: of the rescale, taken in turn slice by slice; powers of two lose nothing.
    """
    grid = grid or Grid()
    values, positions = phantom(grid), grid.positions()
    objects = []
    for index in range(grid.shape[2]):
        header = image_header(modality, SOP_CLASSES[modality], study, series, index + 1)
        header.ImagePositionPatient = [round(float(number), 9) for number in positions[index]]
        header.ImageOrientationPatient = list(grid.orientation)
        header.PixelSpacing = [grid.spacing_mm[1], grid.spacing_mm[0]]
        header.SliceThickness = grid.spacing_mm[2]
        header.InstanceNumber = index + 1
        slope = slopes[index % len(slopes)]
        intercept = -1024 if modality == "CT" and not signed else 0
        if modality != "MR":
            header.RescaleSlope, header.RescaleIntercept = slope, intercept
            header.RescaleType = "HU" if modality == "CT" else "US"
        set_pixels(header, np.rint((values[:, :, index].T - intercept) / slope), bits_stored, signed)
        objects.append(header)
    return objects


def image_header(modality: str, sop_class: str, study: int, series: int, instance: int) -> Dataset:
    """What every image object says of itself: identity, no geometry, no pixels."""
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.SpecificCharacterSet = "ISO_IR 192"
    header.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    header.SOPClassUID, header.SOPInstanceUID = sop_class, uid(study, series, instance)
    header.StudyDate, header.StudyTime, header.StudyID, header.Modality = "20200102", "101500", str(study), modality
    header.PatientName, header.PatientID = f"Phantom^{study}", f"P{study}"
    header.StudyInstanceUID, header.SeriesInstanceUID = uid(study), uid(study, series)
    header.FrameOfReferenceUID = uid(study, "frame of reference")
    header.SeriesNumber, header.InstanceNumber = series, instance
    if modality == "PT":
        header.Units = "BQML"
    return header


def set_pixels(header: Dataset, stored: np.ndarray, bits_stored: int = 12, signed: bool = False) -> None:
    """Pixels and the tags that describe them. Args: stored: (..., rows, columns), whole numbers within the bits."""
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, header.get("PhotometricInterpretation", "MONOCHROME2")
    header.Rows, header.Columns = stored.shape[-2:]
    header.BitsAllocated, header.BitsStored, header.HighBit = 16, bits_stored, bits_stored - 1
    header.PixelRepresentation = int(signed)
    header.PixelData = stored.astype("<i2" if signed else "<u2").tobytes()
    header["PixelData"].VR = "OW"


def stored_pixels(header: Dataset) -> np.ndarray:
    """Native pixels as they are stored, sign and bits unheeded. Returns: (rows, columns) uint16, a copy."""
    return np.frombuffer(header.PixelData, "<u2").reshape(-1, header.Rows, header.Columns)[0].copy()


def radiograph(modality: str = "DX", photometric: str = "MONOCHROME2", **tags: object) -> Dataset:
    """One projection image, 48 rows x 40 columns, 12 bits: a bright disc on a dark ground, in either polarity.

    Args:
        photometric: MONOCHROME1 stores the same picture inverted.
        tags: set last, such as `ImagerPixelSpacing=[0.15, 0.15]`.
    """
    sop_class = {"DX": "1.2.840.10008.5.1.4.1.1.1.1", "CR": "1.2.840.10008.5.1.4.1.1.1"}[modality]
    header = image_header(modality, sop_class, 1, 1, 1)
    del header.FrameOfReferenceUID
    header.PhotometricInterpretation = photometric
    header.PresentationLUTShape = "INVERSE" if photometric == "MONOCHROME1" else "IDENTITY"
    picture = radiograph_picture()
    set_pixels(header, 4095 - picture if photometric == "MONOCHROME1" else picture)
    for name, value in tags.items():
        setattr(header, name, value)
    return header


def radiograph_picture() -> np.ndarray:
    """What `radiograph` shows, high values bright. Returns: (rows, columns) int."""
    row, column = np.ogrid[:48, :40]
    return np.where((row - 20) ** 2 + (column - 22) ** 2 < 100, 3000, 500) + (3 * row + 5 * column) % 41


def enhanced_series(
    grid: Grid | None = None,
    modality: str = "CT",
    order: Sequence[int] | None = None,
    slopes: Sequence[float] = (1.0,),
) -> Dataset:
    """The same volume as one enhanced multi-frame object.

    Args:
        grid: where the slices lie.
        modality: CT or MR.
        order: slice of each frame.
        slopes: of the rescale, taken in turn frame by frame.
    """
    grid = grid or Grid()
    order = range(grid.shape[2]) if order is None else order
    sop_class = {"CT": "1.2.840.10008.5.1.4.1.1.2.1", "MR": "1.2.840.10008.5.1.4.1.1.4.1"}[modality]
    header = image_header(modality, sop_class, 1, 1, 1)
    header.NumberOfFrames = grid.shape[2]
    intercept = -1024 if modality == "CT" else 0
    turns = [slopes[frame % len(slopes)] for frame in range(grid.shape[2])]
    measures = item(PixelSpacing=[grid.spacing_mm[1], grid.spacing_mm[0]], SliceThickness=grid.spacing_mm[2])
    orientation = item(ImageOrientationPatient=list(grid.orientation))
    header.SharedFunctionalGroupsSequence = Items(
        [item(PixelMeasuresSequence=Items([measures]), PlaneOrientationSequence=Items([orientation]))]
    )
    header.PerFrameFunctionalGroupsSequence = Items(
        [_frame_groups(grid, index, slope, intercept) for index, slope in zip(order, turns, strict=True)]
    )
    values = np.moveaxis(phantom(grid), 2, 0).transpose(0, 2, 1)[list(order)]
    set_pixels(header, np.rint((values - intercept) / np.reshape(turns, (-1, 1, 1))))
    return header


def _frame_groups(grid: Grid, index: int, slope: float, intercept: float) -> Dataset:
    position = [round(float(number), 9) for number in grid.positions()[index]]
    rescale = item(RescaleIntercept=intercept, RescaleSlope=slope, RescaleType="HU" if intercept else "US")
    content = item(StackID="1", InStackPositionNumber=int(index) + 1, DimensionIndexValues=[1, int(index) + 1])
    return item(
        FrameContentSequence=Items([content]),
        PlanePositionSequence=Items([item(ImagePositionPatient=position)]),
        PixelValueTransformationSequence=Items([rescale]),
    )


def item(**tags: object) -> Dataset:
    """A data set with these tags."""
    found = Dataset()
    for name, value in tags.items():
        setattr(found, name, value)
    return found


def raw_number(header: Dataset, keyword: str, text: str, vr: str = "DS") -> None:
    """A decimal string, or text of another kind, as it is, unchecked: what pydicom would not write."""
    header[keyword] = RawDataElement(Tag(keyword), vr, len(text), text.encode(), 0, False, True)


def write(
    objects: Sequence[Dataset], folder: Path, syntax: str = ExplicitVRLittleEndian, names: Sequence[str] | None = None
) -> list[Path]:
    """One file each.

    Args:
        syntax: transfer syntax; a lossless one where it compresses.
        names: of the files; numbered by default.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = names or [f"image{number:04d}.dcm" for number in range(1, len(objects) + 1)]
    paths = [folder / name for name in names]
    for header, path in zip(objects, paths, strict=True):
        dcmwrite(path, encoded(header, syntax), enforce_file_format=True)
    return paths


def encoded(header: Dataset, syntax: str) -> Dataset:
    """The same object in another transfer syntax; a native one is returned as it is."""
    if syntax == header.file_meta.TransferSyntaxUID or "PixelData" not in header:
        return header
    changed = copy.deepcopy(header)
    if syntax == JPEGLosslessSV1:
        _compress_by_itk(changed)
    elif syntax == ExplicitVRBigEndian:
        changed.PixelData = np.frombuffer(header.PixelData, "<u2").byteswap().tobytes()
    elif syntax.startswith("1.2.840.10008.1.2.4.") or syntax == "1.2.840.10008.1.2.5":
        changed.compress(syntax, generate_instance_uid=False)
    changed.file_meta.TransferSyntaxUID = syntax
    return changed


def _compress_by_itk(header: Dataset) -> None:
    """JPEG lossless, for which pydicom has no encoder: ITK writes a file of its own, from which the codestream is taken."""
    with TemporaryDirectory() as folder:
        writer = sitk.ImageFileWriter()
        writer.SetImageIO("GDCMImageIO")
        writer.UseCompressionOn()
        writer.SetCompressor("JPEG")
        writer.SetFileName(f"{folder}/file.dcm")
        writer.Execute(sitk.GetImageFromArray(stored_pixels(header)[None]))
        frames = list(generate_frames(dcmread(f"{folder}/file.dcm").PixelData, number_of_frames=1))
    header.PixelData = encapsulate(frames)
    header["PixelData"].is_undefined_length = True
