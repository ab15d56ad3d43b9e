"""A stress run as files: JSON with everything, CSV with a row per study and target, markdown to read, plots."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...transforms.corruptions.corruption import all_corruptions
from ...transforms.files.csv_cells import csv_bytes
from ...transforms.files.whole_file import write_text
from ..evaluation.evaluation_files import finite, plain
from ..evaluation.markdown import markdown_table, shown
from .stress import OF_A_ROW, StressTable
from .stress_plots import save_plots
from .stress_set import CLEAN
from .summary import Rows, number, score_names, summarise

SCHEMA = "caveat-stress-2"
OF_STUDY = ("study", "unit", "target", "measured_in", "code")
TABLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "sets": (
        "",
        ("corruption", "strength", "measured", "refused", "left_out", "dice", "bias", "error", "within", "size")
        + ("interval_score", "coverage", "units", "accepted", "coverage_accepted", "band", "at_once_accepted", "band_at_once"),
    ),
    "prevented": (
        "### The error that the gate prevents",
        ("corruption", "studies", "refused", "passed", "error", "error_accepted", "error_stopped"),
    ),
    "detection": (
        "### Degraded or clean?",
        ("corruption", "strength", "studies", "error", "times", "doubles", "stopped", "stopped_clean", "auroc"),
    ),
    "scores": (
        "### Do study scores know of the error?",
        ("score", "corruption", "spearman_pooled", "spearman_per_image", "images", "spearman_strength")
        + ("AURC", "E-AURC", "AURC_random", "n"),
    ),
    "means": ("### Do their means rise with the strength?", ("score", "corruption", "pearson", "spearman", "sets")),
}
"""Title and columns of the table of each list of `summarise`."""


def save_stress(table: StressTable, folder: Path) -> str:
    """Write stress.json, stress.csv, stress.md and the plots. Returns: the markdown."""
    found = summarise(table)
    text = to_markdown(table, found)
    whole = {"schema": SCHEMA, "source": table.source, **found, "rows": table.rows, "left_out": table.left_out}
    write_text(folder / "stress.json", json.dumps(plain(whole), indent=1, allow_nan=False) + "\n")
    write_text(folder / "stress.csv", to_csv(table))
    write_text(folder / "stress.md", text)
    save_plots(table, found["sets"], folder)
    return text


def to_csv(table: StressTable) -> str:
    """A row per set, study and target."""
    scores, rows = score_names(table.rows), []
    for row in table.rows:
        numbers = [number(row[name]) for name in ("first", *OF_A_ROW)] + [
            number(row["study_scores"].get(name)) for name in scores
        ]
        rows.append([row["corruption"], float(row["strength"]), *(row[name] for name in OF_STUDY), *map(finite, numbers)])
    return csv_bytes(["corruption", "strength", *OF_STUDY, "first", *OF_A_ROW, *scores], rows).decode("utf-8")


def to_markdown(table: StressTable, found: Mapping[str, Rows]) -> str:
    """For each target what each corruption does, what the gate prevents, what can be told apart, what the scores know of it."""
    run = ", ".join(f"{key} {value}" for key, value in table.source["sampling"].items() if value is not None)
    clean = {(row["study"], row["unit"]) for row in table.rows if row["corruption"] == CLEAN.corruption}
    images = f"{len(clean)} images of {len({unit for _, unit in clean})} units"
    parts = [f"# {table.source['bundle'].get('name', 'bundle')} under stress: {images}\n\n{run}."]
    targets = list(dict.fromkeys(entry["target"] for entry in found["sets"]))
    for target in targets:
        parts.append(f"## {target}")
        for section, (title, names) in TABLES.items():
            own = [entry for entry in found[section] if entry["target"] == target]
            parts += [part for part in (title, columns(own, names)) if part] if own else []
    if score_names(table.rows):
        of_one = [entry for entry in found["sets"] if entry["target"] == targets[0]]
        parts += ["## Mean study scores", columns(of_one, ("corruption", "strength", "study_scores"))]
    return "\n\n".join([*parts, footnotes(table)]) + "\n"


def columns(entries: Rows, names: Sequence[str]) -> str:
    """A table of entries of `summarise`, without the columns in which nothing is known. Args: names: a mapping's is of scores."""
    nested = {"auroc": "AUROC ", "study_scores": ""}
    heads = [head for name in names for head in ([nested[name] + key for key in entries[0][name]] if name in nested else [name])]
    flat = [
        entry | {nested[key] + name: value for key in nested for name, value in entry.get(key, {}).items()} for entry in entries
    ]
    rows = [[f"{entry[head]:g}" if head == "strength" else cell(entry.get(head)) for head in heads] for entry in flat]
    kept = [index for index in range(len(heads)) if any(row[index] != "-" for row in rows)]
    return markdown_table([heads[index].replace("_", " ") for index in kept], [[row[index] for index in kept] for row in rows])


def cell(value: Any) -> str:
    """As a person reads it: counts of codes, the ends of a band, whether, a number."""
    if isinstance(value, Mapping):
        return ", ".join(f"{count} {code}" for code, count in value.items()) or "0"
    if isinstance(value, list):
        return " to ".join(map(shown, value)) or "-"
    if isinstance(value, float):
        return shown(value)
    return "-" if value is None or value is False else "yes" if value is True else str(value)


def footnotes(table: StressTable) -> str:
    """How to read the figures."""
    level, confidence = f"{table.source['level']:.0%}", f"{table.source['confidence']:.0%}"
    done = [name for name in dict.fromkeys(row["corruption"] for row in table.rows) if name in all_corruptions()]
    strengths = "\n".join(f"- {name}: {all_corruptions()[name].unit}" for name in done)
    return f"""Means over images. Errors of a measurement are shares of the truth, bias with its sign; those of landmarks are the
mean distance, mm, over an image's landmarks from those of the first rater, which move with the image (one beyond the border still
counts); that of several measurements promised at once is the mean size of theirs; within: share of landmarks within
{table.source["within_mm"]:g} mm. A refused study is not accepted; an image of another kind was measured all the same, to see how
wrong it would have been. Left out, and in no figure: what could not be degraded, has no truth, or in which nothing was found.
Regions are of the level {level}, without looking at the gate; size: width of an interval, mean radius of the landmarks' regions.
Coverage and accepted (a share) are counted on one image of each unit; passed: share of all images that the gate accepts. A band
({confidence}, each set by itself, of landmarks each alone) is where the coverage of the accepted would lie were degraded images
like those of the calibration; under shift nothing is promised. At once: all landmarks, or measurements, in their regions of that
promise.
Degraded or clean: both signs of a strength together; doubles: the strength whose mean error is nearest to twice the clean one;
AUROC of each score. The gate's thresholds come from calibration images alone.
Spearman: of a study score with the error, pooled over images and strengths, and as the mean of each image's own correlation over
strengths; spearman strength: with the strength. AURC: area under the risk-coverage curve; the risk is 1 - Dice, of landmarks the
error. The mean scores of the sets are near 1 with the strength for whatever rises at all, which says nothing of a single image.
"-" or no column: undefined, or no record fits.

Strengths:

{strengths}

Lengths are mm; in pictures without a known spacing, thousandths of the shorter side."""
