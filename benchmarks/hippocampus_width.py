"""Which conformity score, of what each network says of the training subjects that it has not seen.

    python benchmarks/hippocampus_width.py                 # after hippocampus_predict.py ensemble
    python benchmarks/hippocampus_width.py --dropout       # after hippocampus_predict.py out_of_fold
    python benchmarks/hippocampus_width.py --stream        # after hippocampus_predict.py stream

A candidate's coefficients are fitted on four folds and give the scores of the fifth; a subject's interval takes its quantile from
the scores of all others. Fixed before any of it was computed: the plainest, one width for all, ships, unless another score
without coefficients is better for both parts together, by an interval of the difference that is off zero. No test subject is
looked at.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from frame import DATA
from hippocampus_predict import DEGRADED, LIST, NETWORKS, OUT, STREAM, fold_list
from left_out import Ends, compared_scores, errors_of, left_out_ends
from scipy.stats import bootstrap, spearmanr

from caveat.inference.calibration.case import Case
from caveat.inference.calibration.location_scale import fit_location_scale
from caveat.inference.calibration.read_cases import Cases, read_cases
from caveat.inference.calibration.rows import one_per_unit, rows_of
from caveat.inference.calibration.scores.absolute import Absolute
from caveat.inference.calibration.scores.conformity_score import ConformityScore
from caveat.inference.calibration.scores.log import Log
from caveat.inference.calibration.scores.size import Size
from caveat.inference.calibration.scores.spread import Spread
from caveat.inference.evaluation.markdown import markdown_table
from caveat.inference.stored.truths import MaskTruths
from caveat.inference.targets.volume import Volume

MEASUREMENTS = {"hippocampus volume": (1, 2), "anterior volume": (1,), "posterior volume": (2,)}
SEED = 0
OFFSET = 0.1
CONSTANT = "one width for all"
WIDTHS: dict[str, tuple[str, ...]] = {
    "size": ("log_value",),
    "entropy": ("draw_entropy",),
    "noise, blur": ("noise", "blur"),
    "entropy, noise, blur": ("draw_entropy", "noise", "blur"),
}
OF_DROPOUT: dict[str, tuple[str, ...]] = {
    "draws' spread": ("log_spread",),
    "agreement": ("pooled_pairwise_dice",),
    "spread, entropy": ("log_spread", "draw_entropy"),
}
PENALTY = 10.0
Choose = Callable[[Sequence[Case]], ConformityScore]


def main() -> None:
    """Print the tables of candidates."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dropout", action="store_true", help="of the draws of each network's dropout")
    parser.add_argument("--stream", action="store_true", help="on the degraded scans of the mixed stream")
    options = parser.parse_args()
    for name in MEASUREMENTS:
        print_table(name, out_of_fold(name, options.dropout, options.stream), options.dropout)


def out_of_fold(name: str, dropout: bool, stream: bool) -> list[list[Case]]:
    """One case a subject as the network says it that has not seen it, fold by fold."""
    if dropout:  # drawn from the own network alone
        read = [stored(OUT / f"dropout_fold{network}", fold_list(network), "out_of_fold", DATA) for network in NETWORKS]
        return [one_a_subject(one, name) for one in read]
    where = (STREAM, DEGRADED / "list.json", "training", DEGRADED) if stream else (OUT / "ensemble", LIST, "training", DATA)
    cases = one_a_subject(stored(*where), name)
    return [[case.of_network(fold, len(NETWORKS)) for case in cases if case.fold == fold] for fold in NETWORKS]


def one_a_subject(read: Cases, name: str) -> list[Case]:
    """Chosen as `caveat calibrate` does."""
    return [case for (case,) in one_per_unit(rows_of(read.by_name, [name]), SEED)[0]]


def stored(predictions: Path, data_list: Path, part: str, root: Path) -> Cases:
    """Cases with truths of stored predictions."""
    measurements = [Volume(name, name, classes) for name, classes in MEASUREMENTS.items()]
    read = read_cases(predictions, data_list, part, MaskTruths(classes=(1, 2)), root, measurements, nothing_found=True)
    if read.left_out:
        raise ValueError(f"{len(read.left_out)} scans without prediction or truth: {read.left_out[0]}")
    return read


def candidates(gamma: float, dropout: bool) -> dict[str, Choose]:
    """Scores without and with coefficients, each as a function of the cases it may be fitted on."""
    fixed = {CONSTANT: Absolute(), "size": Size(OFFSET), "log": Log(OFFSET)} | ({"spread": Spread(gamma)} if dropout else {})
    found: dict[str, Choose] = {name: lambda cases, score=score: score for name, score in fixed.items()}
    for width, names in (WIDTHS | (OF_DROPOUT if dropout else {})).items():
        found[f"learned from {width}"] = lambda cases, w=names: learn(cases, w, recentre=False)
    return found | {"recentred, one width": lambda cases: learn(cases, (), recentre=True)}


def learn(cases: Sequence[Case], widths: Sequence[str], recentre: bool) -> ConformityScore:
    """Coefficients from these cases; without recentring the centre is the prediction itself."""
    score = fit_location_scale(cases, ["log_value"], widths, OFFSET, penalty=PENALTY)
    return score if recentre else replace(score, centre={"log_value": 1.0})


def print_table(measurement: str, folds: Sequence[Sequence[Case]], dropout: bool) -> None:
    """Mean width, coverage and interval score of every candidate, and the score's difference from one width for all."""
    cases = [case for fold in folds for case in fold]
    error, gamma = errors_of(cases), 0.05 * np.median([case.number for case in cases])
    print(f"\n## {measurement}: {len(cases)} subjects, bias {error.mean():+.3f} mL, sd {error.std(ddof=1):.3f} mL\n")
    print(f"rank correlation with the error's size: {', '.join(correlations(cases, np.abs(error), dropout))}\n")
    ends = {name: crossed(choose, folds) for name, choose in candidates(gamma, dropout).items()}
    head = ("score", "coverage", "mean width", "interval score", f"minus {CONSTANT} (95 % interval)")
    print(markdown_table(head, compared_scores(ends, cases, CONSTANT)))


def correlations(cases: Sequence[Case], error: np.ndarray, dropout: bool) -> list[str]:
    """Spearman of what a width could follow and the absolute error, with its 95 % bootstrap interval over subjects."""
    found = {name: [case.scores[name] for case in cases] for name in ("draw_entropy", "noise", "blur")}
    found["size"] = [case.number for case in cases]
    if dropout:
        found["draws' spread"] = [np.std(case.numbers, ddof=1) for case in cases]
    return [f"{name} {correlation(np.array(values), error)}" for name, values in found.items()]


def correlation(values: np.ndarray, error: np.ndarray) -> str:
    """ "+0.14 (-0.05 to +0.33)"."""

    def of(x: np.ndarray, y: np.ndarray) -> float:
        return float(spearmanr(x, y).statistic)

    drawn = bootstrap((values, error), of, paired=True, vectorized=False, n_resamples=2000, method="percentile", rng=SEED)
    low, high = drawn.confidence_interval
    return f"{of(values, error):+.2f} ({low:+.2f} to {high:+.2f})"


def crossed(choose: Choose, folds: Sequence[Sequence[Case]]) -> Ends:
    """Intervals of every case, its score fitted on the other folds, its quantile from all other cases."""
    pairs = []
    for number, fold in enumerate(folds):
        score = choose([case for other, members in enumerate(folds) if other != number for case in members])
        pairs += [(score, case) for case in fold]
    return left_out_ends(pairs)


if __name__ == "__main__":
    main()
