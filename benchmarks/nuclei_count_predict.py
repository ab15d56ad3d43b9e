"""Every prediction behind the tables of bundles/nuclei_count/docs/README.md.

    python benchmarks/nuclei_count_predict.py STEP

pack         after training: the three fold networks into models/model.pt, prints its sha256; which network has seen which image
             into calibration/seen.json
out_of_fold  each network alone, without draws, on the pictures that it has not seen
records      the bundle's own sampler on one picture of each field of view, of which records are made
test         the bundle's own sampler on the fields of view that no network has seen

Writes below out/, which git ignores; what is there is not predicted again. CAVEAT_DATA names the folder of the data sets.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from predict_once import ROOT, predict_once

from caveat.inference.stored.list_part import read_entries
from caveat.networks.weights.pack_members import pack
from caveat.transforms.study.discover import studies_from_list

OUT = ROOT / "out" / "nuclei_count"
CHECKPOINTS = Path(os.environ.get("CAVEAT_CHECKPOINTS", ROOT / "checkpoints")) / "nuclei_count"
(BUNDLE,) = (ROOT / "bundles").glob("*nuclei_count")
LISTS = ROOT / "data_lists"
LIST = LISTS / "nuclei.json"
OUT_OF_FOLD = LISTS / "nuclei_out_of_fold.json"
FOLDS = (1, 2, 3)
"""Whose networks are trained."""
PREFIX = "samplers.{}.backbone."
WRITERS = [
    {"_target_": f"caveat.transforms.writers.{name}"}
    for name in ("segmentation.SegmentationWriter", "result_json.ResultJsonWriter")
]
MOMENTS, EXTENT, AGREEMENT, OBJECTS = (
    {"_target_": "caveat.inference.reducers.moments.Moments"},
    {"_target_": "caveat.inference.reducers.extent.Extent", "measurements": "@measurements"},
    {"_target_": "caveat.inference.reducers.agreement.Agreement"},
    {"_target_": "caveat.inference.reducers.objects.Objects", "measurement": "@measurements::1"},
)
WITH_OBJECTS = {"reducers": [MOMENTS, EXTENT, AGREEMENT, OBJECTS], "to_input_grid::maps": ["objects"]}
NUMBERS = {"reducers": [MOMENTS, EXTENT, AGREEMENT], "to_input_grid::maps": []}
"""What the tables read; maps, reports and previews are left out, which takes more than half of the time."""


def main() -> None:
    """Run one step."""
    steps = {"pack": pack_members, "out_of_fold": predict_out_of_fold, "records": predict_records, "test": predict_test}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=steps)
    steps[parser.parse_args().step]()


def pack_members() -> None:
    """One file of weights for the networks, network k trained without fold k + 1; and what each has seen."""
    print(pack([CHECKPOINTS / f"fold{fold}" / "best.pt" for fold in FOLDS], BUNDLE / "models" / "model.pt", PREFIX))
    seen: dict[str, list[int]] = {}
    for network, fold in enumerate(FOLDS):
        for entry in read_entries(LISTS / f"nuclei_fold{fold}.json", "training"):
            seen.setdefault(entry["sha256"], []).append(network)
    (BUNDLE / "calibration" / "seen.json").write_text(json.dumps(seen, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def predict_out_of_fold() -> None:
    """Each network on its own fold's pictures."""
    for network, fold in enumerate(FOLDS):
        studies = studies_from_list(LISTS / f"nuclei_fold{fold}.json", "out_of_fold")
        predict(OUT / f"fold{fold}", studies, "single", **WITH_OBJECTS, member=network)


def predict_records() -> None:
    """One picture of each field of view: all networks, each by its own draws."""
    predict(OUT / "records", studies_from_list(OUT_OF_FOLD, "one_of_each"), **NUMBERS)


def predict_test() -> None:
    """Figures of the ensemble."""
    predict(OUT / "test", studies_from_list(LIST, "test"), **WITH_OBJECTS)


def predict(out: Path, studies: list[dict[str, Any]], sampler: str | None = None, **overrides: Any) -> None:
    """Predict into a folder, unless every study stands there already."""
    predict_once(BUNDLE, out, studies, sampler, WRITERS, **overrides)


if __name__ == "__main__":
    main()
