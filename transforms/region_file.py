"""A region from a file: a mask, a DICOM segmentation, or the contours of an RTSTRUCT."""

from __future__ import annotations

from pathlib import Path

from pydicom.uid import UID, RTStructureSetStorage, SegmentationStorage

from caveat.reasons import StudyRefused

from .dicom.contour_region import contour_region
from .dicom.instance import looks_like_dicom, read_head, read_instance
from .dicom.quiet_pydicom import quiet_pydicom
from .dicom.segment_region import segment_region
from .inspect_study import inspect_study
from .region import Region, region_of_mask

MASKS = ("nifti", "metaimage", "nrrd")
"""Kinds of images that are volumes of plain numbers in one file."""
REGIONS = {
    SegmentationStorage: segment_region,
    UID("1.2.840.10008.5.1.4.1.1.66.7"): segment_region,  # a label map
    RTStructureSetStorage: contour_region,
}
OWN_CODES = ("AMBIGUOUS_REGION", "EMPTY_REGION", "REGION_UNREADABLE")


def read_region(path: Path) -> Region:
    """Where the one region of a file lies: every voxel above 0, the one segment, the one contoured structure.

    Raises:
        StudyRefused: AMBIGUOUS_REGION, EMPTY_REGION; REGION_UNREADABLE with the reason, so that it is not taken for one of the
            image.
    """
    try:
        _, head = read_head(path)
        if not looks_like_dicom(head):
            image = inspect_study(path, kinds=MASKS).image
            return region_of_mask(image.voxels[0] > 0, image.affine)
        return _dicom_region(path)
    except StudyRefused as refused:
        if refused.code in OWN_CODES:
            raise
        raise StudyRefused("REGION_UNREADABLE", str(refused)) from None


def _dicom_region(path: Path) -> Region:
    """Elements are decoded on first use, and a damaged one can raise anything, with words of the file in its text."""
    with quiet_pydicom():
        try:
            instance = read_instance(path)
            if instance.sop_class not in REGIONS:
                raise StudyRefused("REGION_UNREADABLE", "a DICOM object that is no segmentation and no RTSTRUCT")
            return REGIONS[instance.sop_class](instance)
        except StudyRefused:
            raise
        except (Exception, RecursionError) as error:
            raise StudyRefused("REGION_UNREADABLE", type(error).__name__) from None
