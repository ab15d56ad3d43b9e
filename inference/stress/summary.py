"""Means of each set, and whether the study scores know of the errors."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..metrics.rank_correlation import spearman
from ..metrics.risk_coverage import excess_risk_coverage_area, risk_coverage_area
from .stress import StressTable
from .stress_set import CLEAN

SIGN = {"above": 1.0, "below": -1.0}
SUSPICIOUS = {
    "pooled_pairwise_dice": "below",
    "heatmap_activation": "below",
    **dict.fromkeys(("structure_entropy", "feature_distance", "noise", "blur", "shading"), "above"),
    **dict.fromkeys(("mean_distance_to_mean", "heatmap_spread"), "above"),
}
"""Which side of a study score means doubt; another score gets no risk-coverage area."""


def summarise_sets(table: StressTable) -> list[dict[str, Any]]:
    """One entry per set and measurement, in the order of the rows.

    Returns:
        corruption, strength, measurement, measured (studies), left_out (number by code); means over studies: dice, bias (mean
        error with sign), absolute_error, width, interval_score, study_scores; and over one study of each unit: units,
        accepted_units, accepted (share), coverage, coverage_accepted, band (of coverage_accepted if nothing had shifted: two
        shares, or none). NaN where undefined.
    """
    left_out: dict[tuple, Counter] = {}
    for row in table.left_out:
        left_out.setdefault((row["corruption"], row["strength"]), Counter())[row["code"]] += 1
    out = []
    for (corruption, strength, measurement), rows in grouped(table.rows, "corruption", "strength", "measurement").items():
        first = [row for row in rows if row["first"]]
        accepted = [row for row in first if row["accepted"]]
        out.append(
            {
                "corruption": corruption,
                "strength": strength,
                "measurement": measurement,
                "measured": len(rows),
                "left_out": dict(left_out.get((corruption, strength), {})),
                "dice": mean(row["dice"] for row in rows),
                "bias": mean(row["error"] for row in rows),
                "absolute_error": mean(abs(row["error"]) for row in rows),
                "width": mean(width(row) for row in rows),
                "interval_score": mean(number(row["interval_score"]) for row in rows),
                "study_scores": {
                    name: mean(number(row["study_scores"].get(name)) for row in rows) for name in score_names(table.rows)
                },
                "units": len(first),
                "accepted_units": len(accepted),
                "accepted": mean(number(row["accepted"]) for row in first),
                "coverage": mean(number(row["covered"]) for row in first),
                "coverage_accepted": mean(number(row["covered"]) for row in accepted),
                "band": [covered / len(accepted) for covered in table.bands.get((corruption, strength, measurement), ())],
            }
        )
    return out


def scores_and_errors(table: StressTable) -> list[dict[str, Any]]:
    """Does a study score rise with the error?

    Args:
        table: with the clean set.

    Returns:
        one entry per score, measurement and corruption ("all" pools them, the clean set counted once): spearman_pooled over
        all studies and strengths, spearman_per_image (each study's own correlation over strengths, the clean one among them;
        mean over `images`), spearman_strength with the strength (not for "all"), AURC and E-AURC with 1 - Dice as the risk,
        AURC_random (of a score without knowledge), n.
    """
    out = []
    corruptions = list(dict.fromkeys(row["corruption"] for row in table.rows if row["corruption"] != CLEAN.corruption))
    for (measurement,), rows in grouped(table.rows, "measurement").items():
        clean = [row for row in rows if row["corruption"] == CLEAN.corruption]
        pools = {"all": rows} | {name: clean + [row for row in rows if row["corruption"] == name] for name in corruptions}
        for score in score_names(rows):
            for corruption, pool in pools.items():
                known = with_score(pool, score)
                entry = {"score": score, "measurement": measurement, "corruption": corruption, "n": len(known)}
                out.append(entry | correlations(known, score, corruption == "all") | _areas(known, score, SUSPICIOUS.get(score)))
    return out


def with_score(rows: Sequence[dict[str, Any]], score: str) -> list[dict[str, Any]]:
    """Rows in which the score and the error are known."""
    return [row for row in rows if math.isfinite(number(row["study_scores"].get(score)) + number(row["error"]))]


def correlations(rows: Sequence[dict[str, Any]], score: str, pooled: bool) -> dict[str, float]:
    """Does a score rise with the error?

    Args:
        rows: of `with_score`. pooled: whether they are of several corruptions, whose strengths do not compare.

    Returns:
        spearman_pooled, spearman_per_image, images, spearman_strength: see `scores_and_errors`.
    """
    error, value = (lambda row: abs(row["error"])), (lambda row: row["study_scores"][score])
    per_image = [_spearman(group, value, error) for group in grouped(rows, "study").values()]
    finite = [found for found in per_image if math.isfinite(found)]
    return {
        "spearman_pooled": _spearman(rows, value, error),
        "spearman_per_image": mean(finite),
        "images": len(finite),
        "spearman_strength": math.nan if pooled else _spearman(rows, value, lambda row: abs(row["strength"])),
    }


def _spearman(rows: Sequence[Mapping[str, Any]], first: Callable, second: Callable) -> float:
    return spearman([first(row) for row in rows], [second(row) for row in rows])


def _areas(rows: Sequence[Mapping[str, Any]], score: str, side: str | None) -> dict[str, float]:
    if side is None or not rows:
        return {}
    risk = np.array([1 - row["dice"] for row in rows])
    doubt = SIGN[side] * np.array([row["study_scores"][score] for row in rows])
    return {
        "AURC": risk_coverage_area(risk, doubt),
        "E-AURC": excess_risk_coverage_area(risk, doubt),
        "AURC_random": float(risk.mean()),
    }


def grouped(rows: Sequence[dict[str, Any]], *keys: str) -> dict[tuple, list[dict[str, Any]]]:
    """Rows by the values of `keys`, in the order of their first appearance."""
    groups: dict[tuple, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in keys), []).append(row)
    return groups


def score_names(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Study scores that any row has."""
    return list(dict.fromkeys(name for row in rows for name in row["study_scores"]))


def width(row: Mapping[str, Any]) -> float:
    """Of the row's interval, NaN without one."""
    return math.nan if row["lower"] is None else row["upper"] - row["lower"]


def number(value: float | None) -> float:
    """None as NaN."""
    return math.nan if value is None else float(value)


def mean(values: Any) -> float:
    """Of those that are not NaN; NaN where there is none."""
    known = [value for value in values if not math.isnan(value)]
    return math.fsum(known) / len(known) if known else math.nan
