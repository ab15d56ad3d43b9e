"""What every conformity score must hold."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from discover import concrete_subclasses

from caveat.inference.calibration.case import Case
from caveat.inference.calibration.regions.class_set import ClassSet
from caveat.inference.calibration.regions.region import Region
from caveat.inference.calibration.scores.conformity_score import ConformityScore
from caveat.inference.calibration.scores.interval_score import IntervalScore

SCORES = concrete_subclasses(ConformityScore, "caveat.inference.calibration.scores")
OF_NUMBERS = [kind for kind in SCORES if issubclass(kind, IntervalScore)]
REGIONS = concrete_subclasses(Region, "caveat.inference.calibration.regions")
NUMBERS = [
    Case("", "", "", value, draws, {"pooled_pairwise_dice": agreement}, {"other": (0.0, other)})
    for value, draws, agreement, other in [
        (3.3, (3.0, 3.2, 3.6), 0.95, 0.2),
        (0.4, (0.1, 0.9, 0.2), 0.6, 0.0),
        (5.0, (5.0, 5.0, 5.0), 1.0, 3.0),
    ]
]
PLACES = [
    Case("", "", "", place, (place,), name="a", covariance=covariance)
    for place, covariance in [((3.0, 4.0), ((1.0, 0.2), (0.2, 2.0))), ((-1.0, 50.0), ((0.1, 0.0), (0.0, 9.0)))]
]
CLASSES = [Case("", "", "", p, (p,), name="class") for p in ((0.7, 0.2, 0.1), (0.003, 0.002, 0.995), (0.34, 0.33, 0.33))]
TRUTHS = (0.02, 0.5, 2.9, 3.25, 3.34, 3.8, 7.0)


def cases_of(kind):
    if kind.kind == ClassSet.kind:
        return CLASSES
    return NUMBERS if issubclass(kind, IntervalScore) else PLACES


def truths_of(kind, case):
    if issubclass(kind, IntervalScore):
        return TRUTHS
    if kind.kind == ClassSet.kind:
        return range(len(case.value))
    random = np.random.default_rng(0)
    return [tuple((case.place + random.normal(0, 2, 2)).tolist()) for _ in range(40)]


@pytest.mark.parametrize("kind", SCORES, ids=lambda kind: kind.__name__)
class TestConformityScore:
    def test_the_truth_is_inside_exactly_where_each_of_its_excesses_is_at_most_the_reach(self, kind):
        score = kind.example()
        for case in cases_of(kind):
            for reach in [(0.3, 0.1), (1.0, 2.0)]:
                reach = reach[: score.ends]
                region = score.region(case, reach)
                assert region.kind == kind.kind
                for truth in truths_of(kind, case):
                    excesses = score.excess(case, truth)
                    assert len(excesses) == score.ends
                    assert region.contains(truth) == all(own <= q for own, q in zip(excesses, reach, strict=True))

    def test_what_it_says_of_its_width_is_so(self, kind):
        score = kind.example()
        radii = {round(score.region(case, [0.01] * score.ends).radius, 9) for case in cases_of(kind)}
        assert (len(radii) == 1) == (score.width_from == "the record"), radii

    def test_about_reaches_all_that_the_other_networks_region_holds(self, kind):
        score = kind.example()
        if not score.between_networks:
            with pytest.raises(NotImplementedError):
                score.about(*cases_of(kind)[:2], (0.3,))
            return
        for case in cases_of(kind):
            for other in cases_of(kind):
                reach = (0.7,) * score.ends
                mine = score.region(case, (max(score.about(case, other, reach)) + 1e-9,) * score.ends)
                its = score.region(other, reach)
                assert all(mine.contains(truth) for truth in truths_of(kind, other) if its.contains(truth))

    def test_a_record_keeps_it_with_its_parameters(self, kind):
        score = kind.example()
        stored = json.loads(json.dumps(score.to_json()))
        assert ConformityScore.from_json(stored) == score
        assert stored["name"] == kind.__name__

    def test_it_does_not_look_at_the_truth_of_a_case(self, kind):
        score, case = kind.example(), cases_of(kind)[0]
        known = Case(**{**vars(case), "truth": 99.0 if kind in OF_NUMBERS else truths_of(kind, case)[-1]})
        assert score.region(case, (0.3, 0.4)[: score.ends]) == score.region(known, (0.3, 0.4)[: score.ends])


@pytest.mark.parametrize("kind", OF_NUMBERS, ids=lambda kind: kind.__name__)
class TestIntervalScore:
    def test_bounds_are_the_inverse_of_the_excess(self, kind):
        score = kind.example()
        for case in NUMBERS:
            for truth in TRUTHS:
                below, above = score.excess(case, truth)
                lower, upper = score.bounds(case, below, above)
                assert lower == pytest.approx(truth) and upper == pytest.approx(truth)

    def test_a_truth_farther_up_is_less_below_and_more_above(self, kind):
        score = kind.example()
        for case in NUMBERS:
            excesses = [score.excess(case, truth) for truth in (0.1, 1.0, 3.0, 9.0)]
            assert [below for below, _ in excesses] == sorted((below for below, _ in excesses), reverse=True)
            assert [above for _, above in excesses] == sorted(above for _, above in excesses)

    def test_infinite_reach_has_no_end_but_zero(self, kind):
        for case in NUMBERS:
            region = kind.example().region(case, (math.inf, math.inf))
            assert (region.lower, region.upper) == (0, math.inf)

    def test_crossed_ends_are_one_point(self, kind):
        region = kind.example().region(NUMBERS[0], (-2.0, -2.0))
        assert region.lower == region.upper and math.isfinite(region.lower) and region.is_empty


@pytest.mark.parametrize("kind", REGIONS, ids=lambda kind: kind.__name__)
class TestRegion:
    def regions(self, kind):
        scores = [score.example() for score in SCORES if score.kind == kind.kind]
        assert scores, "no score makes such a region"
        return [(case, score.region(case, (1.0,) * score.ends)) for score in scores for case in cases_of(type(score))]

    def test_it_says_its_kind_and_nothing_that_json_cannot_hold(self, kind):
        for _, region in self.regions(kind):
            stored = region.to_json()
            assert stored["kind"] == kind.kind and json.loads(json.dumps(stored, allow_nan=False)) == stored

    def test_its_size_is_that_of_what_it_holds(self, kind):
        """By many places around it: the share that it holds is its share of a box."""
        random = np.random.default_rng(1)
        for case, region in self.regions(kind):
            if isinstance(region, ClassSet):
                assert region.radius == sum(region.contains(index) for index in range(len(case.value)))
            elif isinstance(case.value, tuple):
                half = 6.0
                points = case.place + random.uniform(-half, half, (4000, 2))
                share = np.mean([region.contains(tuple(point)) for point in points])
                assert share * (2 * half) ** 2 == pytest.approx(math.pi * region.radius**2, rel=0.15, abs=0.5)
            else:
                points = np.linspace(region.lower - 1, region.upper + 1, 4001)
                share = np.mean([region.contains(float(point)) for point in points])
                assert share * (points[-1] - points[0]) == pytest.approx(2 * region.radius, rel=0.01)

    def test_holding_a_value_it_holds_it_and_all_it_held(self, kind):
        for case, region in self.regions(kind):
            wider = region.holding(case.value)
            if isinstance(region, ClassSet):  # it may hold no class, and then says so
                assert wider == region
                continue
            assert wider.contains(case.value) and wider.radius >= region.radius
