"""Targets of the mask against bodies whose size is known by formula, and against the values of the IBSI."""

from __future__ import annotations

import math

import numpy as np
import pytest

from caveat.inference.engine.study_grid import GridElement, StudyGrid
from caveat.inference.reducers.extent import Extent
from caveat.inference.reducers.lesions import Lesions
from caveat.inference.targets.area import Area
from caveat.inference.targets.drawn import Drawn
from caveat.inference.targets.largest_diameter import LargestDiameter
from caveat.inference.targets.surface_area import SurfaceArea

DIAMETER = LargestDiameter("diameter", "Body", (1,))
SURFACE = SurfaceArea("surface", "Body", (1,))
ISOTROPIC, THICK = (1.0, 1.0, 1.0), (2.5, 0.8, 0.8)


def value(target, mask: np.ndarray, spacing: tuple[float, ...]) -> float:
    unit = "mm2" if mask.ndim == 2 else "mm3"
    element = GridElement(math.prod(spacing), unit, spacing)
    return target.of(Drawn.of_labels(element, mask.astype(np.uint8), 2, mask.size))


def ball(radius: float, spacing: tuple[float, ...], shift: float = 0.2) -> np.ndarray:
    """Voxels whose middle is within so many mm. Args: shift: of the centre, in voxels."""
    axes = [np.arange(-math.ceil(radius / step) - 2, math.ceil(radius / step) + 3) + shift for step in spacing]
    place = np.meshgrid(*[axis * step for axis, step in zip(axes, spacing, strict=True)], indexing="ij")
    return sum(distance**2 for distance in place) <= radius**2


@pytest.mark.parametrize("spacing", [ISOTROPIC, THICK])
@pytest.mark.parametrize("radius,off", [(5.0, 0.03), (10.0, 0.01)])
def test_the_surface_of_a_ball(radius, off, spacing):
    assert value(SURFACE, ball(radius, spacing), spacing) == pytest.approx(4 * math.pi * radius**2, rel=off)


def test_the_surface_counts_what_is_inside_a_shell_too():
    hollow = ball(10.0, ISOTROPIC) & ~np.pad(ball(6.0, ISOTROPIC), 4)
    assert value(SURFACE, hollow, ISOTROPIC) == pytest.approx(4 * math.pi * (100 + 36), rel=0.01)


def test_a_body_that_the_border_cuts_is_closed_there():
    half = ball(10.0, ISOTROPIC, shift=0.5)[:12]
    assert half[-1].any() and value(SURFACE, half, ISOTROPIC) == value(SURFACE, np.pad(half, 3), ISOTROPIC)


@pytest.mark.parametrize("spacing", [ISOTROPIC, THICK])
@pytest.mark.parametrize("radius", [4.0, 10.0])
def test_the_diameter_of_a_ball_is_at_most_a_voxel_side_too_large(radius, spacing):
    assert 0 <= value(DIAMETER, ball(radius, spacing), spacing) - 2 * radius <= max(spacing)


@pytest.mark.parametrize("axis,expected", [(0, 17.5), (1, 5.6), (2, 5.6)])
def test_a_row_of_voxels_is_as_long_as_it_is(axis, expected):
    rod = np.zeros((9, 9, 9), bool)
    rod[tuple(slice(1, 8) if index == axis else 4 for index in range(3))] = True
    assert value(DIAMETER, rod, THICK) == pytest.approx(expected)


def test_the_diagonal_of_a_picture():
    square = np.zeros((20, 20), bool)
    square[4:16, 3:13] = True  # 12 rows of 0.5 mm, 10 columns of 1 mm
    assert value(DIAMETER, square, (0.5, 1.0)) == pytest.approx(math.hypot(5.5, 10.0))  # middle of one side to that of the other


def test_a_stray_voxel_is_no_end_of_the_diameter():
    body = np.pad(ball(4.0, ISOTROPIC), 8)
    with_stray = body.copy()
    with_stray[0, 0, 0] = True
    assert value(DIAMETER, with_stray, ISOTROPIC) == value(DIAMETER, body, ISOTROPIC)


def test_the_digital_phantom_of_the_ibsi():
    """Zwanenburg et al. 2020: "maximum 3D diameter" 13.1 mm, 74 voxels of 2 mm."""
    phantom = np.ones((4, 4, 5), bool)
    for hole in ((1, 2, 0), (2, 0, 3), (2, 0, 4), (2, 2, 2), (3, 0, 3), (3, 0, 4)):
        phantom[hole] = False
    assert phantom.sum() == 74 and value(DIAMETER, phantom, (2.0, 2.0, 2.0)) == pytest.approx(13.1, abs=0.05)


def test_nothing_has_no_surface_and_no_diameter():
    nothing = np.zeros((5, 6, 7), bool)
    assert value(SURFACE, nothing, ISOTROPIC) == value(DIAMETER, nothing, ISOTROPIC) == 0
    assert not SURFACE.found(0.0) and not DIAMETER.found(0.0)


def test_a_picture_has_no_surface_and_the_study_says_so_before_it_runs():
    with pytest.raises(ValueError, match="no surface area"):
        Extent([SURFACE]).begin(StudyGrid((8, 8), 2, 1, GridElement(1.0, "pixels", (1.0, 1.0))))


def test_what_needs_the_mask_is_not_taken_of_pieces_that_are_only_counted():
    with pytest.raises(ValueError, match="needs the mask"):
        Lesions(DIAMETER)


def test_a_structure_of_two_classes_is_measured_as_one():
    labels = np.zeros((6, 6, 6), np.uint8)
    labels[2, 2, 1:3], labels[2, 2, 3:5] = 1, 2
    element = GridElement(1.0, "mm3", ISOTROPIC)
    both = LargestDiameter("diameter", "Both", (2, 1))
    assert both.of(Drawn.of_labels(element, labels, 3, labels.size)) == pytest.approx(4.0)
    assert both.of(Drawn.of_one_element(element, both.classes, labels.size)) == pytest.approx(1.0)


def test_a_structure_is_of_some_class():
    with pytest.raises(ValueError, match="no class"):
        Area("area", "Object", ())
