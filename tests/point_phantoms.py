"""Stored landmarks whose errors are made by formula, and the tables of their truths."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from caveat.inference.calibration.case import Case
from caveat.inference.calibration.record import MARGINAL, SIMULTANEOUS, Record
from caveat.inference.calibration.rows import Row
from caveat.inference.calibration.scores.conformity_score import ConformityScore
from caveat.inference.calibration.scores.distance import Distance
from caveat.inference.calibration.settings import Calibration
from caveat.inference.calibration.split_stratum import SplitStratum
from caveat.inference.stored.point_truths import PointTruths
from caveat.inference.targets.landmark import landmarks

NAMES = ("Sella", "Nasion", "Menton")
PLACES = np.array([[40.0, 30.0], [20.0, 60.0], [90.0, 50.0]])
"""Of the truths, mm."""
SPACING = 0.2
BUNDLE = {"name": "phantoms", "version": "1", "weights_sha256": "w", "preprocessing_sha256": "p"}
SAMPLING = {
    "sampler": "Ensemble",
    "source": "model",
    "draws": 5,
    "seed": 0,
    "temperature": 1.0,
    "roi_size": [-1, -1],
    "overlap": 0.25,
    "blending": "gaussian",
    "align": 1,
    "precision": "float32",
    "grid_spacing_mm": [0.9, 0.9],
    "feature_reference": None,
    "link": "identity",
    "region_channel": None,
    "device": "cpu",
}


def row(errors: Any, covariances: Any = None, unit: str = "", outside: Any = None, names: Any = None, **more: Any) -> Row:
    """A study whose truths lie so far from what was predicted. Args: errors: (landmarks, axes), mm."""
    errors = np.asarray(errors, float)
    count, axes = errors.shape
    covariances = np.stack([np.eye(axes)] * count) if covariances is None else np.asarray(covariances, float)
    about = {"study": unit, "unit": unit, "sha256": f"sha {unit}", "value": (0.0,) * axes, "draws": (), **more}
    return tuple(
        Case(
            **about,
            truth=tuple(errors[index].tolist()),
            covariance=tuple(map(tuple, covariances[index].tolist())),
            outside=bool(outside is not None and outside[index]),
            name=(names or NAMES)[index] if count <= len(names or NAMES) else str(index),
        )
        for index in range(count)
    )


def record(
    score: ConformityScore | None = None,
    promise: str = MARGINAL,
    scores: Any = ((1.0, 2.0, 3.0, 4.0),) * 3,
    names: Any = NAMES,
    **about: Any,
) -> Record:
    """A record of landmarks. Args: scores: sorted, a row each, or one for all at once. about: what is not as usual."""
    strata = tuple((SplitStratum(math.inf, {"either": tuple(own)}),) for own in scores)
    usual = {"levels": (0.5, 0.8), "gate": None, "identity": {}, "provenance": {}}
    return Record(tuple(names), "mm", "patient", score or Distance(), "two-sided", promise, strata, **{**usual, **about})


def settings(folder: Path | None = None, **more: Any) -> Calibration:
    """Settings for the phantoms: discs, 80 % by default."""
    asked = {"targets": landmarks(NAMES), "unit": "patient", "levels": (0.5, 0.8), "score": Distance(), **more}
    return Calibration(truths=PointTruths(["senior"], NAMES, folder), **{"promises": (MARGINAL, SIMULTANEOUS), **asked})


def result_of(sha256: str, errors: np.ndarray, noise: float = 1.0, **more: Any) -> dict[str, Any]:
    """A result whose landmarks lie so far before their truths. Args: errors: (landmarks, 2), mm. noise: a study score."""
    values = PLACES - errors
    points = [
        {
            "kind": "landmark",
            "name": name,
            "title": name,
            "unit": "mm",
            "value": value.tolist(),
            "index_on_input_grid": (value / SPACING).tolist(),
            "outside_image": False,
            "draws": {"n": 5, "mean": value.tolist(), "covariance": np.eye(2).tolist(), "values": [value.tolist()] * 5},
            "heatmap_covariance": np.eye(2).tolist(),
            "total_covariance": np.diag([4.0, 1.0]).tolist(),
            "mean_distance_to_mean": 0.81,
            "heatmap_activation": 0.1,
            "region": None,
            "simultaneous_region": None,
            "statement": "to be replaced",
        }
        for name, value in zip(NAMES, values, strict=True)
    ]
    affine = np.diag([SPACING, SPACING, 1.0, 1.0]).tolist()
    given = {"sha256": sha256, "kind": "picture", "shape": [600, 500], "spacing_mm": [SPACING] * 2, "affine": affine}
    return {
        "schema": "caveat-result-1",
        "status": "OK",
        "reasons": [],
        "input": given,
        "bundle": dict(BUNDLE),
        "sampling": dict(SAMPLING),
        "answers": points,
        "study_scores": {"noise": noise},
        "gate": None,
        "flags": [],
        **more,
    }


def write_stored(root: Path, seed: int = 0, images: int = 1, **parts: int) -> None:
    """Predictions in root/out, tables in root/prepared, and root/list.json.

    Args:
        seed: of the errors, Gaussian of 1 mm times landmark number.
        images: of each unit.
        parts: units of each part.
    """
    random, entries, number = np.random.default_rng(seed), {}, 0
    (root / "prepared").mkdir(parents=True, exist_ok=True)
    for part, units in parts.items():
        entries[part] = []
        for _ in range(units * images):
            errors = random.normal(size=(3, 2)) * np.array([1.0, 2.0, 3.0])[:, None]
            write_study(root, number, errors, noise=float(random.random()))
            about = {"image": f"{number}.jpg", "points": f"{number}.csv", "sha256": f"sha{number:03}"}
            entries[part].append(about | {"unit": f"patient {number // images}"})
            number += 1
    (root / "list.json").write_text(json.dumps(entries))


def write_study(root: Path, number: int, errors: np.ndarray, **more: Any) -> None:
    """One prediction and the table of its truths."""
    folder = root / f"out/study{number:03}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "result.json").write_text(json.dumps(result_of(f"sha{number:03}", errors, **more)))
    index = PLACES / SPACING
    rows = [f"senior,{name},{row:.6f},{column:.6f}" for name, (row, column) in zip(NAMES, index, strict=True)]
    (root / f"prepared/{number}.csv").write_text("\n".join(["rater,name,axis0,axis1", *rows]) + "\n")
