"""Intervals of counts are said in whole numbers, and hold the same counts."""

from __future__ import annotations

import math

import pytest

from caveat.inference.calibration.case import Case
from caveat.inference.calibration.fold_stratum import FoldStratum
from caveat.inference.calibration.regions.whole_interval import WholeInterval
from caveat.inference.calibration.scores.absolute import Absolute
from caveat.inference.calibration.scores.conformity_score import ConformityScore
from caveat.inference.calibration.scores.distance import Distance
from caveat.inference.calibration.scores.whole import Whole


@pytest.mark.parametrize(
    ("lower", "upper", "said"),
    [
        (2.3, 7.9, (3, 7)),
        (2.0, 7.0, (2, 7)),
        (math.exp(math.log(12)) + 1e-12, 12.0, (12, 12)),
        (5.2, 5.8, (5, 6)),
        (0.0, math.inf, (0, None)),
    ],
)
def test_the_ends_are_the_outermost_whole_numbers_inside(lower, upper, said):
    stated = WholeInterval(lower, upper).to_json()
    assert (stated["lower"], stated["upper"]) == said and stated["kind"] == "interval"


def test_no_count_is_lost_or_won():
    held = WholeInterval(2.3, 7.9)
    said = held.to_json()
    assert all(held.contains(count) == (said["lower"] <= count <= said["upper"]) for count in range(12))
    assert isinstance(held.holding(9), WholeInterval) and held.holding(9).to_json()["upper"] == 9


@pytest.mark.parametrize("sides", ["two-sided", "asymmetric"])
def test_by_cross_validation_they_are_whole_too(sides):
    score = Whole(Absolute())
    rows = [(Case(str(unit), str(unit), "", 10.0, (9.5, 10.5), truth=10.25 + unit / 40, fold=unit % 2),) for unit in range(60)]
    stratum = FoldStratum.of_rows(math.inf, rows, score, sides, 2, True)
    (region,) = stratum.regions(score, (Case("", "", "", 20.0, (19.0, 21.0)),), 0.8, sides)
    stated = region.to_json()
    assert isinstance(region, WholeInterval) and stated["lower"] <= 20 <= stated["upper"]
    assert (stated["lower"] % 1, stated["upper"] % 1) == (0, 0)


def test_of_places_there_are_none():
    stored = {"name": "Whole", "score": Distance.example().to_json()}
    with pytest.raises(ValueError, match="places"):
        ConformityScore.from_json(stored)
