"""What noise does to tumour volumes and their intervals, out of fold: the bundle's width beside two plainer constructions.

    python benchmarks/tumour_volume_noise.py predict     # each patient by the network that has not seen it
    python benchmarks/tumour_volume_noise.py table       # benchmarks/results/tumour_volume_noise.json

Rician noise of the strengths of `caveat stress`. Three intervals of 90 % are made of the same ten dropout draws:

spread              the bundle's width: the spread of the draws' volumes in logs
draws' quantiles    from the 5 % to the 95 % quantile of the draws' volumes, as they are, or widened
comonotonic         volumes of the 5 % and 95 % quantile of each voxel's probability, as they are, or widened

Widened is conformal, by the other patients' clean images (the patient itself left out), so that no patient's own image made its
interval. The gate is that of the record.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from frame import FOLDS, LISTS, PREPARED, ROOT, predict, step_parser, studies_of
from left_out import LEVEL
from tumour_volume_predict import BUNDLE, OF_ONE, OUT, REDUCERS, WRITERS
from tumour_volume_tables import OFFSET, PARTS, WIDTHS

from caveat.inference.calibration.case import Case
from caveat.inference.calibration.quantile import miss_rate, rank
from caveat.inference.calibration.read_cases import read_cases
from caveat.inference.calibration.record import read_records
from caveat.inference.calibration.settings import read_calibration
from caveat.inference.engine.block import Block
from caveat.inference.engine.reducer import Reducer, Reduction
from caveat.inference.engine.study_grid import StudyGrid
from caveat.inference.evaluation.markdown import markdown_table
from caveat.inference.metrics.interval_score import interval_score
from caveat.inference.stored.list_part import read_entries
from caveat.inference.stress.degraded import Degradation, write_degraded, write_list
from caveat.networks.draws.draw import Draw

STRENGTHS = (0.0, 0.06, 0.25)
CORRUPTION = "rician_noise"
NOISE = OUT / "noise"
RESULT = ROOT / "benchmarks" / "results" / "tumour_volume_noise.json"
ENDS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
SCORE = "share_at_quantile_{:.2f}"
SPREAD, DRAWS, COMONOTONIC = "spread", "draws' quantiles", "comonotonic"


class VoxelQuantiles(Reducer):
    """Study scores: the tumour of each voxel's q-quantile of probability over the draws, as a share of the mean's tumour."""

    needs = ("Moments",)

    def begin(self, study: StudyGrid) -> None:
        self._stack = torch.zeros(study.draws, *study.size)

    def update(self, block: Block, draws: Sequence[Draw], values: torch.Tensor) -> None:
        for draw, value in zip(draws, values, strict=True):
            self._stack[draw.index, block.rows] = value[1]

    def finish(self, results: Mapping[str, Reduction]) -> Reduction:
        reported = max(int((results["Moments"].maps["mean"].argmax(0) == 1).sum()), 1)
        voxels = torch.quantile(self._stack.flatten(1), torch.tensor(ENDS), dim=0) > 0.5
        shares = voxels.sum(dim=1) / reported
        return Reduction(study_scores={SCORE.format(q): float(share) for q, share in zip(ENDS, shares, strict=True)})

    @classmethod
    def example(cls) -> VoxelQuantiles:
        return cls()


@dataclass(frozen=True)
class Interval:
    """Of one kind, before it is widened. Args: lower, upper: logs. width: that the widening is measured in."""

    lower: float
    upper: float
    width: float = 1.0

    def excess(self, truth: float) -> float:
        """How many widths a truth lies outside, below 0 inside."""
        return max(self.lower - truth, truth - self.upper) / self.width

    def widened(self, by: float) -> tuple[float, float]:
        """Its ends; of an interval that would be turned inside out, the middle twice."""
        ends = self.lower - by * self.width, self.upper + by * self.width
        return ends if ends[0] <= ends[1] else ((self.lower + self.upper) / 2,) * 2


def main() -> None:
    """Run one step."""
    steps = {"predict": predict_all, "table": table}
    steps[step_parser(__doc__, steps).parse_args().step]()


def predict_all() -> None:
    """Degrade every fold's own patients, and let the network predict them that has not seen them."""
    settings = OF_ONE | {"reducers": [*REDUCERS[:3], VoxelQuantiles()]}
    for network, fold in enumerate(FOLDS):
        entries = read_entries(LISTS / f"brain_tumour_fold{fold}.json", "out_of_fold")
        for strength in STRENGTHS:
            folder = NOISE / f"{strength:g}" / f"fold{fold}"
            if not (folder / "list.json").is_file():
                done = Degradation(CORRUPTION, strength) if strength else None
                written, refused = write_degraded([(entry, done) for entry in entries], PREPARED, folder)
                print(folder.relative_to(OUT), len(written), "written", refused, flush=True)
                write_list({"out_of_fold": written}, folder)
            studies = studies_of(folder / "list.json", ["out_of_fold"], dataset_dir=folder)
            predict(BUNDLE, folder / "predictions", studies, "dropout", WRITERS, **settings, member=network)


