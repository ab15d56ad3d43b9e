"""Contours that say two things, or none, are no region."""

from __future__ import annotations

import numpy as np
import pytest
from dicom_phantoms import item
from pydicom import Dataset
from pydicom.sequence import Sequence as Items
from region_phantoms import structures, write_region

from caveat.reasons import StudyRefused
from caveat.transforms.place.region_file import read_region

SQUARE = np.array([[0.0, 0, 0], [20, 0, 0], [20, 10, 0], [0, 10, 0]])


def drawn() -> Dataset:
    return structures([[SQUARE + [0, 0, z] for z in (0, 3, 6)]], frame="1.2.3")


def code(header: Dataset, folder) -> str:
    with pytest.raises(StudyRefused) as refused:
        read_region(write_region(header, folder))
    return refused.value.code


def contour(header: Dataset, number: int = 1) -> Dataset:
    return header.ROIContourSequence[0].ContourSequence[number]


def places(points: np.ndarray) -> list[str]:
    return [f"{number:.6g}" for number in (np.asarray(points) * (-1, -1, 1)).ravel()]


def with_vertices(header: Dataset, points: np.ndarray) -> None:
    contour(header).ContourData, contour(header).NumberOfContourPoints = places(points), len(points)


FAULTS = {
    "open": lambda header: setattr(contour(header), "ContourGeometricType", "OPEN_PLANAR"),
    "open, not flat": lambda header: setattr(contour(header), "ContourGeometricType", "OPEN_NONPLANAR"),
    "no kind": lambda header: setattr(contour(header), "ContourGeometricType", ""),
    "more points than stated": lambda header: setattr(contour(header), "NumberOfContourPoints", 3),
    "fewer points than stated": lambda header: setattr(contour(header), "NumberOfContourPoints", 5),
    "a line": lambda header: with_vertices(header, SQUARE[:2] + [0, 0, 3]),
    "a point among contours": lambda header: (
        with_vertices(header, SQUARE[:1] + [0, 0, 3]),
        setattr(contour(header), "ContourGeometricType", "POINT"),
    ),
    "many places of one point": lambda header: setattr(contour(header), "ContourGeometricType", "POINT"),
    "not flat": lambda header: with_vertices(header, SQUARE + [[0, 0, 3], [0, 0, 3], [0, 0, 5], [0, 0, 3]]),
    "another plane": lambda header: with_vertices(header, SQUARE[:, [0, 2, 1]]),
    "far away": lambda header: with_vertices(header, SQUARE + [0, 0, 1e9]),
    "no numbers": lambda header: setattr(contour(header), "ContourData", []),
    "of a structure that is not declared": lambda header: setattr(header.StructureSetROISequence[0], "ROINumber", 7),
    "of one that is declared twice": lambda header: header.StructureSetROISequence.append(item(ROINumber=1)),
    "of a space that the file does not name": lambda header: setattr(
        header, "ReferencedFrameOfReferenceSequence", Items([item(FrameOfReferenceUID="1.2.4")])
    ),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_contours_that_are_no_region(fault, tmp_path):
    header = drawn()
    fault(header)
    assert code(header, tmp_path) == "REGION_UNREADABLE"


SOUND = {
    "as drawn": lambda header: None,
    "rounded": lambda header: with_vertices(header, SQUARE + [[0, 0, 3], [0, 0, 3.05], [0, 0, 3], [0, 0, 2.96]]),
    "no count": lambda header: delattr(contour(header), "NumberOfContourPoints"),
    "a hole": lambda header: setattr(contour(header), "ContourGeometricType", "CLOSEDPLANAR_XOR"),
    "a small one that leans": lambda header: with_vertices(
        header, SQUARE / [20, 10, 1] + [[5, 5, 3], [5, 5, 3.1], [5, 5, 3.2], [5, 5, 3]]
    ),
}


@pytest.mark.parametrize("change", SOUND.values(), ids=SOUND)
def test_contours_that_are_a_region(change, tmp_path):
    header = drawn()
    change(header)
    low, high = read_region(write_region(header, tmp_path)).extent(np.eye(3))
    np.testing.assert_allclose([low[:2], high[:2]], [[0, 0], [20, 10]], atol=0.1)
