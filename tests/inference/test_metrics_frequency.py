"""How often an element is marked, and the Brier score against several raters."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caveat.inference.metrics.brier import brier_of_raters
from caveat.inference.metrics.calibration_error import adaptive_calibration_error, expected_calibration_error
from caveat.inference.metrics.frequency import frequency, frequency_table


def test_frequency_by_hand():
    masks = np.array([[0, 1, 1, 2], [0, 0, 1, 1], [2, 0, 1, 2], [2, 0, 1, 1]])
    assert frequency(masks, [1, 2]).tolist() == [[0, 0.25, 1, 0.5], [0.5, 0, 0, 0.5]]
    assert frequency(masks > 0).tolist() == [[0.5, 0.25, 1, 1]]


def test_table_by_hand():
    predicted, observed = np.array([0, 0.5, 0.5, 0.75, 1]), np.array([0, 0.25, 0.75, 1, 0.5])
    assert frequency_table(predicted, observed, 2).tolist() == [[3, 1, 1], [2, 1.75, 1.5]]
    with pytest.raises(ValueError, match="observed"):
        frequency_table(predicted, observed[:3])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 20))
def test_tables_add_up_to_the_calibration_error_of_all(seed, bins):
    random = np.random.default_rng(seed)
    predicted, observed = random.integers(0, 17, (2, 3, 30)) / 16, random.integers(0, 5, (2, 3, 30)) / 4
    table = sum(frequency_table(p, o, bins) for p, o in zip(predicted, observed, strict=True))
    error = np.abs(table[:, 1] - table[:, 2]).sum() / table[:, 0].sum()
    assert error == pytest.approx(expected_calibration_error(predicted.ravel(), observed.ravel(), bins))


def test_raters_who_mark_as_often_as_predicted_show_no_calibration_error():
    """Neither error counts the raters' disagreement against a prediction that states it."""
    raters = np.random.default_rng(0).random((4, 500)) < 0.4
    observed = frequency(raters)[0]
    assert expected_calibration_error(observed, observed) == 0
    assert adaptive_calibration_error(observed, observed) == 0
    assert brier_of_raters(observed, observed)["total"] > 0.1


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 5))
def test_brier_is_a_mean_over_raters_and_elements(seed, raters):
    random = np.random.default_rng(seed)
    predicted, marked = random.random(12), random.random((raters, 12)) < 0.4
    found = brier_of_raters(predicted, frequency(marked)[0])
    assert found["total"] == pytest.approx(np.mean([(predicted - one) ** 2 for one in marked]))
    assert found["disagreement"] == pytest.approx(marked.var(axis=0).mean())
    assert found["distance"] == pytest.approx(np.mean((predicted - marked.mean(axis=0)) ** 2))


def test_no_elements():
    assert all(math.isnan(value) for value in brier_of_raters(np.zeros(0), np.zeros(0)).values())
