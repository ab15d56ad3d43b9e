"""Every prediction behind the tables of bundles/cephalometric_landmarks/docs/README.md.

    python benchmarks/cephalograms_predict.py STEP

pack      after training: the members' checkpoints into models/model.pt, prints its sha256; the images they have seen into
          calibration/seen.json
reference the ensemble on the images that trained it: the gate's reference is made of their features
training  once more, with that reference, and on those that stopped the training: limits of the kind of image
unseen    every sampler on the other images: shift_calibration and the official test, of which calibration and test are parts

Writes below out/, which git ignores; what is there is not predicted again. CAVEAT_DATA names the folder of the data sets.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from predict_once import ROOT, predict_once

from caveat.bundle_folders import find_bundle, read_metadata
from caveat.inference.stored.list_part import read_entries
from caveat.networks.weights.pack_members import pack
from caveat.transforms.study.discover import DATA_ROOT, studies_from_list

OUT = ROOT / "out" / "cephalograms"
CHECKPOINTS = ROOT / "checkpoints" / "cephalometric_landmarks"
BUNDLE = find_bundle("cephalometric_landmarks")
LIST = ROOT / "data_lists" / "cephalograms.json"
DATA = Path(os.environ.get("CAVEAT_DATA", DATA_ROOT))
MEMBERS = ("dropout", "member0", "member1", "member2", "member3")
"""The first one was trained with dropout: a member and the single network, its dropout off, and the dropout sampler's network."""
SEEN = ("training", "early_stopping")
UNSEEN = ("shift_calibration", "official_test")
WRITERS = [{"_target_": "caveat.transforms.writers.result_json.ResultJsonWriter"}]
"""What the tables read; reports and previews are left out."""


def main() -> None:
    """Run one step."""
    steps = {"pack": pack_networks, "reference": predict_reference, "training": predict_training, "unseen": predict_unseen}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=steps)
    steps[parser.parse_args().step]()


def pack_networks() -> None:
    """One file of weights for the ensemble of five."""
    print(pack([CHECKPOINTS / member / "best.pt" for member in MEMBERS], BUNDLE / "models" / "model.pt"))
    seen = sorted(entry["sha256"] for part in SEEN for entry in read_entries(LIST, part))
    (BUNDLE / "calibration").mkdir(exist_ok=True)
    (BUNDLE / "calibration" / "seen.json").write_text(json.dumps(seen, indent=1) + "\n", encoding="utf-8")


def predict_reference() -> None:
    """The ensemble on what it was trained on."""
    predict(OUT / "reference", SEEN[:1], "ensemble")


def predict_training() -> None:
    """The ensemble on every image that it has seen, by now with the distance from the reference."""
    predict(OUT / "training", SEEN, "ensemble")


def predict_unseen() -> None:
    """Every sampler that the bundle has, on every image that trained no network."""
    for sampler in read_metadata(BUNDLE)["samplers"]:
        predict(OUT / sampler, UNSEEN, sampler)


def predict(out: Path, parts: tuple[str, ...], sampler: str) -> None:
    """Predict parts of the list into a folder, unless every study stands there already."""
    studies = [study for part in parts for study in studies_from_list(LIST, part)]
    predict_once(BUNDLE, out, studies, sampler, WRITERS)


if __name__ == "__main__":
    main()
