"""Coverage, width and score of the intervals of some studies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..calibration.case import Case
from ..metrics.bootstrap import interval_of_mean
from ..metrics.crps import crps
from ..metrics.interval_coverage import coverage_band
from ..metrics.interval_score import interval_score
from ..metrics.rank_correlation import spearman
from ..metrics.terciles import TERCILES, terciles
from .methods import Method
from .settings import IntervalEvaluation

FIRST_LINE = "one study a unit"
SECOND_LINE = "the units' other studies"
NAN = float("nan")


def groups_of(first: Sequence[Case], rest: Sequence[Case]) -> dict[str, list[Case]]:
    """The studies that figures are computed of, by name; empty groups are left out.

    Args:
        first: one study of each unit. rest: the other studies of these units.

    Returns:
        both lines; the first line by thirds of the predicted size (the true one is not known when an interval is given), and
        by the stratum that the data list names.
    """
    third = terciles(np.array([case.value for case in first]))
    groups = {FIRST_LINE: list(first), SECOND_LINE: list(rest)}
    for number, name in enumerate(TERCILES):
        groups[f"{name} third by predicted size"] = [case for case, of in zip(first, third, strict=True) if of == number]
    for stratum in sorted({case.stratum for case in first} - {""}):
        groups[f"stratum {stratum}"] = [case for case in first if case.stratum == stratum]
    return {name: cases for name, cases in groups.items() if cases}


def interval_figures(
    method: Method, cases: Sequence[Case], level: float, settings: IntervalEvaluation, promised: bool
) -> dict[str, Any]:
    """Figures of one method at one level.

    Args:
        cases: with truths.
        promised: whether a record's level is promised for such cases; there is no band where it is not.

    Returns:
        n: studies with an interval, without: those the record cannot serve at this level; covered: how many hold the truth,
        coverage, fewest and most: its band, None where nothing is promised; mean_width and median_width over all, in the
        measurement's unit; infinite and zero: shares of such widths; interval_score: mean.
    """
    served = [(case, ends) for case in cases if (ends := method.ends(case, level)) is not None]
    n = len(served)
    out: dict[str, Any] = {"level": level, "n": n, "without": len(cases) - n, "covered": 0, "fewest": None, "most": None}
    names = ("coverage", "mean_width", "median_width", "infinite", "zero", "interval_score")
    if not n:
        return out | dict.fromkeys(names, NAN)
    lower, upper = np.array([ends for _, ends in served]).T
    truth = np.array([case.truth for case, _ in served])
    inside, width = (lower <= truth) & (truth <= upper), upper - lower
    parts = method.parts([case for case, _ in served], level) if promised else []
    if parts:
        out["fewest"], out["most"] = coverage_band(parts, settings.confidence, settings.claims)
    score = interval_score(lower, upper, truth, level)
    values = (inside.mean(), width.mean(), np.median(width), np.isinf(width).mean(), (width == 0).mean(), score.mean())
    return out | {"covered": int(inside.sum())} | dict(zip(names, map(float, values), strict=True))


def value_figures(cases: Sequence[Case], method: Method, settings: IntervalEvaluation) -> dict[str, Any]:
    """Figures of the value and its draws. Args: cases: one a unit. method: whose width is ranked against the error.

    Returns:
        bias: mean error, with its bootstrap interval, in the measurement's unit; bias_share: mean of error over truth;
        mean_absolute_error; crps, crps_fair: means over studies; Spearman's rank correlation of the absolute error with the
        draws' standard deviation and with the interval's width at the plotted level.
    """
    error = np.array([case.value - case.truth for case in cases])
    truth = np.array([case.truth for case in cases])
    lower, upper = interval_of_mean(error, [case.unit for case in cases], settings.confidence, settings.resamples, settings.seed)
    sd = [float(np.std(case.draws, ddof=1)) if len(case.draws) > 1 else 0.0 for case in cases]
    served = [(ends, abs(off)) for case, off in zip(cases, error) if (ends := method.ends(case, settings.plotted_level))]
    return {
        "n": len(cases),
        "bias": float(error.mean()),
        "bias_lower": lower,
        "bias_upper": upper,
        "bias_share": float(np.mean(error / truth)) if truth.all() else NAN,
        "mean_absolute_error": float(np.abs(error).mean()),
        "crps": float(np.mean([crps(case.draws, case.truth) for case in cases])),
        "crps_fair": float(np.mean([crps(case.draws, case.truth, fair=True) for case in cases])),
        "spearman_error_sd_of_draws": spearman(np.abs(error), sd),
        "spearman_error_width": spearman([off for _, off in served], [high - low for (low, high), _ in served]),
    }
