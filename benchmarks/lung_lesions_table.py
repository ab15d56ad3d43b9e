"""The table "methods x metrics of several readings" of the lung lesion bundle, from the draws of lung_lesions_draws.py.

    python benchmarks/lung_lesions_table.py --part test -o out/lung_lesions_table

writes table.md and table.json (every slice's value). A slice on which some rater drew is a case; means have a 95 % interval by
bootstrap over patients. Distances are 1 - IoU, of two empty masks 0. Rows that know the raters (perfect sampler, majority, union
...) stand first: they are the floors and oracles on this grid.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from lung_lesions_slices import OUT, slices_of

from caveat.inference.evaluation.evaluation_files import plain
from caveat.inference.evaluation.markdown import markdown_table, shown
from caveat.inference.metrics.best_dice import best_dice, dice_of_means
from caveat.inference.metrics.brier import brier_of_raters
from caveat.inference.metrics.calibration_error import adaptive_calibration_error, expected_calibration_error
from caveat.inference.metrics.diversity import diversity
from caveat.inference.metrics.energy_distance import energy_distances
from caveat.inference.metrics.frequency import frequency_table
from caveat.inference.metrics.hungarian_iou import hungarian_iou
from caveat.inference.metrics.mask_distance import mask_distances
from caveat.inference.metrics.rater_ncc import one_hot, rater_ncc
from caveat.inference.metrics.reference_samplers import reference_draws
from caveat.inference.metrics.strata import means_by_stratum, raters_that_marked

DRAWS = 16
SIZES = (1, 3, 4, 8, 16)
"""Draws that energy distances are given for; three is what the ensemble has."""


def energy_name(form: str, draws: int) -> str:
    """As `energy_distances` names its figures."""
    return f"energy distance {form}, {draws} draw{'s' if draws > 1 else ''}"


ALL, EVERY_RATER, FOUR = "all slices", "every rater of the nodule drew", "four of four drew"
SECTIONS = {
    "Energy distance, form V": [energy_name("V", n) for n in SIZES],
    "Energy distance, forms U and R": [energy_name(form, n) for form in "UR" for n in SIZES[1:]],
    "Masks": ["Hungarian-matched IoU", "sample diversity", "best Dice per rater", "Dice of the means", "NCC with the raters"],
    "Probability against the share of raters, window of 48 mm": [
        "expected calibration error, equal-width, 15 bins",
        "adaptive calibration error, equal-mass, 15 bins",
        "Brier score",
    ],
}
Row = dict[str, Any]


def main() -> None:
    """Score every folder of draws, write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", default="test", help="of the data list (default: test)")
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    folders = sorted(path for path in (OUT / options.part).iterdir() if path.is_dir())
    methods: dict[str, list[Row]] = reference_rows(folders[0])
    networks = {
        folder.name: [
            score(case.draws, case.raters, case.probability, case.unit) | {"slice": case.name} for case in slices_of(folder)
        ]
        for folder in folders
    }
    methods |= networks
    facts = {path.name: json.loads((path / "facts.json").read_text(encoding="utf-8")) for path in folders}
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "table.json").write_text(json.dumps(plain({"facts": facts, "rows": methods})) + "\n", encoding="utf-8")
    sections = [section(title, methods) for title in SECTIONS]
    text = "\n\n".join([facts_table(facts), *sections, frequencies(methods), differences(networks)]) + "\n"
    (options.output / "table.md").write_text(text, encoding="utf-8")
    print(text)


def reference_rows(folder: Path) -> dict[str, list[Row]]:
    """Samplers that know the raters, on the same slices."""
    rows: dict[str, list[Row]] = {}
    for seed, case in enumerate(slices_of(folder)):
        for name, draws in reference_draws(case.raters, DRAWS, seed).items():
            rows.setdefault(name, []).append(score(draws, case.raters, None, case.unit))
    return rows


def score(draws: np.ndarray, raters: np.ndarray, probability: np.ndarray | None, unit: str) -> Row:
    """Every figure of one slice. Args: probability: mean over the draws, None where masks are all there is."""
    distances = mask_distances(draws, raters)
    share = draws.mean(axis=0) if probability is None else probability
    predicted, observed = share.ravel(), raters.mean(axis=0).ravel()
    metrics = energy_distances(distances, SIZES) | {
        "Hungarian-matched IoU": hungarian_iou(distances),
        "sample diversity": diversity(distances.draws),
        "best Dice per rater": float(best_dice(draws, raters).mean()),
        "Dice of the means": dice_of_means(draws, raters),
        "NCC with the raters": rater_ncc(one_hot(draws, 2), raters),
        "expected calibration error, equal-width, 15 bins": expected_calibration_error(predicted, observed),
        "adaptive calibration error, equal-mass, 15 bins": adaptive_calibration_error(predicted, observed),
        "Brier score": brier_of_raters(predicted, observed)["total"],
    }
    about = {"unit": unit, "marked": raters_that_marked(raters), "raters": len(raters)}
    return about | {"metrics": metrics, "frequency": frequency_table(draws.mean(axis=0), raters.mean(axis=0)).tolist()}


