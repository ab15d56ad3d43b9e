"""The reported number against the truth's."""

from __future__ import annotations

from ..metrics.extent_error import extent_error
from ..stored.stored_study import StoredStudy
from ..stored.true_value import true_value
from ..stored.truths import Truth
from ..targets.target import Target


def extent(study: StoredStudy, truth: Truth, measurement: Target) -> dict[str, float]:
    """Error of a measured area or volume, as the result states it.

    Args:
        study: with `result.json`.
        measurement: of the bundle, one of the result's `answers`.

    Returns:
        error with sign (its mean is the bias) as a share of the truth and in its unit, absolute error as a share; whether the
        truth lies within the range of the draws (1 or 0; a range of draws promises nothing, this shows how little). Empty for
        a reading that measured nothing.

    Raises:
        KeyError: the result has no such measurement.
    """
    if "answers" not in study.result:
        return {}
    name = measurement.name
    entry = {answer["name"]: answer for answer in study.result["answers"]}[name]
    value = entry["value"] or 0.0  # a structure that was missed is an error of its whole size
    true = true_value(measurement, truth, study.result)
    error = extent_error(value, true)
    out = {
        f"{name}: error, share of the truth": error["signed"],
        f"{name}: absolute error": error["absolute"],
        f"{name}: error, {entry['unit']}": value - true,
    }
    draws = entry["draws"]["values"]
    if len(draws) > 1:
        out[f"{name}: truth within the range of the draws"] = float(min(draws) <= true <= max(draws))
    return out