def table() -> None:
    """For each preparation and strength: error, bias, the gate, and what each interval holds and costs."""
    gates = {record.identity["preparation"]: record.gate for record in read_records(BUNDLE / "calibration")}
    found = {}
    for word in PARTS.values():
        cases = {strength: [case for case in cases_of(strength) if case.preparation == word] for strength in STRENGTHS}
        kept = {strength: [bool(gates[word].judge(case.scores).accepted) for case in of] for strength, of in cases.items()}
        found[word] = [row for strength in STRENGTHS for row in [figures(cases[0.0], cases[strength], kept[strength], strength)]]
        print(f"\n{word}, n = {len(cases[0.0])}\n")
        print(markdown_table(list(found[word][0]), [[str(value) for value in row.values()] for row in found[word]]))
    RESULT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def cases_of(strength: float) -> list[Case]:
    """Every patient at one strength, by its own fold's network; one in which nothing is found too."""
    settings = read_calibration(BUNDLE / "configs" / "calibrate.yaml")
    found = []
    for fold in FOLDS:
        folder = NOISE / f"{strength:g}" / f"fold{fold}"
        read = read_cases(
            folder / "predictions",
            folder / "list.json",
            "out_of_fold",
            settings.truths,
            folder,
            settings.targets,
            nothing_found=True,
        )
        found += read.by_name["tumour volume"]
    return found


def figures(clean: Sequence[Case], noisy: Sequence[Case], accepted: Sequence[bool], strength: float) -> dict[str, object]:
    """One row. Args: clean: that intervals are widened by. noisy: the patients at this strength. accepted: by the gate."""
    errors = np.array([log(case.truth) - log(case.value) for case in noisy])
    row: dict[str, object] = {
        "noise": f"{strength:g}",
        "nothing found": sum(case.value == 0 for case in noisy),
        "median log true/stated": f"{np.median(errors):+.2f}",
        "mean absolute log error": f"{np.mean(np.abs(errors)):.2f}",
        "gate accepts": sum(accepted),
    }
    for name, interval in INTERVALS.items():
        ends = np.array([interval(case).widened(reach(interval, clean, case.unit)) for case in noisy])
        row[f"{name}, widened"] = cell(ends, noisy, accepted)
        if name != SPREAD:
            row[f"{name}, as they are"] = cell(np.array([interval(case).widened(0.0) for case in noisy]), noisy, accepted)
    return row


def cell(ends: np.ndarray, cases: Sequence[Case], accepted: Sequence[bool]) -> str:
    """Held of all; held of those that the gate accepts; mean interval score in log of all."""
    truths = np.array([log(case.truth) for case in cases])
    held = (ends[:, 0] <= truths) & (truths <= ends[:, 1])
    kept = np.array(accepted)
    return f"{held.sum()}; {(held & kept).sum()} of {kept.sum()}; {interval_score(*ends.T, truths, LEVEL).mean():.2f}"


def reach(interval: object, clean: Sequence[Case], unit: str) -> float:
    """Split conformal on the clean images of all other patients."""
    others = [case for case in clean if case.unit != unit]
    return sorted(interval(case).excess(log(case.truth)) for case in others)[rank(len(others), miss_rate(LEVEL)) - 1]  # type: ignore[operator]


def by_spread(case: Case) -> Interval:
    """The bundle's: about the value, as wide as the draws' spread in logs and a floor."""
    deviation = float(np.std([log(draw) for draw in case.draws], ddof=1)) + WIDTHS["spread of the own draws"].floor
    return Interval(log(case.value), log(case.value), deviation)


def by_draws(case: Case) -> Interval:
    """Quantiles of the draws' volumes."""
    return Interval(*np.quantile([log(draw) for draw in case.draws], ENDS))


def by_voxels(case: Case) -> Interval:
    """Volumes of the quantiles of each voxel."""
    return Interval(*(log(case.value * float(case.scores[SCORE.format(q)] or 0.0)) for q in ENDS))


INTERVALS = {SPREAD: by_spread, DRAWS: by_draws, COMONOTONIC: by_voxels}


def log(volume: float) -> float:
    """Of a volume, or of nothing."""
    return math.log(volume + OFFSET)


if __name__ == "__main__":
    main()
