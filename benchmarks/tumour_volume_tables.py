"""The tables of bundles/tumour_volume/docs/README.md, from stored predictions.

    python benchmarks/tumour_volume_tables.py dice         # after tumour_volume_predict.py out_of_fold and ensemble
    python benchmarks/tumour_volume_tables.py widths       # after ensemble: what sets the width, and what the spread knows
    python benchmarks/tumour_volume_tables.py coverage     # after `caveat calibrate` for both preparations
    python benchmarks/tumour_volume_tables.py others       # after others
    python benchmarks/tumour_volume_tables.py left_out     # after left_out: networks that have not seen an institution

Out of fold a number is of the one network that has not seen the patient. Logs are natural ones of true over stated volume.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from frame import FOLDS, LISTS, PREPARED, step_parser
from left_out import LEVEL, Ends, held, left_out_ends, truths_of, with_interval
from scipy import ndimage
from tumour_volume_predict import BUNDLE, INSTITUTIONS, LIST, OUT, OUT_OF_FOLD

from caveat.inference.calibration.case import Case
from caveat.inference.calibration.quantile import miss_rate, rank
from caveat.inference.calibration.read_cases import read_cases
from caveat.inference.calibration.record import Record, read_records
from caveat.inference.calibration.scores.conformity_score import ConformityScore
from caveat.inference.calibration.scores.fitted import Fitted
from caveat.inference.calibration.scores.log import Log
from caveat.inference.calibration.settings import read_calibration
from caveat.inference.evaluation.markdown import markdown_table, shown
from caveat.inference.metrics.interval_coverage import CheckedPart, coverage_band, power
from caveat.inference.metrics.interval_score import interval_score
from caveat.inference.metrics.overlap import dice
from caveat.inference.metrics.rank_correlation import spearman
from caveat.inference.stored.list_part import read_entries
from caveat.inference.stored.stored_study import read_map

LEVELS = (0.8, 0.9, 0.95)
PARTS = {"with_skull": "with skull", "stripped": "stripped"}
NETWORKS = len(FOLDS)
OFFSET = 0.001
WIDTHS: Mapping[str, ConformityScore] = {
    "one factor for all": Log(OFFSET),
    "size alone": Fitted({"log_value": 1.0}, {"log_value": -1 / 3}, OFFSET),
    "spread of the own draws": Fitted({"log_value": 1.0}, {"log_spread": 1.0}, OFFSET, 0.02),
}
"""Conformity scores of ratios; by size, the half-width falls with the third root, as surface falls against volume."""


def main() -> None:
    """Print one table."""
    tables = {"dice": dice_tables, "widths": width_tables, "coverage": coverage_tables, "others": others_table}
    tables |= {"left_out": left_out_table}
    tables[step_parser(__doc__, tables).parse_args().step]()


@dataclass(frozen=True)
class Outlined:
    """One prediction beside its truth.

    Args:
        entry: of the list. result: `result.json`. found, true: bool masks, one grid. affine: of that grid, (4, 4).
    """

    entry: Mapping[str, Any]
    result: Mapping[str, Any]
    found: np.ndarray
    true: np.ndarray
    affine: np.ndarray

    @property
    def dice(self) -> float:
        """Of the whole masks."""
        return dice(self.found, self.true, np.ones_like(self.true))


def outlined(folder: Path, entries: Sequence[Mapping[str, Any]]) -> Iterator[Outlined]:
    """Stored predictions with the masks of a list's entries."""
    for entry in entries:
        study = folder / Path(entry["image"]).name.removesuffix(".nii.gz")
        result = json.loads((study / "result.json").read_text(encoding="utf-8"))
        found, affine = read_map(study / "segmentation.nii.gz")
        yield Outlined(entry, result, found > 0, read_map(PREPARED / entry["label"][0])[0] > 0, affine)


def out_of_fold() -> list[Outlined]:
    """Every training patient by the network that has not seen it."""
    lists = {fold: read_entries(LISTS / f"brain_tumour_fold{fold}.json", "out_of_fold") for fold in FOLDS}
    return [one for fold, entries in lists.items() for one in outlined(OUT / f"fold{fold}", entries)]


def dice_tables() -> None:
    """Dice by set, and by source; every single value."""
    studies = out_of_fold()
    test = list(outlined(OUT / "ensemble" / "test", read_entries(LIST, "test")))
    groups = {f"out of fold, {word}": [one for one in studies if one.entry["preparation"] == word] for word in PARTS.values()}
    groups["ensemble, test, with skull"] = test
    for source in sorted({one.entry["source"] for one in studies}):
        groups[f"out of fold, {source}"] = [one for one in studies if one.entry["source"] == source]
    print(
        markdown_table(
            ["patients", "n", "mean Dice (95 %)", "median", "lowest five"], [_dice_row(*group) for group in groups.items()]
        )
    )
    print("\nLargest piece alone, mean Dice, out of fold:\n")
    for word in PARTS.values():
        kept = [
            dice(_largest(one.found), one.true, np.ones_like(one.true)) for one in studies if one.entry["preparation"] == word
        ]
        print(f"{word}: {np.mean(kept):.3f}")
    print("\nSingle values:\n")
    for name, ones in groups.items():
        if "skull" in name or "stripped" in name:
            print(f"- {name}: {', '.join(f'{value:.2f}' for value in sorted(one.dice for one in ones))}")


