"""What plain dropout in a sliding window does to the error bars of a volume: ours beside MONAI's, window 24.

    python benchmarks/hippocampus_windows.py predict [--draws 20]     # both sides, on fold 0 and the test subjects
    python benchmarks/hippocampus_windows.py table                    # benchmarks/results/hippocampus_windows.json

The same dropout network (network 0), the same windows of 24 voxels with overlap 0.5 and Gaussian blending. Ours: one mask a
draw for the whole study. MONAI's: `sliding_window_inference` with dropout left on, a new mask for every window, so that a
"sample" is a patchwork. Both are then calibrated in the same way on the subjects of fold 0, which network 0 has not seen, and
tested on the test subjects.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import torch
from frame import DATA, ROOT, parsed_bundle, predict, step_parser, studies_of
from hippocampus_predict import BUNDLE, LIST, OUT, WRITERS
from hippocampus_width import MEASUREMENTS, SEED
from monai.inferers import sliding_window_inference

from caveat.inference.calibration.case import Case
from caveat.inference.calibration.quantile import miss_rate, quantile
from caveat.inference.calibration.read_cases import read_cases
from caveat.inference.calibration.rows import one_per_unit, rows_of
from caveat.inference.calibration.scores.spread import Spread
from caveat.inference.metrics.interval_score import interval_score
from caveat.inference.stored.list_part import read_entries
from caveat.inference.stored.truths import MaskTruths
from caveat.inference.targets.volume import MM3_PER_ML, Volume
from caveat.networks.draws.consistent_dropout import ConsistentDropout
from caveat.networks.samplers.dropout import DropoutSampler

WINDOW = 24
OVERLAP = 0.5
LEVELS = (0.5, 0.8, 0.9)
PARTS = {"calibration": "training", "test": "test"}
"""Of the list, by what it serves for; of the training part fold 0 alone is predicted."""
OURS, PATCHWORK = OUT / "windows_ours", OUT / "windows_patchwork.json"
RESULT = ROOT / "benchmarks" / "results" / "hippocampus_windows.json"


def main() -> None:
    """Run one step."""
    parser = step_parser(__doc__, ("predict", "table"))
    parser.add_argument("--draws", type=int, default=20)
    options = parser.parse_args()
    if options.step == "predict":
        out_of_fold = {entry["sha256"] for entry in read_entries(LIST, "training") if entry["fold"] == 0}
        studies = [study for study in studies_of(LIST, ["training"]) if study["sha256"] in out_of_fold]
        studies += studies_of(LIST, ["test"])
        windows = {"inferer::roi_size": [WINDOW] * 3, "inferer::overlap": OVERLAP, "inferer::draws": options.draws}
        predict(BUNDLE, OURS, studies, "dropout", WRITERS, **windows)
        PATCHWORK.write_text(json.dumps(predict_patchwork(studies, options.draws)), encoding="utf-8")
    else:
        table()


def predict_patchwork(studies: Sequence[dict], draws: int) -> dict[str, dict[str, list[float]]]:
    """Volumes of MONAI's draws. Returns: sha256 to "value" and "draws" per measurement, mL; "value" is of the mean's mask."""
    config = parsed_bundle(BUNDLE, "dropout", {"device": "$torch.device('cpu')"})
    preprocessing, sampler = config.get_parsed_content("preprocessing"), config.get_parsed_content("network")
    torch.manual_seed(SEED)
    found = {}
    for study in studies:
        image = preprocessing({key: study[key] for key in ("image", "sha256") if key in study})["image"].as_tensor()[None]
        found[study["sha256"]] = patchwork_volumes(image, sampler, draws, config.get("inferer::temperature"))
    return found


@torch.no_grad()
def patchwork_volumes(image: torch.Tensor, sampler: DropoutSampler, draws: int, temperature: float) -> dict[str, list[float]]:
    """Volumes of one study, each draw with torch's own dropout in every window; the first number is that of the mean's mask."""
    sampler.eval()
    for layer in sampler.modules():
        if isinstance(layer, ConsistentDropout):
            layer.train()  # torch's own dropout: batch normalisation stays in evaluation mode
    logits = [sliding_window_inference(image, [WINDOW] * 3, 4, sampler, OVERLAP, mode="gaussian")[0] for _ in range(draws)]
    probabilities = [(one / temperature).softmax(0) for one in logits]
    masks = [torch.stack(probabilities).mean(0).argmax(0), *(one.argmax(0) for one in probabilities)]
    counts = [torch.bincount(mask.flatten(), minlength=3).tolist() for mask in masks]
    return {name: [sum(count[c] for c in classes) / MM3_PER_ML for count in counts] for name, classes in MEASUREMENTS.items()}


def table() -> None:
    """Both sides: sd of the draws, coverage of raw quantiles, coverage and interval score of calibrated intervals."""
    measurements = [Volume(name, name, classes) for name, classes in MEASUREMENTS.items()]
    parts = {
        name: read_cases(OURS, LIST, part, MaskTruths(classes=(1, 2)), DATA, measurements).by_name for name, part in PARTS.items()
    }
    patchwork = json.loads(PATCHWORK.read_text(encoding="utf-8"))
    rows = {}
    for name in MEASUREMENTS:
        ours = {part: [case for (case,) in one_per_unit(rows_of(cases, [name]), SEED)[0]] for part, cases in parts.items()}
        theirs = {part: [as_patchwork(case, patchwork[case.sha256][name]) for case in cases] for part, cases in ours.items()}
        rows[name] = {"ours": summarise(**ours), "plain dropout": summarise(**theirs)}
        print(name, json.dumps(rows[name], indent=1))
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps({"window": WINDOW, "overlap": OVERLAP, "rows": rows}, indent=1) + "\n", encoding="utf-8")


def as_patchwork(case: Case, volumes: Sequence[float]) -> Case:
    """The case as the other side measured it."""
    return Case(case.study, case.unit, case.sha256, volumes[0], tuple(volumes[1:]), truth=case.truth)


def summarise(calibration: Sequence[Case], test: Sequence[Case]) -> dict[str, object]:
    """Figures of one side. Returns: rounded to four digits, coverage as counts of the test subjects."""
    truth = np.array([case.truth for case in test])
    score = Spread(0.05 * float(np.median([case.value for case in calibration])))
    excesses = [max(score.excess(case, case.truth)) for case in calibration]
    facts: dict[str, object] = {
        "subjects": len(test),
        "mean sd of the draws, mL": round(float(np.mean([np.std(case.draws, ddof=1) for case in test])), 4),
        "rms error, mL": round(float(np.sqrt(np.mean([(case.value - case.truth) ** 2 for case in test]))), 4),
    }
    for level in LEVELS:
        raw = np.array([np.quantile(case.draws, [(1 - level) / 2, (1 + level) / 2]) for case in test])
        q = quantile(excesses, miss_rate(level))
        regions = [score.region(case, (q, q)) for case in test]
        ends = np.array([(region.lower, region.upper) for region in regions])
        for kind, both in (("raw quantiles", raw), ("calibrated", ends)):
            covered = int(np.sum((both[:, 0] <= truth) & (truth <= both[:, 1])))
            scores = interval_score(both[:, 0], both[:, 1], truth, level)
            facts[f"{kind}, {level:.0%}: covered, mean interval score in mL"] = [covered, round(float(scores.mean()), 4)]
    return facts


if __name__ == "__main__":
    main()
