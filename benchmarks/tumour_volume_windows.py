"""What windows of half a head do to the error bars of a tumour's volume: ours beside MONAI's sliding window, out of fold.

    python benchmarks/tumour_volume_windows.py predict     # 96 patients, each by the network that has not seen it
    python benchmarks/tumour_volume_windows.py table       # benchmarks/results/tumour_volume_windows.json

One dropout network, ten draws, three ways: the whole head in one window (what ships); windows of half the head, one mask a draw
for the whole study; the same windows by `sliding_window_inference` with dropout left on, a new mask in every window and slice.
All three are calibrated on the same patients in the same way, the patient itself left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from frame import FOLDS, LISTS, PREPARED, ROOT, parsed_bundle, predict, step_parser, studies_of
from left_out import LEVEL, held, left_out_ends, truths_of, with_interval
from monai.inferers import sliding_window_inference
from tumour_volume_predict import BUNDLE, OF_ONE, OUT, WRITERS
from tumour_volume_tables import OFFSET, PARTS, WIDTHS, log_scores, log_spread

from caveat.inference.calibration.case import Case
from caveat.inference.calibration.read_cases import read_cases
from caveat.inference.calibration.settings import read_calibration
from caveat.inference.engine.study_grid import element_of_grid
from caveat.inference.evaluation.markdown import markdown_table
from caveat.inference.targets.drawn import Drawn
from caveat.networks.draws.consistent_dropout import ConsistentDropout

HALF, OVERLAP = 64, 0.5
WINDOWS = OUT / "windows"
RESULT = ROOT / "benchmarks" / "results" / "tumour_volume_windows.json"
ONE, OURS, THEIRS = "one window", "half the head, one mask a draw", "half the head, MONAI's sliding window"


def main() -> None:
    """Run one step."""
    steps = {"predict": predict_all, "table": table}
    steps[step_parser(__doc__, steps).parse_args().step]()


def predict_all() -> None:
    """Windows of half the head, consistent and not."""
    half = OF_ONE | {"inferer::roi_size": [HALF, -1, -1], "inferer::overlap": OVERLAP}
    for network, fold in enumerate(FOLDS):
        studies = studies_of(LISTS / f"brain_tumour_fold{fold}.json", ["out_of_fold"], dataset_dir=PREPARED)
        predict(BUNDLE, WINDOWS / f"fold{fold}", studies, "dropout", WRITERS, **half, member=network)
        if not patchwork(fold).is_file():
            patchwork(fold).write_text(json.dumps(patchwork_volumes(studies, network)), encoding="utf-8")


def patchwork(fold: int) -> Path:
    """Volumes by MONAI's windows of a fold's own patients, which are there when all is predicted of the fold."""
    return WINDOWS / f"patchwork_fold{fold}.json"


@torch.no_grad()
def patchwork_volumes(studies: Sequence[Mapping[str, str]], network: int) -> dict[str, list[float]]:
    """Volumes on the network grid: of the mean's mask, then of each draw of torch's own dropout. Returns: by sha256."""
    config = parsed_bundle(BUNDLE, "dropout", {"member": network, "device": "$torch.device('cpu')"})
    preprocessing, sampler = config.get_parsed_content("preprocessing"), config.get_parsed_content("network").eval()
    for layer in sampler.modules():
        if isinstance(layer, ConsistentDropout):
            layer.train()  # torch's own dropout: batch normalisation stays in evaluation mode
    (target,) = config.get_parsed_content("measurements")
    torch.manual_seed(0)
    found = {}
    for study in studies:
        loaded = preprocessing({key: study[key] for key in ("image", "sha256")})["image"]
        element, image = element_of_grid(loaded.affine, loaded.meta, loaded.ndim - 1), loaded.as_tensor()[None]
        window = [HALF, *image.shape[3:]]
        logits = [
            sliding_window_inference(image, window, 1, sampler, OVERLAP, mode="gaussian")[0]
            for _ in range(OF_ONE["inferer::draws"])
        ]
        draws = [one.softmax(0) for one in logits]
        masks = [one.argmax(0) for one in (torch.stack(draws).mean(0), *draws)]
        counts = [torch.bincount(mask.flatten(), minlength=2).tolist() for mask in masks]
        found[study["sha256"]] = [target.of(Drawn(element, count, sum(count))) for count in counts]
    return found


def table() -> None:
    """The three ways, by preparation, of the folds that are predicted."""
    found = {}
    folds = [fold for fold in FOLDS if patchwork(fold).is_file()]
    theirs = {key: value for fold in folds for key, value in json.loads(patchwork(fold).read_text(encoding="utf-8")).items()}
    for word in PARTS.values():
        one = [case for case in cases_of("", folds) if case.preparation == word]
        ours = [case for case in cases_of("windows", folds) if case.preparation == word]
        ways = {ONE: one, OURS: ours, THEIRS: [as_patchwork(case, theirs[case.sha256]) for case in ours]}
        found[word] = {name: figures(cases, one) for name, cases in ways.items()}
        print(f"\n{word}, folds {folds}, n = {len(one)}\n")
        print(markdown_table(["windows", *found[word][ONE]], [[name, *row.values()] for name, row in found[word].items()]))
    RESULT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def cases_of(folder: str, folds: Sequence[int]) -> list[Case]:
    """Every patient by its own fold's network."""
    settings = read_calibration(BUNDLE / "configs" / "calibrate.yaml")
    found = []
    for fold in folds:
        where, file = OUT / folder / f"fold{fold}", LISTS / f"brain_tumour_fold{fold}.json"
        read = read_cases(where, file, "out_of_fold", settings.truths, PREPARED, settings.targets, nothing_found=True)
        found += read.by_name["tumour volume"]
    return found


def as_patchwork(case: Case, volumes: Sequence[float]) -> Case:
    """The case as MONAI's windows measured it."""
    return replace(case, value=volumes[0], draws=tuple(volumes[1:]))


def figures(cases: Sequence[Case], one_window: Sequence[Case]) -> dict[str, str]:
    """One row, spreads and scores beside those of one window."""
    score, truths = WIDTHS["spread of the own draws"], truths_of(cases)
    ends, ends_of_one = (left_out_ends([(score, case) for case in of]) for of in (cases, one_window))
    scores, scores_of_one = (log_scores(*of, truths) for of in (ends, ends_of_one))
    spreads, of_one = (np.array([log_spread(case) for case in of]) for of in (cases, one_window))
    raw = [np.quantile(case.draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) for case in cases]
    errors = [abs(np.log((case.truth + OFFSET) / (case.value + OFFSET))) for case in cases]
    return {
        "mean spread in log": f"{np.mean(spreads):.3f}",
        "of one window's, median over patients": f"{np.median(spreads / of_one):.2f}",
        "mean absolute log error": f"{np.mean(errors):.2f}",
        "draws' 5 % to 95 % hold": str(sum(low <= case.truth <= high for (low, high), case in zip(raw, cases, strict=True))),
        "calibrated 90 % hold": str(held(ends, truths)),
        "interval score in log": f"{np.mean(scores):.2f}",
        "less one window's (95 %)": with_interval(scores - scores_of_one, [case.unit for case in cases], "+.2f"),
    }


if __name__ == "__main__":
    main()
