"""Pictures: coverage against nominal, values against truths with their intervals, coverage of each landmark."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...transforms.drawing.own_style import own_style
from ...transforms.files.whole_file import write_whole
from .figures import FIRST_LINE
from .methods import CALIBRATED, QUANTILES_OF_DRAWS, TOTAL_COVARIANCE
from .tables import apart, title_of

COLOUR, QUIET = "#1b6ca8", "#8a8f98"
SIDE, WIDE, HIGH, DPI = 3.6, 7.2, 2.6, 150
BAND = "band of what is promised"
SERIES: tuple[tuple[str, bool, str, dict[str, Any]], ...] = (
    (TOTAL_COVARIANCE, False, TOTAL_COVARIANCE, {"marker": "x", "color": QUIET}),
    (QUANTILES_OF_DRAWS, False, "raw quantiles of the draws", {"marker": "x", "color": QUIET}),
    (CALIBRATED, False, "calibrated, all", {"marker": "o", "color": COLOUR, "markerfacecolor": "white"}),
    (CALIBRATED, True, "calibrated, accepted", {"marker": "o", "color": COLOUR}),
)
"""Method, whether only accepted studies, what the legend calls it, how it is drawn; the last one on top."""
Section = Mapping[str, Any]
Draw = Callable[[Axes, Section, float], None]


@own_style()
def save_plots(coverage: Mapping[str, Any], folder: Path) -> None:
    """Write coverage.png where something is counted at once, intervals.png where it is one measurement, regions.png where several
    components count each by itself. Args: coverage: of `evaluate_coverage`."""
    sections = coverage["sections"]
    pictures: dict[str, tuple[Draw, str, list[Section]]] = {
        "coverage.png": (draw_coverage, "share of the studies that hold the truth", [one for one in sections if not apart(one)]),
        "intervals.png": (draw_intervals, "value", [one for one in sections if one["value"]]),
        "regions.png": (draw_components, "truths inside", [one for one in sections if apart(one)]),
    }
    for name, (draw, label, shown) in pictures.items():
        if shown:
            figure = _panels(shown, draw, coverage["plotted_level"], label, below=draw is draw_components)
            # The same bytes from any version that draws alike.
            write_whole(folder / name, partial(figure.savefig, format="png", dpi=DPI, metadata={"Software": None}))


def draw_coverage(axes: Axes, section: Section, level: float) -> None:
    """Coverage against its level, all of them, with the bands; what the studies state by themselves beside."""
    rows = [row for row in section["figures"] if row["studies"] == FIRST_LINE and row["n"]]
    axes.plot([0, 1], [0, 1], color=QUIET, linewidth=0.8)
    for row in rows:
        if row["method"] == CALIBRATED and row["fewest"] is not None:
            ends = row["fewest"] / row["n"], row["most"] / row["n"]
            axes.vlines(row["level"], *ends, color=COLOUR, alpha=0.3, linewidth=7, label=BAND)
    for method, gate, label, style in SERIES:
        points = [(row["level"], row["coverage"]) for row in rows if (row["method"], row["gate"]) == (method, gate)]
        if points:
            axes.plot(*zip(*points, strict=True), linestyle="none", label=label, markersize=5, **style)
    axes.set(xlim=(0.4, 1.02), ylim=(0, 1.04), xlabel="level", title=title_of(section))


def draw_intervals(axes: Axes, section: Section, level: float) -> None:
    """Value against truth, a bar for the interval at one level; grey where the gate withholds it."""
    first = [(row["accepted"], row["components"][0]) for row in section["rows"] if row["first"]]
    low, high = _limits([number for _, one in first for number in (one["truth"], one["value"])])
    kept = "accepted" if section["record"] else "not calibrated"
    for accepted, colour, label in ((True, COLOUR, kept), (False, QUIET, "not accepted: interval withheld")):
        shown = [one for inside, one in first if inside is accepted]
        if not shown:
            continue
        axes.plot([one["truth"] for one in shown], [one["value"] for one in shown], "o", color=colour, markersize=3, label=label)
        for one in shown:
            for at in one["intervals"]:
                if at["level"] == level:  # an end that is not there is drawn to the border
                    ends = max(at["lower"], low), min(at["upper"], high)
                    axes.vlines(one["truth"], *ends, color=colour, linewidth=1, alpha=0.6)
    axes.axline((low, low), slope=1, color="black", linewidth=0.6)
    title = f"{section['names'][0]}, {level:.0%} intervals"
    axes.set(xlim=(low, high), ylim=(low, high), xlabel=f"truth, {section['unit']}", title=title)


def draw_components(axes: Axes, section: Section, level: float) -> None:
    """Share of the studies in which each component lies inside, at one level; the promise and the bands behind."""
    rows = [row for row in section["figures"] if (row["studies"], row["level"]) == (FIRST_LINE, level) and row["n"]]
    axes.axhline(level, color=QUIET, linewidth=0.8)
    for row in rows:
        if row["method"] == CALIBRATED and row["components"][0]["fewest"] is not None:
            ends = zip(*((one["fewest"] / row["n"], one["most"] / row["n"]) for one in row["components"]), strict=True)
            axes.vlines(range(len(section["names"])), *ends, color=COLOUR, alpha=0.2, linewidth=7, label=BAND)
    for method, gate, label, style in SERIES:
        for row in rows:
            if (row["method"], row["gate"]) == (method, gate):
                axes.plot([one["coverage"] for one in row["components"]], linestyle="none", label=label, markersize=4, **style)
    axes.set(ylim=(0, 1.04), title=f"{section['kind']}, {level:.0%}")
    axes.set_xticks(range(len(section["names"])), section["names"], rotation=60, ha="right", fontsize=7)


def _panels(sections: Sequence[Section], draw: Draw, level: float, label: str, below: bool) -> Figure:
    """A panel a section, square and side by side, or wide and one below another; one legend below."""
    count = len(sections)
    size, grid = ((WIDE, HIGH * count + 1.2), (count, 1)) if below else ((SIDE * count, SIDE + 0.4), (1, count))
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(*grid, squeeze=False, sharex=below).ravel()
    for axes, section in zip(panels, sections, strict=True):
        draw(axes, section, level)
        axes.tick_params(labelsize=7)
        axes.title.set_fontsize(9)
        axes.xaxis.label.set_fontsize(8)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in panels if below else panels[:1]:
        axes.set_ylabel(label, fontsize=8)
    entries = {name: handle for axes in panels for handle, name in zip(*axes.get_legend_handles_labels(), strict=True)}
    columns = 3 if below else 4
    figure.legend(entries.values(), entries.keys(), loc="outside lower center", ncols=columns, fontsize=7, frameon=False)
    return figure


def _limits(numbers: Sequence[float]) -> tuple[float, float]:
    """A margin of a quarter of the range for the bars."""
    low, high = min(numbers), max(numbers)
    margin = 0.25 * max(high - low, 1e-9)
    return low - margin, high + margin
