"""Which conformity score, chosen within the early stopping patients: bundles/lung_lesions/configs/calibrate.yaml.

    CAVEAT_DATA=prepared python benchmarks/lung_lesions_width.py [--sampler probabilistic_unet]

After `lung_lesions_predict.py unseen`. One nodule a patient; a nodule's interval takes its quantile from all other patients. No
calibration or test patient is looked at.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
from frame import DATA
from left_out import compared_scores, errors_of, left_out_ends
from lung_lesions_predict import LIST, OUT

from caveat.bundle_folders import find_bundle
from caveat.inference.calibration.case import Case
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
    cases = read_cases(OUT / options.sampler, LIST, "early_stopping", settings.truths, DATA, settings.targets)
    for name in cases.by_name:
        chosen = [case for (case,) in first_line(rows_of(cases.by_name, [name]), settings.seed)[0]]
        error = errors_of(chosen)
        print(
            f"\n{name}: {len(chosen)} patients, bias {error.mean():+.3f} mL, mean absolute error {np.abs(error).mean():.3f} mL\n"
        )
        print(markdown_table(HEAD, table_rows(chosen)))


def table_rows(cases: Sequence[Case]) -> list[list[str]]:
    """A row a score. Args: cases: with truths, one a patient."""
    ends = {name: left_out_ends([(score, case) for case in cases]) for name, score in SCORES.items()}
    return compared_scores(ends, cases)


if __name__ == "__main__":
    main()
