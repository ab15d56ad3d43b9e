"""The gate's limits: ranks, the joint rate they promise, and what calibration may use of the units behind them."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caveat.inference.gate.gate import Check, Gate, fit_gate, rank_of
from caveat.reasons import StudyRefused

NAMES = ("noise", "agreement", "distance")
CHECKS = [Check("noise", "above"), Check("agreement", "below"), Check("distance", "above")]


def studies(values: np.ndarray) -> list[dict[str, float]]:
    """Args: values: (studies, scores)."""
    return [dict(zip(NAMES, map(float, row))) for row in values]


@pytest.mark.parametrize(
    ("n", "sides", "rank"), [(36, 1, 3), (36, 3, 1), (36, 4, 1), (9, 1, 1), (29, 3, 1), (59, 3, 2), (199, 4, 5)]
)
def test_the_rank_is_exact_and_at_least_one(n, sides, rank):
    assert rank_of(n, sides, 0.1) == rank  # 0.1 * 30 / 3 is 1, which floats may miss


def test_thresholds_are_order_statistics_and_the_promise_is_stated():
    scores = [{"noise": i / 10, "agreement": i / 100} for i in range(1, 60)]
    gate = fit_gate(scores, [Check("noise", "above"), Check("agreement", "below")], 0.1)
    assert [(limit.name, limit.threshold) for limit in gate.limits] == [("noise", 5.7), ("agreement", 0.03)]  # r = 3
    assert gate.joint_bound == pytest.approx(0.1)
    few = fit_gate(scores[:5], [Check("noise", "both")], 0.1)
    assert [(limit.direction, limit.threshold) for limit in few.limits] == [("below", 0.1), ("above", 0.5)]
    assert few.joint_bound == pytest.approx(2 / 6)  # what five units can promise, not what was asked for


def test_the_verdict_names_every_check_and_goes_into_json():
    gate = fit_gate(studies(np.random.default_rng(0).random((36, 3))), CHECKS, 0.1)
    verdict = gate.judge({"noise": 0.5, "agreement": 0.5, "distance": 9.0})
    assert not verdict.accepted and [check["passed"] for check in verdict.checks] == [True, True, False]
    facts = json.loads(json.dumps(verdict.to_json()))
    assert facts["n"] == 36 and facts["joint_bound"] == pytest.approx(3 / 37)
    assert facts["checks"][2]["value"] == 9.0 and set(facts["checks"][0]) == {"name", "value", "threshold", "direction", "passed"}
    assert Gate.from_json(json.loads(json.dumps(gate.to_json()))) == gate


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", NAMES)
def test_a_score_that_is_missing_or_no_number_does_not_pass(name, value):
    gate = fit_gate(studies(np.random.default_rng(0).random((36, 3))), CHECKS, 0.1)
    scores = {"noise": 0.5, "agreement": 0.5, "distance": 0.5}
    assert gate.judge(scores).accepted and not gate.judge(scores | {name: value}).accepted
    del scores[name]
    verdict = gate.judge(scores)
    assert not verdict.accepted and sum(check["value"] is None for check in verdict.checks) == 1


def test_a_study_at_the_threshold_passes_although_results_are_stored_with_six_digits():
    exact = 2 / 3
    gate = fit_gate([{"noise": 0.666667}, {"noise": 0.1}], [Check("noise", "both")], 0.1)
    assert gate.judge({"noise": exact}).accepted and gate.judge({"noise": 0.1}).accepted
    assert fit_gate([{"noise": -exact}, {"noise": 0.1}], [Check("noise", "below")], 0.1).judge({"noise": -0.666667}).accepted


def test_few_units_without_a_score_are_extreme_and_many_are_refused():
    values = studies(np.random.default_rng(0).random((59, 3)))
    values[0] = values[0] | {"noise": math.nan}
    gate = fit_gate(values, CHECKS, 0.1)  # r = 2: one may be missing
    assert all(math.isfinite(limit.threshold) for limit in gate.limits) and not gate.inside(values)[0]
    values[1] = {name: value for name, value in values[1].items() if name != "noise"}
    with pytest.raises(StudyRefused) as refused:
        fit_gate(values, CHECKS, 0.1)
    assert refused.value.code == "GATE_SCORE_MISSING" and "2 of 59" in refused.value.found


def test_a_gate_needs_units_checks_and_a_known_direction():
    with pytest.raises(ValueError, match="units and checks"):
        fit_gate([], CHECKS, 0.1)
    with pytest.raises(ValueError, match="units and checks"):
        fit_gate([{"noise": 1.0}], [], 0.1)
    with pytest.raises(ValueError, match="sideways"):
        Check("noise", "sideways")


def test_scores_that_are_equal_everywhere_reject_nobody():
    scores = [{"noise": 0.0}] * 20
    gate = fit_gate(scores, [Check("noise", "both")], 0.1)
    assert gate.judge({"noise": 0.0}).accepted and all(gate.inside(scores)) and not gate.judge({"noise": 0.1}).accepted


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(-100, 100), min_size=5, max_size=40, unique_by=lambda value: float(f"{value:.6g}")), st.floats(0.05, 0.5)
)
def test_without_ties_exactly_r_units_are_outside_each_limit_whatever_their_order(values, rate):
    scores = [{"noise": value} for value in values]
    gate = fit_gate(scores, [Check("noise", "above")], rate)
    assert gate.inside(scores).count(False) == rank_of(len(values), 1, rate)
    assert fit_gate(scores[::-1], [Check("noise", "above")], rate) == gate


@pytest.mark.parametrize("dependence", [0.0, 0.9])
def test_exchangeable_studies_are_rejected_at_most_at_the_joint_rate(dependence):
    """600 gates of 36 units, each judging 20 new studies: three scores, independent or nearly the same."""
    rng = np.random.default_rng(1)
    common, own = rng.normal(size=(600, 56, 1)), rng.normal(size=(600, 56, 3))
    values = np.sqrt(dependence) * common + np.sqrt(1 - dependence) * own
    rejected = []
    for units in values:
        gate = fit_gate(studies(units[:36]), CHECKS, 0.1)
        noise, agreement, distance = (limit.threshold for limit in gate.limits)
        fails = (units[36:, 0] > noise) | (units[36:, 1] < agreement) | (units[36:, 2] > distance)
        rejected.append(fails.mean())
    mean, error = np.mean(rejected), np.std(rejected) / np.sqrt(600)
    assert mean <= 3 / 37 + 3 * error
    if dependence == 0:
        assert mean == pytest.approx(1 - (36 / 37) ** 3, abs=0.01)  # Bonferroni wastes little


@pytest.mark.parametrize("direction", ["above", "below"])
def test_intervals_cover_among_accepted_studies_though_the_gate_was_fitted_on_the_same_units(direction):
    """The gate's score is the error itself, so that selection matters as much as it can: the gate rejects the largest
    errors, or the smallest. Coverage given acceptance is that of split conformal over the units inside."""
    rng, repeats, n, level = np.random.default_rng(2), 1500, 20, 0.8
    errors = np.abs(rng.normal(size=(repeats, n + 1)))
    covered = []
    for unit_errors in errors:
        scores = [{"error": float(error)} for error in unit_errors]
        gate = fit_gate(scores[:n], [Check("error", direction)], 0.1)
        if gate.judge(scores[n]).accepted:
            used = np.sort(unit_errors[:n][gate.inside(scores[:n])])
            assert len(used) == 18
            covered.append(unit_errors[n] <= used[15])  # ceil(19 * 0.8) = 16th smallest
    assert np.mean(covered) == pytest.approx(16 / 19, abs=0.03) and np.mean(covered) > level
