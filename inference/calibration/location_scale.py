"""Learns the coefficients of a `Fitted` score from units that are not for calibration."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize

from .case import Case
from .features import features_of
from .scores.fitted import INTERCEPT, Fitted


def fit_location_scale(
    cases: Sequence[Case],
    centre: Sequence[str],
    log_width: Sequence[str],
    offset: float,
    floor: float = 0.01,
    penalty: float = 1.0,
) -> Fitted:
    """Largest likelihood of ln(V + c) ~ Laplace(m, w), m and ln w linear in features, with a ridge penalty on slopes.

    The Laplace law lets one outlier move a width by little. The ridge pulls m to the prediction itself (slope 1 on "log_value"
    or "log_mean", whichever is named first; 0 elsewhere) and w to one constant: with few units it stays near `Log`, recentred.

    Args:
        cases: with truths, predicted by networks that have not seen them, one per unit.
        centre: features of m, "log_value" or "log_mean" among them.
        log_width: features of ln w; empty for one width.
        offset, floor: see `features_of`.
        penalty: of squared slopes of standardised features, in units of log likelihood; 0 for none.

    Raises:
        ValueError: no truth, fewer cases than coefficients, no "log_value" or "log_mean".
        StudyRefused: MISSING_STUDY_SCORE.
    """
    target = np.log([math.nan if case.truth is None else case.truth + offset for case in cases])
    if not np.isfinite(target).all() or len(cases) < len(centre) + len(log_width) + 2:
        raise ValueError("every case needs a truth, and there must be more cases than coefficients")
    base = next((name for name in centre if name in ("log_value", "log_mean")), None)
    if base is None:
        raise ValueError("the centre needs log_value or log_mean")
    x, x_mean, x_sd = _standardised(cases, centre, offset, floor)
    z, z_mean, z_sd = _standardised(cases, log_width, offset, floor)
    residual = target - (x * x_sd + x_mean)[:, list(centre).index(base)]
    slopes = 1 + len(centre)
    start = np.zeros(slopes + 1 + len(log_width))
    start[0] = np.median(residual)
    usual_width = max(float(np.mean(np.abs(residual - start[0]))), 1e-6)
    start[slopes] = math.log(usual_width)

    def loss(parameters: np.ndarray) -> float:
        b, c = parameters[:slopes], parameters[slopes:]
        log_w = c[0] + z @ c[1:]
        distance = np.sqrt((residual - b[0] - x @ b[1:]) ** 2 + 1e-8)  # smooth at 0, so that gradients exist
        relative = b[1:] / usual_width  # a slope of the centre counts in widths, as one of the width does
        return float(np.sum(log_w + distance * np.exp(-log_w)) + penalty * (relative @ relative + c[1:] @ c[1:]))

    found = minimize(loss, start, method="L-BFGS-B").x
    b, c = found[:slopes], found[slopes:]
    centre_slopes, width_slopes = b[1:] / x_sd, c[1:] / z_sd
    middle = {INTERCEPT: b[0] - centre_slopes @ x_mean, **dict(zip(centre, centre_slopes, strict=True))}
    middle[base] += 1.0
    width = {INTERCEPT: c[0] - width_slopes @ z_mean, **dict(zip(log_width, width_slopes, strict=True))}
    return Fitted(_rounded(middle), _rounded(width), offset, floor)


def _standardised(
    cases: Sequence[Case], names: Sequence[str], offset: float, floor: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features (cases, names) with mean 0 and sd 1, and their means and sds; a constant feature has the sd 1."""
    values = np.array([list(features_of(case, names, offset, floor).values()) for case in cases]).reshape(len(cases), len(names))
    mean, sd = values.mean(axis=0), values.std(axis=0)
    sd = np.where(sd > 1e-12, sd, 1.0)
    return (values - mean) / sd, mean, sd


def _rounded(coefficients: dict[str, float]) -> dict[str, float]:
    """To 6 significant digits, so that a config can hold them."""
    return {name: float(f"{value:.6g}") for name, value in coefficients.items()}
