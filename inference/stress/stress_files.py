"""A stress run as files: JSON with everything, CSV with a row per study, markdown to read."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...transforms.corruption import all_corruptions
from ..evaluation_files import plain
from ..markdown import markdown_table, shown
from .point_stress import PointStressTable
from .stress import StressTable
from .stress_plots import save_plots
from .stress_set import CLEAN
from .summary import grouped, number, score_names, scores_and_errors, summarise_sets

SCHEMA = "caveat-stress-1"
MEANS = ("dice", "bias", "absolute_error", "width", "interval_score")
OF_A_ROW = ("value", "truth", "dice", "error", "lower", "upper", "interval_score", "covered", "accepted")


def save_stress(table: StressTable, folder: Path) -> str:
    """Write stress.json, stress.csv, stress.md and the plots. Returns: the markdown."""
    sets, scores = summarise_sets(table), scores_and_errors(table)
    text = to_markdown(table, sets, scores)
    whole = {"schema": SCHEMA, "source": table.source, "sets": sets, "scores": scores}
    whole |= {"rows": table.rows, "left_out": table.left_out}
    (folder / "stress.json").write_text(json.dumps(plain(whole), indent=1, allow_nan=False) + "\n", encoding="utf-8")
    (folder / "stress.csv").write_text(to_csv(table), encoding="utf-8", newline="")
    (folder / "stress.md").write_text(text, encoding="utf-8")
    save_plots(table, sets, folder)
    return text


def to_csv(table: StressTable) -> str:
    """A row per set, study and measurement."""
    scores = score_names(table.rows)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["corruption", "strength", "study", "unit", "measurement", "measured_in", *OF_A_ROW, *scores])
    for row in table.rows:
        numbers = [number(row[name]) for name in OF_A_ROW] + [number(row["study_scores"].get(name)) for name in scores]
        about = [row["corruption"], f"{row['strength']:g}", row["study"], row["unit"], row["measurement"], row["measured_in"]]
        writer.writerow(about + [f"{value:.6g}" if math.isfinite(value) else "" for value in numbers])
    return out.getvalue()


def to_markdown(table: StressTable, sets: Sequence[Mapping[str, Any]], scores: Sequence[Mapping[str, Any]]) -> str:
    """A table per measurement of what each corruption does, then whether study scores know of it."""
    parts = [headline(table)]
    for (measurement,), entries in grouped(list(sets), "measurement").items():
        parts += [f"## {measurement}", set_table(entries)]
        own = [entry for entry in scores if entry["measurement"] == measurement]
        if own:
            parts += ["Mean study scores:", score_table(entries)]
            parts += [f"### Do study scores know of the error of {measurement}?", relation_table(own)]
    return "\n\n".join([*parts, footnotes(table)]) + "\n"


def headline(table: StressTable | PointStressTable) -> str:
    """What was degraded and by what measured."""
    run = ", ".join(f"{key} {value}" for key, value in table.source["sampling"].items() if value is not None)
    clean = {row["study"] for row in table.rows if row["corruption"] == CLEAN.corruption}
    units = {row["unit"] for row in table.rows if row["corruption"] == CLEAN.corruption}
    return f"# {table.source['bundle'].get('name', 'bundle')} under stress: {len(clean)} images of {len(units)} units\n\n{run}."


def set_table(entries: Sequence[Mapping[str, Any]]) -> str:
    """A row per set."""
    head = ["corruption", "strength", "measured", "left out", "Dice", "bias", "absolute error", "width", "interval score"]
    head += ["coverage, all", "accepted", "coverage, accepted", "band if nothing had shifted"]
    rows = []
    for entry in entries:
        left_out = ", ".join(f"{count} {code}" for code, count in entry["left_out"].items()) or "0"
        band = " to ".join(map(shown, entry["band"])) or "-"
        rows.append(
            [entry["corruption"], f"{entry['strength']:g}", str(entry["measured"]), left_out]
            + [shown(entry[name]) for name in MEANS]
            + [shown(entry["coverage"]), accepted(entry), shown(entry["coverage_accepted"]), band]
        )
    return markdown_table(head, rows)


def accepted(entry: Mapping[str, Any]) -> str:
    """ "12 of 28", or "-" without a record."""
    return "-" if math.isnan(entry["accepted"]) else f"{entry['accepted_units']} of {entry['units']}"


def score_table(entries: Sequence[Mapping[str, Any]]) -> str:
    """Mean study scores, a row per set."""
    names = list(entries[0]["study_scores"])
    rows = [[e["corruption"], f"{e['strength']:g}", *(shown(e["study_scores"][name]) for name in names)] for e in entries]
    return markdown_table(["corruption", "strength", *names], rows)


def relation_table(entries: Sequence[Mapping[str, Any]]) -> str:
    """A row per score and corruption."""
    names = ("spearman_pooled", "spearman_per_image", "images", "spearman_strength", "AURC", "E-AURC", "AURC_random", "n")
    rows = [[e["score"], e["corruption"], *(shown(number(e.get(name))) for name in names)] for e in entries]
    return markdown_table(["score", "corruption", *names], rows)


def footnotes(table: StressTable) -> str:
    """How to read the figures."""
    level, confidence = f"{table.source['level']:.0%}", f"{table.source['confidence']:.0%}"
    return f"""Dice, bias (mean error with sign) and absolute error are means over images, errors as shares of the truth.
Intervals are of the level {level}, without looking at the gate; coverage and what the gate accepts are counted on one image of
each unit. The band ({confidence}, each set by itself) is where the coverage of the accepted would lie if degraded images were
like those of the calibration; under shift nothing is promised. "-": undefined, or no record fits.
Spearman: of a study score with the absolute error, pooled over images and strengths, and as the mean of each image's own
correlation over strengths; `spearman_strength`: with the strength. AURC: area under the risk-coverage curve, risk 1 - Dice.
Images left out (refused, nothing found, or their truth cut away) are in no figure.

Strengths:

{strengths_note(table.rows)}"""


def strengths_note(rows: Sequence[Mapping[str, Any]]) -> str:
    """What the strengths of each corruption count, a line each."""
    done = [name for name in dict.fromkeys(row["corruption"] for row in rows) if name in all_corruptions()]
    lengths = "Lengths are mm; in pictures without a known spacing, thousandths of the shorter side."
    return "\n".join([*(f"- {name}: {all_corruptions()[name].unit}" for name in done), "", lengths])
