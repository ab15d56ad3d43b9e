"""A stress run on landmarks as files: JSON with everything, CSV with a row per study, markdown to read, plots."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..evaluation_files import plain
from ..markdown import markdown_table, shown
from .point_plots import save_point_plots
from .point_stress import PointStressTable
from .point_summary import (
    detection,
    means_and_strength,
    prevented_errors,
    scores_and_point_errors,
    summarise_point_sets,
    with_clean,
)
from .stress_files import headline, strengths_note
from .summary import number, score_names

SCHEMA = "caveat-point-stress-1"
OF_A_ROW = ("error", "within", "accepted", "covered", "all_covered")
OF_A_SET = ("error", "within", "accepted", "error_accepted", "error_stopped", "covered", "all_covered")
Rows = Sequence[Mapping[str, Any]]


def save_point_stress(table: PointStressTable, folder: Path) -> str:
    """Write stress.json, stress.csv, stress.md and the plots. Returns: the markdown."""
    found = {
        "sets": summarise_point_sets(table),
        "prevented": prevented_errors(table),
        "detection": detection(table),
        "scores": scores_and_point_errors(table),
    }
    found["means"] = means_and_strength(found["sets"])
    whole = {"schema": SCHEMA, "source": table.source, **found, "rows": table.rows, "left_out": table.left_out}
    text = to_markdown(table, found)
    (folder / "stress.json").write_text(json.dumps(plain(whole), indent=1, allow_nan=False) + "\n", encoding="utf-8")
    (folder / "stress.csv").write_text(to_csv(table), encoding="utf-8", newline="")
    (folder / "stress.md").write_text(text, encoding="utf-8")
    save_point_plots(found["sets"], folder)
    return text


def to_csv(table: PointStressTable) -> str:
    """A row per set and study."""
    scores = score_names(table.rows)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["corruption", "strength", "study", "unit", "code", *OF_A_ROW, *scores])
    for row in table.rows:
        numbers = [number(row[name]) for name in OF_A_ROW] + [number(row["study_scores"].get(name)) for name in scores]
        about = [row["corruption"], f"{row['strength']:g}", row["study"], row["unit"], row["code"]]
        writer.writerow(about + [f"{value:.6g}" if math.isfinite(value) else "" for value in numbers])
    return out.getvalue()


def to_markdown(table: PointStressTable, found: Mapping[str, Rows]) -> str:
    """Tables of the sets, of what the gate prevents, of what can be told apart, and of what the scores know."""
    parts = [headline(table), set_table(found["sets"])]
    parts += ["## The error that the gate prevents", prevented_table(found["prevented"])]
    parts += ["## Degraded or clean?", detection_table(found["detection"])]
    parts += ["## Do study scores know of the error?", relation_table(found["scores"], found["means"])]
    for corruption, entries in with_clean(found["sets"]).items():
        parts += [f"## Mean study scores: {corruption}", score_table(entries)]
    return "\n\n".join([*parts, footnotes(table)]) + "\n"


def set_table(sets: Rows) -> str:
    """A row per set."""
    head = ["corruption", "strength", "measured", "refused", "left out", "mean radial error, mm", "within 2.5 mm", "accepted"]
    head += ["error of the accepted", "error of the stopped", "truths in their region", "all in theirs at once"]
    rows = [
        [entry["corruption"], f"{entry['strength']:g}", str(entry["measured"]), codes(entry["refused"]), codes(entry["left_out"])]
        + [shown(entry[name]) for name in OF_A_SET]
        for entry in sets
    ]
    return markdown_table(head, rows)


def prevented_table(entries: Rows) -> str:
    """A row per corruption, all strengths together."""
    head = ["corruption", "studies", "refused", "accepted", "error of all measured, mm", "of the accepted", "of the stopped"]
    rows = [
        [entry["corruption"], str(entry["studies"]), codes(entry["refused"])]
        + [shown(entry[name]) for name in ("accepted", "error", "error_accepted", "error_stopped")]
        for entry in entries
    ]
    return markdown_table(head, rows)


def detection_table(entries: Rows) -> str:
    """A row per corruption and size of strength."""
    names = list(entries[0]["auroc"]) if entries else []
    head = ["corruption", "strength", "studies", "error, mm", "times the clean one", "stopped", "clean ones stopped"]
    rows = [
        [entry["corruption"], f"{entry['strength']:g}", str(entry["studies"]), shown(entry["error"])]
        + [f"**{shown(entry['times'])}**" if entry["doubles"] else shown(entry["times"])]
        + [shown(entry["stopped"]), shown(entry["stopped_clean"])]
        + [shown(entry["auroc"][name]) for name in names]
        for entry in entries
    ]
    return markdown_table(head + [f"AUROC {name}" for name in names], rows)


def relation_table(scores: Rows, means: Rows) -> str:
    """A row per score and corruption; for the mean error, which is no score, the correlations of means alone."""
    own = {(entry["score"], entry["corruption"]): entry for entry in scores}
    over = {(entry["score"], entry["corruption"]): entry for entry in means}
    head = ["score", "corruption", "Spearman with the error: all studies", "each image over strengths", "images"]
    head += ["means with the strength: Pearson", "Spearman", "sets"]
    rows = [
        [*key]
        + [shown(number(own.get(key, {}).get(name))) for name in ("spearman_pooled", "spearman_per_image")]
        + [str(own[key]["images"]) if key in own else "-"]
        + [shown(entry["pearson"]), shown(entry["spearman"]), str(entry["sets"])]
        for key, entry in over.items()
    ]
    return markdown_table(head, rows)


def score_table(entries: Rows) -> str:
    """Mean study scores of one corruption, a row per strength."""
    names = list(entries[0]["study_scores"])
    by_strength = sorted(entries, key=lambda entry: entry["strength"])
    rows = [[f"{e['strength']:g}", *(shown(e["study_scores"][name]) for name in names)] for e in by_strength]
    return markdown_table(["strength", *names], rows)


def codes(counts: Mapping[str, int]) -> str:
    """ "2 NOT_THIS_KIND", or "0"."""
    return ", ".join(f"{count} {code}" for code, count in counts.items()) or "0"


def footnotes(table: PointStressTable) -> str:
    """How to read the figures."""
    return f"""Errors are means over the landmarks of an image and then over images, against the first rater, whose points move
with the image; a landmark beyond the border still counts. Accepted: share of all studies that the gate accepts. A refused
study is not accepted; one of another kind was measured all the same, to see how wrong it would have been, others have no error.
Truths in their region: share of the landmarks that have one; all at once: share of the studies. Left out: could not be degraded,
or no truth.
Degraded or clean: both signs of a strength together; bold is the strength whose mean error is nearest to twice the clean one. The
gate's thresholds, where there is a record, come from calibration images alone.
Means with the strength: of each set's mean score with the strength's size, clean among them. Such a correlation is near 1 for
whatever rises at all, and says nothing of a single image. "-": undefined, or no record fits.

Strengths:

{strengths_note(table.rows)}"""
