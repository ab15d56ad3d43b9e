"""Volumes brought onto another grid: checked on intensities that are linear in space, which interpolation must reproduce."""

from __future__ import annotations

import numpy as np
import pytest

from caveat.reasons import StudyRefused
from caveat.transforms.dicom.resampling import fill_gaps, on_grid_of, straighten
from caveat.transforms.image.study_image import StudyImage


def places_mm(shape: tuple[int, ...], affine: np.ndarray) -> np.ndarray:
    """Returns: (*shape, 3), mm."""
    index = np.stack(np.meshgrid(*[np.arange(length) for length in shape], indexing="ij"), axis=-1)
    return index @ affine[:3, :3].T + affine[:3, 3]


def ramp(places: np.ndarray) -> np.ndarray:
    return (places @ (2.0, 3.0, -1.0) + 5).astype(np.float32)


def image(shape: tuple[int, ...], affine: np.ndarray) -> StudyImage:
    return StudyImage(ramp(places_mm(shape, affine))[None], affine, affine, (1.0, 1.0, 1.0), "")


def grid(spacing: tuple[float, float, float], origin: tuple[float, float, float]) -> np.ndarray:
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = origin
    return affine


def test_missing_planes_lie_between_their_neighbours():
    values = np.zeros((2, 2, 3), dtype=np.float32)
    values[..., 1], values[..., 2] = 3, 9
    filled = fill_gaps(values, np.array([0, 1, 4]))
    np.testing.assert_array_equal(filled[0, 0], [0, 3, 5, 7, 9])


def test_a_filled_volume_that_is_too_large_is_refused_before_it_is_made():
    values = np.lib.stride_tricks.as_strided(np.zeros(1, np.float32), (30_000, 30_000, 2), (0, 0, 0))
    with pytest.raises(StudyRefused, match="TOO_LARGE"):
        fill_gaps(values, np.array([0, 2]))


@pytest.mark.parametrize("lean", [(1.3, 0.0), (0.0, -2.2), (-0.7, 0.4)])
def test_a_leaning_stack_is_straightened_in_place(lean):
    leaning = grid((1.5, 2.0, 3.0), (-4.0, 7.0, 1.0))
    leaning[:2, 2] = lean
    values = ramp(places_mm((9, 8, 5), leaning))
    straight, affine = straighten(values, leaning)
    np.testing.assert_allclose(affine[:3, :3], np.diag([1.5, 2.0, 3.0]), atol=1e-12)
    covered = straight > values.min()
    true = ramp(places_mm(straight.shape, affine))
    inside = covered & (np.abs(straight - true) < 1e-3)
    assert inside.sum() >= 8 * 7 * 5  # all but the rims, where a pixel is partly outside
    corners = places_mm((9, 8, 5), leaning).reshape(-1, 3)
    reach = places_mm(straight.shape, affine).reshape(-1, 3)
    assert (reach.min(axis=0) <= corners.min(axis=0) + 1e-9).all()
    assert (reach.max(axis=0) >= corners.max(axis=0) - 1e-9).all()


def test_the_same_grid_is_left_alone():
    first, second = image((4, 5, 6), grid((1, 1, 2), (0, 0, 0))), image((4, 5, 6), grid((1, 1, 2), (0, 0, 1e-6)))
    voxels, flags = on_grid_of(first, second)
    assert voxels is second.voxels
    assert flags == ()


def test_a_finer_volume_is_brought_onto_a_coarser_grid():
    fixed, moving = image((4, 4, 4), grid((2, 2, 2), (1, 1, 1))), image((12, 12, 12), grid((-1, 1, 1), (10, -1, -1)))
    voxels, flags = on_grid_of(fixed, moving)
    np.testing.assert_allclose(voxels, fixed.voxels, atol=1e-4)
    assert flags == ("RESAMPLED_TO_FIRST",)


def test_what_the_second_does_not_cover_has_its_smallest_value():
    fixed, moving = image((6, 4, 4), grid((1, 1, 1), (0, 0, 0))), image((4, 9, 9), grid((1, 1, 1), (0, -2, -2)))
    voxels, flags = on_grid_of(fixed, moving)
    np.testing.assert_allclose(voxels[0, :4], fixed.voxels[0, :4], atol=1e-4)
    assert (voxels[0, 4:] == moving.voxels.min()).all()
    assert flags == ("RESAMPLED_TO_FIRST", "PARTIAL_COVERAGE")


def test_two_volumes_apart_are_refused():
    with pytest.raises(StudyRefused, match="PARTIAL_COVERAGE"):
        on_grid_of(image((4, 4, 4), grid((1, 1, 1), (0, 0, 0))), image((4, 4, 4), grid((1, 1, 1), (50, 0, 0))))
