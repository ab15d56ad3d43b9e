"""Regions as markdown: one section a shape and promise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..interval_evaluation.tables import band, one_in_thousand, power_table, resplits_table
from ..markdown import left_out_part, markdown_table, shown
from .methods import CALIBRATED

PROMISED = {"marginal": "each landmark for itself", "simultaneous": "all landmarks at once"}


def region_sections(regions: Mapping[str, Any]) -> list[str]:
    """The sections of all shapes and promises. Args: regions: of `evaluate_regions`; empty for none."""
    if not regions:
        return []
    levels = ", ".join(f"{level:.0%}" for level in regions["levels"])
    claims = " and ".join(f"{count} claims for {PROMISED[promise]}" for promise, count in regions["claims"].items())
    head = (
        f"# Regions\n\nLevels {levels}; {claims}. A band holds the counts that are no reason to doubt the promise "
        f"(beta-binomial): if all claims of a promise are kept, all counts stay inside with a chance of "
        f"{regions['confidence']:.0%} or more. "
        '"accepted": by the gate. Where nothing is promised there is no band: of studies that a gate does not accept, and of the '
        "mean over landmarks, whose interval is by bootstrap over units. Radii are those of discs as large as the regions, mm. A "
        "landmark that its image does not show counts with the region it would have."
    )
    sections = [head, *left_out_part(regions["left_out"], "have no region")]
    return sections + [part for section in regions["sections"] for part in section_parts(section)]


def section_parts(section: Mapping[str, Any]) -> list[str]:
    """Heading, facts and tables of one shape and promise."""
    simultaneous = section["promise"] == "simultaneous"
    parts = [f"## Regions: {section['shape']}, {PROMISED[section['promise']]}", record_line(section)]
    parts.append(at_once_table(section) if simultaneous else marginal_table(section))
    banded = [row for row in section["figures"] if row["fewest"] is not None]
    if banded and not simultaneous:
        parts += ["Covered of each landmark, and its mean radius:", landmarks_table(banded)]
    if section["resplits"]:
        what = "Coverage" if simultaneous else "Mean coverage"
        parts += [f"{what} over random divisions of calibration and evaluated units:", resplits_table(section["resplits"])]
    if section["power"]:
        parts += [
            "Chance that one count notices a lower true coverage, by the number of claims that share the band's confidence:",
            power_table(section["power"]),
        ]
    return parts


def record_line(section: Mapping[str, Any]) -> str:
    """Whose promise is looked at, and how many studies the gate accepts."""
    record = section["record"]
    counted = f"{section['units']} units"
    if section["others"]:
        counted += f" ({section['others']} further images of them are in no figure)"
    if section["outside"]:
        counted += f", {section['outside']} landmarks outside their images"
    if record is None:
        return f"No record: {section['no_record']}. {counted}, not calibrated."
    line = f"Record {record['checksum'][:12]}: {record['n']} {record['unit']}s. {counted}"
    if record["joint_bound"] is None:
        return f"{line}, no gate."
    return (
        f"{line}, {section['accepted']} accepted (of studies like the calibration units at least "
        f"{one_in_thousand(1 - record['joint_bound'])} %, on average)."
    )


def marginal_table(section: Mapping[str, Any]) -> str:
    """Mean over landmarks by method, gate and level, and how many landmarks' counts lie inside the band."""
    head = ["method", "studies", "level", "n", "mean coverage", "interval", "landmarks in the band", "mean radius"]
    cells = [
        [*_start(row), str(row["n"]), shown(row["coverage"]), f"{shown(row['lower'])} to {shown(row['upper'])}", _in_band(row)]
        + [shown(row["mean_radius"])]
        for row in section["figures"]
    ]
    return markdown_table(head, cells)


def at_once_table(section: Mapping[str, Any]) -> str:
    """Studies whose landmarks all lie inside, by method, gate and level."""
    head = ["method", "studies", "level", "covered", "band", "coverage", "mean radius"]
    cells = [
        [*_start(row), f"{row['covered']} of {row['n']}", band(row), shown(row["coverage"]), shown(row["mean_radius"])]
        for row in section["figures"]
    ]
    return markdown_table(head, cells)


def landmarks_table(rows: list[Mapping[str, Any]]) -> str:
    """A row a landmark, two columns a level. Args: rows: with a band, one a level."""
    rows = [row for row in rows if row["method"] == CALIBRATED]
    head = ["landmark"]
    for row in rows:
        head += [f"{row['level']:.0%}, {band(row)} of {row['n']}", "mm"]
    cells = []
    for index, landmark in enumerate(rows[0]["landmarks"]):
        found = [row["landmarks"][index] for row in rows]
        cells.append([landmark["name"], *(cell for at in found for cell in (str(at["covered"]), shown(at["mean_radius"])))])
    return markdown_table(head, cells)


def _start(row: Mapping[str, Any]) -> list[str]:
    return [row["method"], "accepted" if row["gate"] else "all", f"{row['level']:.0%}"]


def _in_band(row: Mapping[str, Any]) -> str:
    """ "19 of 19", or "-" where nothing is promised."""
    if row["fewest"] is None:
        return "-"
    inside = sum(row["fewest"] <= landmark["covered"] <= row["most"] for landmark in row["landmarks"])
    return f"{inside} of {len(row['landmarks'])}"
