"""Means of each set, whether the study scores know of the errors, and what the gate keeps away."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..gate.gate import SIGN, extremeness
from ..metrics.auc import auroc
from ..metrics.linear_correlation import pearson
from ..metrics.rank_correlation import spearman
from ..metrics.risk_coverage import excess_risk_coverage_area, risk_coverage_area
from .stress import StressTable
from .stress_set import CLEAN

Rows = Sequence[dict[str, Any]]
SUSPICIOUS = {
    "pooled_pairwise_dice": "below",
    "heatmap_activation": "below",
    **dict.fromkeys(("structure_entropy", "draw_entropy", "feature_distance", "noise", "blur", "shading"), "above"),
    **dict.fromkeys(("mean_distance_to_mean", "heatmap_spread"), "above"),
}
"""Which side of a study score means doubt; another score gets no risk-coverage area and tells nothing apart."""


def summarise(table: StressTable) -> dict[str, list[dict[str, Any]]]:
    """Every figure that is more than a row, by target.

    Returns:
        sets, prevented, detection, scores, means: entries of the functions below, each with its `target`.
    """
    names = score_names(table.rows)
    out: dict[str, list[dict[str, Any]]] = {}
    for (target,), rows in grouped(table.rows, "target").items():
        sets = summarise_sets(table, target)
        found = {
            "sets": sets,
            "prevented": [{"corruption": name} | means_of(own, names) for (name,), own in grouped(rows, "corruption").items()],
            "detection": detection(rows),
            "scores": scores_and_errors(rows),
            "means": means_and_strength(sets),
        }
        for section, entries in found.items():
            out.setdefault(section, []).extend({"target": target} | entry for entry in entries)
    return out


def summarise_sets(table: StressTable, target: str) -> list[dict[str, Any]]:
    """One entry per set, in the order of the rows.

    Returns:
        corruption, strength; what `means_of` says; band, band_at_once: see `StressTable`, of coverage_accepted and
        at_once_accepted, empty where nothing is promised; left_out (number by code).
    """
    left_out: dict[tuple, Counter] = {}
    for row in table.left_out:
        left_out.setdefault((row["corruption"], row["strength"]), Counter())[row["code"]] += 1
    names = score_names(table.rows)
    own = [row for row in table.rows if row["target"] == target]
    return [
        {"corruption": done[0], "strength": done[1]}
        | means_of(rows, names)
        | table.bands[*done, target]
        | {"left_out": dict(left_out.get(done, {}))}
        for done, rows in grouped(own, "corruption", "strength").items()
    ]


def means_of(rows: Rows, names: Sequence[str]) -> dict[str, Any]:
    """Means over studies.

    Args:
        rows: of one target. names: of study scores.

    Returns:
        studies, measured (whose error is known), refused (number by code); of those measured: dice, bias (mean error with sign,
        of measurements), error (mean without it), within, size, interval_score, study_scores; passed (share of all studies that
        the gate accepts; NaN where one that is to be answered met no record), error_accepted and error_stopped (of those measured
        that the gate accepts, and does not). Over one study of each unit: units, accepted_units, accepted (share), coverage and
        coverage_accepted (mean share of the components), at_once and at_once_accepted (all of them). NaN where undefined.
    """
    measured = [row for row in rows if row["error"] is not None]
    first = [row for row in rows if row["first"]]
    accepted = [row for row in first if row["accepted"]]
    judged = all(row["accepted"] is not None for row in rows if not row["code"])
    return {
        "studies": len(rows),
        "measured": len(measured),
        "refused": dict(Counter(row["code"] for row in rows if row["code"])),
        "bias": mean(row["error"] for row in measured if row["value"] is not None),
        "error": mean(abs(row["error"]) for row in measured),
        **{name: mean(number(row[name]) for row in measured) for name in ("dice", "within", "size", "interval_score")},
        "passed": mean(float(bool(row["accepted"])) for row in rows) if judged else math.nan,
        "error_accepted": mean(abs(row["error"]) for row in measured if row["accepted"]),
        "error_stopped": mean(abs(row["error"]) for row in measured if row["accepted"] is False),
        "units": len(first),
        "accepted_units": len(accepted),
        "accepted": mean(number(row["accepted"]) for row in first),
        "coverage": mean(number(row["covered"]) for row in first),
        "coverage_accepted": mean(number(row["covered"]) for row in accepted),
        "at_once": mean(number(row["all_covered"]) for row in first),
        "at_once_accepted": mean(number(row["all_covered"]) for row in accepted),
        "study_scores": {name: mean(number(row["study_scores"].get(name)) for row in measured) for name in names},
    }


def scores_and_errors(rows: Rows) -> list[dict[str, Any]]:
    """Does a study score rise with the error?

    Args:
        rows: of one target, with the clean set.

    Returns:
        one entry per score and corruption ("all" pools them, the clean set counted once): spearman_pooled over all studies and
        strengths, spearman_per_image (each study's own correlation over strengths, the clean one among them; mean over
        `images`), spearman_strength with the strength (not for "all"), AURC and E-AURC with the `risk`, AURC_random (of a score
        without knowledge), n.
    """
    pools = {"all": rows} | with_clean(rows)
    out = []
    for score in score_names(rows):
        for corruption, pool in pools.items():
            known = [row for row in pool if math.isfinite(number(row["study_scores"].get(score)) + number(row["error"]))]
            entry = {"score": score, "corruption": corruption, "n": len(known)}
            out.append(entry | _correlations(known, score, corruption == "all") | _areas(known, score))
    return out


def _correlations(rows: Rows, score: str, pooled: bool) -> dict[str, float]:
    """Args: pooled: whether they are of several corruptions, whose strengths do not compare."""

    def with_score(own: Rows, key: str) -> float:
        return spearman([row["study_scores"][score] for row in own], [abs(row[key]) for row in own])

    per_image = [with_score(group, "error") for group in grouped(rows, "study").values()]
    finite = [found for found in per_image if math.isfinite(found)]
    return {
        "spearman_pooled": with_score(rows, "error"),
        "spearman_per_image": mean(finite),
        "images": len(finite),
        "spearman_strength": math.nan if pooled else with_score(rows, "strength"),
    }


def _areas(rows: Rows, score: str) -> dict[str, float]:
    if score not in SUSPICIOUS or not rows:
        return {}
    risks, doubts = np.array([risk(row) for row in rows]), np.array([doubt(row, score) for row in rows])
    return {
        "AURC": risk_coverage_area(risks, doubts),
        "E-AURC": excess_risk_coverage_area(risks, doubts),
        "AURC_random": float(risks.mean()),
    }


def risk(row: Mapping[str, Any]) -> float:
    """What an answer costs: 1 - Dice where there are labels, else the size of the error."""
    return abs(row["error"]) if row["dice"] is None else 1 - row["dice"]


def doubt(row: Mapping[str, Any], score: str) -> float:
    """A score of `SUSPICIOUS`, larger is more doubtful; NaN where it is not known."""
    return SIGN[SUSPICIOUS[score]] * number(row["study_scores"].get(score))


def means_and_strength(sets: Rows) -> list[dict[str, Any]]:
    """Does the mean of a score over all images rise with the strength?

    A correlation over few means is near 1 for every score that rises at all, and says nothing of a single image; it stands here
    since it is what was reported before.

    Args:
        sets: of `summarise_sets`.

    Returns:
        one entry per score, and the mean error, and corruption, whose clean set counts at strength 0: score, corruption, sets,
        pearson, spearman; with the strength's size, whatever its sign.

    Source: Drevicky and Kodym 2020.
    """
    out = []
    for corruption, entries in with_clean(sets).items():
        strengths = [abs(entry["strength"]) for entry in entries]
        means = {"error": [entry["error"] for entry in entries]}
        means |= {name: [entry["study_scores"][name] for entry in entries] for name in entries[0]["study_scores"]}
        for score, values in means.items():
            known = np.isfinite(values)
            pair = np.array(values)[known].tolist(), np.array(strengths)[known].tolist()
            about = {"score": score, "corruption": corruption, "sets": int(known.sum())}
            out.append(about | {"pearson": pearson(*pair), "spearman": spearman(*pair)})
    return out


def detection(rows: Rows) -> list[dict[str, Any]]:
    """Can a score, or the gate, tell a degraded image from a clean one?

    Args:
        rows: of one target, with the clean set.

    Returns:
        one entry per corruption and size of strength, both signs together: corruption, strength, studies, error, times (the
        clean mean error), doubles (of its corruption the strength whose mean error is nearest to twice the clean one),
        stopped and stopped_clean (share of the studies that the gate does not accept; its thresholds come from calibration
        images alone), auroc by score: a study without the score, such as one that could not be read, is above all others.
    """
    clean = [row for row in rows if row["corruption"] == CLEAN.corruption]
    names = [name for name in score_names(rows) if name in SUSPICIOUS]
    before, out = means_of(clean, ()), []
    for corruption, every in with_clean(rows).items():
        own = []
        for strength in sorted({abs(row["strength"]) for row in every} - {CLEAN.strength}):
            degraded = [row for row in every if abs(row["strength"]) == strength]
            means = means_of(degraded, ())
            own.append(
                {
                    "corruption": corruption,
                    "strength": strength,
                    "studies": len(degraded),
                    "error": means["error"],
                    "times": means["error"] / before["error"] if before["error"] else math.nan,
                    "stopped": 1 - means["passed"],
                    "stopped_clean": 1 - before["passed"],
                    "auroc": {name: _told_apart(clean, degraded, name) for name in names},
                }
            )
        nearest = min((abs(entry["times"] - 2) for entry in own if math.isfinite(entry["times"])), default=math.nan)
        out += [entry | {"doubles": abs(entry["times"] - 2) == nearest} for entry in own]
    return out


def _told_apart(clean: Rows, degraded: Rows, score: str) -> float:
    doubts = [extremeness(row["study_scores"], score, SUSPICIOUS[score]) for row in [*clean, *degraded]]
    return auroc(np.array(doubts), np.arange(len(doubts)) >= len(clean))


def with_clean(rows: Rows) -> dict[str, list[dict[str, Any]]]:
    """Rows by corruption, those of the clean set first in each."""
    groups = grouped(rows, "corruption")
    clean = groups.pop((CLEAN.corruption,), [])
    return {name: [*clean, *own] for (name,), own in groups.items()}


def grouped(rows: Rows, *keys: str) -> dict[tuple, list[dict[str, Any]]]:
    """Rows by the values of `keys`, in the order of their first appearance."""
    groups: dict[tuple, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in keys), []).append(row)
    return groups


def score_names(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Study scores that any row has."""
    return list(dict.fromkeys(name for row in rows for name in row["study_scores"]))


def number(value: float | None) -> float:
    """None as NaN."""
    return math.nan if value is None else float(value)


def mean(values: Any) -> float:
    """Of those that are not NaN; NaN where there is none."""
    known = [value for value in values if not math.isnan(value)]
    return math.fsum(known) / len(known) if known else math.nan