def _dice_row(name: str, studies: Sequence[Outlined]) -> list[str]:
    values = sorted(one.dice for one in studies)
    mean = with_interval(values, [str(number) for number in range(len(values))], ".3f")
    lowest = ", ".join(f"{value:.2f}" for value in values[:5])
    return [name, str(len(values)), mean, f"{np.median(values):.3f}", lowest]


def _largest(mask: np.ndarray) -> np.ndarray:
    pieces, count = ndimage.label(mask, np.ones((3, 3, 3)))
    return pieces == 1 + np.argmax(np.bincount(pieces.ravel())[1:]) if count else mask


def own_cases(part: str) -> list[Case]:
    """The cases that a record is made of, each as its own fold's network says."""
    settings = read_calibration(BUNDLE / "configs" / "calibrate.yaml")
    read = read_cases(OUT / "ensemble" / part, OUT_OF_FOLD, part, settings.truths, PREPARED, settings.targets, nothing_found=True)
    return [case.of_network(case.fold, NETWORKS) for case in read.by_name["tumour volume"]]


def width_tables() -> None:
    """Bias, what the spread knows, and half-widths with the unit itself left out."""
    rows = []
    for part, name in PARTS.items():
        cases = own_cases(part)
        errors = np.array([math.log((case.truth + OFFSET) / (case.value + OFFSET)) for case in cases])
        spreads = [log_spread(case) for case in cases]
        deviation = 1.4826 * np.median(np.abs(errors - np.median(errors)))
        rows.append(
            [name, str(len(cases)), f"{np.mean(errors):+.3f}", f"{np.median(errors):+.3f}", f"{np.std(errors, ddof=1):.3f}"]
            + [f"{deviation:.3f}", f"{spearman(spreads, np.abs(errors)):.2f}"]
            + [f"{spearman([case.value for case in cases], np.abs(errors)):.2f}", f"{np.median(spreads):.3f}"]
        )
    head = ["out of fold", "n", "log true/stated: mean", "median", "sd", "sd by MAD"]
    print(markdown_table([*head, "Spearman of spread and abs error", "of size and abs error", "median spread"], rows))
    for part, name in PARTS.items():
        print(f"\n{name}, {100 * LEVEL:g} %, the unit itself left out\n")
        print(_width_table(own_cases(part)))
    print("\nSingle points, spread and log true/stated:\n")
    for part, name in PARTS.items():
        points = sorted((log_spread(case), math.log((case.truth + OFFSET) / (case.value + OFFSET))) for case in own_cases(part))
        print(f"- {name}: {'; '.join(f'{spread:.3f} {error:+.2f}' for spread, error in points)}")


def _width_table(cases: Sequence[Case]) -> str:
    ends = {name: left_out_ends([(score, case) for case in cases]) for name, score in WIDTHS.items()}
    units, truths, best = [case.unit for case in cases], truths_of(cases), "spread of the own draws"
    rows = []
    for name, (lower, upper) in ends.items():
        half = (np.log(upper + OFFSET) - np.log(lower + OFFSET)) / 2
        scores, volumes = log_scores(lower, upper, truths), interval_score(lower, upper, truths, LEVEL)
        less = "" if name == best else with_interval(log_scores(*ends[best], truths) - scores, units, "+.2f")
        rows.append(
            [name, f"{held((lower, upper), truths)} of {len(cases)}", f"{np.mean(half):.2f} / {np.median(half):.2f}"]
            + [f"{np.mean(scores):.2f}", less, shown(float(np.mean(upper - lower))), shown(float(np.mean(volumes)))]
        )
    head = ["width from", "holds", "half-width in log: mean / median", "interval score in log", "spread's less this (95 %)"]
    return markdown_table([*head, "mean width", "interval score"], rows)


def log_scores(lower: np.ndarray, upper: np.ndarray, truths: np.ndarray) -> np.ndarray:
    """Interval score of each case, in log."""
    return interval_score(*(np.log(np.asarray(values) + OFFSET) for values in (lower, upper, truths)), LEVEL)


def log_spread(case: Case) -> float:
    """Standard deviation of the draws' logs."""
    return float(np.std(np.log(np.array(case.draws) + OFFSET), ddof=1))


