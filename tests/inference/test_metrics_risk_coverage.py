"""Risk-coverage area: the golden value, and every order of ties."""

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caveat.inference.metrics.risk_coverage import excess_risk_coverage_area, risk_coverage_area

RISKS = np.array([0.1, 0.2, 0.3, 0.4])


def area_in_order(risks):
    return np.mean([np.mean(risks[: i + 1]) for i in range(len(risks))])


def test_golden_value():
    assert risk_coverage_area(RISKS, np.arange(4.0)) == pytest.approx(0.175)
    assert excess_risk_coverage_area(RISKS, np.arange(4.0)) == pytest.approx(0, abs=1e-15)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), min_size=1, max_size=6))
def test_ties_are_the_mean_over_all_their_orders(elements):
    risk, uncertainty = np.array([e[0] / 4 for e in elements]), np.array([float(e[1]) for e in elements])
    orders = [o for o in permutations(range(len(elements))) if (np.diff(uncertainty[list(o)]) >= 0).all()]
    assert risk_coverage_area(risk, uncertainty) == pytest.approx(np.mean([area_in_order(risk[list(o)]) for o in orders]))


def test_no_knowledge_gives_the_mean_risk():
    assert risk_coverage_area(RISKS, np.zeros(4)) == pytest.approx(RISKS.mean())


def test_worst_order_has_an_excess():
    assert excess_risk_coverage_area(RISKS, -RISKS) == pytest.approx(area_in_order(RISKS[::-1]) - 0.175)


def test_nan_is_an_error_and_nothing_is_undefined():
    with pytest.raises(ValueError, match="NaN"):
        risk_coverage_area(np.array([np.nan]), np.zeros(1))
    assert math.isnan(risk_coverage_area(np.zeros(0), np.zeros(0)))
