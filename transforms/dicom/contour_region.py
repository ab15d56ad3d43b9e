"""Where the one contoured structure of an RTSTRUCT lies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydicom.dataset import Dataset

from caveat.reasons import StudyRefused

from ..image.lps import LPS_TO_RAS
from ..image.region import Region, one_label
from .contour_parts import contour_parts
from .header_values import finite_numbers, numbers, text, whole_number
from .instance import Instance
from .space import frame_of_reference, height_of, smallest_step

CLOSED, POINT = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR"), "POINT"
"""Kinds of contours that say what belongs to a structure."""
FEWEST_VERTICES = 3
FLATNESS_MM = 0.5
"""How far vertices of one contour may lie off its plane: they are rounded."""
SAME_PLANE_MM = 0.1
"""Between the middles of contours that lie in one plane: rounded to tenths, they do not agree better."""
PARALLEL = 0.99
"""Cosine between the normals of two contours of one structure; those of tiny ones are mostly rounding."""
SMALLEST_AREA_MM2 = 10.0
"""Of a contour whose normal counts."""
FURTHEST_MM = 1e5
"""From the origin of a patient's space."""


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
    kinds = {text(contour, "ContourGeometricType") == POINT for contour in structure.ContourSequence}
    if len(kinds) > 1:
        raise StudyRefused("REGION_UNREADABLE", "points beside closed contours in one structure")
    normals = np.array([_normal(contour) for contour in contours])
    areas = np.linalg.norm(normals, axis=1)
    axes = _axes(normals[int(areas.argmax())])
    _refuse_other_planes(contours, normals, areas, axes)
    middles = np.array([contour.mean(axis=0) for contour in contours])
    step = smallest_step(middles @ axes[2], SAME_PLANE_MM) if areas.any() else 0.0
    edges = np.zeros((3, 3))  # contours have a height alone, along the normal of the largest of them
    edges[:, 2] = axes[2] * height_of(step, _thickness(structure))
    return Region(
        points=np.concatenate(contours) * LPS_TO_RAS,
        edges=LPS_TO_RAS[:, None] * edges,
        frame_of_reference=_frame(header, number),
        parts=contour_parts(contours, areas, axes, step),
    )


def _vertices(contour: Dataset) -> np.ndarray:
    """(n, 3) mm, LPS. Raises: StudyRefused: REGION_UNREADABLE.

    Source: DICOM PS3.3, C.8.8.6.1 (types of contours).
    """
    kind = text(contour, "ContourGeometricType")
    count = whole_number(contour, "NumberOfContourPoints") or len(numbers(contour, "ContourData")) // 3
    places = finite_numbers(contour, "ContourData", 3 * count)
    if not places or kind not in (*CLOSED, POINT):
        raise StudyRefused("REGION_UNREADABLE", "a contour that is open, incomplete or empty")
    if count < FEWEST_VERTICES if kind != POINT else count > 1:
        raise StudyRefused("REGION_UNREADABLE", f"a contour of {count} vertices that is to be {kind}")
    found = np.array(places).reshape(-1, 3)
    if np.abs(found).max() > FURTHEST_MM:
        raise StudyRefused("REGION_UNREADABLE", f"a contour {np.abs(found).max():.3g} mm away")
    return found


def _normal(contour: np.ndarray) -> np.ndarray:
    """(3,), as long as the area. Source: Newell's method."""
    return np.cross(contour, np.roll(contour, -1, axis=0)).sum(axis=0) / 2


def _refuse_other_planes(contours: Sequence[np.ndarray], normals: np.ndarray, areas: np.ndarray, axes: np.ndarray) -> None:
    """Accept contours that are flat and lie in parallel planes.

    Args:
        contours: (n, 3) each, mm.
        normals: (contours, 3), as long as the areas.
        areas: (contours,), mm2.
        axes: as of `_axes`, of the largest.

    Raises:
        StudyRefused: REGION_UNREADABLE.
    """
    height = max(float(np.ptp(contour @ axes[2])) for contour in contours)
    large = areas > SMALLEST_AREA_MM2
    off = int((np.abs(normals[large] @ axes[2]) < PARALLEL * areas[large]).sum())
    if off or height > FLATNESS_MM:
        raise StudyRefused("REGION_UNREADABLE", f"contours that are not flat (by {height:.3g} mm), or in {off} other planes")


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
        StudyRefused: REGION_UNREADABLE where the file names several, or none that fits.
    """
    every = header.get("StructureSetROISequence") or ()
    declared = [one for one in every if whole_number(one, "ROINumber") == number]
    if every and len(declared) != 1:
        raise StudyRefused("REGION_UNREADABLE", f"contours of a structure that is declared {len(declared)} times")
    own = frame_of_reference(declared[0], "ReferencedFrameOfReferenceUID") if declared else ""
    named = [header, *(header.get("ReferencedFrameOfReferenceSequence") or ())]
    spaces = {space for item in named if (space := frame_of_reference(item))}
    if own and spaces and own not in spaces:
        raise StudyRefused("REGION_UNREADABLE", "a structure in a frame of reference that its file does not name")
    if own:
        return own
    if len(spaces) > 1:
        raise StudyRefused("REGION_UNREADABLE", f"{len(spaces)} frames of reference, and none of them the structure's")
    return spaces.pop() if spaces else ""
