"""Every prediction behind the tables of bundles/retinal_vessels/docs/README.md.

    python benchmarks/retinal_vessels_predict.py STEP

test    shipped weights on children 11-14: one network, ensemble, dropout with 5 to 40 draws
folds   fold networks from checkpoints/ (make train-retinal), each on its own children
shift   the ensemble on HRF, and on blurred, darkened and rotated test images
pack    after training: the members' checkpoints into models/model.pt, prints its sha256

Writes below out/, which git ignores; what is there is not predicted again. CAVEAT_DATA names the folder of the data sets.
"""

from __future__ import annotations

from typing import Any

import frame
from frame import DATA, FOLDS, LISTS, MAPS, RESULT, ROOT, SEGMENTATION
from retinal_vessels_shift import write_corrupted

from caveat.bundle_folders import find_bundle
from caveat.transforms.study.discover import find_studies

OUT = ROOT / "out"
CHECKPOINTS = frame.CHECKPOINTS / "retinal_vessels"
BUNDLE = find_bundle("retinal_vessels")
METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "single": ("single", {}),
    "ensemble": ("ensemble", {}),
    **{f"dropout{draws}": ("dropout", {"inferer::draws": draws}) for draws in (5, 10, 20, 40)},
}
"""Sampler, and overrides of the bundle's config."""
WRITERS = (SEGMENTATION, MAPS, RESULT)
FOLD_METHODS = ("single", "dropout20")


def main() -> None:
    """Run one step."""
    steps = {"test": predict_test, "folds": predict_folds, "shift": predict_shift, "pack": pack_members}
    steps[frame.step_parser(__doc__, steps).parse_args().step]()


def predict_test() -> None:
    """All methods on the customary test children."""
    studies = frame.studies_of(LISTS / "chase_db1.json", ["test"])
    for name, (sampler, more) in METHODS.items():
        frame.predict(BUNDLE, OUT / "retinal_vessels" / name, studies, sampler, WRITERS, **more)


def predict_folds() -> None:
    """The fold's own network on the fold's children; a fold that is not trained is passed over."""
    for fold in FOLDS:
        training = CHECKPOINTS / f"fold{fold}"
        if not (training / "best.pt").is_file():
            print(f"fold {fold}: not trained")
            continue
        weights = frame.weights_of(training, OUT / "folds")
        studies = frame.studies_of(LISTS / f"chase_db1_fold{fold}.json", ["test"])
        for name in FOLD_METHODS:
            sampler, more = METHODS[name]
            frame.predict(BUNDLE, OUT / "retinal_vessels" / f"{name}_fold{fold}", studies, sampler, WRITERS, **weights, **more)


def predict_shift() -> None:
    """The ensemble on another camera, and on the corrupted test images."""
    frame.predict(BUNDLE, OUT / "shift" / "hrf", find_studies(DATA / "hrf" / "images"), None, WRITERS)
    corrupted = OUT / "shifted_images"
    if not corrupted.is_dir():
        write_corrupted(corrupted)
    for folder in sorted(corrupted.iterdir()):
        frame.predict(BUNDLE, OUT / "shift" / folder.name, find_studies(folder), None, WRITERS)


def pack_members() -> None:
    """One file of weights for the ensemble of five."""
    frame.pack_weights(BUNDLE, (CHECKPOINTS / f"member{number}" for number in range(5)))


if __name__ == "__main__":
    main()
