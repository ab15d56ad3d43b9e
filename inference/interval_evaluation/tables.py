"""Intervals as markdown: one section a measurement."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..markdown import left_out_part, markdown_table, shown
from .figures import FIRST_LINE
from .methods import CALIBRATED


def interval_sections(intervals: Mapping[str, Any]) -> list[str]:
    """The sections of all measurements. Args: intervals: of `evaluate_intervals`; empty for none."""
    if not intervals:
        return []
    levels = ", ".join(f"{level:.0%}" for level in intervals["levels"])
    claims, confidence = intervals["claims"], intervals["confidence"]
    head = (
        f"# Intervals\n\nLevels {levels}; {claims} claims in all. A band holds the counts that are no reason to doubt the "
        f"promise (beta-binomial): if all {claims} are kept, all counts stay inside with a chance of {confidence:.0%} or more. "
        '"accepted": by the gate. Where nothing is promised there is no band: of studies that a gate does not accept, of a '
        "unit's other studies, of single groups."
    )
    sections = [head, *left_out_part(intervals["left_out"], "have no interval")]
    return sections + [part for section in intervals["measurements"] for part in measurement_parts(section)]


def measurement_parts(section: Mapping[str, Any]) -> list[str]:
    """Heading, facts and tables of one measurement."""
    parts = [f"## Intervals: {section['measurement']}, {section['unit']}", record_line(section), value_line(section)]
    first = [row for row in section["figures"] if row["studies"] == FIRST_LINE]
    parts.append(figures_table(first))
    groups = [row for row in section["figures"] if row["method"] == CALIBRATED]
    if groups:
        parts += ["Covered, of those with an interval, and the band where a level is promised:", groups_table(groups)]
    if section["baselines"]:
        parts += [
            "Interval score less that of another conformity score on the same calibration units (below 0: the record's is "
            "better), with its bootstrap interval over units:",
            baselines_table(section["baselines"]),
        ]
    if section["resplits"]:
        parts += ["Coverage over random divisions of calibration and evaluated units:", resplits_table(section["resplits"])]
    if section["power"]:
        parts += [
            "Chance that this check notices a lower true coverage, by the number of claims that share the band's confidence:",
            power_table(section["power"]),
        ]
    return parts


def record_line(section: Mapping[str, Any]) -> str:
    """Whose promise is looked at, and how many studies the gate accepts."""
    record = section["record"]
    if record is None:
        return f"No record: {section['no_record']}. {section['units']} units, not calibrated."
    classes = "" if len(record["classes"]) == 1 else f" in {len(record['classes'])} classes of predicted size"
    score = f"{record['score']['name']}, {record['sides']}"
    by = "" if record["networks"] is None else f", {by_cross_validation(record)}"
    line = f"Record {record['checksum'][:12]}: {score}, {record['n']} {record['unit']}s{classes}{by}."
    if record["joint_bound"] is None:
        return f"{line} {section['units']} units, no gate."
    share = section["accepted"] / section["units"] if section["units"] else math.nan
    return (
        f"{line} {section['units']} units, {section['accepted']} accepted ({share:.0%}; at least "
        f"{one_in_thousand(1 - record['joint_bound'])} % of studies like the calibration units, on average)."
    )


def by_cross_validation(record: Mapping[str, Any]) -> str:
    """How many networks, and what is proven at each of the record's levels, rounded down."""
    levels = " / ".join(f"{100 * float(level):g}" for level in record["proven"])
    proven = " / ".join(f"{math.floor(100 * share + 1e-9)}" for share in record["proven"].values())
    return f"by cross-validation of {record['networks']} networks: at {levels} % {proven} % are proven, bands are approximate"


def value_line(section: Mapping[str, Any]) -> str:
    """Bias, error and score of the value and its draws."""
    value = section["value"]
    return (
        f"Bias {shown(value['bias'])} ({shown(value['bias_lower'])} to {shown(value['bias_upper'])}; "
        f"{shown(100 * value['bias_share'])} %), mean absolute error {shown(value['mean_absolute_error'])}, CRPS of the draws "
        f"{shown(value['crps'])} (fair {shown(value['crps_fair'])}). Spearman of the absolute error with the draws' standard "
        f"deviation {shown(value['spearman_error_sd_of_draws'])}, with the interval's width "
        f"{shown(value['spearman_error_width'])} (n = {value['n']})."
    )


def figures_table(rows: list[Mapping[str, Any]]) -> str:
    """Coverage, width and score by method, gate and level."""
    head = ["method", "studies", "level", "covered", "band", "coverage", "mean width", "median width", "interval score"]
    head += ["infinite", "zero width", "no interval"]
    cells = [
        [row["method"], "accepted" if row["gate"] else "all", f"{row['level']:.0%}", f"{row['covered']} of {row['n']}"]
        + [band(row), *(shown(row[key]) for key in ("coverage", "mean_width", "median_width", "interval_score"))]
        + [f"{row[key]:.0%}" if row["n"] else "-" for key in ("infinite", "zero")]
        + [str(row["without"])]
        for row in rows
    ]
    return markdown_table(head, cells)


def groups_table(rows: list[Mapping[str, Any]]) -> str:
    """Covered counts of every group, a column a level."""
    levels = list(dict.fromkeys(row["level"] for row in rows))
    groups: dict[tuple[str, bool], dict[float, str]] = {}
    for row in rows:
        beside = "" if row["fewest"] is None else f" ({band(row)})"
        cell = f"{row['covered']} of {row['n']}{beside}" if row["n"] else "-"
        groups.setdefault((row["studies"], row["gate"]), {})[row["level"]] = cell
    cells = [[name, "accepted" if gate else "all", *(found[level] for level in levels)] for (name, gate), found in groups.items()]
    return markdown_table(["group", "studies", *(f"{level:.0%}" for level in levels)], cells)


def baselines_table(rows: list[Mapping[str, Any]]) -> str:
    """Differences of interval scores."""
    cells = [
        [row["against"], "accepted" if row["gate"] else "all", f"{row['level']:.0%}", str(row["n"]), shown(row["difference"])]
        + [f"{shown(row['lower'])} to {shown(row['upper'])}"]
        for row in rows
    ]
    return markdown_table(["against", "studies", "level", "n", "difference", "interval"], cells)


def resplits_table(rows: list[Mapping[str, Any]]) -> str:
    """Mean and range of coverage."""
    cells = [
        [f"{row['level']:.0%}", "accepted" if row["gate"] else "all", f"{row['n']} + {row['evaluated']}", str(row["divisions"])]
        + [shown(row[key]) for key in ("mean", "lowest", "highest")]
        for row in rows
    ]
    return markdown_table(["level", "studies", "units", "divisions", "mean coverage", "lowest", "highest"], cells)


def power_table(rows: list[Mapping[str, Any]]) -> str:
    """Chances to notice."""
    cells = [
        [f"{row['level']:.0%}", str(row["n"]), str(row["claims"]), str(row["fewest"])]
        + ["; ".join(f"{entry['true_coverage']:.0%}: {entry['chance']:.2f}" for entry in row["noticed"])]
        for row in rows
    ]
    return markdown_table(["level", "n", "claims", "noticed below", "true coverage: chance"], cells)


def one_in_thousand(share: float) -> str:
    """Per cent, rounded down to a tenth: "at least" must stay true."""
    return f"{math.floor(1000 * share + 1e-9) / 10:g}"


def band(row: Mapping[str, Any]) -> str:
    """ "21 to 28", or "-" where nothing is promised."""
    return "-" if row["fewest"] is None else f"{row['fewest']} to {row['most']}"
