"""Radial errors of landmarks: of each, and of all of a study."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..calibration.answers import is_place, place_of
from ..metrics.radial_error import detection_rate, radial_errors
from ..metrics.rank_correlation import spearman
from ..stored.point_truths import PointTruth
from ..stored.stored_study import StoredStudy

MEAN = "radial error, mm"


def of_landmark(name: str) -> str:
    """The figure's name of one landmark's radial error."""
    return f"radial error of {name}, mm"


def radial_error(study: StoredStudy, truth: PointTruth, within: Sequence[float], without: Sequence[str] = ()) -> dict[str, float]:
    """Errors of one study. Means over studies are those over all landmarks, since every study has all of them.

    A landmark that was reported as outside the image counts with the position that it was decoded to: a network must not gain by
    finding nothing.

    Args:
        within: distances of the detection rates, mm.
        without: landmarks without which the mean error and the rates are given once more.

    Returns:
        mean radial error and detection rates, with and without, then each landmark's own error.

    Raises:
        KeyError: a landmark of the truth that the study does not have.
    """
    found = {answer["name"]: place_of(answer) for answer in study.result["answers"] if is_place(answer)}
    names = list(truth.positions)
    errors = radial_errors(np.array([found[name] for name in names]), np.array([truth.positions[name] for name in names]))
    kept = errors[[name not in without for name in names]]
    figures = _of_all(errors, within, "")
    if without:
        figures |= _of_all(kept, within, f" without {', '.join(without)}")
    return figures | {of_landmark(name): float(error) for name, error in zip(names, errors, strict=True)}


def _of_all(errors: np.ndarray, within: Sequence[float], which: str) -> dict[str, float]:
    rates = {f"within {distance:g} mm{which}": detection_rate(errors, distance) for distance in within}
    return {f"{MEAN}{which}": float(errors.mean())} | rates


def median_radial_error(rows: Sequence[dict[str, Any]], names: Sequence[str], without: Sequence[str] = ()) -> dict[str, float]:
    """Median over all landmarks of all studies, which no mean over studies is.

    Args:
        rows: of one reading against one rater, with the figures of `radial_error`.
        names: of the landmarks.
        without: as of `radial_error`.
    """
    errors = {name: [row["metrics"][of_landmark(name)] for row in rows] for name in names}
    medians = {"median radial error, mm": float(np.median([*errors.values()]))}
    if without:
        kept = [errors[name] for name in names if name not in without]
        medians[f"median radial error, mm without {', '.join(without)}"] = float(np.median(kept))
    return medians


def error_ranking(rows: Sequence[dict[str, Any]], scores: Sequence[str]) -> dict[str, float]:
    """Does a score know which studies have large errors? Spearman's correlation with the mean radial error, over studies.

    Args:
        rows: see `median_radial_error`.
        scores: names of study scores; one that a study lacks is left out.
    """
    errors = [row["metrics"][MEAN] for row in rows]
    known = [score for score in scores if rows and all(score in row["study_scores"] for row in rows)]
    return {
        f"rank correlation of {score} and radial error": spearman([row["study_scores"][score] for row in rows], errors)
        for score in known
    }
