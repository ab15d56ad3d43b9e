"""Two pictures of the intervals: coverage against nominal, and value against truth with bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .figures import FIRST_LINE
from .methods import CALIBRATED, QUANTILES_OF_DRAWS

COLOUR, QUIET = "#1b6ca8", "#8a8f98"
SIDE, DPI = 3.6, 150


def save_plots(intervals: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write coverage.png and intervals.png. Args: intervals: of `evaluate_intervals`. Returns: what was written."""
    sections = intervals["measurements"]
    level = intervals["plotted_level"]
    pictures = {
        "coverage.png": _panels(sections, draw_coverage, "share of the intervals that hold the truth"),
        "intervals.png": _panels(sections, lambda axes, section: draw_intervals(axes, section, level), "value"),
    }
    paths = []
    for name, figure in pictures.items():
        figure.savefig(folder / name, dpi=DPI, metadata={"Software": None})  # the same bytes from any version that draws alike
        paths.append(folder / name)
    return paths


def draw_coverage(axes: Axes, section: Mapping[str, Any]) -> None:
    """Coverage against its level, with the band of the accepted studies; raw quantiles of the draws beside."""
    rows = [row for row in section["figures"] if row["studies"] == FIRST_LINE and row["n"]]
    axes.plot([0, 1], [0, 1], color=QUIET, linewidth=0.8)
    banded = [row for row in rows if row["method"] == CALIBRATED and row["gate"] and row["fewest"] is not None]
    for row in banded:
        axes.plot([row["level"]] * 2, [row["fewest"] / row["n"], row["most"] / row["n"]], color=COLOUR, alpha=0.3, linewidth=7)
    shown = (
        (CALIBRATED, True, "calibrated, accepted", {"marker": "o", "color": COLOUR}),
        (CALIBRATED, False, "calibrated, all", {"marker": "o", "color": COLOUR, "markerfacecolor": "white"}),
        (QUANTILES_OF_DRAWS, False, "raw quantiles of the draws", {"marker": "x", "color": QUIET}),
    )
    for method, gate, label, style in shown:
        points = [(row["level"], row["coverage"]) for row in rows if row["method"] == method and row["gate"] is gate]
        if points:
            axes.plot(*zip(*points, strict=True), linestyle="none", label=label, markersize=5, **style)
    axes.set(xlim=(0.4, 1.02), ylim=(0, 1.04), xlabel="level", title=section["measurement"])
    axes.legend(fontsize=6, loc="lower right", frameon=False)


def draw_intervals(axes: Axes, section: Mapping[str, Any], level: float) -> None:
    """Value against truth, a bar for the interval at one level; a study that the gate does not accept is grey."""
    first = [row for row in section["rows"] if row["first"]]
    for accepted, colour, label in ((True, COLOUR, "accepted"), (False, QUIET, "not accepted")):
        rows = [row for row in first if row["accepted"] is accepted]
        if not rows:
            continue
        axes.plot([row["truth"] for row in rows], [row["value"] for row in rows], "o", color=colour, markersize=3, label=label)
        ends = [(row["truth"], at["lower"], at["upper"]) for row in rows for at in row["intervals"] if at["level"] == level]
        if ends:
            truth, lower, upper = zip(*ends, strict=True)
            axes.vlines(truth, lower, upper, color=colour, linewidth=1, alpha=0.6)
    axes.axline((0, 0), slope=1, color="black", linewidth=0.6)
    limits = _limits([number for row in first for number in (row["truth"], row["value"])])
    axes.set(xlim=limits, ylim=limits, xlabel=f"truth, {section['unit']}", title=f"{section['measurement']}, {level:.0%}")
    axes.legend(fontsize=6, loc="upper left", frameon=False)


def _panels(sections: Sequence[Mapping[str, Any]], draw: Any, label: str) -> Figure:
    """One square panel a measurement, side by side."""
    figure = Figure(figsize=(SIDE * len(sections), SIDE), layout="constrained")
    panels = figure.subplots(1, len(sections), squeeze=False)[0]
    for axes, section in zip(panels, sections, strict=True):
        draw(axes, section)
        axes.tick_params(labelsize=7)
        axes.title.set_fontsize(9)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel(label)
    return figure


def _limits(numbers: Sequence[float]) -> tuple[float, float]:
    """A margin of a quarter of the range for the bars."""
    low, high = min(numbers), max(numbers)
    margin = 0.25 * max(high - low, 1e-9)
    return low - margin, high + margin
