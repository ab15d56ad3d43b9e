"""The evaluation as files: JSON with everything, CSV with a row per study, markdown to read."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...transforms.files.csv_cells import csv_bytes
from ...transforms.files.whole_file import write_text
from .evaluate import PREDICTION, EvaluationTable, grouped
from .markdown import left_out_part, shown
from .plots import save_plots
from .tables import coverage_sections

SCHEMA = "caveat-evaluation-2"


def save_evaluation(table: EvaluationTable, folder: Path) -> None:
    """Write evaluation.json, evaluation.csv and evaluation.md into the folder; plots where coverage is counted."""
    write_text(folder / "evaluation.json", to_json(table))
    write_text(folder / "evaluation.csv", to_csv(table))
    write_text(folder / "evaluation.md", to_markdown(table))
    if table.coverage:
        save_plots(table.coverage, folder)


def to_json(table: EvaluationTable) -> str:
    """The whole table; numbers with 6 significant digits, undefined ones null."""
    return json.dumps(plain({"schema": SCHEMA, **vars(table)}), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def plain(value: Any) -> Any:
    """The value with rounded numbers, None for what is not finite."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value


def to_csv(table: EvaluationTable) -> str:
    """A row per study, reading and rater, a column per metric."""
    metrics = list(dict.fromkeys(name for row in table.rows for name in row["metrics"]))
    scores = list(dict.fromkeys(name for row in table.rows for name in row["study_scores"]))
    rows = []
    for row in table.rows:
        numbers = [row["study_scores"].get(name) for name in scores] + [row["metrics"].get(name) for name in metrics]
        rows.append([row["study"], row["unit"], row["reading"], row["against"], *map(finite, numbers)])
    return csv_bytes(["study", "unit", "reading", "against", *scores, *metrics], rows).decode("utf-8")


def finite(number: float | None) -> float | None:
    """A number as a cell takes it; None where there is none."""
    return None if number is None or not math.isfinite(number) else float(number)


def to_markdown(table: EvaluationTable) -> str:
    """Mean, interval and every single value of each metric; what was left out stands first."""
    return (
        "\n\n".join(
            [
                headline(table),
                *left_out_part(table.left_out, "are not in the figures"),
                *(section(table, *group) for group in grouped(table.rows)),
                *footnotes(table),
                *coverage_sections(table.coverage),
            ]
        )
        + "\n"
    )


def headline(table: EvaluationTable) -> str:
    """What was scored, of how many, by what."""
    studies = {row["sha256"] for row in table.rows}
    source, sampling = table.source, table.source["sampling"]
    run = ", ".join(f"{key} {sampling[key]}" for key in ("sampler", "draws", "seed") if key in sampling)
    return (
        f"# {source['bundle'].get('name', 'predictions')}: {len(studies)} of {len(studies) + len(table.left_out)} images of "
        f"{source['list']}, split {source['split']}\n\n{run or 'sampling unknown'}."
    )


def section(table: EvaluationTable, reading: str, against: str) -> str:
    """The table of one reading against one rater."""
    means = [row for row in table.means if (row["reading"], row["against"]) == (reading, against)]
    studies = [row["study"] for row in table.rows if (row["reading"], row["against"]) == (reading, against)]
    title = f"## {'Predictions' if reading == PREDICTION else reading[:1].upper() + reading[1:]} against {against}"
    units = max((row["units"] for row in means), default=0)
    level = table.source["bootstrap"]["level"]
    lines = [title, "", f"{len(studies)} images of {units} units. Values in the order {', '.join(studies)}.", ""]
    lines += [f"| metric | images | mean | {level:.0%} interval | each image |", "|---|---|---|---|---|"]
    lines += [
        f"| {row['metric']} | {images_of(row)} | {shown(row['mean'])} | {interval(row)} | {' '.join(map(shown, row['values']))} |"
        for row in means
    ]
    for entry in table.over_studies:
        if (entry["reading"], entry["against"]) == (reading, against):
            lines += [f"| {name} | {len(studies)} | {shown(value)} | | |" for name, value in entry["metrics"].items()]
    return "\n".join(lines)


def footnotes(table: EvaluationTable) -> list[str]:
    """How to read the figures."""
    bootstrap = table.source["bootstrap"]
    return [
        f"Means are over images, each figure computed per image inside the region of the list; intervals by bootstrap over "
        f"the unit ({bootstrap['resamples']} resamples, seed {bootstrap['seed']}; too narrow where units are few). "
        '"-": undefined, for instance the distance of a structure that was missed ("missed" counts them), or a map that is '
        'constant, such as the variance of one draw; "45 of 46" images: the mean is of those that have the figure.'
    ]


def images_of(row: Mapping[str, Any]) -> str:
    """How many images the mean is of, and of how many: "46", or "45 of 46" where one has no such figure."""
    return f"{row['n']} of {row['n'] + row['undefined']}" if row["undefined"] else str(row["n"])


def interval(row: Mapping[str, Any]) -> str:
    """ "0.78 to 0.82", or "-"."""
    return f"{shown(row['lower'])} to {shown(row['upper'])}" if math.isfinite(row["lower"]) else "-"
