"""The last layer of a network whose trunk stays as it is: a regression on its pooled features."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ..calibration.temperature import LabelledLogits, fit_temperature

STEPS = 2000


@dataclass(frozen=True)
class LastLayer:
    """A linear layer.

    Args:
        weight: (classes, features). bias: (classes,). Both of features as the trunk makes them, and divided by the temperature.
        strength: inverse of the penalty that was chosen. temperature: that was found.
    """

    weight: np.ndarray
    bias: np.ndarray
    strength: float
    temperature: float

    def logits(self, features: np.ndarray) -> np.ndarray:
        """Args: features: (n, features). Returns: (n, classes)."""
        return features @ self.weight.T + self.bias


def fit_last_layer(features: np.ndarray, classes: np.ndarray, folds: np.ndarray, strengths: Sequence[float]) -> LastLayer:
    """Logistic regression on standardised features; penalty and temperature by cross-validation within what is given alone.

    Args:
        features: (n, features) of the training films. classes: (n,), numbers from 0. folds: (n,), by patient.
        strengths: inverse penalties, of which the one of the least loss on films of the fold left out is taken.

    Returns:
        the layer of all films at that penalty, its logits divided by the temperature that suits those of the folds left out.
    """
    left_out = {strength: _left_out(features, classes, folds, strength) for strength in strengths}
    labelled = {strength: _labelled(logits, classes) for strength, logits in left_out.items()}
    fits = {strength: fit_temperature([one]) for strength, one in labelled.items()}
    best = min(strengths, key=lambda strength: fits[strength].draw_nll[1])
    weight, bias = _regression(features, classes, best)
    temperature = fits[best].temperature
    return LastLayer(weight / temperature, bias / temperature, best, temperature)


def _left_out(features: np.ndarray, classes: np.ndarray, folds: np.ndarray, strength: float) -> np.ndarray:
    """Logits of every film by the regression of the other folds, (n, classes)."""
    logits = np.zeros((len(classes), classes.max() + 1))
    for fold in np.unique(folds):
        own = folds == fold
        weight, bias = _regression(features[~own], classes[~own], strength)
        logits[own] = features[own] @ weight.T + bias
    return logits


def _labelled(logits: np.ndarray, classes: np.ndarray) -> LabelledLogits:
    return LabelledLogits(torch.as_tensor(logits.T[None]), torch.as_tensor(classes, dtype=torch.int64))


def _regression(features: np.ndarray, classes: np.ndarray, strength: float) -> tuple[np.ndarray, np.ndarray]:
    """Returns: weight (classes, features) and bias (classes,), of features as they come."""
    model = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=STEPS))
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        model.fit(features, classes)
    scale, regression = model[0], model[1]
    weight = regression.coef_ / scale.scale_
    bias = regression.intercept_ - weight @ scale.mean_
    if len(weight) > 1:
        return weight, bias
    return np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2  # of two classes, one difference
