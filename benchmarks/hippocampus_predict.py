"""Every prediction behind the tables of bundles/hippocampus_volume/docs/README.md.

    python benchmarks/hippocampus_predict.py STEP

pack         after training: the members' checkpoints into models/model.pt, prints its sha256; the images they have seen
             into calibration/seen.json
out_of_fold  each fold's network on the training subjects it never saw: one network, and 20 dropout draws of it
placement    the same with dropout in some decoder levels alone: those draws that --sampler last_level, deep_levels name
             in hippocampus_width.py
features     the ensemble on the training subjects: reference features of the gate
unseen       every sampler on the early stopping, calibration and test subjects
degrade      the mixed stream of data_lists/hippocampus_stream.yaml: training folds, calibration and test subjects
stream_folds out-of-fold dropout draws on the mixed stream
stream       the ensemble and dropout on the mixed stream of the calibration and test subjects
cross_validation  the networks of hippocampus_cross_validation.json, as an ensemble, on its training and test subjects

Writes below out/, which git ignores; what is there is not predicted again. CAVEAT_DATA names the folder of the data sets.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import frame
from frame import DATA, FOLDS, LISTS, RESULT, ROOT, SEGMENTATION

from caveat.bundle_folders import find_bundle, read_metadata
from caveat.inference.stored.list_part import read_entries
from caveat.inference.stress.mixed_stream import read_stream, write_stream
from caveat.networks.weights.pack_members import pack

OUT = ROOT / "out" / "hippocampus"
CHECKPOINTS = frame.CHECKPOINTS / "hippocampus_volume"
BUNDLE = find_bundle("hippocampus_volume")
LIST = LISTS / "hippocampus.json"
CROSS_VALIDATION = LISTS / "hippocampus_cross_validation.json"
OF_FOLDS = OUT / "cross_validation_bundle"
"""The bundle with the networks of cross-validation in place of its own, since a record is of one bundle's networks."""
FOLD_SAMPLERS = ("single", "dropout")
PLACEMENTS = {"last_level": [0.2, 0.0, 0.0], "deep_levels": [0.0, 0.2, 0.2]}
"""Probability of dropout per decoder level, fine to coarse; networks were trained with 0.2 in all three."""
STREAMS = OUT / "streams"
STREAM_PARTS = ("calibration", "test")
STREAM_SAMPLERS = ("ensemble", "dropout")
UNSEEN = ("early_stopping", "calibration", "test")
WRITERS = (SEGMENTATION, RESULT)


def main() -> None:
    """Run one step."""
    steps = {
        "pack": pack_members,
        "out_of_fold": predict_out_of_fold,
        "placement": predict_placements,
        "features": predict_training,
        "unseen": predict_unseen,
        "degrade": write_streams,
        "stream_folds": predict_fold_streams,
        "stream": predict_streams,
        "cross_validation": predict_cross_validation,
    }
    steps[frame.step_parser(__doc__, steps).parse_args().step]()


def pack_members() -> None:
    """One file of weights for the ensemble of five: member k went through a second cycle from fold k + 1's network."""
    frame.pack_weights(BUNDLE, (CHECKPOINTS / f"member{fold - 1}" for fold in FOLDS))
    frame.write_seen(BUNDLE, frame.images_of(LIST))


def predict_out_of_fold() -> None:
    """Each fold's own network on the fold's subjects."""
    for fold in FOLDS:
        studies = frame.studies_of(fold_list(fold), ["out_of_fold"])
        for sampler in FOLD_SAMPLERS:
            frame.predict(BUNDLE, OUT / f"{sampler}_fold{fold}", studies, sampler, WRITERS, **weights_of_fold(fold))


def predict_placements() -> None:
    """Dropout draws of each fold's network on the fold's subjects, masked in some levels only."""
    for fold in FOLDS:
        studies = frame.studies_of(fold_list(fold), ["out_of_fold"])
        for name, dropout in PLACEMENTS.items():
            more = {"backbone::dropout": dropout} | weights_of_fold(fold)
            frame.predict(BUNDLE, OUT / f"{name}_fold{fold}", studies, "dropout", WRITERS, **more)


def fold_list(fold: int) -> Path:
    """The data list of a fold."""
    return LISTS / f"hippocampus_fold{fold}.json"


def weights_of_fold(fold: int) -> dict[str, str]:
    """The one network that has not seen the fold's subjects, as overrides of the bundle's config."""
    return frame.weights_of(CHECKPOINTS / f"fold{fold}", OUT / "weights")


def predict_training() -> None:
    """The ensemble on the training subjects."""
    frame.predict(BUNDLE, OUT / "training", frame.studies_of(LIST, ["training"]), "ensemble", WRITERS)


def predict_unseen() -> None:
    """Every sampler that the bundle has, on every subject that trained no network."""
    for sampler in read_metadata(BUNDLE)["samplers"]:
        frame.predict(BUNDLE, OUT / sampler, frame.studies_of(LIST, UNSEEN), sampler, WRITERS)


def write_streams() -> None:
    """Degrade what the stream's file says, each list into a folder of its own."""
    stream = read_stream(LISTS / "hippocampus_stream.yaml")
    for fold in FOLDS:
        print(fold, write_stream(fold_list(fold), ["out_of_fold"], stream, DATA, STREAMS / f"fold{fold}"))
    print(write_stream(LIST, STREAM_PARTS, stream, DATA, STREAMS / "unseen"))


def predict_fold_streams() -> None:
    """Draws for learning a width on the training folds."""
    for fold in FOLDS:
        folder = STREAMS / f"fold{fold}"
        studies = frame.studies_of(folder / "list.json", ["out_of_fold"], dataset_dir=folder)
        frame.predict(BUNDLE, OUT / f"stream_dropout_fold{fold}", studies, "dropout", WRITERS, **weights_of_fold(fold))


def predict_streams() -> None:
    """What calibrates and tests the width."""
    folder = STREAMS / "unseen"
    for sampler in STREAM_SAMPLERS:
        studies = frame.studies_of(folder / "list.json", STREAM_PARTS, dataset_dir=folder)
        frame.predict(BUNDLE, OUT / f"stream_{sampler}", studies, sampler, WRITERS)


def predict_cross_validation() -> None:
    """What a record of cross-validation is made of and tested on: draw k is of the network that has not seen fold k."""
    shutil.copytree(BUNDLE, OF_FOLDS, ignore=shutil.ignore_patterns("calibration", "models"), dirs_exist_ok=True)
    weights = OF_FOLDS / "models" / "model.pt"
    weights.parent.mkdir(exist_ok=True)
    sha256 = pack([CHECKPOINTS / f"cross_validation{network}" / "best.pt" for network in range(len(FOLDS))], weights)
    frame.write_seen(OF_FOLDS, seen_in_cross_validation())
    studies = frame.studies_of(CROSS_VALIDATION, ("training", "test"))
    more = {"weights_path": str(weights), "weights_sha256": sha256}
    frame.predict(OF_FOLDS, OUT / "cross_validation", studies, "ensemble", WRITERS, **more)


def seen_in_cross_validation() -> dict[str, list[int]]:
    """Which networks, from 0, have seen each image: all but that of its fold, of those that they stopped on all."""
    networks = range(len(FOLDS))
    out_of_fold = {entry["sha256"]: entry["fold"] for entry in read_entries(CROSS_VALIDATION, "training")}
    stopped_on = dict.fromkeys(frame.images_of(CROSS_VALIDATION, ["early_stopping"]))
    return {
        sha256: [network for network in networks if network != fold] for sha256, fold in {**out_of_fold, **stopped_on}.items()
    }


if __name__ == "__main__":
    main()
