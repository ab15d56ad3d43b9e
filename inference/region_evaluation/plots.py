"""A picture of the regions: coverage of each landmark with its band."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..interval_evaluation.plots import COLOUR, DPI, QUIET
from .methods import CALIBRATED, RAW

WIDTH, HEIGHT = 7.2, 2.6


def save_region_plot(regions: Mapping[str, Any], folder: Path) -> None:
    """Write regions.png: a panel a shape. Args: regions: of `evaluate_regions`."""
    sections = [section for section in regions["sections"] if section["promise"] == "marginal"]
    figure = Figure(figsize=(WIDTH, HEIGHT * len(sections) + 1.2), layout="constrained")
    panels = figure.subplots(len(sections), 1, squeeze=False, sharex=True)[:, 0]
    for axes, section in zip(panels, sections, strict=True):
        draw_landmarks(axes, section, regions["plotted_level"])
    panels[-1].set_xticks(range(len(regions["names"])), regions["names"], rotation=60, ha="right", fontsize=7)
    entries = {name: handle for axes in panels for handle, name in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(entries.values(), entries.keys(), loc="outside lower center", ncols=3, fontsize=7, frameon=False)
    figure.savefig(folder / "regions.png", dpi=DPI, metadata={"Software": None})  # the same bytes from any version


def draw_landmarks(axes: Axes, section: Mapping[str, Any], level: float) -> None:
    """Share of the studies in which each landmark lies inside, at one level; the promise and its band behind."""
    rows = [row for row in section["figures"] if row["level"] == level and row["n"]]
    axes.axhline(level, color=QUIET, linewidth=0.8)
    for row in rows:
        if row["fewest"] is not None:
            ends = row["fewest"] / row["n"], row["most"] / row["n"]
            axes.axhspan(*ends, color=COLOUR, alpha=0.15, linewidth=0, label="band of each landmark, accepted")
    shown = (
        (CALIBRATED, True, "calibrated, accepted", {"marker": "o", "color": COLOUR}),
        (CALIBRATED, False, "calibrated, all", {"marker": "o", "color": COLOUR, "markerfacecolor": "white"}),
        (RAW, False, RAW, {"marker": "x", "color": QUIET}),
    )
    for method, gate, label, style in reversed(shown):
        for row in rows:
            if (row["method"], row["gate"]) == (method, gate):
                axes.plot([mark["coverage"] for mark in row["landmarks"]], linestyle="none", label=label, markersize=4, **style)
    axes.set(ylim=(0, 1.04), title=f"{section['shape']}, {level:.0%}", ylabel="truths inside")
    axes.title.set_fontsize(9)
    axes.yaxis.label.set_fontsize(8)
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
