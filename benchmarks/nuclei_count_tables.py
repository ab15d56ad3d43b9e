"""The tables of bundles/nuclei_count/docs/README.md, from stored predictions.

    python benchmarks/nuclei_count_tables.py figures      # after nuclei_count_predict.py out_of_fold and test; Otsu beside
    python benchmarks/nuclei_count_tables.py widths       # after records: what sets the width of a count's interval
    python benchmarks/nuclei_count_tables.py coverage     # after test and `caveat calibrate`
    python benchmarks/nuclei_count_tables.py sure         # after test: whether a share of draws knows which nuclei are real

Out of fold a number is of the one network that has not seen the field of view. Intervals of means are bootstraps over these.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from frame import LISTS, step_parser
from left_out import with_interval
from nuclei_count_predict import BUNDLE, FOLDS, LIST, OUT, OUT_OF_FOLD
from skimage.filters import threshold_otsu

from caveat.inference.calibration.case import Case
from caveat.inference.calibration.quantile import miss_rate, rank, spacings
from caveat.inference.calibration.read_cases import read_cases
from caveat.inference.calibration.record import Record, read_records
from caveat.inference.calibration.scores.absolute import Absolute
from caveat.inference.calibration.scores.beside import Beside
from caveat.inference.calibration.scores.interval_score import IntervalScore
from caveat.inference.calibration.scores.size import Size
from caveat.inference.calibration.scores.spread import Spread
from caveat.inference.calibration.settings import read_calibration
from caveat.inference.evaluation.markdown import markdown_table
from caveat.inference.figures.objects import objects
from caveat.inference.metrics.auc import auroc
from caveat.inference.metrics.interval_coverage import CheckedPart, coverage_band, power
from caveat.inference.metrics.interval_score import interval_score
from caveat.inference.metrics.object_overlap import object_iou
from caveat.inference.metrics.overlap import dice
from caveat.inference.metrics.rank_correlation import spearman
from caveat.inference.stored.list_part import read_entries
from caveat.inference.stored.object_truths import ObjectTruths
from caveat.inference.stored.stored_study import StoredStudy, read_map
from caveat.inference.stored.truths import Truth
from caveat.inference.targets.tell_apart import tell_apart
from caveat.transforms.study.discover import data_root

LEVELS = (0.8, 0.9, 0.95)
NETWORKS = len(FOLDS)
ODD = "odd shapes"
THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)
WIDTHS: Mapping[str, IntervalScore] = {
    "one width for all": Absolute(),
    "the count alone": Size(1.0),
    "spread of the own draws": Spread(0.5),
    "number of odd shapes (the record's)": Beside(ODD, share=0.05, least=0.5),
}
NUMBER = ("Dice", "AJI", *(f"AP {threshold}" for threshold in THRESHOLDS), "count error")


def main() -> None:
    """Print one table."""
    tables = {"figures": figure_tables, "widths": width_tables, "coverage": coverage_tables, "sure": sure_tables}
    tables[step_parser(__doc__, tables).parse_args().step]()


@dataclass(frozen=True)
class Told:
    """One picture beside its truth. Args: entry: of the list. numbers: of `NUMBER`, the count's error with sign."""

    entry: Mapping[str, Any]
    numbers: Mapping[str, float]


def told(entry: Mapping[str, Any], mask: np.ndarray, found: np.ndarray, truth: Truth) -> Told:
    """Figures of one picture. Args: mask: bool. found: its objects."""
    study = StoredStudy("", maps={"segmentation": mask.astype(np.uint8), "objects": found})
    overlaps, true = objects(study, truth), int(truth.numbered.max())
    figures = {
        "Dice": dice(mask, truth.mask, truth.region),
        "AJI": overlaps["aggregated Jaccard index"],
        **{f"AP {threshold}": overlaps[f"average precision at IoU {threshold}"] for threshold in THRESHOLDS},
        "count error": (int(found.max(initial=0)) - true) / true,
    }
    return Told(entry, figures)


def truth_of(entry: Mapping[str, Any], shape: tuple[int, ...]) -> Truth:
    """The biologist's objects."""
    grid = StoredStudy("", {"input": {}}, {"segmentation": np.zeros(shape, np.uint8)})
    return ObjectTruths().read(entry, data_root(), grid)[0]


