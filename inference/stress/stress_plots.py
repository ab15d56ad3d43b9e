"""Plots of a stress run: figures against strength, scores against errors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..metrics.risk_coverage import risk_coverage_curve
from .stress import StressTable
from .stress_set import CLEAN
from .summary import SIGN, SUSPICIOUS, grouped, number, score_names

FIGURES = {
    "dice": ("Dice",),
    "error": ("bias", "absolute error"),
    "coverage": ("coverage", "coverage accepted"),  # of all, and of those that the gate accepts
    "accepted": ("accepted",),
}
"""File names, and the entries of a set that each shows, a line a measurement."""
STRENGTH = itemgetter("strength")
STYLES = ("-", "--")
COLUMNS = 4


def save_plots(table: StressTable, sets: Sequence[dict[str, Any]], folder: Path) -> None:
    """Write dice.png, error.png, coverage.png and accepted.png (a panel per corruption), scores.png (a panel per score) and
    risk_coverage.png.

    Args:
        sets: of `summary.summarise_sets`. What is undefined everywhere, such as coverage without a record, gets no file.
    """
    for name, shown in FIGURES.items():
        keys = [entry.lower().replace(" ", "_") for entry in shown]
        if any(math.isfinite(entry[key]) for entry in sets for key in keys):
            level = table.source["level"] if name == "coverage" else None
            save_figure(against_strength(sets, dict(zip(keys, shown, strict=True)), level), folder / f"{name}.png")
    names = score_names(table.rows)
    if names:
        save_figure(_scores(table), folder / "scores.png")
    if known := [name for name in names if name in SUSPICIOUS]:
        save_figure(_risk_coverage(table, known), folder / "risk_coverage.png")


def save_figure(figure: Figure, path: Path) -> None:
    """Write a PNG that says nothing of when and by which version."""
    FigureCanvasAgg(figure)
    figure.savefig(path, dpi=110, metadata={"Software": None})


def panels(count: int) -> tuple[Figure, list[Axes]]:
    """So many axes on a figure of as many rows as they need. Args: count: at least 1."""
    columns = min(count, COLUMNS)
    rows = math.ceil(count / columns)
    figure = Figure(figsize=(3.1 * columns, 2.5 * rows + 0.5), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for unused in axes[count:]:
        unused.remove()
    return figure, axes[:count]


def against_strength(sets: Sequence[dict[str, Any]], shown: Mapping[str, str], level: float | None) -> Figure:
    """A panel per corruption, strength 0 is the clean set. Args: shown: key of a set to its name. level: a line, or none."""
    corruptions = list(dict.fromkeys(entry["corruption"] for entry in sets if entry["corruption"] != CLEAN.corruption))
    figure, axes = panels(max(1, len(corruptions)))
    for panel, corruption in zip(axes, corruptions):
        own = sorted((entry for entry in sets if entry["corruption"] in (CLEAN.corruption, corruption)), key=STRENGTH)
        for colour, ((measurement,), entries) in enumerate(grouped(own, "measurement").items()):
            for style, (key, name) in zip(STYLES, shown.items()):
                label = f"{measurement}, {name}" if len(shown) > 1 else measurement
                strengths, values = [entry["strength"] for entry in entries], [entry[key] for entry in entries]
                panel.plot(strengths, values, style, color=f"C{colour}", marker=".", label=label)
        if level is not None:
            panel.axhline(level, color="grey", linewidth=0.8)
            panel.set_ylim(-0.03, 1.03)
        panel.set_title(corruption.replace("_", " "), fontsize=9)
        panel.tick_params(labelsize=7)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=8)
    figure.suptitle(f"{' and '.join(shown.values())} against strength", fontsize=10)
    return figure


def _scores(table: StressTable) -> Figure:
    """Absolute error of the first measurement against each study score, a colour per corruption."""
    measurement = table.rows[0]["measurement"]
    rows = [row for row in table.rows if row["measurement"] == measurement]
    names = score_names(rows)
    figure, axes = panels(len(names))
    for panel, name in zip(axes, names):
        for index, ((corruption,), own) in enumerate(grouped(rows, "corruption").items()):
            scores = np.array([number(row["study_scores"].get(name)) for row in own])
            colour = "black" if corruption == CLEAN.corruption else f"C{index % 10}"
            marker = "o" if index < 10 else "^"
            errors = [100 * abs(row["error"]) for row in own]
            panel.scatter(scores, errors, s=7, color=colour, marker=marker, label=corruption, alpha=0.7, linewidths=0)
        panel.set_yscale("symlog", linthresh=1)
        panel.set_xlabel(name, fontsize=8)
        panel.set_ylabel("absolute error, %", fontsize=8)
        panel.tick_params(labelsize=7)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5, fontsize=7, markerscale=2)
    figure.suptitle(f"{measurement}: error against study scores", fontsize=10)
    return figure


def _risk_coverage(table: StressTable, names: Sequence[str]) -> Figure:
    """Mean 1 - Dice of the first measurement among the studies kept, the most doubtful left out first. Args: names: of scores."""
    measurement = table.rows[0]["measurement"]
    figure, (panel,) = panels(1)
    rows = [row for row in table.rows if row["measurement"] == measurement]
    for name in names:
        doubt = SIGN[SUSPICIOUS[name]] * np.array([number(row["study_scores"].get(name)) for row in rows])
        known = np.isfinite(doubt)
        risk = risk_coverage_curve(np.array([1 - row["dice"] for row in rows])[known], doubt[known])
        panel.plot(np.arange(1, len(risk) + 1) / max(len(risk), 1), risk, label=name, linewidth=1)
    panel.set_xlabel("share of studies kept", fontsize=8)
    panel.set_ylabel("mean 1 - Dice", fontsize=8)
    panel.tick_params(labelsize=7)
    figure.suptitle(f"{measurement}: risk-coverage", fontsize=10)
    figure.legend(loc="outside lower center", ncols=2, fontsize=7)
    return figure
