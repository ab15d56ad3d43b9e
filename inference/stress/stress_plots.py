"""Plots of a stress run: figures against strength, scores against errors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from operator import itemgetter
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ...transforms.drawing.own_style import own_style
from ...transforms.files.whole_file import write_whole
from ..metrics.risk_coverage import risk_coverage_curve
from .stress import StressTable
from .stress_set import CLEAN
from .summary import SUSPICIOUS, Rows, doubt, grouped, number, risk, score_names, with_clean

FIGURES = {
    "dice": ("dice",),
    "error": ("bias", "error", "error_accepted"),
    "coverage": ("coverage", "coverage_accepted"),  # of all, and of those that the gate accepts
    "at_once": ("at_once", "at_once_accepted"),
    "accepted": ("accepted", "passed"),  # of the units measured, of all studies
}
"""File names, and the entries of a set that each shows, a line a target."""
STRENGTH = itemgetter("strength")
STYLES = ("-", "--", ":")
COLUMNS = 4


@own_style()
def save_plots(table: StressTable, sets: Rows, folder: Path) -> None:
    """Write dice.png, error.png, coverage.png, at_once.png and accepted.png (a panel per corruption), mean_scores.png and
    scores.png (a panel per score) and risk_coverage.png; the last three of the first target.

    Args:
        sets: of `summary.summarise`. What is undefined everywhere, such as coverage without a record, gets no file.
    """
    for name, keys in FIGURES.items():
        shown = [key for key in keys if any(math.isfinite(entry[key]) for entry in sets)]
        if shown and with_clean(sets):
            level = table.source["level"] if name in ("coverage", "at_once") else None
            save_figure(against_strength(sets, shown, level), folder / f"{name}.png")
    target = table.rows[0]["target"]
    rows = [row for row in table.rows if row["target"] == target and row["error"] is not None]
    names = score_names(rows)
    if names:
        save_figure(scores_and_errors(rows, names), folder / "scores.png")
    if names and with_clean(sets):
        save_figure(mean_scores([entry for entry in sets if entry["target"] == target], names), folder / "mean_scores.png")
    if known := [name for name in names if name in SUSPICIOUS]:
        save_figure(risk_coverage(rows, known), folder / "risk_coverage.png")


def save_figure(figure: Figure, path: Path) -> None:
    """Write a PNG that says nothing of when and by which version."""
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(figure.axes) + 1, COLUMNS), fontsize=7)
    FigureCanvasAgg(figure)
    write_whole(path, partial(figure.savefig, format="png", dpi=110, metadata={"Software": None}))


def panels(titles: Sequence[str], said: str) -> tuple[Figure, list[Axes]]:
    """An axes for each title, on a figure of as many rows as they need. Args: titles: at least one. said: of the figure."""
    columns = min(len(titles), COLUMNS)
    rows = math.ceil(len(titles) / columns)
    figure = Figure(figsize=(3.1 * max(columns, 2), 2.5 * rows + 0.7), layout="constrained")  # titles and legend need two
    axes = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for unused in axes[len(titles) :]:
        unused.remove()
    for panel, title in zip(axes, titles):
        panel.set_title(title.replace("_", " "), fontsize=9)
        panel.tick_params(labelsize=7)
    figure.suptitle(said, fontsize=10)
    return figure, axes[: len(titles)]


def against_strength(sets: Rows, shown: Sequence[str], level: float | None) -> Figure:
    """A panel per corruption, strength 0 is the clean set. Args: shown: entries of a set. level: a line, or none."""
    groups = with_clean(sets)
    figure, axes = panels(list(groups), f"{' and '.join(shown)} against strength".replace("_", " "))
    for panel, own in zip(axes, groups.values(), strict=True):
        for colour, ((target,), entries) in enumerate(grouped(sorted(own, key=STRENGTH), "target").items()):
            for style, key in zip(STYLES, shown):
                x, y = [entry["strength"] for entry in entries], [entry[key] for entry in entries]
                panel.plot(x, y, style, color=f"C{colour}", marker=".", label=f"{target}, {key}".replace("_", " "))
        if level is not None:
            panel.axhline(level, color="grey", linewidth=0.8)
            panel.set_ylim(-0.03, 1.03)
    return figure


def mean_scores(sets: Rows, names: Sequence[str]) -> Figure:
    """Mean of each study score against strength, as a share of the corruption's largest."""
    figure, axes = panels(names, "mean study scores against strength (share of the largest)")
    for corruption, entries in with_clean(sets).items():
        entries = sorted(entries, key=STRENGTH)
        largest = max(abs(entry["strength"]) for entry in entries)
        for panel, name in zip(axes, names, strict=True):
            x, y = [entry["strength"] / largest for entry in entries], [entry["study_scores"][name] for entry in entries]
            panel.plot(x, y, marker=".", linewidth=1, label=corruption)
    return figure


def scores_and_errors(rows: Rows, names: Sequence[str]) -> Figure:
    """Size of the error against each study score, a colour per corruption."""
    figure, axes = panels(names, f"{rows[0]['target']}: error against study scores")
    for panel, name in zip(axes, names, strict=True):
        for index, ((corruption,), own) in enumerate(grouped(rows, "corruption").items()):
            scores, errors = [number(row["study_scores"].get(name)) for row in own], [abs(row["error"]) for row in own]
            colour, marker = "black" if corruption == CLEAN.corruption else f"C{index % 10}", "o" if index < 10 else "^"
            panel.scatter(scores, errors, s=7, color=colour, marker=marker, label=corruption, alpha=0.7, linewidths=0)
        panel.set_yscale("symlog", linthresh=0.01)
    return figure


def risk_coverage(rows: Rows, names: Sequence[str]) -> Figure:
    """Mean risk among the studies kept, the most doubtful left out first. Args: names: of scores."""
    figure, (panel,) = panels([f"{rows[0]['target']}: mean risk against the share of studies kept"], "risk-coverage")
    for name in names:
        doubts = np.array([doubt(row, name) for row in rows])
        known = np.isfinite(doubts)
        curve = risk_coverage_curve(np.array([risk(row) for row in rows])[known], doubts[known])
        panel.plot(np.arange(1, len(curve) + 1) / max(len(curve), 1), curve, label=name, linewidth=1)
    return figure
