"""Checks of affines, at their limits."""

from __future__ import annotations

import numpy as np
import pytest
from phantoms import oblique_affine

from caveat.reasons import StudyRefused
from caveat.transforms.checks.geometry import refuse_bad_affine, refuse_conflict, spacing_of
from caveat.transforms.stated_spacing import stated_spacing


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


@pytest.mark.parametrize(("mm", "code"), [(0.0, ""), (0.49, ""), (0.51, "AFFINE_CONFLICT"), (np.nan, "BAD_AFFINE")])
def test_two_affines_may_put_corners_half_a_mm_apart(mm, code):
    moved = oblique_affine()
    moved[1, 3] += mm
    assert code_of(refuse_conflict, oblique_affine(), moved, (12, 10, 8)) == code


def test_a_scale_that_differs_matters_at_the_far_corner():
    first, second = np.eye(4), np.diag([1.01, 1, 1, 1])
    assert code_of(refuse_conflict, first, second, (40, 10, 10)) == ""
    assert code_of(refuse_conflict, first, second, (400, 10, 10)) == "AFFINE_CONFLICT"


def test_stated_spacing():
    assert stated_spacing((0.5,), dimensions=3) == (0.5, 0.5, 0.5)
    assert stated_spacing((0.5, 0.25), dimensions=2) == (0.5, 0.25)
    assert code_of(stated_spacing, (1.0, 1.0), 3) == "STATED_SPACING_MISMATCH"
    assert code_of(stated_spacing, (25.0,), 3) == "IMPLAUSIBLE_SPACING"
