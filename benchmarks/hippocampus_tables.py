"""The summary tables of bundles/hippocampus_volume/docs/README.md, from stored predictions.

    python benchmarks/hippocampus_tables.py samplers      # after hippocampus_predict.py unseen
    python benchmarks/hippocampus_tables.py stream        # after hippocampus_predict.py stream
    python benchmarks/hippocampus_tables.py plane         # after hippocampus_predict.py unseen

Each sampler is calibrated by `caveat calibrate` on the calibration subjects and scored by `caveat evaluate` on the test
subjects, all with the bundle's calibrate.yaml; the full output of both lies in out/hippocampus/SAMPLER/.
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
from hippocampus_predict import BUNDLE, LIST, OUT, STREAM_SAMPLERS, STREAMS

from caveat.bundle_folders import read_metadata
from caveat.inference.evaluation.markdown import markdown_table, shown
from caveat.inference.metrics.overlap import dice
from caveat.inference.stored.list_part import read_entries
from caveat.inference.stored.stored_study import read_map

STREAM_SETTINGS = "calibrate_stream"
LEVEL = 0.9
ONE_A_UNIT = "one study a unit"


def main() -> None:
    """Print one table."""
    tables = {"samplers": samplers, "stream": stream, "plane": plane}
    tables[step_parser(__doc__, tables).parse_args().step]()


def samplers() -> None:
    """Every sampler of the bundle on the test subjects as they are."""
    rows: dict[str, list[list[str]]] = {}
    for sampler in read_metadata(BUNDLE)["samplers"]:
        evaluation = evaluate(OUT / sampler, LIST, DATA)
        dices = {row["metric"]: row["mean"] for row in evaluation["means"] if row["reading"] == "prediction"}
        names = ("Dice, anterior", "Dice, posterior", "Dice")
        for part in evaluation["coverage"]["sections"]:
            lead = [sampler, " / ".join(f"{dices[name]:.3f}" for name in names), shown(part["value"]["bias"])]
            rows.setdefault(part["names"][0], []).append(lead + figures(part))
    head = ["sampler", "Dice anterior / posterior / both", "bias, mL", *HEAD]
    for measurement, table in rows.items():
        print(f"\n{measurement}\n\n{markdown_table(head, table)}")


def stream() -> None:
    """The mixed stream: the bundle's score beside the others, and coverage by severity."""
    for sampler in STREAM_SAMPLERS:
        root = STREAMS / "unseen"
        evaluation = evaluate(OUT / f"stream_{sampler}", root / "list.json", root, "--settings", STREAM_SETTINGS)
        for part in evaluation["coverage"]["sections"]:
            print(f"\n{sampler}, {part['names'][0]}\n")
            methods = dict.fromkeys(row["method"] for row in part["figures"])
            print(markdown_table(["method", *HEAD[1:]], [[method, *figures(part, method)[1:]] for method in methods]))
            against = [
                row for row in part["baselines"] if row["level"] == LEVEL and row["studies"] == ONE_A_UNIT and not row["gate"]
            ]
            for row in against:
                print(f"- less {row['against']}: {row['difference']:+.3f} ({row['lower']:+.3f} to {row['upper']:+.3f})")


HEAD = (
    "draws' quantiles hold",
    "interval holds",
    "mean width, mL",
    "interval score, mL",
    "accepted hold",
    "band",
    "score of accepted, mL",
)


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


def figures(part: dict[str, Any], method: str = "calibrated") -> list[str]:
    """Cells of a row, at 90 %. Args: part: of a measurement."""

    def find(name: str, gate: bool) -> dict[str, Any]:
        rows = part["figures"]
        return next(
            (r for r in rows if (r["method"], r["studies"], r["gate"], r["level"]) == (name, ONE_A_UNIT, gate, LEVEL)), {}
        )

    raw, every, accepted = find(RAW, False), find(method, False), find(method, True)
    band = f"{accepted['fewest']} to {accepted['most']}" if accepted.get("fewest") is not None else "-"
    return [
        f"{raw['covered']} of {raw['n']}" if raw else "-",
        f"{every['covered']} of {every['n']}",
        shown(every["mean_width"]),
        shown(every["interval_score"]),
        f"{accepted['covered']} of {accepted['n']}" if accepted else "-",
        band,
        shown(accepted["interval_score"]) if accepted else "-",
    ]


RAW = "quantiles of the draws, not calibrated"


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
