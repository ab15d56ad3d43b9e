"""Where the one contoured structure of an RTSTRUCT lies."""

from __future__ import annotations

import numpy as np
from pydicom.dataset import Dataset

from caveat.reasons import StudyRefused

from ..lps import LPS_TO_RAS
from ..region import Region, one_label
from .contour_parts import contour_parts
from .header_values import finite_numbers, numbers, text, whole_number
from .instance import Instance
from .space import frame_of_reference, height_of, smallest_step

CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR", "POINT")
"""Kinds of contours that say what belongs to a structure."""


def contour_region(instance: Instance, label: int | None = None) -> Region:
    """The region within the contours, which reach half a step between their planes to either side, or half as far as they say.

    To be called where what pydicom raises and says is caught.

    Args:
        instance: the file.
        label: number of the structure, None for the only one that has contours.

    Raises:
        StudyRefused: AMBIGUOUS_REGION, EMPTY_REGION, REGION_UNREADABLE.
    """
    header = instance.header
    drawn = [roi for roi in header.get("ROIContourSequence") or () if roi.get("ContourSequence")]
    numbered = [whole_number(roi, "ReferencedROINumber") or 0 for roi in drawn]
    number = one_label(numbered, label, "structures")
    if numbered.count(number) > 1:
        raise StudyRefused("AMBIGUOUS_REGION", f"{numbered.count(number)} structures of one number")
    structure = drawn[numbered.index(number)]
    contours = [_vertices(contour) for contour in structure.ContourSequence]
    normals = [np.cross(contour, np.roll(contour, -1, axis=0)).sum(axis=0) / 2 for contour in contours]  # Newell's, the area long
    areas = np.linalg.norm(normals, axis=1)
    axes = _axes(normals[int(areas.argmax())])
    step = smallest_step(np.concatenate(contours) @ axes[2]) if areas.any() else 0.0
    edges = np.zeros((3, 3))  # contours have a height alone, along the normal of the largest of them
    edges[:, 2] = axes[2] * height_of(step, _thickness(structure))
    return Region(
        points=np.concatenate(contours) * LPS_TO_RAS,
        edges=LPS_TO_RAS[:, None] * edges,
        frame_of_reference=_frame(header, number),
        parts=contour_parts(contours, areas, axes, step),
    )


def _vertices(contour: Dataset) -> np.ndarray:
    """(n, 3) mm, LPS. Raises: StudyRefused: REGION_UNREADABLE."""
    count = whole_number(contour, "NumberOfContourPoints") or len(numbers(contour, "ContourData")) // 3
    places = finite_numbers(contour, "ContourData", 3 * count)
    if not places or text(contour, "ContourGeometricType") not in CLOSED:
        raise StudyRefused("REGION_UNREADABLE", "a contour that is open, incomplete or empty")
    return np.array(places).reshape(-1, 3)


def _thickness(structure: Dataset) -> float | None:
    """How far contours say that they reach, mm; None where they do not."""
    stated = [finite_numbers(contour, "ContourSlabThickness", 1) for contour in structure.ContourSequence]
    return min((found[0] for found in stated if found), default=None)


def _axes(normal: np.ndarray) -> np.ndarray:
    """(3, 3) rows: two directions in a plane and its normal; the world's own for points, which have none."""
    length = np.linalg.norm(normal)
    if length == 0:
        return np.eye(3)
    *_, turned = np.linalg.svd(normal[None])
    return np.stack([turned[1], turned[2], normal / length])


def _frame(header: Dataset, number: int) -> str:
    """Hash of the space that a structure is said to lie in: by itself, else by the one that the file names.

    Raises:
        StudyRefused: REGION_UNREADABLE where the file names several.
    """
    for structure in header.get("StructureSetROISequence") or ():
        if whole_number(structure, "ROINumber") == number and (
            own := frame_of_reference(structure, "ReferencedFrameOfReferenceUID")
        ):
            return own
    named = [header, *(header.get("ReferencedFrameOfReferenceSequence") or ())]
    spaces = {space for item in named if (space := frame_of_reference(item))}
    if len(spaces) > 1:
        raise StudyRefused("REGION_UNREADABLE", f"{len(spaces)} frames of reference, and none of them the structure's")
    return spaces.pop() if spaces else ""