def predicted(folder: Path, entries: Sequence[Mapping[str, Any]]) -> list[Told]:
    """Stored predictions of a list's entries."""
    found = []
    for entry in entries:
        study = folder / Path(entry["image"]).stem
        mask, numbered = (read_map(study / f"{name}.png")[0] for name in ("segmentation", "objects"))
        found.append(told(entry, mask > 0, numbered.astype(int), truth_of(entry, mask.shape)))
    return found


def by_otsu(entries: Sequence[Mapping[str, Any]]) -> list[Told]:
    """Otsu's threshold of each picture, and the same watershed."""
    found = []
    for entry in entries:
        image = read_map(data_root() / entry["image"])[0]
        mask = image > threshold_otsu(image)
        found.append(told(entry, mask, tell_apart(mask), truth_of(entry, mask.shape)))
    return found


def out_of_fold_entries() -> dict[int, list[dict[str, Any]]]:
    """By fold."""
    return {fold: read_entries(LISTS / f"nuclei_fold{fold}.json", "out_of_fold") for fold in FOLDS}


def figure_tables() -> None:
    """Means over pictures, out of fold by size, the ensemble on the test, Otsu beside."""
    entries = out_of_fold_entries()
    own = [one for fold, of in entries.items() for one in predicted(OUT / f"fold{fold}", of)]
    groups = {"out of fold": own, "Otsu, same pictures": by_otsu([one.entry for one in own])}
    for size in sorted({one.entry["stratum"] for one in own}):
        groups[f"out of fold, {size}"] = [one for one in own if one.entry["stratum"] == size]
    test = read_entries(LIST, "one_of_test")
    groups |= {"the ensemble, test": predicted(OUT / "test", test), "Otsu, test": by_otsu(test)}
    head = ["pictures", "n (fields of view)", *NUMBER[:-1], "count error: median, mean", "bias", "exact"]
    print(markdown_table(head, [_figure_row(*group) for group in groups.items()]))


def _figure_row(name: str, pictures: Sequence[Told]) -> list[str]:
    units = [one.entry["unit"] for one in pictures]
    cells = [name, f"{len(pictures)} ({len(set(units))})"]
    for figure in NUMBER[:-1]:
        values = [one.numbers[figure] for one in pictures]
        cells.append(with_interval(values, units, ".3f") if figure in ("Dice", "AJI", "AP 0.5") else f"{np.mean(values):.3f}")
    errors = np.array([one.numbers["count error"] for one in pictures])
    sizes = f"{100 * np.median(abs(errors)):.1f} %, {100 * np.mean(abs(errors)):.1f} %"
    return [*cells, sizes, f"{100 * errors.mean():+.1f} %", f"{100 * np.mean(errors == 0):.0f} %"]


def own_cases(name: str) -> list[Case]:
    """What the record of one measurement is made of, each picture by the network that has not seen it."""
    settings = read_calibration(BUNDLE / "configs" / "calibrate.yaml")
    read = read_cases(OUT / "records", OUT_OF_FOLD, "one_of_each", settings.truths, data_root(), settings.targets)
    return [case.of_network(case.fold, NETWORKS) for case in read.by_name[name]]


def width_tables() -> None:
    """Error, what the spread and the shapes know of it, and intervals with the field of view itself left out."""
    cases = own_cases("nuclei")
    errors = [abs(case.truth - case.number) for case in cases]
    known = {
        "spread": [float(np.std(case.draws, ddof=1)) for case in cases],
        "count": [case.number for case in cases],
        ODD: [float(np.mean(case.beside[ODD])) for case in cases],
    }
    print(", ".join(f"Spearman of {name} and absolute error {spearman(values, errors):.2f}" for name, values in known.items()))
    print(markdown_table(WIDTH_HEAD, [_width_row(name, cases, score) for name, score in WIDTHS.items()]))


WIDTH_HEAD = ["width from", "level", "holds", "mean width", "median", "interval score", "less that of the count alone (95 %)"]


