"""Means of each set of a stress run on landmarks, whether the study scores know of the errors, and what the gate keeps away."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..gate.gate import extremeness
from ..metrics.auc import auroc
from ..metrics.linear_correlation import pearson
from ..metrics.rank_correlation import spearman
from .point_stress import PointStressTable
from .stress_set import CLEAN
from .summary import SUSPICIOUS, correlations, grouped, mean, number, score_names, with_score

Rows = Sequence[dict[str, Any]]


def summarise_point_sets(table: PointStressTable) -> list[dict[str, Any]]:
    """One entry per set, in the order of the rows: corruption, strength, what `means_of` says, left_out (number by code)."""
    left_out: dict[tuple, Counter] = {}
    for row in table.left_out:
        left_out.setdefault((row["corruption"], row["strength"]), Counter())[row["code"]] += 1
    names = score_names(table.rows)
    return [
        {"corruption": corruption, "strength": strength}
        | means_of(rows, names)
        | {"left_out": dict(left_out.get((corruption, strength), {}))}
        for (corruption, strength), rows in grouped(table.rows, "corruption", "strength").items()
    ]


def prevented_errors(table: PointStressTable) -> list[dict[str, Any]]:
    """The error that the gate prevents: `means_of` over all strengths of each corruption, and of the clean set."""
    names = score_names(table.rows)
    return [{"corruption": name} | means_of(rows, names) for (name,), rows in grouped(table.rows, "corruption").items()]


def means_of(rows: Rows, names: Sequence[str]) -> dict[str, Any]:
    """Means over studies.

    Args:
        rows: of `PointStressTable`. names: of study scores.

    Returns:
        studies, measured (whose error is known), refused (number by code); of those measured: error, within, study_scores; of
        those with regions: covered, all_covered; accepted (share of all; NaN where a study met no gate), error_accepted,
        error_stopped (of those measured that the gate accepts, and of those it does not). NaN where undefined.
    """
    measured = [row for row in rows if row["error"] is not None]
    judged = all(row["accepted"] is not None for row in rows)
    return {
        "studies": len(rows),
        "measured": len(measured),
        "refused": dict(Counter(row["code"] for row in rows if row["code"])),
        **{name: mean(number(row[name]) for row in measured) for name in ("error", "within", "covered", "all_covered")},
        "accepted": mean(float(row["accepted"]) for row in rows) if judged else math.nan,
        "error_accepted": mean(row["error"] for row in measured if row["accepted"]),
        "error_stopped": mean(row["error"] for row in measured if row["accepted"] is False),
        "study_scores": {name: mean(number(row["study_scores"].get(name)) for row in measured) for name in names},
    }


def scores_and_point_errors(table: PointStressTable) -> list[dict[str, Any]]:
    """Does a study score rise with the error, image by image?

    Returns:
        one entry per score and corruption, whose clean set counts too: score, corruption, n, and what `correlations` says.
    """
    out = []
    for score in score_names(table.rows):
        for corruption, rows in with_clean(table.rows).items():
            known = with_score(rows, score)
            out.append({"score": score, "corruption": corruption, "n": len(known)} | correlations(known, score, pooled=False))
    return out


def means_and_strength(sets: Rows) -> list[dict[str, Any]]:
    """Does the mean of a score over all images rise with the strength?

    A correlation over few means is near 1 for every score that rises at all, and says nothing of a single image; it stands here
    since it is what was reported before.

    Args:
        sets: of `summarise_point_sets`.

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
            pair = np.array(values)[known], np.array(strengths)[known]
            about = {"score": score, "corruption": corruption, "sets": int(known.sum())}
            out.append(about | {"pearson": pearson(*pair), "spearman": spearman(*pair)})
    return out


def detection(table: PointStressTable) -> list[dict[str, Any]]:
    """Can a score, or the gate, tell a degraded image from a clean one?

    Returns:
        one entry per corruption and size of strength, both signs together: corruption, strength, studies, error, times (the
        clean mean error), doubles (of its corruption the strength whose mean error is nearest to twice the clean one),
        stopped and stopped_clean (share of the studies that the gate does not accept; its thresholds come from calibration
        images alone), auroc by score: a study without the score, such as one that could not be read, is above all others.
    """
    clean = [row for row in table.rows if row["corruption"] == CLEAN.corruption]
    names = [name for name in score_names(table.rows) if name in SUSPICIOUS]
    before, out = means_of(clean, ()), []
    for corruption, rows in with_clean(table.rows).items():
        own = []
        for strength in sorted({abs(row["strength"]) for row in rows} - {CLEAN.strength}):
            degraded = [row for row in rows if abs(row["strength"]) == strength]
            means = means_of(degraded, ())
            facts = {
                "corruption": corruption,
                "strength": strength,
                "studies": len(degraded),
                "error": means["error"],
                "times": means["error"] / before["error"] if before["error"] else math.nan,
                "stopped": 1 - means["accepted"],
                "stopped_clean": 1 - before["accepted"],
                "auroc": {name: told_apart(clean, degraded, name) for name in names},
            }
            own.append(facts)
        nearest = min((abs(entry["times"] - 2) for entry in own if math.isfinite(entry["times"])), default=math.nan)
        out += [entry | {"doubles": abs(entry["times"] - 2) == nearest} for entry in own]
    return out


def told_apart(clean: Rows, degraded: Rows, score: str) -> float:
    """AUROC of a score, see `detection`."""
    doubts = [extremeness(row["study_scores"], score, SUSPICIOUS[score]) for row in [*clean, *degraded]]
    return auroc(np.array(doubts), np.arange(len(doubts)) >= len(clean))


def with_clean(rows: Rows) -> dict[str, list[dict[str, Any]]]:
    """Rows by corruption, those of the clean set first in each."""
    groups: Mapping[tuple, list[dict[str, Any]]] = grouped(rows, "corruption")
    clean = groups.get((CLEAN.corruption,), [])
    return {name: [*clean, *own] for (name,), own in groups.items() if name != CLEAN.corruption}
