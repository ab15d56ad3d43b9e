"""Which conformity score, chosen within the early stopping patients: bundles/lung_lesions/configs/calibrate.yaml.

    CAVEAT_DATA=prepared python benchmarks/lung_lesions_width.py [--sampler probabilistic_unet]

After `lung_lesions_predict.py unseen`. One nodule a patient; a nodule's interval takes its quantile from all other patients. No
calibration or test patient is looked at.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from lung_lesions_predict import LIST, OUT

from caveat.bundle_folders import find_bundle
from caveat.inference.calibration.case import Case
from caveat.inference.calibration.quantile import miss_rate, quantile
from caveat.inference.calibration.read_cases import read_cases
from caveat.inference.calibration.rows import first_line, rows_of
from caveat.inference.calibration.scores.absolute import Absolute
from caveat.inference.calibration.scores.conformity_score import ConformityScore
from caveat.inference.calibration.scores.draw_quantiles import DrawQuantiles
from caveat.inference.calibration.scores.log import Log
from caveat.inference.calibration.scores.size import Size
from caveat.inference.calibration.scores.spread import Spread
from caveat.inference.calibration.settings import read_calibration
from caveat.inference.evaluation.markdown import markdown_table
from caveat.inference.metrics.bootstrap import interval_of_mean
from caveat.inference.metrics.interval_score import interval_score
from caveat.transforms.study.discover import DATA_ROOT

LEVEL = 0.9
OFFSET = 0.02
"""mL."""
SCORES: dict[str, ConformityScore] = {
    "size alone": Size(OFFSET),
    "one width for all": Absolute(),
    "ratio": Log(OFFSET),
    "draws' spread": Spread(OFFSET),
    "quantiles of the draws": DrawQuantiles(),
}
HEAD = ("score", "coverage", "mean width, mL", "interval score, mL", "less size alone (95 % interval)")


def main() -> None:
    """Print a table for each measurement."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", default="lung_lesions", help="name or folder (default: the shipped one)")
    parser.add_argument("--sampler", default="probabilistic_unet", help="folder of predictions")
    options = parser.parse_args()
    settings = read_calibration(find_bundle(options.bundle) / "configs" / "calibrate.yaml")
    root = Path(os.environ.get("CAVEAT_DATA", DATA_ROOT))
    cases = read_cases(OUT / options.sampler, LIST, "early_stopping", settings.truths, root, settings.targets)
    for name in cases.by_name:
        chosen = [case for (case,) in first_line(rows_of(cases.by_name, [name]), settings.seed)[0]]
        error = np.array([case.value - case.truth for case in chosen])
        print(
            f"\n{name}: {len(chosen)} patients, bias {error.mean():+.3f} mL, mean absolute error {np.abs(error).mean():.3f} mL\n"
        )
        print(markdown_table(HEAD, table_rows(chosen)))


def table_rows(cases: Sequence[Case]) -> list[list[str]]:
    """A row a score. Args: cases: with truths, one a patient."""
    truth, units = np.array([case.truth for case in cases]), [case.unit for case in cases]
    ends = {name: left_out_ends(score, cases) for name, score in SCORES.items()}
    points = {name: interval_score(*found, truth, LEVEL) for name, found in ends.items()}
    rows = []
    for name, (lower, upper) in ends.items():
        less = points[name] - points["size alone"]
        low, high = interval_of_mean(less.tolist(), units)
        covered = np.mean((lower <= truth) & (truth <= upper))
        difference = f"{less.mean():+.3f} ({low:+.3f} to {high:+.3f})"
        rows.append([name, f"{covered:.2f}", f"{np.mean(upper - lower):.3f}", f"{points[name].mean():.3f}", difference])
    return rows


def left_out_ends(score: ConformityScore, cases: Sequence[Case]) -> tuple[np.ndarray, np.ndarray]:
    """Ends of each case's interval, its quantile from all others."""
    excesses = [max(score.excess(case, case.truth)) for case in cases]
    quantiles = [quantile(excesses[:left] + excesses[left + 1 :], miss_rate(LEVEL)) for left in range(len(cases))]
    regions = [score.region(case, (q, q)) for case, q in zip(cases, quantiles, strict=True)]
    lower, upper = np.array([(region.lower, region.upper) for region in regions]).T
    return lower, upper


if __name__ == "__main__":
    main()
