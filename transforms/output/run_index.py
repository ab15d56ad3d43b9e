"""summary.csv and index.html: the whole run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..files.answers import CLASS, LANDMARK, MEASUREMENT, measurements_of
from ..files.csv_cells import write_csv
from ..files.stored_result import read_result
from ..files.whole_file import write_whole
from ..pages.page import write_page

ABOUT_THE_STUDY = ("study", "status", "reasons")
ABOUT_THE_VALUE = ("measurement", "unit", "value", "value_on_input_grid")
ABOUT_THE_DRAWS = ("draws", "draws_mean", "draws_sd", "draws_min", "draws_max")
ABOUT_THE_INTERVAL = ("level", "lower", "upper")
ABOUT_THE_CLASS = ("set",)
COLUMNS = (*ABOUT_THE_STUDY, *ABOUT_THE_VALUE, *ABOUT_THE_DRAWS, *ABOUT_THE_INTERVAL, *ABOUT_THE_CLASS, "flags")
COUNTED = {"OK": "measured", "NOTHING_FOUND": "nothing_found", "REFUSED": "refused"}


@dataclass(frozen=True)
class Row:
    """One study in the index: its folder's name, its result, and what of it deserves the first look."""

    name: str
    result: dict[str, Any]
    picture: str

    @property
    def link(self) -> str:
        """The folder as an address."""
        return quote(self.name, safe="")

    @property
    def bundle(self) -> dict[str, str]:
        """Name and version of what measured it."""
        return self.result["bundle"]

    @property
    def flags(self) -> set[str]:
        """Codes of what to know about the result."""
        return set(self.result["flags"])

    @property
    def agreement(self) -> float:
        """How well the draws agree, 1 at best: pooled pairwise Dice, else 1 less the largest relative spread."""
        dice = self.result["study_scores"].get("pooled_pairwise_dice")
        if dice is not None:
            return float(dice)
        return 1 - max(map(relative_spread, measurements_of(self.result)), default=0.0)

    def first_look(self, usual: set[str]) -> tuple[int, float, str]:
        """Sorts what is worth a look first to the top. Args: usual: flags that every study of the run has."""
        group = {"REFUSED": 0, "NOTHING_FOUND": 1}.get(self.result["status"], 2 if self.flags - usual else 3)
        return group, self.agreement if group > 0 else 0.0, self.name


def write_run_index(output_dir: str | Path, names: Iterable[str]) -> dict[str, int]:
    """Write summary.csv and index.html from the result.json of the run's own studies, and nothing else.

    Args:
        output_dir: of the run. names: of the folders of the studies that are done.

    Returns:
        How many studies were "measured", "nothing_found", "refused".
    """
    output_dir = Path(output_dir)
    rows = read_rows(output_dir, names)
    cells = [cells for row in rows for cells in summary_cells(row)]
    write_whole(output_dir / "summary.csv", lambda aside: write_csv(aside, COLUMNS, cells))
    counts = {counted: sum(row.result["status"] == status for row in rows) for status, counted in COUNTED.items()}
    bundles = sorted({(row.bundle.get("name") or "", row.bundle.get("version") or "") for row in rows})
    content = {"rows": worth_a_look_first(rows), "counts": counts, "bundles": bundles}
    write_whole(output_dir / "index.html", lambda aside: write_page(aside, "index.html", **content))
    return counts


def read_rows(output_dir: Path, names: Iterable[str]) -> list[Row]:
    """The studies that have a result, by name. Args: output_dir: of the run. names: of the studies' folders."""
    found = ((name, read_result(output_dir / name)) for name in sorted(names))
    return [Row(name, result, _picture(output_dir / name)) for name, result in found if result is not None]


def _picture(folder: Path) -> str:
    """What the table shows of a study: what earlier versions wrote has no thumbnail."""
    return next((name for name in ("thumbnail.png", "preview.png") if (folder / name).is_file()), "")


def worth_a_look_first(rows: Sequence[Row]) -> list[Row]:
    """Refused, nothing found, with flags that not every study has, then by how little the draws agree."""
    answered = [row.flags for row in rows if row.result["status"] != "REFUSED"]
    usual = set.intersection(*answered) if len(answered) > 1 else set()
    return sorted(rows, key=lambda row: row.first_look(usual))


def summary_cells(row: Row) -> list[list[Any]]:
    """The lines of one study in summary.csv: one a measurement or point, or one alone where it has none.

    What was not found has no value here: a zero would be read as a measurement.
    """
    result = row.result
    known = [row.name, result["status"], " ".join(reason["code"] for reason in result["reasons"])]
    entries = [CELLS[answer["kind"]](answer) for answer in result["answers"]]
    flags = " ".join(result["flags"])
    columns = COLUMNS[len(known) : -1]
    return [[*known, *(entry.get(column) for column in columns), flags] for entry in entries or [{}]]


def relative_spread(measurement: dict[str, Any]) -> float:
    """Standard deviation of the draws as a share of their mean; infinite about a mean of zero, 0 for a single draw."""
    draws = measurement.get("draws") or {}
    mean, sd = draws.get("mean"), draws.get("sd")
    if not sd:
        return 0.0
    return abs(sd / mean) if mean else float("inf")


def _measurement(entry: dict[str, Any]) -> dict[str, Any]:
    """Cells of a measurement by column."""
    draws, interval = entry.get("draws") or {}, entry.get("region") or {}
    values = draws.get("values") or [None]
    return {
        "measurement": entry["name"],
        **{key: entry.get(key) for key in ABOUT_THE_VALUE[1:]},
        "draws": draws.get("n"),
        "draws_mean": draws.get("mean"),
        "draws_sd": draws.get("sd"),
        "draws_min": min(values),
        "draws_max": max(values),
        **{key: interval.get(key) for key in ABOUT_THE_INTERVAL},
    }


def _point(entry: dict[str, Any]) -> dict[str, Any]:
    """Cells of a landmark by column: coordinates in one cell; its spread is no single number and stands in points.csv.

    One that the image does not show has no coordinates here: they would be read as a measurement.
    """
    where = None if entry["value"] is None else " ".join(f"{x:.6g}" for x in entry["value"])
    return {"measurement": entry["name"], "unit": entry["unit"], "value": where, "draws": (entry.get("draws") or {}).get("n")}


def _class(entry: dict[str, Any]) -> dict[str, Any]:
    """Cells of an image's class by column: the likeliest one and its probability."""
    likeliest = max(range(len(entry["value"])), key=entry["value"].__getitem__)
    own, region = [draw[likeliest] for draw in entry["draws"]["values"]], entry.get("region") or {}
    held = " or ".join(entry["classes"][index] for index in region["classes"]) or "none" if region else None
    return {
        "measurement": f"{entry['name']}: {entry['classes'][likeliest]}",
        "unit": entry["unit"],
        "value": entry["value"][likeliest],
        "draws": entry["draws"]["n"],
        "draws_mean": entry["draws"]["mean"][likeliest],
        "draws_sd": (entry["draws"]["sd"] or {likeliest: None})[likeliest],
        "draws_min": min(own),
        "draws_max": max(own),
        "level": region.get("level"),
        "set": held,
    }


CELLS = {MEASUREMENT: _measurement, LANDMARK: _point, CLASS: _class}
"""A line of summary.csv, by the kind of answer."""
