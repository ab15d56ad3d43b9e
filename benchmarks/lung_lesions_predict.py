"""Weights and every prediction of volumes behind the tables of the lung lesion bundle.

    CAVEAT_DATA=prepared python benchmarks/lung_lesions_predict.py STEP [--bundle FOLDER]

pack      after training: the checkpoints that are there into models/, prints each sha256 for its config; the images they have
          seen into calibration/seen.json
training  the bundle's own sampler on the first 300 training nodules, one draw: reference features of the gate, which no draw
          changes, and of which there are 96
unseen    every sampler that has weights on the early stopping, calibration and test nodules; --sampler for one of them

Writes below out/, which git ignores; what is there is not predicted again. Draws for the table of several readings are made by
lung_lesions_draws.py.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from predict_once import ROOT, predict_once

from caveat.bundle_folders import find_bundle, read_metadata
from caveat.inference.stored.list_part import read_entries
from caveat.networks.weights.pack_members import pack
from caveat.transforms.study.discover import studies_from_list

OUT = ROOT / "out" / "lung_lesions" / "volumes"
CHECKPOINTS = ROOT / "checkpoints" / "lung_lesions"
LIST = ROOT / "data_lists" / "lidc_nodules.json"
NETWORKS = {
    "model": (["second_cycle"], "sampler."),
    "first_cycle": (["probabilistic_unet"], "sampler."),
    "ensemble": (["dropout", "member1", "member2"], "sampler.networks.{}."),
    **{name: ([name], "sampler.") for name in ("low_rank_logits", "multi_head", "image_vae")},
}
"""File of weights, the trainings in it, and where these networks stand in the bundle's; its own sampler is in `model`."""
FILE_OF = {"probabilistic_unet": "model", "single": "ensemble", "dropout": "ensemble"}
"""File of weights of samplers that it is not named after."""
REFERENCE_NODULES = 300
SEEN = ("training", "early_stopping")
UNSEEN = ("early_stopping", "calibration", "test")
WRITERS = [
    {"_target_": f"caveat.transforms.writers.{name}"}
    for name in ("segmentation.SegmentationWriter", "result_json.ResultJsonWriter")
]
"""What the tables read; maps, reports and previews are left out."""


def main() -> None:
    """Run one step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=("pack", "training", "unseen"))
    parser.add_argument("--bundle", default="lung_lesions", help="name or folder (default: the shipped one)")
    parser.add_argument("--sampler", help="of the step unseen (default: every one that has weights)")
    options = parser.parse_args()
    bundle = find_bundle(options.bundle)
    if options.step == "pack":
        pack_networks(bundle)
    elif options.step == "training":
        studies = studies_from_list(LIST, "training")[:REFERENCE_NODULES]
        predict_once(bundle, OUT / "training", studies, None, WRITERS, **{"inferer::draws": 1})
    else:
        predict_unseen(bundle, [options.sampler] if options.sampler else list(read_metadata(bundle)["samplers"]))


def pack_networks(bundle: Path) -> None:
    """One file of weights for each sampler whose networks are all trained."""
    (bundle / "models").mkdir(exist_ok=True)
    (bundle / "calibration").mkdir(exist_ok=True)
    for name, (trainings, prefix) in NETWORKS.items():
        checkpoints = [CHECKPOINTS / training / "best.pt" for training in trainings]
        there = all(path.is_file() for path in checkpoints)
        print(f"{name}.pt", pack(checkpoints, bundle / "models" / f"{name}.pt", prefix) if there else "not trained")
    seen = sorted(entry["sha256"] for part in SEEN for entry in read_entries(LIST, part))
    (bundle / "calibration" / "seen.json").write_text(json.dumps(seen, indent=1) + "\n", encoding="utf-8")


def predict_unseen(bundle: Path, samplers: list[str]) -> None:
    """Some samplers on every nodule that trained no network; those without weights are passed over."""
    for sampler in samplers:
        if (bundle / "models" / f"{FILE_OF.get(sampler, sampler)}.pt").is_file():
            studies = [study for part in UNSEEN for study in studies_from_list(LIST, part)]
            predict_once(bundle, OUT / sampler, studies, sampler, WRITERS)


if __name__ == "__main__":
    main()
