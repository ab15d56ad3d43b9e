"""Where the one contoured structure of an RTSTRUCT lies."""

from __future__ import annotations

import numpy as np
from pydicom.dataset import Dataset

from caveat.reasons import StudyRefused

from ..lps import LPS_TO_RAS
from ..region import Region
from .header_values import finite_numbers, numbers, text, whole_number
from .instance import Instance
from .space import frame_of_reference, smallest_step

CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR", "POINT")
"""Kinds of contours that say what belongs to a structure."""


def contour_region(instance: Instance) -> Region:
    """The region within the contours, which reach half a step between their planes to either side.

    To be called where what pydicom raises and says is caught.

    Raises:
        StudyRefused: AMBIGUOUS_REGION, EMPTY_REGION, REGION_UNREADABLE.
    """
    header = instance.header
    drawn = [roi for roi in header.get("ROIContourSequence") or () if roi.get("ContourSequence")]
    if len(drawn) != 1:
        found = ", ".join(str(whole_number(roi, "ReferencedROINumber")) for roi in drawn)
        raise StudyRefused("AMBIGUOUS_REGION" if drawn else "EMPTY_REGION", f"{len(drawn)} structures: {found}")
    contours = [_vertices(contour) for contour in drawn[0].ContourSequence]
    return Region(np.concatenate(contours) * LPS_TO_RAS, LPS_TO_RAS[:, None] * _slab(contours), _frame(header, drawn[0]))


def _vertices(contour: Dataset) -> np.ndarray:
    """(n, 3) mm, LPS. Raises: StudyRefused: REGION_UNREADABLE."""
    count = whole_number(contour, "NumberOfContourPoints") or len(numbers(contour, "ContourData")) // 3
    places = finite_numbers(contour, "ContourData", 3 * count)
    if not places or text(contour, "ContourGeometricType") not in CLOSED:
        raise StudyRefused("REGION_UNREADABLE", "a contour that is open, incomplete or empty")
    return np.array(places).reshape(-1, 3)


def _slab(contours: list[np.ndarray]) -> np.ndarray:
    """(3, 3) edges in columns: contours have a height alone, along the normal of the largest of them."""
    normals = [np.cross(contour, np.roll(contour, -1, axis=0)).sum(axis=0) for contour in contours]  # Newell's, twice the area
    normal = max(normals, key=lambda one: float(np.linalg.norm(one)))
    length = np.linalg.norm(normal)
    edges = np.zeros((3, 3))
    if length > 0:
        edges[:, 2] = normal / length * smallest_step(np.concatenate(contours) @ normal / length)
    return edges


def _frame(header: Dataset, drawn: Dataset) -> str:
    """Hash of the space that the structure is said to lie in."""
    number = whole_number(drawn, "ReferencedROINumber")
    for structure in header.get("StructureSetROISequence") or ():
        if whole_number(structure, "ROINumber") == number:
            return frame_of_reference(structure, "ReferencedFrameOfReferenceUID")
    return ""
