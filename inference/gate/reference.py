"""Where the encoder's features of training studies lie, and how far from there a study is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.linalg import solve

from caveat.reasons import StudyRefused

SCHEMA = "caveat-feature-reference-1"
OF_ONE_RUN = ("weights_sha256", "preprocessing_sha256")
"""Entries of a bundle's facts that decide the features."""


@dataclass(frozen=True)
class Reference:
    """Mean and shrunk covariance of the pooled features of training studies.

    Args:
        mean: (channels,).
        covariance: (channels, channels), positive definite.
        n: studies it was made of.
        weights_sha256, preprocessing_sha256: of the bundle that made the features.
    """

    mean: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    n: int
    weights_sha256: str
    preprocessing_sha256: str

    def distance(self, features: Sequence[float]) -> float:
        """Mahalanobis distance, sqrt((x - mean)' S^-1 (x - mean)). Args: features: (channels,)."""
        away = np.asarray(features) - np.asarray(self.mean)
        return float(np.sqrt(away @ solve(np.asarray(self.covariance), away, assume_a="pos")))

    def belongs_to(self, bundle: Mapping[str, Any]) -> bool:
        """Whether weights and preprocessing are those of a bundle's facts."""
        return all(bundle.get(key) == getattr(self, key) for key in OF_ONE_RUN)

    @property
    def sha256(self) -> str:
        """Of its text: a gate's limit on the distance holds for this reference alone."""
        return hashlib.sha256(self.to_text().encode("ascii")).hexdigest()

    def to_text(self) -> str:
        """As JSON."""
        return json.dumps({"schema": SCHEMA} | asdict(self), sort_keys=True) + "\n"


def build_reference(results: Sequence[Mapping[str, Any]]) -> Reference:
    """The reference of stored predictions.

    Ledoit-Wolf shrinkage (2004) on standardised channels, since its target gives all channels one variance; a channel
    that never varies keeps the variance that shrinkage gives it.

    Args:
        results: `result.json` of training studies with `features`; refused ones are left out.

    Raises:
        StudyRefused: GATE_SCORE_MISSING, fewer than two studies with features; MIXED_PREDICTIONS, of several networks.
    """
    from sklearn.covariance import ledoit_wolf  # here alone: prediction needs no scikit-learn

    measured = [result for result in results if result.get("features")]
    if len(measured) < 2:
        raise StudyRefused("GATE_SCORE_MISSING", f"features of {len(measured)} studies")
    runs = {tuple(result["bundle"].get(key, "") for key in OF_ONE_RUN) for result in measured}
    if len(runs) > 1 or len({len(result["features"]) for result in measured}) > 1:
        raise StudyRefused("MIXED_PREDICTIONS", "their weights, preprocessing or number of features differ")
    features = np.array([result["features"] for result in measured])
    mean, scale = features.mean(axis=0), features.std(axis=0)
    scale[scale == 0] = 1
    correlation, _ = ledoit_wolf((features - mean) / scale, assume_centered=True)
    covariance = correlation * np.outer(scale, scale)
    return Reference(
        tuple(mean.tolist()), tuple(map(tuple, covariance.tolist())), len(measured), **dict(zip(OF_ONE_RUN, runs.pop()))
    )


def write_reference(path: Path, reference: Reference) -> None:
    """Write the file that a bundle ships as `calibration/features.json`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(reference.to_text(), encoding="ascii")


def read_reference(path: Path) -> Reference | None:
    """Read it. Returns: None where there is no file.

    Raises:
        StudyRefused: CORRUPT, the file is no reference.
    """
    if not path.is_file():
        return None
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        if facts.pop("schema") != SCHEMA:
            raise ValueError
        covariance = tuple(map(tuple, facts.pop("covariance")))
        return Reference(mean=tuple(facts.pop("mean")), covariance=covariance, **facts)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StudyRefused("CORRUPT", "the bundle's reference of encoder features") from error
