"""A width that is made of another measurement of the same study."""

from __future__ import annotations

import json
import math

import pytest

from caveat.inference.calibration.case import case_of
from caveat.inference.calibration.fold_stratum import FoldStratum
from caveat.inference.calibration.scores.beside import Beside
from caveat.inference.targets.statement import state_measurement
from caveat.reasons import StudyRefused

SCORE = Beside("odd shapes", share=0.1, least=0.5)


def result(count: list[float], odd: list[float] | None) -> dict:
    entries = [state_measurement("nuclei", "Nuclei", "nuclei", sum(count) / len(count), count)]
    if odd is not None:
        entries.append(state_measurement("odd shapes", "Odd", "nuclei", odd[0], odd))
    return json.loads(json.dumps({"answers": entries, "study_scores": {}}))


def case(count: list[float], odd: list[float] | None, **more):
    stated = result(count, odd)
    return case_of(stated["answers"][0], stated, **more)


def test_the_width_is_the_other_one_s_mean_and_a_share_of_the_value():
    one = case([20.0, 20.0], [2.0, 3.0])
    assert SCORE.bounds(one, 1.0, 2.0) == (20 - 5, 20 + 10) and SCORE.excess(one, 30.0) == (-2.0, 2.0)


def test_a_network_is_judged_by_its_own_draws_of_the_other_one():
    one = case([20.0, 30.0, 20.0, 30.0], [1.0, 9.0, 3.0, 9.0])
    assert [SCORE.bounds(one.of_network(network, 2), 1.0, 1.0) for network in (0, 1)] == [(15.5, 24.5), (17.5, 42.5)]


def test_by_cross_validation_too():
    """Every unit is off by its own width, one way and the other, so about a new study it is one of the new widths."""
    rows = []
    for unit in range(40):
        odd = float(unit % 7)
        width = odd + 0.1 * 20 + 0.5
        one = case([20.0, 20.0], [odd, odd], unit=str(unit), truth=20 + (-1) ** unit * width, fold=unit % 2)
        rows.append((one,))
    stratum = FoldStratum.of_rows(math.inf, rows, SCORE, "two-sided", 2, True)
    (region,) = stratum.regions(SCORE, (case([40.0, 40.0], [3.0, 3.0]),), 0.8, "two-sided")
    assert (region.lower, region.upper) == pytest.approx((40 - 7.5, 40 + 7.5))


def test_a_study_without_the_other_one_is_told_so():
    with pytest.raises(StudyRefused, match="MISSING_STUDY_SCORE"):
        SCORE.excess(case([20.0], None), 20.0)
