"""Coverage as markdown: a section a promise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ...transforms.files.plural import plural
from ..calibration.record import MARGINAL, SHAPES, SIMULTANEOUS
from .figures import FIRST_LINE
from .markdown import left_out_part, markdown_table, shown
from .methods import CALIBRATED

Row = Mapping[str, Any]
CLAIMED = {MARGINAL: "each for itself", SIMULTANEOUS: "all at once"}
STUDIES = {"studies": "{gate}", "level": "{level}"}
AT_ONCE = {"covered": "{covered} of {n}", "band": "{band}", "coverage": "{coverage}"}
APART = {"n": "{n}", "mean coverage": "{coverage}", "interval": "{lower} to {upper}", "in the band": "{in_the_band}"}
FURTHER = {
    "baselines": (
        "Interval score less that of another conformity score on the same calibration units (below 0: the record's is better), "
        "with its bootstrap interval over units:",
        {"against": "{against}", **STUDIES, "n": "{n}", "difference": "{difference}", "interval": "{lower} to {upper}"},
    ),
    "resplits": (
        "Coverage over random divisions of calibration and evaluated units:",
        {**STUDIES, "units": "{n} + {evaluated}", "divisions": "{divisions}", "mean coverage": "{mean}"}
        | {"lowest": "{lowest}", "highest": "{highest}"},
    ),
    "power": (
        "Chance that one count notices a lower true coverage, by the number of claims that share the band's confidence:",
        {"level": "{level}", "n": "{n}", "claims": "{claims}", "noticed below": "{fewest}", "true coverage: chance": "{noticed}"},
    ),
}
"""Of the tables after the first: what is said before, and the columns, by the key of a section."""


def coverage_sections(coverage: Row) -> list[str]:
    """All sections. Args: coverage: of `evaluate_coverage`; empty for none."""
    if not coverage:
        return []
    of_places = coverage["size"] == "radius"
    levels = ", ".join(f"{level:.0%}" for level in coverage["levels"])
    claims = " and ".join(f"{count} claims ({CLAIMED[promise]})" for promise, count in coverage["claims"].items())
    head = (
        f"# Coverage\n\nLevels {levels}; {claims}. A band holds the counts that are no reason to doubt the promise "
        f"(beta-binomial): if all claims of a promise are kept, all counts stay inside with a chance of "
        f'{coverage["confidence"]:.0%} or more. "accepted": by the gate. Where nothing is promised there is no band: of studies '
        "that a gate does not accept, of a unit's other studies, of single groups, of a mean over components, whose interval is "
        "by bootstrap over units."
    )
    if of_places:
        head += " Radii are those of discs as large as the regions, mm. A landmark that its image does not show counts with the "
        head += "region it would have."
    parts = [head, *left_out_part(coverage["left_out"], f"have no {'region' if of_places else 'interval'}")]
    if coverage["not_asked"]:
        parts.append(f"Records of what evaluate.yaml does not ask for: {'; '.join(coverage['not_asked'])}.")
    return parts + [part for section in coverage["sections"] for part in section_parts(section, coverage["size"])]


def title_of(section: Row) -> str:
    """What a section is about."""
    names, promised = section["names"], "for itself" if section["promise"] == MARGINAL else "at once"
    if len(names) == 1:
        return f"{names[0]}, {section['unit']}"
    if section["kind"] not in SHAPES:
        return f"{' and '.join(names)} {promised}, {section['unit']}"
    return f"{section['kind']}, {'each' if section['promise'] == MARGINAL else 'all'} of {len(names)} landmarks {promised}"


def apart(section: Row) -> bool:
    """Whether several components count each by itself."""
    return bool(len(section["names"]) > 1 and section["promise"] == MARGINAL)


def section_parts(section: Row, size: str) -> list[str]:
    """Heading, facts and tables of one promise."""
    parts = [f"## Coverage: {title_of(section)}", record_line(section)]
    if section["value"]:
        parts.append(value_line(section["value"]))
    sizes = {f"{which} {size}": f"{{{which}_{size}}}" for which in ("mean", "median")}
    sizes |= {"interval score": "{interval_score}"} if section["value"] else {}
    shares = {"infinite": "{infinite}", f"zero {size}": "{zero}", f"no {section['kind']}": "{without}"}
    columns = {"method": "{method}", **STUDIES, **(APART if apart(section) else AT_ONCE), **sizes, **shares}
    parts.append(table([row for row in section["figures"] if row["studies"] == FIRST_LINE], columns))
    ours = [row for row in section["figures"] if row["method"] == CALIBRATED]
    if any(row["studies"] != FIRST_LINE for row in ours):
        parts += ["Covered, of those with a region, and the band where a level is promised:", groups_table(ours)]
    if banded := [row for row in ours if any(one["fewest"] is not None for one in row["components"])]:
        parts += [f"Covered of each component with its band, and the mean {size}:", components_table(banded, size)]
    for key, (said, columns) in FURTHER.items():
        parts += [said, table(section[key], columns)] if section[key] else []
    return parts


def record_line(section: Row) -> str:
    """Whose promise is looked at, how many units there are, and how many of them the gate accepts."""
    record, counted = section["record"], f"{section['units']} units"
    further = {"others": "further studies of them", "nothing_found": "studies in which something was not found"}
    further |= {"outside": "landmarks outside their images"}
    if said := [f"{section[key]} {words}" for key, words in further.items() if section[key]]:
        counted += f" ({', '.join(said)})"
    if record is None:
        return f"No record: {section['no_record']}. {counted}, not calibrated."
    strata = max(map(len, record["strata"]))
    divided = "" if strata == 1 else f" in {strata} strata by {record['stratified_by']}"
    by = "" if record["networks"] is None else f", {by_cross_validation(record)}"
    made_of = f"{record['score']['name']}, {record['sides']}, {record['n']} {plural(record['unit'])}"
    line = f"Record {record['checksum'][:12]}: {made_of}{divided}{by}. {counted}"
    if record["joint_bound"] is None:
        return f"{line}, no gate."
    share = section["accepted"] / section["units"] if section["units"] else math.nan
    least = math.floor(1000 * (1 - record["joint_bound"]) + 1e-9) / 10  # rounded down: "at least" must stay true
    accepted = f"{section['accepted']} accepted ({share:.0%}; at least {least:g} %"
    return f"{line}, {accepted} of studies like the calibration units, on average)."


def by_cross_validation(record: Row) -> str:
    """How many networks, and what is proven at each of the record's levels, rounded down."""
    levels = " / ".join(f"{100 * float(level):g}" for level in record["proven"])
    proven = " / ".join(f"{math.floor(100 * share + 1e-9)}" for share in record["proven"].values())
    return f"by cross-validation of {record['networks']} networks: at {levels} % {proven} % are proven, bands are approximate"


