"""Plots of a stress run on landmarks: error, acceptance and study scores against strength."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from .point_summary import with_clean
from .stress_plots import STRENGTH, against_strength, panels, save_figure

FIGURES = {
    "error": {"error": "mean radial error, mm", "error_accepted": "of the accepted"},
    "accepted": {"accepted": "share accepted"},
}
"""File names, and the entries of a set that each shows."""


def save_point_plots(sets: Sequence[dict[str, Any]], folder: Path) -> None:
    """Write error.png and accepted.png (a panel per corruption) and scores.png (a panel per corruption and score).

    Args:
        sets: of `point_summary.summarise_point_sets`. What is undefined everywhere gets no file.
    """
    named = [entry | {"measurement": "landmarks"} for entry in sets]
    for name, shown in FIGURES.items():
        if any(math.isfinite(entry[key]) for entry in sets for key in shown):
            save_figure(against_strength(named, shown, None), folder / f"{name}.png")
    if any(entry["study_scores"] for entry in sets) and with_clean(sets):
        save_figure(_scores(sets), folder / "scores.png")


def _scores(sets: Sequence[dict[str, Any]]) -> Figure:
    """Mean study scores."""
    groups = with_clean(sets)
    names = list(sets[0]["study_scores"])
    figure, axes = panels(len(groups) * len(names))
    for panel, (corruption, name) in zip(axes, [(corruption, name) for corruption in groups for name in names], strict=True):
        entries = sorted(groups[corruption], key=STRENGTH)
        strengths, means = [entry["strength"] for entry in entries], [entry["study_scores"][name] for entry in entries]
        panel.plot(strengths, means, marker=".", color="C0", linewidth=1)
        panel.set_title(f"{corruption.replace('_', ' ')}: {name.replace('_', ' ')}", fontsize=8)
        panel.tick_params(labelsize=7)
    figure.suptitle("mean study scores against strength", fontsize=10)
    return figure
