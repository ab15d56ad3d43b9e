"""Every prediction behind the tables of bundles/tumour_volume/docs/README.md.

    python benchmarks/tumour_volume_predict.py STEP

pack         after training: the five fold networks into models/model.pt, prints its sha256; which network has seen which image
             into calibration/seen.json
ensemble     the bundle's own sampler on the 96 training patients, of which records are made, and on the 19 test patients
out_of_fold  each network alone, by ten dropout draws, on the patients that it has not seen
others       the bundle's own sampler on what is no tumour on FLAIR, or no part of any list
left_out     the networks that were trained without an institution, on its patients

Writes below out/, which git ignores; what is there is not predicted again. CAVEAT_DATA names the folder of the other data sets;
the tumours come from `python data_lists/prepare_brain_tumour.py`.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from predict_once import ROOT, predict_once

from caveat.inference.stored.list_part import read_entries
from caveat.networks.weights.pack_members import pack
from caveat.transforms.study.discover import DATA_ROOT, find_studies, studies_from_list

OUT = ROOT / "out" / "tumour_volume"
PREPARED = ROOT / "prepared"
CHECKPOINTS = Path(os.environ.get("CAVEAT_CHECKPOINTS", ROOT / "checkpoints")) / "tumour_volume"
BUNDLE = ROOT / "bundles" / "tumour_volume"
LISTS = ROOT / "data_lists"
LIST = LISTS / "brain_tumour.json"
OUT_OF_FOLD = LISTS / "brain_tumour_out_of_fold.json"
FOLDS = (1, 2, 3, 4, 5)
INSTITUTIONS = ("CS", "DU", "FG", "HT")
PREFIX = "samplers.{}.sampler.backbone."
DRAWS_OF_ONE = 10
DATA = Path(os.environ.get("CAVEAT_DATA", DATA_ROOT))
OTHERS = {
    "multiple sclerosis": [f"brain_ms_ljubljana/patient{number}_flair.nii.gz" for number in ("07", "19", "26")],
    "twins": [f"brain_tumour_brats_more/Brats18_TCIA{name}_1_flair.nii.gz" for name in ("10_628", "10_637", "10_639", "13_623")],
    "T1 crop of a hippocampus": ["hippocampus/images/hippocampus_006.nii.gz", "hippocampus/images/hippocampus_007.nii.gz"],
    "CT": ["ct_for_projection/lidc_0314_chest.nii.gz", "ct_for_projection/sts_007.nii.gz", "ct_for_projection/sts_013.nii.gz"],
}
"""Below the folder of the data sets."""
WRITERS = [
    {"_target_": f"caveat.transforms.writers.{name}"}
    for name in ("segmentation.SegmentationWriter", "result_json.ResultJsonWriter")
]
REDUCERS = [
    {"_target_": "caveat.inference.reducers.moments.Moments"},
    {"_target_": "caveat.inference.reducers.extent.Extent", "measurements": "@measurements"},
    {"_target_": "caveat.inference.reducers.agreement.Agreement"},
    {"_target_": "caveat.inference.reducers.lesions.Lesions", "measurement": "@measurements::0"},
]
ONLY = {"reducers": REDUCERS, "to_input_grid::maps": []}
"""What the tables read; maps, reports and previews are left out, which takes more than half of the time."""


def main() -> None:
    """Run one step."""
    steps = {
        "pack": pack_members,
        "ensemble": predict_ensemble,
        "out_of_fold": predict_out_of_fold,
        "others": predict_others,
        "left_out": predict_left_out,
    }
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=steps)
    steps[parser.parse_args().step]()


def pack_members() -> None:
    """One file of weights for the five networks, network k trained without fold k + 1; and what each has seen."""
    print(pack([CHECKPOINTS / f"fold{fold}" / "best.pt" for fold in FOLDS], BUNDLE / "models" / "model.pt", PREFIX))
    seen: dict[str, list[int]] = {}
    for network, fold in enumerate(FOLDS):
        for entry in read_entries(LISTS / f"brain_tumour_fold{fold}.json", "training"):
            seen.setdefault(entry["sha256"], []).append(network)
    (BUNDLE / "calibration" / "seen.json").write_text(json.dumps(seen, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def predict_ensemble() -> None:
    """Records are made of the training patients by preparation, figures of the ensemble of the test patients."""
    for list_file, part in ((OUT_OF_FOLD, "with_skull"), (OUT_OF_FOLD, "stripped"), (LIST, "test")):
        predict(OUT / "ensemble" / part, studies_from_list(list_file, part, dataset_dir=PREPARED))


def predict_out_of_fold() -> None:
    """Each network on its own fold's patients."""
    for network, fold in enumerate(FOLDS):
        studies = studies_from_list(LISTS / f"brain_tumour_fold{fold}.json", "out_of_fold", dataset_dir=PREPARED)
        predict(OUT / f"fold{fold}", studies, "dropout", **{"member": network, "inferer::draws": DRAWS_OF_ONE})


def predict_others() -> None:
    """What the bundle says of images that it was not made for, and of tumours that stand in no list."""
    for name, files in OTHERS.items():
        for file in files:
            predict(OUT / "others" / name.replace(" ", "_") / Path(file).name.split(".")[0], find_studies(DATA / file))


def predict_left_out() -> None:
    """One network for each institution that was left out."""
    for institution in INSTITUTIONS:
        studies = studies_from_list(LISTS / f"brain_tumour_without_{institution}.json", "left_out", dataset_dir=PREPARED)
        overrides = weights_of(CHECKPOINTS / f"without_{institution}" / "best.pt")
        predict(OUT / f"without_{institution}", studies, "dropout", **overrides, **{"inferer::draws": DRAWS_OF_ONE})


def weights_of(checkpoint: Path) -> Mapping[str, str]:
    """One network's weights as overrides of the bundle's config."""
    weights = OUT / "weights" / f"{checkpoint.parent.name}.pt"
    weights.parent.mkdir(parents=True, exist_ok=True)
    return {"weights_path": str(weights), "weights_sha256": pack([checkpoint], weights, PREFIX)}


def predict(out: Path, studies: list[dict[str, Any]], sampler: str | None = None, **overrides: Any) -> None:
    """Predict into a folder, unless every study stands there already."""
    predict_once(BUNDLE, out, studies, sampler, WRITERS, **ONLY, **overrides)


if __name__ == "__main__":
    main()