def _width_row(name: str, cases: Sequence[Case], score: IntervalScore) -> list[str]:
    rows: list[list[str]] = [[name]]
    for level in LEVELS:
        scores, (lower, upper, truths) = scores_left_out(cases, score, level)
        less = scores - scores_left_out(cases, WIDTHS["the count alone"], level)[0]
        held = int(((lower <= truths) & (truths <= upper)).sum())
        rows.append(
            [f"{100 * level:g} %", f"{held} of {len(cases)}", f"{np.mean(upper - lower):.1f}", f"{np.median(upper - lower):.1f}"]
            + [f"{np.mean(scores):.1f}", with_interval(less, [case.unit for case in cases], "+.1f")]
        )
    return [name, *("<br>".join(cells) for cells in zip(*rows[1:], strict=True))]


def scores_left_out(
    cases: Sequence[Case], score: IntervalScore, level: float
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Split conformal on all other units, each end by itself. Returns: interval scores; lower and upper ends, truths."""
    excesses = np.array([score.excess(case, case.truth) for case in cases])
    index, ends = rank(len(cases) - 1, miss_rate(level) / 2), []
    for number, case in enumerate(cases):
        region = score.region(case, np.sort(np.delete(excesses, number, axis=0), axis=0)[index - 1].tolist())
        ends.append((math.ceil(region.lower - 1e-9), math.floor(region.upper + 1e-9)))
    lower, upper = np.array(ends).T
    truths = np.array([case.truth for case in cases])
    return interval_score(lower, upper, truths, level), (lower, upper, truths)


def coverage_tables() -> None:
    """The records on one picture of each of the test's fields of view; what is proven."""
    settings = read_calibration(BUNDLE / "configs" / "calibrate.yaml")
    read = read_cases(OUT / "test", LIST, "one_of_test", settings.truths, data_root(), settings.targets)
    rows = []
    for record in read_records(BUNDLE / "calibration"):
        rows += [_coverage_row(record, read.by_name[record.names[0]], level) for level in LEVELS]
    head = ["measurement", "level", "holds", "band", "noticed: 10, 20, 30 points less", "median width", "proven at worst"]
    print(markdown_table(head, rows))


def _coverage_row(record: Record, cases: Sequence[Case], level: float) -> list[str]:
    index = spacings(record.n, level, record.sides)
    claims = len(LEVELS) * len(read_records(BUNDLE / "calibration"))
    fewest, most = coverage_band([CheckedPart(len(cases), index, record.n)], 0.95, claims)
    noticed = ", ".join(f"{power(len(cases), fewest, level - less):.2f}" for less in (0.1, 0.2, 0.3))
    regions = [(case, region) for case in cases for region in record.regions((case,), level) or ()]
    held = sum(region.contains(case.truth) for case, region in regions)
    return [
        *(record.names[0], f"{100 * level:g} %", f"{held} of {len(cases)}", f"{fewest} to {most}", noticed),
        *(f"{np.median([2 * region.radius for _, region in regions]):.1f}", f"{record.proven((cases[0],), level):.2f}"),
    ]


def sure_tables() -> None:
    """Nuclei of the test by the share of the draws that have them; how many are real, of an IoU above a half with a truth."""
    found_in: list[float] = []
    is_real: list[bool] = []
    for entry in read_entries(LIST, "one_of_test"):
        study = OUT / "test" / Path(entry["image"]).stem
        found = read_map(study / "objects.png")[0].astype(int)
        iou = object_iou(truth_of(entry, found.shape).numbered, found)
        found_in += [one["existence"] for one in json.loads((study / "result.json").read_text(encoding="utf-8"))["lesions"]]
        is_real += (iou.max(axis=0) > 0.5).tolist()
    shares, real = np.array(found_in), np.array(is_real)
    bins: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
        "all draws": lambda share: share == 1,
        "90 % to all": lambda share: (share >= 0.9) & (share < 1),
        "half to 90 %": lambda share: (share >= 0.5) & (share < 0.9),
        "less than half": lambda share: share < 0.5,
    }
    rows = [[name, str(int(of(shares).sum())), f"{100 * real[of(shares)].mean():.0f} %"] for name, of in bins.items()]
    print(markdown_table(["in so many draws", "nuclei", "real"], rows))
    print(f"AUROC of the share for real nuclei: {auroc(shares, real):.3f}")


if __name__ == "__main__":
    main()
