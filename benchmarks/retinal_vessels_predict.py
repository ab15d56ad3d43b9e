"""Every prediction behind the tables of bundles/retinal_vessels/docs/README.md.

    python benchmarks/retinal_vessels_predict.py STEP

test    shipped weights on children 11-14: one network, ensemble, dropout with 5 to 40 draws
folds   fold networks from checkpoints/ (make train-retinal), each on its own children
shift   the ensemble on HRF, and on blurred, darkened and rotated test images
pack    after training: the members' checkpoints into models/model.pt, prints its sha256

Writes below out/, which git ignores; what is there is not predicted again. CAVEAT_DATA names the folder of the data sets.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from predict_once import ROOT, predict_once

from caveat.bundle_folders import find_bundle
from caveat.networks.weights.pack_members import pack
from caveat.transforms.study.discover import DATA_ROOT, find_studies, studies_from_list

OUT = ROOT / "out"
CHECKPOINTS = ROOT / "checkpoints" / "retinal_vessels"
BUNDLE = find_bundle("retinal_vessels")
METHODS: dict[str, dict[str, Any]] = {
    "single": {"sampler": "single"},
    "ensemble": {"sampler": "ensemble"},
    **{f"dropout{draws}": {"sampler": "dropout", "draws": draws} for draws in (5, 10, 20, 40)},
}
WRITERS = [
    {"_target_": f"caveat.transforms.writers.{name}"}
    for name in ("segmentation.SegmentationWriter", "maps.MapsWriter", "result_json.ResultJsonWriter")
]
"""What the tables read; reports and previews are left out."""
FOLD_METHODS = ("single", "dropout20")
FOLDS = (1, 2, 3, 4, 5)


def main() -> None:
    """Run one step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=("test", "folds", "shift", "pack"))
    {"test": predict_test, "folds": predict_folds, "shift": predict_shift, "pack": pack_members}[parser.parse_args().step]()


def predict_test() -> None:
    """All methods on the customary test children."""
    studies = studies_from_list(ROOT / "data_lists" / "chase_db1.json", "test")
    for name, method in METHODS.items():
        predict(OUT / "retinal_vessels" / name, studies, **method)


def predict_folds() -> None:
    """The fold's own network on the fold's children; a fold that is not trained is passed over."""
    for fold in FOLDS:
        checkpoint = CHECKPOINTS / f"fold{fold}" / "best.pt"
        if not checkpoint.is_file():
            print(f"fold {fold}: not trained")
            continue
        weights = OUT / "folds" / f"fold{fold}.pt"
        weights.parent.mkdir(parents=True, exist_ok=True)
        sha256 = pack([checkpoint], weights)
        studies = studies_from_list(ROOT / "data_lists" / f"chase_db1_fold{fold}.json", "test")
        for name in FOLD_METHODS:
            folder = OUT / "retinal_vessels" / f"{name}_fold{fold}"
            predict(folder, studies, weights_path=str(weights), weights_sha256=sha256, **METHODS[name])


def predict_shift() -> None:
    """The ensemble on another camera, and on the corrupted test images."""
    data = Path(os.environ.get("CAVEAT_DATA", DATA_ROOT))
    predict(OUT / "shift" / "hrf", find_studies(data / "hrf" / "images"))
    corrupted = OUT / "shifted_images"
    if not corrupted.is_dir():
        subprocess.run([sys.executable, ROOT / "benchmarks" / "retinal_vessels_shift.py", "corrupt", "-o", corrupted], check=True)
    for folder in sorted(corrupted.iterdir()):
        predict(OUT / "shift" / folder.name, find_studies(folder))


def pack_members() -> None:
    """One file of weights for the ensemble of five."""
    members = [CHECKPOINTS / f"member{number}" / "best.pt" for number in range(5)]
    print(pack(members, BUNDLE / "models" / "model.pt"))


def predict(
    out: Path, studies: list[dict[str, Any]], sampler: str | None = None, draws: int | None = None, **overrides: Any
) -> None:
    """Predict into a folder, unless every study stands there already."""
    if draws is not None:
        overrides["inferer::draws"] = draws
    predict_once(BUNDLE, out, studies, sampler, WRITERS, **overrides)


if __name__ == "__main__":
    main()
