"""What every conformity score must hold."""

from __future__ import annotations

import json
import math

import pytest
from discover import concrete_subclasses

from caveat.inference.calibration.case import Case
from caveat.inference.calibration.scores.conformity_score import ConformityScore

SCORES = concrete_subclasses(ConformityScore, "caveat.inference.calibration.scores")
CASES = [
    Case("", "", "", value, draws, {"pooled_pairwise_dice": agreement})
    for value, draws, agreement in [(3.3, (3.0, 3.2, 3.6), 0.95), (0.4, (0.1, 0.9, 0.2), 0.6), (5.0, (5.0, 5.0, 5.0), 1.0)]
]


@pytest.mark.parametrize("kind", SCORES, ids=lambda kind: kind.__name__)
class TestConformityScore:
    def test_ends_are_the_inverse_of_the_excess(self, kind):
        score = kind.example()
        for case in CASES:
            for truth in (0.02, 0.5, 2.9, 3.3, 3.4, 7.0):
                below, above = score.excess(case, truth)
                lower, upper = score.ends(case, below, above)
                assert lower == pytest.approx(truth) and upper == pytest.approx(truth)

    def test_the_truth_is_inside_exactly_where_its_excesses_are_at_most_q(self, kind):
        score = kind.example()
        for case in CASES:
            for q_below, q_above in [(0.3, 0.1), (1.0, 2.0)]:
                lower, upper = score.ends(case, q_below, q_above)
                for truth in (0.02, 0.5, 2.9, 3.25, 3.34, 3.8, 7.0):
                    below, above = score.excess(case, truth)
                    assert (lower <= truth <= upper) == (below <= q_below and above <= q_above)

    def test_a_truth_farther_up_is_less_below_and_more_above(self, kind):
        score = kind.example()
        for case in CASES:
            excesses = [score.excess(case, truth) for truth in (0.1, 1.0, 3.0, 9.0)]
            assert [below for below, _ in excesses] == sorted((below for below, _ in excesses), reverse=True)
            assert [above for _, above in excesses] == sorted(above for _, above in excesses)

    def test_infinite_q_has_no_end_but_zero(self, kind):
        score = kind.example()
        for case in CASES:
            assert score.bounds(case, math.inf, math.inf) == (0, math.inf)

    def test_crossed_ends_are_one_point(self, kind):
        lower, upper = kind.example().bounds(CASES[0], -2.0, -2.0)
        assert lower == upper and math.isfinite(lower)

    def test_a_record_keeps_it_with_its_parameters(self, kind):
        score = kind.example()
        stored = json.loads(json.dumps(score.to_json()))
        assert ConformityScore.from_json(stored) == score
        assert stored["name"] == kind.__name__

    def test_it_does_not_look_at_the_truth_of_a_case(self, kind):
        score, case = kind.example(), CASES[0]
        known = Case(**{**vars(case), "truth": 99.0})
        assert score.bounds(case, 0.3, 0.4) == score.bounds(known, 0.3, 0.4)
