"""Where the encoder's features of training studies lie, and how far from there a study is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.linalg import solve

from caveat.reasons import StudyRefused

from .of_one_run import OfOneRun, run_behind


@dataclass(frozen=True)
class Reference(OfOneRun):
    """Mean and shrunk covariance of the pooled features of training studies; shipped as `calibration/features.json`.

    A gate's limit on the distance holds for this reference alone, hence its `sha256` on records.

    Args:
        mean: (channels,).
        covariance: (channels, channels), positive definite.
        n: studies it was made of.
        weights_sha256, preprocessing_sha256: of the bundle that made the features.
    """

    schema: ClassVar[str] = "caveat-feature-reference-1"
    what: ClassVar[str] = "the bundle's reference of encoder features"

    mean: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    n: int
    weights_sha256: str
    preprocessing_sha256: str

    def distance(self, features: Sequence[float]) -> float:
        """Mahalanobis distance, sqrt((x - mean)' S^-1 (x - mean)). Args: features: (channels,)."""
        away = np.asarray(features) - np.asarray(self.mean)
        return float(np.sqrt(away @ solve(np.asarray(self.covariance), away, assume_a="pos")))

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Reference:
        """See `OfOneRun`."""
        arrays = {"mean": tuple(facts["mean"]), "covariance": tuple(map(tuple, facts["covariance"]))}
        return cls(**{**facts, **arrays})


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
    run = run_behind(measured)
    if len({len(result["features"]) for result in measured}) > 1:
        raise StudyRefused("MIXED_PREDICTIONS", "their number of features differs")
    features = np.array([result["features"] for result in measured])
    mean, scale = features.mean(axis=0), features.std(axis=0)
    scale[scale == 0] = 1
    correlation, _ = ledoit_wolf((features - mean) / scale, assume_centered=True)
    covariance = correlation * np.outer(scale, scale)
    return Reference(tuple(mean.tolist()), tuple(map(tuple, covariance.tolist())), len(measured), **run)