def coverage_tables() -> None:
    """The record with skull on the 19 test patients; what is proven; the draws as they are."""
    records = {record.identity["preparation"]: record for record in read_records(BUNDLE / "calibration")}
    settings = read_calibration(BUNDLE / "configs" / "calibrate.yaml")
    read = read_cases(OUT / "ensemble" / "test", LIST, "test", settings.truths, PREPARED, settings.targets)
    cases = read.by_name["tumour volume"]
    record = records["with skull"]
    rows = [_coverage_row(record, cases, level) for level in LEVELS]
    print(
        markdown_table(
            ["level", "holds", "band", "noticed: 10, 20, 30 points less", "half-width in log: mean / median", "proven"], rows
        )
    )
    accepted = [case for case in cases if record.gate is None or record.gate.judge(case.scores).accepted]
    kept = {case.unit for case in accepted}
    print(f"\nThe gate accepts {len(kept)} of {len(cases)}; of these at {100 * LEVEL:g} %: {_held(record, accepted, LEVEL)}")
    raw = sum(np.quantile(case.draws, 0.05) <= case.truth <= np.quantile(case.draws, 0.95) for case in cases)
    errors = [math.log(case.truth / case.value) for case in cases]
    print(f"The draws' own 5 % to 95 % range holds {raw} of {len(cases)}.")
    print(f"log true/stated of the ensemble: mean {np.mean(errors):+.3f}, sd {np.std(errors, ddof=1):.3f}")
    print(f"Spearman of all draws' spread and abs error: {spearman([log_spread(c) for c in cases], np.abs(errors)):.2f}")
    for name, one in records.items():
        proven = ", ".join(f"{100 * level:g} %: {one.proven((cases[0],), level):.3f}" for level in LEVELS)
        print(f"{name}: n = {one.n}; proven at worst {proven}")


def _coverage_row(record: Record, cases: Sequence[Case], level: float) -> list[str]:
    lower, upper = intervals(record, cases, level)
    half = (np.log(upper + OFFSET) - np.log(lower + OFFSET)) / 2
    fewest, most = coverage_band([CheckedPart(len(cases), rank(record.n, miss_rate(level)), record.n)], 0.95, len(LEVELS))
    noticed = ", ".join(f"{power(len(cases), fewest, level - less):.2f}" for less in (0.1, 0.2, 0.3))
    return [
        *(f"{100 * level:g} %", _held(record, cases, level), f"{fewest} to {most}", noticed),
        *(f"{np.mean(half):.2f} / {np.median(half):.2f}", f"{record.proven((cases[0],), level):.2f}"),
    ]


def intervals(record: Record, cases: Sequence[Case], level: float) -> Ends:
    """Ends of each case's interval."""
    regions = [region for case in cases for region in record.regions((case,), level) or ()]
    lower, upper = np.array([(region.lower, region.upper) for region in regions]).reshape(-1, 2).T
    return lower, upper


def _held(record: Record, cases: Sequence[Case], level: float) -> str:
    return f"{held(intervals(record, cases, level), truths_of(cases))} of {len(cases)}"


def others_table() -> None:
    """What the bundle says of images that it was not made for, and of tumours in no list."""
    rows = []
    for file in sorted((OUT / "others").glob("*/*/*/result.json")):
        result = json.loads(file.read_text(encoding="utf-8"))
        said = "; ".join(reason["message"] for reason in result["reasons"])
        said = said or result["answers"][0]["statement"]
        flags = ", ".join(result["flags"]) or "-"
        rows.append([file.parts[-4].replace("_", " "), file.parts[-3], result["status"], said, flags])
    print(markdown_table(["kind", "study", "status", "what is stated", "flags"], rows))


def left_out_table() -> None:
    """Dice, bias and the gate where the network has not seen the institution, beside the fold network's own, same patients."""
    own = {one.entry["unit"]: one for one in out_of_fold()}
    gates = {record.identity["preparation"]: record.gate for record in read_records(BUNDLE / "calibration")}
    rows = []
    for institution in INSTITUTIONS:
        file = LISTS / f"brain_tumour_without_{institution}.json"
        ones = list(outlined(OUT / f"without_{institution}", read_entries(file, "left_out")))
        less = [one.dice - own[one.entry["unit"]].dice for one in ones]
        ratios, of_own = ([log_ratio(one) for one in group] for group in (ones, [own[one.entry["unit"]] for one in ones]))
        accepted = sum(gates["with skull"].judge(one.result["study_scores"]).accepted for one in ones)
        rows.append(
            [institution, str(len(ones)), f"{np.mean([one.dice for one in ones]):.3f}"]
            + [with_interval(less, [one.entry["unit"] for one in ones], "+.3f"), f"{np.median(ratios):+.2f}"]
            + [f"{np.mean(np.abs(ratios)):.2f}", f"{np.mean(np.abs(of_own)):.2f}", f"{accepted} of {len(ones)}"]
        )
    head = ["left out", "n", "mean Dice", "less the fold network's (95 %)", "median log true/stated", "mean absolute log error"]
    print(markdown_table([*head, "the fold network's", "gate accepts"], rows))


def log_ratio(one: Outlined) -> float:
    """Log of true over found voxels, both on the outline's grid."""
    return math.log((one.true.sum() + OFFSET) / (one.found.sum() + OFFSET))


if __name__ == "__main__":
    main()
