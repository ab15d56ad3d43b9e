"""Every prediction behind the tables of bundles/hippocampus_volume/docs/README.md.

    python benchmarks/hippocampus_predict.py STEP

pack         after training: the five networks into models/model.pt, each head into a file of its own, prints their sha256; which
             network has seen which image into calibration/seen.json
features     the ensemble on the training subjects: reference features of the gate, to which records are tied
ensemble     the ensemble on the training subjects, of which records are made, and on the test subjects
out_of_fold  each network alone on the subjects that it has not seen, by 20 draws of its dropout
samplers     the bundle's other samplers on the test subjects
degrade      the mixed stream of data_lists/hippocampus_stream.yaml: training and test subjects
stream       the ensemble on these

Writes below out/, which git ignores; what is there is not predicted again. CAVEAT_DATA names the folder of the data sets.
"""

from __future__ import annotations

import json
from pathlib import Path

import frame
from frame import DATA, FOLDS, LISTS, RESULT, ROOT, SEGMENTATION

from caveat.bundle_folders import find_bundle, read_metadata
from caveat.inference.stored.list_part import read_entries
from caveat.inference.stress.mixed_stream import read_stream, write_stream

OUT = ROOT / "out" / "hippocampus"
CHECKPOINTS = frame.CHECKPOINTS / "hippocampus_volume"
BUNDLE = find_bundle("hippocampus_volume")
LIST = LISTS / "hippocampus_cross_validation.json"
NETWORKS = range(len(FOLDS))
HEADS = ("gaussian_logits", "low_rank_logits")
PARTS = ("training", "test")
DEGRADED, STREAM = OUT / "degraded", OUT / "stream"
"""Images with their list; what was predicted of them."""
WRITERS = (SEGMENTATION, RESULT)
REDUCERS = [
    {"_target_": "caveat.inference.reducers.moments.Moments"},
    {"_target_": "caveat.inference.reducers.extent.Extent", "measurements": "@measurements"},
]
ONLY = {"reducers": REDUCERS, "to_input_grid::maps": []}
"""What features need; the rest takes more than half of the time."""


def main() -> None:
    """Run one step."""
    steps = {
        "pack": pack_members,
        "features": predict_features,
        "ensemble": predict_ensemble,
        "out_of_fold": predict_out_of_fold,
        "samplers": predict_samplers,
        "degrade": degrade,
        "stream": predict_stream,
    }
    steps[frame.step_parser(__doc__, steps).parse_args().step]()


def pack_members() -> None:
    """The ensemble of five, network k trained without fold k; and what each has seen. The heads, as its network 0."""
    frame.pack_weights(BUNDLE, (CHECKPOINTS / f"cross_validation{network}" for network in NETWORKS))
    for head in HEADS:
        frame.pack_weights(BUNDLE, [CHECKPOINTS / head], f"{head}.pt")
    frame.write_seen(BUNDLE, seen())


def seen() -> dict[str, list[int]]:
    """Which networks, from 0, have seen each image: all but that of its fold, of those that they stopped on all."""
    out_of_fold = {entry["sha256"]: entry["fold"] for entry in read_entries(LIST, "training")}
    stopped_on = dict.fromkeys(frame.images_of(LIST, ["early_stopping"]))
    return {
        sha256: [network for network in NETWORKS if network != fold] for sha256, fold in {**out_of_fold, **stopped_on}.items()
    }


def predict_features() -> None:
    """Before there is a reference."""
    (BUNDLE / "calibration" / "features.json").unlink(missing_ok=True)
    frame.predict(BUNDLE, OUT / "training", frame.studies_of(LIST, ["training"]), "ensemble", [RESULT], **ONLY)


def predict_ensemble() -> None:
    """Draw k is of the network that has not seen fold k."""
    frame.predict(BUNDLE, OUT / "ensemble", frame.studies_of(LIST, PARTS), "ensemble", WRITERS)


def predict_out_of_fold() -> None:
    """Each network on its own fold's subjects, which get a list of their own."""
    entries = read_entries(LIST, "training")
    for network in NETWORKS:
        own = [entry for entry in entries if entry["fold"] == network]
        fold_list(network).parent.mkdir(parents=True, exist_ok=True)
        fold_list(network).write_text(json.dumps({"out_of_fold": own}), encoding="utf-8")
        weights = frame.weights_of(CHECKPOINTS / f"cross_validation{network}", OUT / "weights")
        studies = frame.studies_of(fold_list(network), ["out_of_fold"])
        frame.predict(BUNDLE, OUT / f"dropout_fold{network}", studies, "dropout", WRITERS, **weights)


def fold_list(network: int) -> Path:
    """The subjects that a network has not seen."""
    return OUT / f"fold{network}.json"


def predict_samplers() -> None:
    """Those beside the ensemble, which are of one network."""
    for sampler in set(read_metadata(BUNDLE)["samplers"]) - {"ensemble"}:
        frame.predict(BUNDLE, OUT / sampler, frame.studies_of(LIST, ["test"]), sampler, WRITERS)


def degrade() -> None:
    """What the stream's file says."""
    print(write_stream(LIST, PARTS, read_stream(LISTS / "hippocampus_stream.yaml"), DATA, DEGRADED))


def predict_stream() -> None:
    """What a record for the stream is made of and tested on."""
    studies = frame.studies_of(DEGRADED / "list.json", PARTS, dataset_dir=DEGRADED)
    frame.predict(BUNDLE, STREAM, studies, "ensemble", WRITERS)


if __name__ == "__main__":
    main()
