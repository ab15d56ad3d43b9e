"""Landmarks and their regions as graphics on the image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom.dataset import Dataset

from ..image.lps import LPS_TO_RAS
from .codes import own_code, unit_code
from .numbers import details_of, number

if TYPE_CHECKING:
    import highdicom as hd

CORNER = 0.5
"""DICOM counts from the corner of the first element, an index from its middle. Source: PS3.3, C.18.6.1.2."""
POINTS = 36
"""Of a region's outline."""
SEMI_AXIS = (
    own_code("semi-axis-1", "Longest semi-axis of the region"),
    own_code("semi-axis-2", "Second semi-axis of the region"),
)


def point_of(answer: Mapping[str, Any], image: Dataset) -> hd.sr.ImageRegion | hd.sr.ImageRegion3D:
    """Where a landmark is. Args: answer: a landmark with a value. image: the reduced header."""
    if len(answer["value"]) == 3:
        return point_in_space(answer["value"], image)
    row, column = answer["index_on_input_grid"]
    return _graphic("POINT", np.array([[column, row]]), image)


def point_in_space(place: Sequence[float], image: Dataset) -> hd.sr.ImageRegion3D:
    """A place of a volume. Args: place: mm, RAS. image: a reduced header."""
    import highdicom as hd

    return hd.sr.ImageRegion3D("POINT", np.array([place]) * LPS_TO_RAS, image.FrameOfReferenceUID)


def outline_of(
    answer: Mapping[str, Any], region: Mapping[str, Any], about: Mapping[str, Any], image: Dataset
) -> hd.sr.ImageRegion | None:
    """The outline of a landmark's region on a radiograph, closed.

    None where a part of it lies outside the image, which no graphic can say, and in space, where an outline is no region.

    Args:
        answer: a landmark with a value. region: its disc or ellipse, in mm. about: `input` of the result. image: its header.
    """
    if len(answer["value"]) == 3:
        return None
    turn = np.linspace(0, 2 * np.pi, POINTS + 1)
    circle = np.stack([np.cos(turn), np.sin(turn)])
    circle[:, -1] = circle[:, 0]
    if _is_ellipse(region):
        offsets = np.array(region["directions"]).T @ (np.array(region["semi_axes"])[:, None] * circle)
    else:
        offsets = region["radius"] * circle
    spacing = np.array(about.get("spacing_mm") or (1.0, 1.0))
    rows, columns = np.array(answer["index_on_input_grid"])[:, None] + offsets / spacing[:, None]
    places = np.stack([columns, rows], axis=1)
    inside = (places >= -CORNER).all() and (places <= np.array([image.Columns, image.Rows]) - CORNER).all()
    return _graphic("POLYLINE", places, image) if inside else None


def region_numbers(region: Mapping[str, Any]) -> list[hd.sr.Measurement]:
    """The size of a region, and what it promises."""
    lengths = region["semi_axes"] if _is_ellipse(region) else [region["radius"]]
    found = [number(code, length, unit_code("mm")) for code, length in zip(SEMI_AXIS, lengths)]
    found[0][0].ContentSequence = details_of(region)
    return found


def _is_ellipse(region: Mapping[str, Any]) -> bool:
    return region["kind"] == "ellipse"


def _graphic(kind: str, places: np.ndarray, image: Dataset) -> hd.sr.ImageRegion:
    """Args: places: (points, 2), column and row as an index."""
    import highdicom as hd

    source = hd.sr.SourceImageForRegion(image.SOPClassUID, image.SOPInstanceUID)
    return hd.sr.ImageRegion(kind, places + CORNER, source)
