"""The sentence about the class of an image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .statement import calibration_in_words, uncalibrated_in_words


def class_statement(
    title: str,
    classes: Sequence[str],
    probability: Sequence[float],
    draws: Sequence[Sequence[float]],
    region: Mapping[str, Any] | None = None,
    withheld: str = "",
) -> str:
    """One sentence.

    Args:
        title: of the image. classes: their names.
        probability: of each class, mean over the draws. draws: the same of every draw.
        region: the set of classes, level, and of the record truth, n, unit, networks and proven, where there is one.
        withheld: why a record there is does not say so.
    """
    likeliest = max(range(len(classes)), key=lambda index: probability[index])
    shown = f"{title}: {classes[likeliest]}, probability {probability[likeliest]:.2f}"
    if region is not None:
        return f"{shown} ({set_in_words(region, classes)} {region['truth']}, {calibration_in_words(region)})"
    calibrated = uncalibrated_in_words(withheld)
    if len(draws) == 1:
        return f"{shown} (one network, no draws, {calibrated})"
    own = [draw[likeliest] for draw in draws]
    return f"{shown} ({len(own)} draws from {min(own):.2f} to {max(own):.2f}, {calibrated})"


def set_in_words(region: Mapping[str, Any], classes: Sequence[str]) -> str:
    """ "90 % set: pneumonia alone", "no finding or pneumonia, it cannot tell which;", or "none of the classes, ..."."""
    level, held = f"{100 * region['level']:.6g} % set", [classes[index] for index in region["classes"]]
    if not held:
        return f"{level}: none of the classes, the image is unlike those of either;"
    if len(held) == 1:
        return f"{level}: {held[0]} alone"
    return f"{level}: {' or '.join(held)}, it cannot tell which;"
