"""Which conformity score, chosen within the training subjects: bundles/hippocampus_volume/configs/calibrate.yaml.

    python benchmarks/hippocampus_width.py choose [--sampler dropout]    # after hippocampus_predict.py out_of_fold
    python benchmarks/hippocampus_width.py placement                     # after hippocampus_predict.py placement
    python benchmarks/hippocampus_width.py fit                           # prints the coefficients of the chosen score

Every training subject is predicted by a network that never saw it. A candidate's coefficients are fitted on four folds and give
the scores of the fifth; a subject's interval takes its quantile from the scores of the 69 others. No calibration or test
subject is looked at.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from frame import DATA, FOLDS, step_parser
from hippocampus_predict import OUT, fold_list
from left_out import LEVEL, Ends, compared_scores, errors_of, held, left_out_ends, truths_of
from scipy.stats import spearmanr

from caveat.inference.calibration.case import Case
from caveat.inference.calibration.location_scale import fit_location_scale
from caveat.inference.calibration.read_cases import read_cases
from caveat.inference.calibration.rows import one_per_unit, rows_of
from caveat.inference.calibration.scores.absolute import Absolute
from caveat.inference.calibration.scores.conformity_score import ConformityScore
from caveat.inference.calibration.scores.log import Log
from caveat.inference.calibration.scores.size import Size
from caveat.inference.calibration.scores.spread import Spread
from caveat.inference.evaluation.markdown import markdown_table
from caveat.inference.metrics.interval_score import interval_score
from caveat.inference.stored.truths import MaskTruths
from caveat.inference.targets.volume import Volume

MEASUREMENTS = {"hippocampus volume": (1, 2), "anterior volume": (1,), "posterior volume": (2,)}
SEED = 0
OFFSET = 0.1
WIDTHS: dict[str, tuple[str, ...]] = {
    "one width": (),
    "size": ("log_value",),
    "draws' spread": ("log_spread",),
    "agreement": ("pooled_pairwise_dice",),
    "entropy": ("structure_entropy",),
    "noise, blur": ("noise", "blur"),
    "entropy, noise, blur": ("structure_entropy", "noise", "blur"),
    "size, spread, entropy": ("log_value", "log_spread", "structure_entropy"),
}
PENALTY = 10.0
PLACEMENTS = {"every decoder level": "dropout", "the two deep levels": "deep_levels", "the last level": "last_level"}
RANGE_HOLDS = "draws' 90 % range holds"
SCORED = "interval score normalised by the spread, mL"
Choose = Callable[[Sequence[Case]], ConformityScore]


def main() -> None:
    """Print the table of candidates, or the coefficients of one."""
    parser = step_parser(__doc__, ("choose", "fit", "placement"))
    parser.add_argument("--sampler", default="dropout", help="whose out-of-fold predictions")
    parser.add_argument("--stream", action="store_true", help="on the degraded scans of the mixed stream, by dropout draws")
    parser.add_argument("--recentre", action="store_true")
    parser.add_argument("--width", default="one width", choices=WIDTHS)
    options = parser.parse_args()
    if options.step == "placement":
        compare_placements()
        return
    folds = read_folds(options.sampler, options.stream)
    for name in MEASUREMENTS:
        cases = [fold[name] for fold in folds]
        if options.step == "choose":
            print_table(name, cases)
        else:
            pooled = [case for fold in cases for case in fold]
            score = learn(pooled, WIDTHS[options.width], options.recentre)
            print(name, json.dumps(score.to_json()))


def compare_placements() -> None:
    """What dropout in every decoder level, in the deep ones, in the last one tells of the error, on the training subjects."""
    head = (
        "measurement",
        "dropout in",
        "mean sd of the draws",
        "rank correlation with the error",
        "draws' 90 % range holds",
        SCORED,
    )
    rows = []
    for placement, sampler in PLACEMENTS.items():
        folds = read_folds(sampler, stream=False)
        for name in MEASUREMENTS:
            cases = [case for fold in folds for case in fold[name]]
            draws = np.array([case.draws for case in cases])
            spread, error = draws.std(axis=1, ddof=1), np.abs(errors_of(cases))
            own = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=1)
            score = Spread(0.05 * float(np.median([case.value for case in cases])))
            points = interval_score(*left_out_ends([(score, case) for case in cases]), truths_of(cases), LEVEL)
            said = f"{held(own, truths_of(cases))} of {len(cases)}"
            cells = (f"{spread.mean():.3f} mL", f"{spearmanr(spread, error).statistic:+.2f}", said)
            rows.append((name, placement, *cells, f"{points.mean():.3f}"))
    print(markdown_table(head, sorted(rows, key=lambda row: list(MEASUREMENTS).index(row[0]))))


def read_folds(sampler: str, stream: bool) -> list[dict[str, list[Case]]]:
    """One case a subject and measurement, fold by fold."""
    measurements = [Volume(name, name, classes) for name, classes in MEASUREMENTS.items()]
    folds = []
    for fold in FOLDS:
        root, data_list = DATA, fold_list(fold)
        if stream:
            root = OUT / "streams" / f"fold{fold}"
            data_list = root / "list.json"
        predictions = OUT / f"{'stream_' if stream else ''}{sampler}_fold{fold}"
        cases = read_cases(predictions, data_list, "out_of_fold", MaskTruths(classes=(1, 2)), root, measurements)
        if cases.left_out:
            raise ValueError(f"fold {fold}: {len(cases.left_out)} scans without prediction or truth: {cases.left_out[0]}")
        folds.append(
            {name: [case for (case,) in one_per_unit(rows_of(cases.by_name, [name]), SEED)[0]] for name in cases.by_name}
        )
    return folds


def candidates(gamma: float) -> dict[str, Choose]:
    """Scores without and with coefficients, each as a function of the cases it may be fitted on."""
    fixed = {"absolute": Absolute(), "log": Log(OFFSET), "size alone": Size(OFFSET), "draws' spread": Spread(gamma)}
    found: dict[str, Choose] = {name: lambda cases, score=score: score for name, score in fixed.items()}
    for width, names in WIDTHS.items():
        found[f"recentred, width {width}"] = lambda cases, w=names: learn(cases, w, recentre=True)
        found[f"width {width}"] = lambda cases, w=names: learn(cases, w, recentre=False)
    return found


def learn(cases: Sequence[Case], widths: Sequence[str], recentre: bool) -> ConformityScore:
    """Coefficients from these cases; without recentring the centre is the prediction itself."""
    score = fit_location_scale(cases, ["log_value"], widths, OFFSET, penalty=PENALTY)
    return score if recentre else replace(score, centre={"log_value": 1.0})


def print_table(measurement: str, folds: Sequence[Sequence[Case]]) -> None:
    """Mean width, coverage and interval score of every candidate, and the score's difference from size alone."""
    cases = [case for fold in folds for case in fold]
    error, gamma = errors_of(cases), 0.05 * np.median([case.value for case in cases])
    print(f"\n## {measurement}: {len(cases)} subjects, bias {error.mean():+.3f} mL, sd {error.std(ddof=1):.3f} mL\n")
    ends = {name: crossed(choose, folds) for name, choose in candidates(gamma).items()}
    head = ("score", "coverage", "mean width", "interval score", "minus size alone (95 % interval)")
    print(markdown_table(head, compared_scores(ends, cases)))


def crossed(choose: Choose, folds: Sequence[Sequence[Case]]) -> Ends:
    """Intervals of every case, its score fitted on the other folds, its quantile from all other cases."""
    pairs = []
    for number, fold in enumerate(folds):
        score = choose([case for other, members in enumerate(folds) if other != number for case in members])
        pairs += [(score, case) for case in fold]
    return left_out_ends(pairs)


if __name__ == "__main__":
    main()
