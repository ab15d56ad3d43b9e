"""What records of cross-validation cover, beside split records of the same patients, by simulation.

    python benchmarks/cross_validation.py [--records 100]        # about two minutes; docs/calibration.md has the table

A volume's logarithm is linear in one of 13 features, with noise that grows along another; a network is a ridge regression on all
of them. Of n patients, CV+ trains five on four fifths each, and the five are the ensemble; split conformal trains one on two
thirds and calibrates on the rest. Each record meets 25 new patients. No image is looked at.
"""

from __future__ import annotations

import argparse
import statistics

import numpy as np

from caveat.inference.calibration.calibrate import fit_record
from caveat.inference.calibration.case import Case
from caveat.inference.calibration.record import Record
from caveat.inference.calibration.scores.log import Log
from caveat.inference.calibration.settings import Calibration
from caveat.inference.evaluation.markdown import markdown_table
from caveat.inference.stored.truths import MaskTruths
from caveat.inference.targets.volume import Volume

NETWORKS, FEATURES, PENALTY, NEW, NAME = 5, 13, 5.0, 25, "volume"
UNITS, LEVELS = (20, 76, 95), (0.8, 0.9, 0.95)
SCORE = Log(1e-3)
SHARED = {"truths": MaskTruths(), "targets": [Volume(NAME, "Volume", (1,))], "score": SCORE, "unit": "patient"}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=100)
    options = parser.parse_args()
    rows = [row for n in UNITS for row in rows_of(n, options.records)]
    print(f"{options.records} records of each kind, {NEW} new patients each\n")
    print(markdown_table(list(rows[0]), [list(row.values()) for row in rows]))


def rows_of(n: int, records: int) -> list[dict[str, str]]:
    """One number of patients: a row a level."""
    found: dict[tuple[float, str], list[tuple[bool, float]]] = {}
    proven: dict[float, float] = {}
    for seed in range(records):
        features, truths = patients(n + NEW, np.random.default_rng([n, seed]))
        kinds = {"CV+": cross_validated, "guaranteed": cross_validated, "split": split}
        for kind, make in kinds.items():
            record, cases = make(features, truths, n)
            record = record.with_guarantee() if kind == "guaranteed" else record
            for case in cases:
                for level in LEVELS:
                    for region in record.regions((case,), level) or ():
                        found.setdefault((level, kind), []).append((region.contains(case.truth), 2 * region.radius))
                    if kind == "CV+":
                        proven[level] = record.proven((case,), level)
    return [
        {"patients": str(n), "level": f"{100 * level:g} %", "proven": f"{proven[level]:.2f}"}
        | {kind: cell(found.get((level, kind), [])) for kind in ("CV+", "guaranteed", "split")}
        for level in LEVELS
    ]


def cell(found: list[tuple[bool, float]]) -> str:
    """Coverage, and mean width in mL; "-" where no record could serve the level."""
    if not found:
        return "-"
    return f"{np.mean([covered for covered, _ in found]):.3f}, {statistics.fmean(width for _, width in found):.1f}"


def patients(count: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Features (count, FEATURES), and volumes in mL."""
    features = random.normal(size=(count, FEATURES))
    noise = 0.15 * np.exp(0.4 * features[:, 1]) * random.normal(size=count)
    return features, np.exp(3 + 0.5 * features[:, 0] + noise)


def ridge(features: np.ndarray, truths: np.ndarray) -> np.ndarray:
    """Coefficients, the last a constant, of the logarithm."""
    design = np.column_stack([features, np.ones(len(features))])
    return np.linalg.solve(design.T @ design + PENALTY * np.diag([1.0] * FEATURES + [0.0]), design.T @ np.log(truths))


def predict(network: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Volumes in mL."""
    return np.exp(np.column_stack([features, np.ones(len(features))]) @ network)


def cross_validated(features: np.ndarray, truths: np.ndarray, n: int) -> tuple[Record, list[Case]]:
    """The record of n patients, and the cases of the others."""
    folds = np.arange(n) % NETWORKS
    networks = [ridge(features[:n][folds != fold], truths[:n][folds != fold]) for fold in range(NETWORKS)]
    said = np.column_stack([predict(network, features) for network in networks])
    cases = [
        Case("", str(unit), str(unit), float(np.median(said[unit])), tuple(said[unit].tolist()), truth=float(truths[unit]))
        for unit in range(len(truths))
    ]
    known = [Case(**{**vars(case), "fold": int(fold)}) for case, fold in zip(cases[:n], folds, strict=True)]
    settings = Calibration(**SHARED, levels=(0.8,), networks=NETWORKS, one_recipe=True)
    return fit_record((NAME,), [(case,) for case in known], settings, SCORE), cases[n:]


def split(features: np.ndarray, truths: np.ndarray, n: int) -> tuple[Record, list[Case]]:
    """The same of one network, with a third of the patients held out."""
    held = n // 3
    said = predict(ridge(features[held:n], truths[held:n]), features)
    cases = [
        Case("", str(unit), str(unit), float(value), (float(value),), truth=float(truth))
        for unit, (value, truth) in enumerate(zip(said, truths, strict=True))
    ]
    known = [(case,) for case in cases[:held]]
    return fit_record((NAME,), known, Calibration(**SHARED, levels=(0.8,)), SCORE), cases[n:]


if __name__ == "__main__":
    main()
