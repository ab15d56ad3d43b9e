"""Stored predictions of small label volumes with two classes, made by formula, and the list of their truths."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

from caveat.inference.calibration.calibrate import fit_record
from caveat.inference.calibration.case import Case
from caveat.inference.calibration.record import Record
from caveat.inference.calibration.scores.conformity_score import ConformityScore
from caveat.inference.calibration.scores.log import Log
from caveat.inference.calibration.settings import Calibration
from caveat.inference.gate.gate import Gate
from caveat.inference.stored.truths import MaskTruths
from caveat.inference.targets.volume import Volume

MEASUREMENTS = (Volume("whole volume", "Whole", (1, 2)), Volume("first volume", "Part, the first", (1,)))
SHAPE, AFFINE = (12, 10, 8), np.diag([2.0, 2.0, 2.0, 1.0])
ML = 8 / 1000
"""Volume of a voxel."""
BUNDLE = {"name": "phantoms", "version": "1", "weights_sha256": "w", "preprocessing_sha256": "p"}
SAMPLING = {
    "sampler": "Ensemble",
    "source": "model",
    "draws": 5,
    "seed": 0,
    "temperature": 1.0,
    "roi_size": [-1, -1, -1],
    "overlap": 0.5,
    "blending": "gaussian",
    "align": 1,
    "precision": "float32",
    "grid_spacing_mm": [2.0, 2.0, 2.0],
    "feature_reference": None,
    "link": "softmax",
    "region_channel": None,
    "device": "cpu",
}


def case(value: float, truth: float | None = None, draws: tuple[float, ...] | None = None, unit: str = "", **more: Any) -> Case:
    """A case whose draws lie around the value."""
    draws = (0.9 * value, value, 1.1 * value) if draws is None else draws
    return Case(study=unit, unit=unit, sha256=f"sha {unit}", value=value, draws=draws, truth=truth, **more)


def interval(record: Record, case: Case, level: float) -> tuple[float, float] | None:
    """Ends of the interval that a record gives a measurement; None for none."""
    regions = record.regions((case,), level)
    return None if regions is None else (regions[0].lower, regions[0].upper)


def record_of(
    cases: Sequence[Case], asked: Calibration, measurement: str = "whole volume", gate: Gate | None = None, **about: Any
) -> Record:
    """A record of one measurement. Args: about: see `fit_record`."""
    (score,) = asked.scores_of((measurement,))
    return fit_record((measurement,), [(case,) for case in cases], asked, score, gate=gate, **about)


def settings(score: ConformityScore | None = None, **more: Any) -> Calibration:
    """Settings for the phantoms, 80 % by default."""
    score = score or Log(0.01)
    return Calibration(
        **{"truths": MaskTruths(), "targets": MEASUREMENTS, "score": score, "unit": "subject", "levels": (0.5, 0.8), **more}
    )


def labels(first: int, second: int) -> np.ndarray:
    """A label map with so many voxels of each class."""
    flat = np.zeros(np.prod(SHAPE), np.uint8)
    flat[100 : 100 + first] = 1
    flat[400 : 400 + second] = 2
    return flat.reshape(SHAPE)


def result_of(sha256: str, first: int, second: int, seed: int = 0, **more: Any) -> dict[str, Any]:
    """A result that finds so many voxels of each class; draws scatter by some voxels."""
    jitter = np.random.default_rng(seed).integers(-8, 9, 5)
    entries = [
        {
            "kind": "measurement",
            "name": measurement.name,
            "title": measurement.title,
            "unit": "mL",
            "value": (first + second if len(measurement.classes) == 2 else first) * ML or None,
            "draws": {
                "n": 5,
                "values": [((first + second if len(measurement.classes) == 2 else first) + int(j)) * ML for j in jitter],
            },
            "region": None,
            "simultaneous_region": None,
            "statement": "to be replaced",
            "classes": list(measurement.classes),
        }
        for measurement in MEASUREMENTS
    ]
    given = {"sha256": sha256, "kind": "nifti", "shape": list(SHAPE), "spacing_mm": [2.0, 2.0, 2.0], "spacing_source": "the file"}
    return {
        "schema": "caveat-result-1",
        "status": "OK",
        "reasons": [],
        "input": {**given, "affine": AFFINE.tolist()},
        "bundle": dict(BUNDLE),
        "sampling": dict(SAMPLING),
        "answers": entries,
        "study_scores": {"noise": float(jitter.std()), "pooled_pairwise_dice": 0.9},
        "gate": None,
        "flags": [],
        **more,
    }


def write_result(folder: Path, result: dict[str, Any]) -> None:
    """As `caveat predict` leaves it, without maps."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "result.json").write_text(json.dumps(result))


def write_label(path: Path, array: np.ndarray, affine: np.ndarray = AFFINE) -> None:
    """A label as NIfTI."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(array, affine), path)


def write_stored(root: Path, units: int = 12, scans: int = 2, part: str = "calibration") -> list[dict[str, Any]]:
    """Predictions in root/out, labels in root/data, and root/list.json. Returns: the part's entries."""
    random, entries = np.random.default_rng(3), []
    for number in range(units * scans):
        first, second = random.integers(80, 160, 2).tolist()
        sha256, path = f"sha{number:03}", f"labels/{number}.nii.gz"
        write_label(root / "data" / path, labels(first, second))
        found = [max(1, size + int(random.integers(-12, 20))) for size in (first, second)]
        write_result(root / "out" / f"scan{number:03}", result_of(sha256, *found, seed=number))
        entries.append(
            {"image": f"images/{number}.nii.gz", "label": [path], "unit": f"subject {number // scans}", "sha256": sha256}
        )
    write_list(root, **{part: entries})
    return entries


def write_list(root: Path, **parts: list[dict[str, Any]]) -> None:
    """The data list; parts that are not named are empty."""
    (root / "list.json").write_text(json.dumps({"training": [], "early_stopping": [], "calibration": [], "test": [], **parts}))
