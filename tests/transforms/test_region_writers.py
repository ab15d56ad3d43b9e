"""Regions as other programs write them: padded bits, frames without a segment, gaps between slices, rounded contours."""

from __future__ import annotations

import numpy as np
import pytest
from dicom_grid import OBLIQUE, Grid
from region_phantoms import segmentation, structures, write_region

from caveat.reasons import StudyRefused
from caveat.transforms.place.region_file import read_region

GRID = Grid(shape=(9, 9, 6))
"""81 pixels a frame, no whole number of bytes."""


def box() -> np.ndarray:
    mask = np.zeros(GRID.shape, bool)
    mask[2:6, 3:7, 1:5] = True
    return mask


def circle(height: float, decimals: int) -> np.ndarray:
    """A contour of 20 mm around the origin in an oblique plane (RAS), rounded as in a file."""
    along_row, along_column = np.reshape(OBLIQUE, (2, 3))
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)[:, None]
    points = 20 * (along_row * np.cos(angle) + along_column * np.sin(angle)) + height * np.cross(along_row, along_column)
    return np.round(points, decimals) * (-1, -1, 1)


@pytest.mark.parametrize("start", ["frame", "pixel"])
def test_bits_that_begin_anew_in_each_frame_or_byte_are_not_read_as_if_they_did_not(start, tmp_path):
    header = segmentation(GRID, [box()])
    frames = np.unpackbits(np.frombuffer(header.PixelData, np.uint8), count=4 * 81, bitorder="little").reshape(4, 81)
    data = np.packbits(frames, axis=1, bitorder="little").tobytes() if start == "frame" else frames.tobytes()
    header.PixelData = data + bytes(len(data) % 2)
    with pytest.raises(StudyRefused, match="REGION_UNREADABLE: 324 pixels of one bit declared"):
        read_region(write_region(header, tmp_path))


def test_frames_that_do_not_say_which_of_two_segments_they_are_of(tmp_path):
    header = segmentation(GRID, [box(), box()[::-1]])
    del header.PerFrameFunctionalGroupsSequence[0].SegmentIdentificationSequence
    with pytest.raises(StudyRefused, match="REGION_UNREADABLE: 1 frames do not say which segment"):
        read_region(write_region(header, tmp_path), 2)


@pytest.mark.parametrize(("stated_mm", "parts"), [(2.5, 1), (100.0, 1), (None, 4)])
def test_slices_with_gaps_between_them_touch_if_they_say_how_far_they_are_apart(stated_mm, parts, tmp_path):
    header = segmentation(GRID, [box()])
    (measures,) = header.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
    measures.SliceThickness, measures.SpacingBetweenSlices = 1.5, stated_mm
    assert read_region(write_region(header, tmp_path)).parts == parts


@pytest.mark.parametrize("decimals", [1, 2, 4])
def test_rounded_contours_are_one_part_and_reach_half_a_step_beyond_the_last_plane(decimals, tmp_path):
    drawn = [circle(height, decimals) for height in (0, 3, 6, 9)]
    region = read_region(write_region(structures([drawn]), tmp_path))
    along_row, along_column = np.reshape(OBLIQUE, (2, 3)) * (-1, -1, 1)
    axes = np.stack([along_row, along_column, np.cross(*np.reshape(OBLIQUE, (2, 3))) * (-1, -1, 1)])
    np.testing.assert_allclose(region.extent(axes), [(-20, -20, -1.5), (20, 20, 10.5)], atol=0.1)
    assert region.parts == 1


def test_contours_of_one_plane_that_differ_by_rounding_are_no_planes_of_their_own(tmp_path):
    square = np.array([[0, 0, 0], [20, 0, 0], [20, 10, 0], [0, 10, 0]])
    drawn = [square + [15 * side, 0, height + 0.02 * side] for height in (0, 3, 6) for side in (0, 1)]
    region = read_region(write_region(structures([drawn]), tmp_path))
    np.testing.assert_allclose(region.extent(np.eye(3)), [(0, 0, -1.5), (35, 10, 7.5)], atol=0.05)
    assert region.parts == 1
