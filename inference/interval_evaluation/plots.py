"""Two pictures of the intervals: coverage against nominal, and value against truth with bars."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
    if banded:
        levels, fewest, most = zip(*((row["level"], row["fewest"] / row["n"], row["most"] / row["n"]) for row in banded))
        axes.vlines(levels, fewest, most, color=COLOUR, alpha=0.3, linewidth=7, label="band, accepted")
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


def draw_intervals(axes: Axes, section: Mapping[str, Any], level: float) -> None:
    """Value against truth, a bar for the interval at one level; grey where the gate withholds it."""
    first = [row for row in section["rows"] if row["first"]]
    low, high = _limits([number for row in first for number in (row["truth"], row["value"])])
    kept = "accepted" if section["record"] else "not calibrated"
    for accepted, colour, label in ((True, COLOUR, kept), (False, QUIET, "not accepted: interval withheld")):
        rows = [row for row in first if row["accepted"] is accepted]
        if not rows:
            continue
        axes.plot([row["truth"] for row in rows], [row["value"] for row in rows], "o", color=colour, markersize=3, label=label)
        for row in rows:
            for at in row["intervals"]:
                if at["level"] == level:  # an end that is not there is drawn to the border
                    ends = max(at["lower"], low), min(at["upper"], high)
                    axes.vlines(row["truth"], *ends, color=colour, linewidth=1, alpha=0.6)
    axes.axline((low, low), slope=1, color="black", linewidth=0.6)
    title = f"{section['measurement']}, {level:.0%} intervals"
    axes.set(xlim=(low, high), ylim=(low, high), xlabel=f"truth, {section['unit']}", title=title)


def _panels(sections: Sequence[Mapping[str, Any]], draw: Callable[[Axes, Mapping[str, Any]], None], label: str) -> Figure:
    """One square panel a measurement, side by side, and one legend below."""
    figure = Figure(figsize=(SIDE * len(sections), SIDE + 0.4), layout="constrained")
    panels = figure.subplots(1, len(sections), squeeze=False)[0]
    for axes, section in zip(panels, sections, strict=True):
        draw(axes, section)
        axes.tick_params(labelsize=7)
        axes.title.set_fontsize(9)
        axes.xaxis.label.set_fontsize(8)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel(label, fontsize=8)
    entries = {name: handle for axes in panels for handle, name in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(entries.values(), entries.keys(), loc="outside lower center", ncols=4, fontsize=7, frameon=False)
    return figure


def _limits(numbers: Sequence[float]) -> tuple[float, float]:
    """A margin of a quarter of the range for the bars."""
    low, high = min(numbers), max(numbers)
    margin = 0.25 * max(high - low, 1e-9)
    return low - margin, high + margin
