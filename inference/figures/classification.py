"""How right the class of an image is, and whether its doubt knows where it is not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...transforms.files.answers import classes_of
from ..metrics.auc import auroc
from ..metrics.calibration_error import adaptive_calibration_error, top_label
from ..metrics.risk_coverage import risk_coverage_area
from ..stored.class_truths import ClassTruth
from ..stored.stored_study import StoredStudy

LEAST = 1e-12
"""Of a probability whose logarithm is taken."""


def classification(study: StoredStudy, truth: ClassTruth) -> dict[str, float]:
    """Of one image: whether its likeliest class is right, what the true class cost; for figures over images, which class it is.

    Returns:
        accuracy (0 or 1); Brier score, the sum over classes of squared errors; negative log likelihood, nats; probability and
        truth of the last class.
    """
    (answer,) = classes_of(study.result)
    probability, index = np.array(answer["value"]), list(answer["classes"]).index(truth.name)
    target = np.eye(len(probability))[index]
    return {
        "accuracy": float(probability.argmax() == index),
        "Brier score": float(((probability - target) ** 2).sum()),
        "negative log likelihood": -math.log(max(probability[index], LEAST)),
        f"probability of {answer['classes'][-1]}": float(probability[-1]),
        f"share of {answer['classes'][-1]}": float(target[-1]),
    }


def over_images(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Figures that no mean over images is. Args: rows: of one reading, with the figures of `classification`.

    Returns:
        AUROC of the last class; adaptive calibration error of the likeliest of two; risk-coverage area of being wrong, by each
        doubt among the study scores, and that of a random order.
    """
    names = {name.split(" of ", 1)[0]: name for name in rows[0]["metrics"] if " of " in name}
    probability, truth, right = (
        np.array([row["metrics"][name] for row in rows]) for name in (names["probability"], names["share"], "accuracy")
    )
    figures = {
        "AUROC": auroc(probability, truth > 0),
        "adaptive calibration error, top label": adaptive_calibration_error(*top_label(probability, truth > 0)),
        "risk-coverage area, risk: wrong, at random": float(1 - right.mean()),
    }
    for doubt in ("entropy", "mutual information"):
        scores = [row["study_scores"].get(f"class_{doubt.replace(' ', '_')}") for row in rows]
        if None not in scores:
            area = risk_coverage_area(1 - right, np.array(scores, dtype=float))
            figures[f"risk-coverage area, risk: wrong, by {doubt}"] = area
    return figures
