"""Tables in which conformity scores are compared, each unit's interval from all others; and means with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from caveat.inference.calibration.case import Case
from caveat.inference.calibration.quantile import miss_rate, quantile
from caveat.inference.calibration.scores.conformity_score import ConformityScore
from caveat.inference.metrics.bootstrap import interval_of_mean
from caveat.inference.metrics.interval_score import interval_score

LEVEL = 0.9
Ends = tuple[np.ndarray, np.ndarray]
"""Lower and upper end of every case's interval."""


def left_out_ends(pairs: Sequence[tuple[ConformityScore, Case]]) -> Ends:
    """Intervals of cases with truths, each by its own score, its quantile from all other cases."""
    excesses = [max(score.excess(case, case.truth)) for score, case in pairs]
    ends = []
    for number, (score, case) in enumerate(pairs):
        reach = quantile(excesses[:number] + excesses[number + 1 :], miss_rate(LEVEL))
        region = score.region(case, (reach, reach))
        ends.append((region.lower, region.upper))
    lower, upper = np.array(ends).T
    return lower, upper


def truths_of(cases: Sequence[Case]) -> np.ndarray:
    """(cases,), in the measurement's unit."""
    return np.array([case.truth for case in cases])


def errors_of(cases: Sequence[Case]) -> np.ndarray:
    """Value less truth, (cases,), in the measurement's unit."""
    return np.array([case.number for case in cases]) - truths_of(cases)


def compared_scores(found: Mapping[str, Ends], cases: Sequence[Case], against: str = "size alone") -> list[list[str]]:
    """A row a score: share covered, mean width, mean interval score, and that less another's, with its interval over units."""
    truth, units = truths_of(cases), [case.unit for case in cases]
    points = {name: interval_score(*ends, truth, LEVEL) for name, ends in found.items()}
    return [
        [name, f"{held(ends, truth) / len(cases):.2f}", f"{np.mean(ends[1] - ends[0]):.3f}", f"{points[name].mean():.3f}"]
        + [with_interval(points[name] - points[against], units, "+.3f")]
        for name, ends in found.items()
    ]


def held(ends: Ends, truth: np.ndarray) -> int:
    """How many intervals hold the truth."""
    return int(np.sum((ends[0] <= truth) & (truth <= ends[1])))


def with_interval(values: Sequence[float] | np.ndarray, units: Sequence[str], form: str = ".2f", **settings: Any) -> str:
    """ "1.62 (1.55 to 1.70)": the mean, and its interval over units. Args: settings: of `interval_of_mean`."""
    lower, upper = interval_of_mean(list(values), units, **settings)
    return f"{np.mean(values):{form}} ({lower:{form}} to {upper:{form}})"
