"""Every prediction behind the tables of bundles/retinal_vessels/docs/README.md.

    python benchmarks/retinal_vessels_predict.py STEP

pack         after training: the seven networks into models/model.pt, prints its sha256; which network has seen which image into
             calibration/seen.json
out_of_fold  each network alone on the two children that it has not seen: without draws, and by 20 draws of its dropout
records      the ensemble on all children, of which records are made: draw k is of the network that has not seen fold k
shift        the ensemble on HRF, and on blurred, darkened and turned photographs of children 11-14

Writes below out/, which git ignores; what is there is not predicted again. CAVEAT_DATA names the folder of the data sets.
"""

from __future__ import annotations

import json
from pathlib import Path

import frame
from frame import DATA, LISTS, MAPS, RESULT, ROOT, SEGMENTATION
from retinal_vessels_shift import write_corrupted

from caveat.bundle_folders import find_bundle
from caveat.inference.stored.list_part import read_entries
from caveat.transforms.study.discover import find_studies

OUT = ROOT / "out" / "retinal_vessels"
CHECKPOINTS = frame.CHECKPOINTS / "retinal_vessels"
BUNDLE = find_bundle("retinal_vessels")
LIST = LISTS / "chase_db1_cross_validation.json"
NETWORKS = range(7)
SAMPLERS = ("single", "dropout")
REDUCERS = [
    {"_target_": "caveat.inference.reducers.moments.Moments"},
    {"_target_": "caveat.inference.reducers.extent.Extent", "measurements": "@measurements"},
    {"_target_": "caveat.inference.reducers.draw_entropy.DrawEntropy"},
]
NUMBERS = {"reducers": REDUCERS, "to_input_grid::maps": []}
"""What the shift's table reads; the rest takes more than half of the time."""


def main() -> None:
    """Run one step."""
    steps = {"pack": pack_members, "out_of_fold": predict_out_of_fold, "records": predict_records, "shift": predict_shift}
    steps[frame.step_parser(__doc__, steps).parse_args().step]()


def pack_members() -> None:
    """One file of weights for the ensemble, network k trained without fold k; and what each has seen."""
    frame.pack_weights(BUNDLE, (CHECKPOINTS / f"fold{network}" for network in NETWORKS))
    entries = read_entries(LIST, "training")
    frame.write_seen(BUNDLE, {entry["sha256"]: [k for k in NETWORKS if k != entry["fold"]] for entry in entries})


def predict_out_of_fold() -> None:
    """Each network on its own fold's children, which get a list of their own."""
    entries = read_entries(LIST, "training")
    for sampler in SAMPLERS:
        for network in NETWORKS:
            own = fold_list(network)
            own.parent.mkdir(parents=True, exist_ok=True)
            own.write_text(json.dumps({"test": [entry for entry in entries if entry["fold"] == network]}), encoding="utf-8")
            folder, studies = OUT / f"{sampler}_fold{network}", frame.studies_of(own, ["test"])
            frame.predict(BUNDLE, folder, studies, sampler, (SEGMENTATION, MAPS, RESULT), member=network)


def fold_list(network: int) -> Path:
    """The photographs that a network has not seen."""
    return OUT / f"fold{network}.json"


def predict_records() -> None:
    """All networks on every photograph."""
    frame.predict(BUNDLE, OUT / "records", frame.studies_of(LIST, ["training"]), None, (SEGMENTATION, RESULT))


def predict_shift() -> None:
    """All networks on another camera, and on photographs made worse."""
    frame.predict(BUNDLE, OUT / "shift" / "hrf", find_studies(DATA / "hrf" / "images"), None, [RESULT], **NUMBERS)
    corrupted = ROOT / "out" / "shifted_images"
    if not corrupted.is_dir():
        write_corrupted(corrupted)
    for folder in sorted(corrupted.iterdir()):
        frame.predict(BUNDLE, OUT / "shift" / folder.name, find_studies(folder), None, [RESULT], **NUMBERS)


if __name__ == "__main__":
    main()
