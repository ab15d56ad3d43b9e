"""The summary tables of bundles/hippocampus_volume/docs/README.md, from stored predictions.

    python benchmarks/hippocampus_tables.py samplers      # after hippocampus_predict.py ensemble, samplers
    python benchmarks/hippocampus_tables.py stream        # after hippocampus_predict.py stream
    python benchmarks/hippocampus_tables.py plane         # after hippocampus_predict.py ensemble

The stream is calibrated by `caveat calibrate` as the bundle is and scored by `caveat evaluate`; the full output of both lies in
out/hippocampus/stream/.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from frame import DATA, step_parser
from hippocampus_predict import BUNDLE, DEGRADED, LIST, OUT, STREAM
from hippocampus_width import MEASUREMENTS, SEED, stored
from left_out import held, truths_of

from caveat.bundle_folders import read_metadata
from caveat.inference.calibration.rows import first_line, rows_of
from caveat.inference.evaluation.markdown import markdown_table, shown
from caveat.inference.metrics.overlap import dice
from caveat.inference.stored.list_part import read_entries
from caveat.inference.stored.stored_study import read_map

SETTINGS = "calibrate_cross_validation"
LEVEL = 0.9
ONE_A_UNIT = "one study a unit"


def main() -> None:
    """Print one table."""
    tables = {"samplers": samplers, "stream": stream, "plane": plane}
    tables[step_parser(__doc__, tables).parse_args().step]()


def samplers() -> None:
    """Every sampler of the bundle on the test subjects: Dice over all scans; one scan a subject bias, and what the draws hold."""
    rows = []
    for sampler in read_metadata(BUNDLE)["samplers"]:
        read = stored(OUT / sampler, LIST, "test", DATA)
        cells = [sampler, " / ".join(f"{score:.3f}" for score in dices(OUT / sampler))]
        for name in MEASUREMENTS:
            cases = [case for (case,) in first_line(rows_of(read.by_name, [name]), SEED)[0]]
            error = np.array([case.number for case in cases]) - truths_of(cases)
            cells += [f"{error.mean():+.3f}, {np.abs(error).mean():.3f}"]
            if name == "hippocampus volume":
                draws = np.array([case.numbers for case in cases])
                ends = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=1)
                cells += [f"{held(ends, truths_of(cases))} of {len(cases)}" if draws.shape[1] > 1 else "-"]
        rows.append(cells)
    errors = [f"{name}: bias, mean absolute error, mL" for name in MEASUREMENTS]
    head = ["sampler", "Dice anterior / posterior / both", errors[0], "draws' 90 % range holds", *errors[1:]]
    print(markdown_table(head, rows))


def dices(predictions: Path) -> list[float]:
    """Mean Dice of the anterior part, the posterior part and both, over the test scans."""
    rows = []
    for entry in read_entries(LIST, "test"):
        predicted = read_map(predictions / Path(entry["image"]).name.removesuffix(".nii.gz") / "segmentation.nii.gz")[0]
        truth = np.rint(read_map(DATA / entry["label"][0])[0]).astype(int)
        everywhere = np.ones(truth.shape, bool)
        pairs = [(predicted == 1, truth == 1), (predicted == 2, truth == 2), (predicted > 0, truth > 0)]
        rows.append([dice(*pair, everywhere) for pair in pairs])
    return np.mean(rows, axis=0).tolist()


def stream() -> None:
    """The mixed stream: the record's score beside the others, and coverage by severity."""
    evaluation = evaluate(STREAM, DEGRADED / "list.json", DEGRADED, "--settings", SETTINGS)
    for part in (section for section in evaluation["coverage"]["sections"] if len(section["names"]) == 1):
        print(f"\n{part['names'][0]}\n")
        methods = dict.fromkeys(row["method"] for row in part["figures"])
        print(markdown_table(["method", *HEAD], [[method, *figures(part, method)] for method in methods]))
        for row in part["baselines"]:
            if row["level"] == LEVEL and row["studies"] == ONE_A_UNIT and not row["gate"]:
                print(f"- less {row['against']}: {row['difference']:+.3f} ({row['lower']:+.3f} to {row['upper']:+.3f})")


HEAD = ("interval holds", "mean width, mL", "interval score, mL", "accepted hold", "band", "score of accepted, mL")


def plane() -> None:
    """What the plane between the two parts costs: the ensemble's Dice on the test scans, and with the parts swapped nowhere."""
    rows, swapped = [], []
    for entry in read_entries(LIST, "test"):
        predicted = read_map(OUT / "ensemble" / Path(entry["image"]).name.removesuffix(".nii.gz") / "segmentation.nii.gz")[0]
        truth = np.rint(read_map(DATA / entry["label"][0])[0]).astype(int)
        both = (predicted > 0) & (truth > 0)
        everywhere = np.ones(truth.shape, bool)
        rows.append(
            [
                dice(one == part, truth == part, everywhere)
                for one in (predicted, np.where(both, truth, predicted))
                for part in (1, 2)
            ]
        )
        swapped.append((both & (predicted != truth)).sum() / (predicted != truth).sum())
    anterior, posterior, *without = np.mean(rows, axis=0)
    print(f"{len(rows)} scans: Dice {anterior:.3f} / {posterior:.3f}, without swaps {without[0]:.3f} / {without[1]:.3f}")
    print(f"swapped, of the wrong voxels: {np.mean(swapped):.3f}")


def figures(part: dict[str, Any], method: str) -> list[str]:
    """Cells of a row, at 90 %. Args: part: of a measurement."""

    def find(gate: bool) -> dict[str, Any]:
        rows = part["figures"]
        return next(
            (r for r in rows if (r["method"], r["studies"], r["gate"], r["level"]) == (method, ONE_A_UNIT, gate, LEVEL)), {}
        )

    every, accepted = find(False), find(True)
    band = f"{accepted['fewest']} to {accepted['most']}" if accepted.get("fewest") is not None else "-"
    return [
        f"{every['covered']} of {every['n']}",
        shown(every["mean_width"]),
        shown(every["interval_score"]),
        f"{accepted['covered']} of {accepted['n']}" if accepted else "-",
        band,
        shown(accepted["interval_score"]) if accepted else "-",
    ]


def evaluate(predictions: Path, data_list: Path, root: Path, *settings: str) -> dict[str, Any]:
    """Calibrate, with these further options, and score one folder of predictions. Returns: its evaluation.json."""
    records = predictions / "records"
    common = ["hippocampus_volume", "-p", str(predictions), "--data", str(data_list)]
    for command in (["calibrate", *common, "-o", str(records), *settings], ["evaluate", *common, "--record", str(records)]):
        answer = subprocess.run(
            [sys.executable, "-m", "caveat", *command],
            env=os.environ | {"CAVEAT_DATA": str(root)},
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode:
            raise RuntimeError(answer.stderr[-1000:])
        (predictions / f"{command[0]}.txt").write_text(answer.stdout, encoding="utf-8")
    return json.loads((predictions / "evaluation.json").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