def section(title: str, methods: dict[str, list[Row]]) -> str:
    """One table: a row a method, stratum by stratum."""
    names = SECTIONS[title]
    parts = [f"## {title}"]
    for stratum, belongs in STRATA.items():
        kept = {name: [row for row in rows if belongs(row)] for name, rows in methods.items()}
        first = next(iter(kept.values()))
        parts.append(f"{stratum}: {len(first)} slices of {len({row['unit'] for row in first})} patients")
        body = [[name, *(mean(rows, metric) for metric in names)] for name, rows in kept.items()]
        parts.append(markdown_table(["method", *names], body))
    return "\n\n".join(parts)


def of_all(row: Row) -> bool:
    """Every slice on which some rater drew."""
    return True


def of_every_rater(row: Row) -> bool:
    """Slices on which each of the nodule's three or four raters drew."""
    return row["marked"] == row["raters"]


def of_four(row: Row) -> bool:
    """Slices on which four of four raters drew."""
    return row["marked"] == row["raters"] == 4


STRATA = {ALL: of_all, EVERY_RATER: of_every_rater, FOUR: of_four}


def frequencies(methods: dict[str, list[Row]]) -> str:
    """Elements by the share of the draws that mark them: the mean share of the raters who do, and how many elements there are."""
    tables = {name: np.sum([row["frequency"] for row in rows], axis=0) for name, rows in methods.items()}
    ends = np.linspace(0, 1, len(next(iter(tables.values()))) + 1)
    head = ["share of the draws", *(f"to {end:.1f}" for end in ends[1:])]
    body = [
        [name, *(f"{observed / count:.2f} of {count:.0f}" if count else "-" for count, _, observed in table)]
        for name, table in tables.items()
    ]
    return f"## Share of the raters, by the share of the draws, all elements of {ALL}\n\n" + markdown_table(head, body)


def differences(methods: dict[str, list[Row]]) -> str:
    """Energy distance in form V of each method less that of each other, slice by slice, at the most draws that both have."""
    parts = ["## Energy distance, form V: row less column"]
    for stratum, belongs in STRATA.items():
        kept = {name: [row for row in rows if belongs(row)] for name, rows in methods.items()}
        body = [
            [name, *(difference(rows, other) if rows is not other else "" for other in kept.values())]
            for name, rows in kept.items()
        ]
        parts += [stratum, markdown_table(["", *kept], body)]
    return "\n\n".join(parts)


def most_draws(rows: list[Row]) -> int:
    """The largest number of draws that a method has an energy distance for."""
    return max(size for size in SIZES if energy_name("V", size) in rows[0]["metrics"])


def difference(rows: list[Row], others: list[Row]) -> str:
    """Mean and interval over patients. One mask is the same sampler at any number of draws: the other's most is taken."""
    most, of_others = most_draws(rows), most_draws(others)
    shared = min(most, of_others)
    sizes = (most, of_others) if shared == 1 else (shared, shared)
    first, second = (
        [row["metrics"][energy_name("V", size)] for row in some] for size, some in zip(sizes, (rows, others), strict=True)
    )
    return mean_of(list(np.subtract(first, second)), [row["unit"] for row in rows])


def mean(rows: list[Row], metric: str) -> str:
    """Mean and interval over patients, with the number of slices where it is undefined; "-" where no slice has the figure."""
    return mean_of([row["metrics"].get(metric, float("nan")) for row in rows], [row["unit"] for row in rows])


def mean_of(values: list[float], units: list[str]) -> str:
    """As `mean`, of values of some units."""
    if np.isnan(values).all():
        return "-"
    found = means_by_stratum(values, [ALL] * len(values), units)[ALL]
    text = f"{shown(found['mean'])} ({shown(found['lower'])} to {shown(found['upper'])})"
    return text + (f", {found['undefined']} undefined" if found["undefined"] else "")


def facts_table(facts: dict[str, Any]) -> str:
    """Parameters and time of each method."""
    rows = [[name, str(fact["parameters"]), shown(fact["seconds_a_slice"])] for name, fact in facts.items()]
    return "## Size and time\n\n" + markdown_table(["method", "parameters", "seconds a slice, all draws"], rows)


if __name__ == "__main__":
    main()
