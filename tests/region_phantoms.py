"""Files that say where a region is: DICOM segmentations and RTSTRUCTs on a made-up series."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import highdicom as hd
import numpy as np
from dicom_grid import Grid
from dicom_phantoms import clean_series, item, uid, write
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, RTStructureSetStorage

CANARY = "Kanarienvogel"


def segmentation(grid: Grid, masks: Sequence[np.ndarray], kind: str = "BINARY", syntax: str = ExplicitVRLittleEndian) -> Dataset:
    """A segmentation as highdicom makes it, empty frames left out.

    Args:
        grid: of the series it was drawn on.
        masks: one a segment, (columns, rows, slices), bool, or 0 to 1 where `kind` is FRACTIONAL.
        kind: BINARY or FRACTIONAL.
        syntax: transfer syntax.
    """
    sources = clean_series(grid)
    for source in sources:
        for keyword in ("PatientBirthDate", "PatientSex", "StudyID", "AccessionNumber", "ReferringPhysicianName"):
            setattr(source, keyword, "")
    described = [
        hd.seg.SegmentDescription(
            number, f"{CANARY} {number}", codes.SCT.Organ, codes.SCT.Liver, hd.seg.SegmentAlgorithmTypeValues.MANUAL
        )
        for number in range(1, len(masks) + 1)
    ]
    pixels = np.stack([np.moveaxis(mask, (0, 1, 2), (2, 1, 0)) for mask in masks], axis=-1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return hd.seg.Segmentation(
            source_images=sources,
            pixel_array=pixels.astype(np.uint8 if kind == "BINARY" else np.float32),
            segmentation_type=kind,
            segment_descriptions=described,
            series_instance_uid=uid("segmentation"),
            series_number=9,
            sop_instance_uid=uid("segmentation", 1),
            instance_number=1,
            manufacturer=CANARY,
            manufacturer_model_name=CANARY,
            software_versions="1",
            device_serial_number="1",
            transfer_syntax_uid=syntax,
        )


def structures(contours: Sequence[Sequence[np.ndarray]], kind: str = "CLOSED_PLANAR", frame: str = "") -> Dataset:
    """An RTSTRUCT.

    Args:
        contours: of each structure, (n, 3) mm, RAS.
        kind: of all contours.
        frame: identifier of the frame of reference.
    """
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.SOPClassUID, header.SOPInstanceUID = RTStructureSetStorage, uid("structures")
    header.PatientName = CANARY
    numbers = range(1, len(contours) + 1)
    header.StructureSetROISequence = Items(
        [item(ROINumber=number, ReferencedFrameOfReferenceUID=frame, ROIName=CANARY) for number in numbers]
    )
    header.ROIContourSequence = Items(
        [item(ReferencedROINumber=number, ContourSequence=_contours(drawn, kind)) for number, drawn in zip(numbers, contours)]
    )
    header.RTROIObservationsSequence = Items([item(ObservationNumber=number) for number in numbers])
    return header


def _contours(drawn: Sequence[np.ndarray], kind: str) -> Items:
    return Items(
        [
            item(
                ContourGeometricType=kind,
                NumberOfContourPoints=len(places),
                ContourData=[f"{number:.6g}" for number in (np.asarray(places) * (-1, -1, 1)).ravel()],
            )
            for places in drawn
        ]
    )


def write_region(header: Dataset, folder: Path) -> Path:
    """One file. Returns: its path."""
    return write([header], folder, header.file_meta.TransferSyntaxUID, [f"{CANARY}.dcm"])[0]