def value_line(value: Row) -> str:
    """Bias, error and score of the value and its draws."""
    return (
        "Bias {bias} ({bias_lower} to {bias_upper}; {per_cent} %), mean absolute error {mean_absolute_error}, CRPS of the draws "
        "{crps} (fair {crps_fair}). Spearman of the absolute error with the draws' standard deviation "
        "{spearman_error_sd_of_draws}, with the interval's width {spearman_error_width} (n = {n})."
    ).format(**texts({**value, "per_cent": 100 * value["bias_share"]}))


def table(rows: Sequence[Row], columns: Mapping[str, str]) -> str:
    """A markdown table. Args: columns: heading to what stands in its cells, of `texts`."""
    return markdown_table(list(columns), [[cell.format(**texts(row)) for cell in columns.values()] for row in rows])


def groups_table(rows: Sequence[Row]) -> str:
    """Covered counts of every group, a column a level; of components each by itself their mean coverage."""
    groups: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        at = texts(row)
        groups.setdefault((row["studies"], at["gate"]), {})[at["level"]] = at["counted"]
    levels = dict.fromkeys(level for found in groups.values() for level in found)
    return markdown_table(["group", "studies", *levels], [[*group, *found.values()] for group, found in groups.items()])


def components_table(rows: Sequence[Row], size: str) -> str:
    """A row a component, two columns a level. Args: rows: with components and bands, one a level."""
    head = ["component", *(cell for row in rows for cell in (f"{row['level']:.0%}", f"mean {size}"))]
    columns = [[texts({**one, "n": row["n"]}) for one in row["components"]] for row in rows]
    cells = [[same[0]["name"], *(one[key] for one in same for key in ("counted", f"mean_{size}"))] for same in zip(*columns)]
    return markdown_table(head, cells)


def texts(row: Row) -> dict[str, str]:
    """Each entry of a row as it stands in a cell; "band", "counted" and "in_the_band" beside, "-" where nothing is promised."""
    out = {key: shown(value) if isinstance(value, float) else str(value) for key, value in row.items()}
    out |= {key: f"{row[key]:.0%}" for key in ("level", "infinite", "zero") if key in row and math.isfinite(row[key])}
    out["gate"] = "accepted" if row.get("gate") else "all"
    out["noticed"] = "; ".join(f"{one['true_coverage']:.0%}: {one['chance']:.2f}" for one in row.get("noticed", ()))
    out["band"] = "-" if row.get("most") is None else f"{row['fewest']} to {row['most']}"
    if "covered" in row:
        count = f"{out['coverage']} (n = {row['n']})" if row["covered"] is None else f"{row['covered']} of {row['n']}"
        out["counted"] = "-" if not row["n"] else count if row["fewest"] is None else f"{count} ({out['band']})"
    banded = [one for one in row.get("components", ()) if one["fewest"] is not None]
    inside = sum(one["fewest"] <= one["covered"] <= one["most"] for one in banded)
    out["in_the_band"] = f"{inside} of {len(banded)}" if banded else "-"
    return out
