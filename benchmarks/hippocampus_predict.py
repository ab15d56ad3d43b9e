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

Writes below out/, which git ignores; what is there is not predicted again. CAVEAT_DATA names the folder of the data sets.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from predict_once import ROOT, predict_once

from caveat.bundle_folders import find_bundle, read_metadata
from caveat.inference.stored.list_part import read_entries
from caveat.inference.stress.mixed_stream import read_stream, write_stream
from caveat.networks.weights.pack_members import pack
from caveat.transforms.study.discover import DATA_ROOT, studies_from_list

OUT = ROOT / "out" / "hippocampus"
CHECKPOINTS = ROOT / "checkpoints" / "hippocampus_volume"
BUNDLE = find_bundle("hippocampus_volume")
LIST = ROOT / "data_lists" / "hippocampus.json"
FOLDS = (1, 2, 3, 4, 5)
FOLD_SAMPLERS = ("single", "dropout")
PLACEMENTS = {"last_level": [0.2, 0.0, 0.0], "deep_levels": [0.0, 0.2, 0.2]}
"""Probability of dropout per decoder level, fine to coarse; networks were trained with 0.2 in all three."""
STREAMS = OUT / "streams"
STREAM_PARTS = ("calibration", "test")
STREAM_SAMPLERS = ("ensemble", "dropout")
DATA = Path(os.environ.get("CAVEAT_DATA", DATA_ROOT))
SEEN = ("training", "early_stopping")
UNSEEN = ("early_stopping", "calibration", "test")
WRITERS = [
    {"_target_": f"caveat.transforms.writers.{name}"}
    for name in ("segmentation.SegmentationWriter", "result_json.ResultJsonWriter")
]
"""What the tables read; maps, reports and previews are left out."""


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
    }
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=steps)
    steps[parser.parse_args().step]()


def pack_members() -> None:
    """One file of weights for the ensemble of five: member k went through a second cycle from fold k + 1's network."""
    print(pack([CHECKPOINTS / f"member{fold - 1}" / "best.pt" for fold in FOLDS], BUNDLE / "models" / "model.pt"))
    seen = sorted(entry["sha256"] for part in SEEN for entry in read_entries(LIST, part))
    (BUNDLE / "calibration" / "seen.json").write_text(json.dumps(seen, indent=1) + "\n", encoding="utf-8")


def predict_out_of_fold() -> None:
    """Each fold's own network on the fold's subjects."""
    for fold in FOLDS:
        studies = studies_from_list(fold_list(fold), "out_of_fold")
        for sampler in FOLD_SAMPLERS:
            predict(OUT / f"{sampler}_fold{fold}", studies, sampler, **weights_of_fold(fold))


def predict_placements() -> None:
    """Dropout draws of each fold's network on the fold's subjects, masked in some levels only."""
    for fold in FOLDS:
        studies = studies_from_list(fold_list(fold), "out_of_fold")
        for name, dropout in PLACEMENTS.items():
            predict(OUT / f"{name}_fold{fold}", studies, "dropout", **{"backbone::dropout": dropout}, **weights_of_fold(fold))


def fold_list(fold: int) -> Path:
    """The data list of a fold."""
    return ROOT / "data_lists" / f"hippocampus_fold{fold}.json"


def weights_of_fold(fold: int) -> dict[str, str]:
    """The one network that has not seen the fold's subjects, as overrides of the bundle's config."""
    weights = OUT / "weights" / f"fold{fold}.pt"
    weights.parent.mkdir(parents=True, exist_ok=True)
    sha256 = pack([CHECKPOINTS / f"fold{fold}" / "best.pt"], weights)
    return {"weights_path": str(weights), "weights_sha256": sha256}


def predict_training() -> None:
    """The ensemble on the training subjects."""
    predict(OUT / "training", studies_from_list(LIST, "training"), "ensemble")


def predict_unseen() -> None:
    """Every sampler that the bundle has, on every subject that trained no network."""
    studies = [study for part in UNSEEN for study in studies_from_list(LIST, part)]
    for sampler in read_metadata(BUNDLE)["samplers"]:
        predict(OUT / sampler, studies, sampler)


def write_streams() -> None:
    """Degrade what the stream's file says, each list into a folder of its own."""
    stream = read_stream(ROOT / "data_lists" / "hippocampus_stream.yaml")
    for fold in FOLDS:
        print(fold, write_stream(fold_list(fold), ["out_of_fold"], stream, DATA, STREAMS / f"fold{fold}"))
    print(write_stream(LIST, STREAM_PARTS, stream, DATA, STREAMS / "unseen"))


def predict_fold_streams() -> None:
    """Draws for learning a width on the training folds."""
    for fold in FOLDS:
        folder = STREAMS / f"fold{fold}"
        studies = studies_from_list(folder / "list.json", "out_of_fold", dataset_dir=folder)
        predict(OUT / f"stream_dropout_fold{fold}", studies, "dropout", **weights_of_fold(fold))


def predict_streams() -> None:
    """What calibrates and tests the width."""
    folder = STREAMS / "unseen"
    studies = [
        study for part in ("calibration", "test") for study in studies_from_list(folder / "list.json", part, dataset_dir=folder)
    ]
    for sampler in STREAM_SAMPLERS:
        predict(OUT / f"stream_{sampler}", studies, sampler)


def predict(out: Path, studies: list[dict[str, Any]], sampler: str | None = None, **overrides: Any) -> None:
    """Predict into a folder, unless every study stands there already."""
    predict_once(BUNDLE, out, studies, sampler, WRITERS, **overrides)


if __name__ == "__main__":
    main()
