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

from pathlib import Path

import frame
from frame import LISTS, RESULT, ROOT, SEGMENTATION

from caveat.bundle_folders import find_bundle, read_metadata

OUT = ROOT / "out" / "lung_lesions" / "volumes"
CHECKPOINTS = frame.CHECKPOINTS / "lung_lesions"
LIST = LISTS / "lidc_nodules.json"
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
UNSEEN = ("early_stopping", "calibration", "test")
WRITERS = (SEGMENTATION, RESULT)


def main() -> None:
    """Run one step."""
    parser = frame.step_parser(__doc__, ("pack", "training", "unseen"), "lung_lesions")
    parser.add_argument("--sampler", help="of the step unseen (default: every one that has weights)")
    options = parser.parse_args()
    bundle = find_bundle(options.bundle)
    if options.step == "pack":
        pack_networks(bundle)
    elif options.step == "training":
        studies = frame.studies_of(LIST, ["training"])[:REFERENCE_NODULES]
        frame.predict(bundle, OUT / "training", studies, None, WRITERS, **{"inferer::draws": 1})
    else:
        predict_unseen(bundle, [options.sampler] if options.sampler else list(read_metadata(bundle)["samplers"]))


def pack_networks(bundle: Path) -> None:
    """One file of weights for each sampler whose networks are all trained."""
    for name, (trainings, prefix) in NETWORKS.items():
        frame.pack_weights(bundle, (CHECKPOINTS / training for training in trainings), f"{name}.pt", prefix=prefix)
    frame.write_seen(bundle, frame.images_of(LIST))


def predict_unseen(bundle: Path, samplers: list[str]) -> None:
    """Some samplers on every nodule that trained no network; those without weights are passed over."""
    for sampler in samplers:
        if (bundle / "models" / f"{FILE_OF.get(sampler, sampler)}.pt").is_file():
            frame.predict(bundle, OUT / sampler, frame.studies_of(LIST, UNSEEN), sampler, WRITERS)


if __name__ == "__main__":
    main()
