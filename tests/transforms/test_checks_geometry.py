"""Checks of affines, at their limits."""

from __future__ import annotations

import numpy as np
import pytest
from phantoms import oblique_affine

from caveat.reasons import StudyRefused
from caveat.transforms.checks.geometry import refuse_bad_affine, refuse_conflict, spacing_of
from caveat.transforms.image.stated_spacing import stated_spacing


def code_of(check, *arguments):
    try:
        check(*arguments)
    except StudyRefused as refusal:
        return refusal.code
    return ""


def sheared(degrees):
    affine = np.eye(4)
    affine[:3, 1] = np.sin(np.deg2rad(degrees)), np.cos(np.deg2rad(degrees)), 0
    return affine


@pytest.mark.parametrize(("degrees", "code"), [(0.09, ""), (-0.09, ""), (0.11, "SHEARED_AFFINE"), (-15, "SHEARED_AFFINE")])
def test_axes_may_be_a_tenth_of_a_degree_off(degrees, code):
    assert code_of(refuse_bad_affine, sheared(degrees)) == code


@pytest.mark.parametrize(("mm", "plausible"), [(0.0101, True), (19.9, True), (0.0099, False), (20.1, False)])
def test_a_voxel_has_a_plausible_size(mm, plausible):
    assert code_of(refuse_bad_affine, np.diag([1, mm, 1, 1.0])) == ("" if plausible else "IMPLAUSIBLE_SPACING")


@pytest.mark.parametrize("left_handed", [False, True])
def test_spacing_is_the_length_of_columns(left_handed):
    affine = oblique_affine((0.4, 0.5, 3.0), left_handed)
    np.testing.assert_allclose(spacing_of(affine), (0.4, 0.5, 3.0))
    refuse_bad_affine(affine)


@pytest.mark.parametrize(("mm", "moved"), [(0.0, False), (0.49, False), (0.51, True), (300.0, True)])
def test_corners_more_than_half_a_mm_apart_are_a_motion(mm, moved):
    other = oblique_affine()
    other[1, 3] += mm
    assert refuse_conflict(oblique_affine(), other, (12, 10, 8)) is moved


@pytest.mark.parametrize(
    ("linear", "code"),
    [
        (np.array([[0.6, -0.8, 0], [0.8, 0.6, 0], [0, 0, 1.0]]), ""),
        (np.diag([-1.0, -1, 1]), ""),
        (np.diag([-1.0, 1, 1]), "AFFINE_CONFLICT"),
        (np.diag([1.2, 1, 1]), "AFFINE_CONFLICT"),
        (np.array([[1, 0.2, 0], [0, 1, 0], [0, 0, 1.0]]), "AFFINE_CONFLICT"),
        (np.full((3, 3), np.nan), "BAD_AFFINE"),
        (np.full((3, 3), 1e200), "AFFINE_CONFLICT"),
    ],
    ids=["turned", "half a turn", "a mirror", "scaled", "sheared", "no numbers", "huge"],
)
def test_a_turn_is_a_motion_and_nothing_else_is(linear, code):
    other = oblique_affine()
    other[:3] = linear @ other[:3]
    assert code_of(refuse_conflict, oblique_affine(), other, (12, 10, 8)) == code


def test_a_scale_that_differs_matters_at_the_far_corner():
    first, second = np.eye(4), np.diag([1.01, 1, 1, 1])
    assert code_of(refuse_conflict, first, second, (40, 10, 10)) == ""
    assert code_of(refuse_conflict, first, second, (400, 10, 10)) == "AFFINE_CONFLICT"


def test_stated_spacing():
    assert stated_spacing((0.5,), dimensions=3) == (0.5, 0.5, 0.5)
    assert stated_spacing((0.5, 0.25), dimensions=2) == (0.5, 0.25)
    assert code_of(stated_spacing, (1.0, 1.0), 3) == "STATED_SPACING_MISMATCH"
    assert code_of(stated_spacing, (25.0,), 3) == "IMPLAUSIBLE_SPACING"
