"""Evenly spaced slices are numbered; missing ones are named; anything else is refused."""

from __future__ import annotations

import numpy as np
import pytest

from caveat.reasons import StudyRefused
from caveat.transforms.dicom.slice_line import fitted_step, planes_of


def code_of(offsets: list[float], allow_gaps: bool = False) -> str:
    with pytest.raises(StudyRefused) as caught:
        planes_of(np.array(offsets), allow_gaps)
    return caught.value.code


def test_even_slices_are_numbered_in_order():
    np.testing.assert_array_equal(planes_of(np.array([-3.0, -0.5, 2.0, 4.5])), [0, 1, 2, 3])


def test_two_slices_are_always_even():
    np.testing.assert_array_equal(planes_of(np.array([0.0, 7.0])), [0, 1])


def test_the_line_goes_through_the_middle_of_the_places():
    start, step = fitted_step(np.array([[0.0, 1.0], [2.0, 1.0], [4.0, 1.3]]), np.array([0, 1, 2]))
    np.testing.assert_allclose(step, [2.0, 0.15])
    np.testing.assert_allclose(start + step, [2.0, 1.1])


def test_a_step_of_1_mm_may_be_wrong_by_0_11_mm():
    np.testing.assert_array_equal(planes_of(np.array([0.0, 1.0, 2.0, 3.1, 4.0, 5.0])), range(6))
    assert code_of([0.0, 1.0, 2.0, 3.2, 4.0, 5.0]) == "VARIABLE_SPACING"


def test_thin_slices_may_be_wrong_by_half_of_their_distance_and_no_more():
    np.testing.assert_array_equal(planes_of(np.array([0.0, 0.1, 0.24, 0.3, 0.4])), range(5))
    assert code_of([0.0, 0.1, 0.29, 0.3, 0.4]) == "VARIABLE_SPACING"


@pytest.mark.parametrize(
    ("offsets", "planes"),
    [
        ([0.0, 2.5, 7.5, 10.0, 12.5], [0, 1, 3, 4, 5]),
        ([0.0, 2.5, 5.0, 15.0, 17.5, 20.0], [0, 1, 2, 6, 7, 8]),
        ([0.0, 5.0, 7.5], [0, 2, 3]),
        (
            [round(0.33 * plane, 1) for plane in (0, 1, 2, 3, 4, 5, 9, 10, 11, 12, 13, 14)],
            [0, 1, 2, 3, 4, 5, 9, 10, 11, 12, 13, 14],
        ),
    ],
)
def test_missing_slices_are_a_gap_and_numbered_around_on_request(offsets, planes):
    assert code_of(offsets) == "SLICE_GAP"
    np.testing.assert_array_equal(planes_of(np.array(offsets), allow_gaps=True), planes)


def test_the_refusal_counts_what_is_missing():
    with pytest.raises(StudyRefused, match="SLICE_GAP: 4 missing in 2 places, 9 are there, 2 mm apart"):
        planes_of(np.array([0.0, 2.0, 8.0, 10.0, 12.0, 14.0, 16.0, 22.0, 24.0]))


@pytest.mark.parametrize("allow_gaps", [False, True])
def test_a_spacing_that_changes_is_no_gap(allow_gaps):
    assert code_of([0, 2.5, 5, 7.5, 10, 15, 20, 25, 30], allow_gaps) == "VARIABLE_SPACING"
    assert code_of([0, 2.5, 5, 7.5, 11, 13.5], allow_gaps) == "VARIABLE_SPACING"
    assert code_of([0, 2.5, 5, 100, 102.5], allow_gaps) == "VARIABLE_SPACING"
