"""A region from a file: a mask, a DICOM segmentation, or the contours of an RTSTRUCT."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom.uid import UID, RTStructureSetStorage, SegmentationStorage

from caveat.reasons import StudyRefused

from ..dicom.contour_region import contour_region
from ..dicom.instance import looks_like_dicom, read_head, read_instance
from ..dicom.quiet_pydicom import quiet_pydicom
from ..dicom.segment_region import segment_region
from ..image.region import Region, one_label, region_of_mask
from ..study.inspect_study import inspect_study

MASKS = ("nifti", "metaimage", "nrrd")
"""Kinds of images that are volumes of plain numbers in one file."""
REGIONS = {
    SegmentationStorage: segment_region,
    UID("1.2.840.10008.5.1.4.1.1.66.7"): segment_region,  # a label map
    RTStructureSetStorage: contour_region,
}
HALF = 0.5
ROUNDING = 1e-4
"""Of a label that was stored by slope and intercept."""
LARGEST_LABEL = 2**24
"""Voxels are read as float32, which holds whole numbers apart below it."""
OWN_CODES = ("AMBIGUOUS_REGION", "EMPTY_REGION", "REGION_UNREADABLE")


def read_region(path: Path, label: int | None = None) -> Region:
    """Where one region of a file lies: the voxels of one label, one segment, one contoured structure.

    Args:
        path: of the file.
        label: number of the label, the segment or the structure; None for the only one.

    Raises:
        StudyRefused: AMBIGUOUS_REGION, EMPTY_REGION; REGION_UNREADABLE with the reason, so that it is not taken for one of the
            image.
    """
    try:
        _, head = read_head(path)
        if looks_like_dicom(head):
            return _dicom_region(path, label)
        image = inspect_study(path, kinds=MASKS).image
        return region_of_mask(_mask(image.voxels[0], label), image.affine)
    except StudyRefused as refused:
        if refused.code in OWN_CODES:
            raise
        raise StudyRefused("REGION_UNREADABLE", str(refused)) from None


def _mask(voxels: np.ndarray, label: int | None) -> np.ndarray:
    """The voxels of one label; of probabilities, those from one half on.

    Raises:
        StudyRefused: AMBIGUOUS_REGION, EMPTY_REGION; REGION_UNREADABLE for values that are neither.
    """
    lowest, highest = float(voxels.min()), float(voxels.max())
    labels = np.rint(voxels)
    if np.abs(voxels - labels).max() > ROUNDING:
        if lowest < 0 or highest > 1 + ROUNDING:
            raise StudyRefused("REGION_UNREADABLE", f"{lowest:g} to {highest:g}: neither labels nor probabilities")
        one_label([1], label, "labels")
        return voxels >= HALF
    if lowest < -ROUNDING or highest >= LARGEST_LABEL:
        raise StudyRefused("REGION_UNREADABLE", f"labels from {lowest:g} to {highest:g}")
    found = [int(value) for value in np.unique(labels) if value]
    return labels == one_label(found, label, "labels")


def _dicom_region(path: Path, label: int | None) -> Region:
    """Elements are decoded on first use, and a damaged one can raise anything, with words of the file in its text."""
    with quiet_pydicom():
        try:
            instance = read_instance(path)
            if instance.sop_class not in REGIONS:
                raise StudyRefused("REGION_UNREADABLE", "a DICOM object that is no segmentation and no RTSTRUCT")
            return REGIONS[instance.sop_class](instance, label)
        except StudyRefused:
            raise
        except (Exception, RecursionError) as error:
            raise StudyRefused("REGION_UNREADABLE", type(error).__name__) from None
