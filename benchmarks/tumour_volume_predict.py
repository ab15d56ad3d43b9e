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

from pathlib import Path

import frame
from frame import DATA, FOLDS, LISTS, PREPARED, RESULT, ROOT, SEGMENTATION

from caveat.transforms.study.discover import find_studies

OUT = ROOT / "out" / "tumour_volume"
CHECKPOINTS = frame.CHECKPOINTS / "tumour_volume"
BUNDLE = ROOT / "bundles" / "tumour_volume"
LIST = LISTS / "brain_tumour.json"
OUT_OF_FOLD = LISTS / "brain_tumour_out_of_fold.json"
INSTITUTIONS = ("CS", "DU", "FG", "HT")
PREFIX = "samplers.{}.sampler.backbone."
OTHERS = {
    "multiple sclerosis": [f"brain_ms_ljubljana/patient{number}_flair.nii.gz" for number in ("07", "19", "26")],
    "twins": [f"brain_tumour_brats_more/Brats18_TCIA{name}_1_flair.nii.gz" for name in ("10_628", "10_637", "10_639", "13_623")],
    "T1 crop of a hippocampus": ["hippocampus/images/hippocampus_006.nii.gz", "hippocampus/images/hippocampus_007.nii.gz"],
    "CT": ["ct_for_projection/lidc_0314_chest.nii.gz", "ct_for_projection/sts_007.nii.gz", "ct_for_projection/sts_013.nii.gz"],
}
"""Below the folder of the data sets."""
WRITERS = (SEGMENTATION, RESULT)
REDUCERS = [
    {"_target_": "caveat.inference.reducers.moments.Moments"},
    {"_target_": "caveat.inference.reducers.extent.Extent", "measurements": "@measurements"},
    {"_target_": "caveat.inference.reducers.agreement.Agreement"},
    {"_target_": "caveat.inference.reducers.lesions.Lesions", "measurement": "@measurements::0"},
]
ONLY = {"reducers": REDUCERS, "to_input_grid::maps": []}
"""What the tables read; maps, reports and previews are left out, which takes more than half of the time."""
OF_ONE = ONLY | {"inferer::draws": 10}
"""Of one network's draws."""


def main() -> None:
    """Run one step."""
    steps = {
        "pack": pack_members,
        "ensemble": predict_ensemble,
        "out_of_fold": predict_out_of_fold,
        "others": predict_others,
        "left_out": predict_left_out,
    }
    steps[frame.step_parser(__doc__, steps).parse_args().step]()


def pack_members() -> None:
    """One file of weights for the five networks, network k trained without fold k + 1; and what each has seen."""
    frame.pack_weights(BUNDLE, (CHECKPOINTS / f"fold{fold}" for fold in FOLDS), prefix=PREFIX)
    frame.write_seen(BUNDLE, frame.seen_by_fold((LISTS / f"brain_tumour_fold{fold}.json" for fold in FOLDS), ["training"]))


def predict_ensemble() -> None:
    """Records are made of the training patients by preparation, figures of the ensemble of the test patients."""
    for data_list, part in ((OUT_OF_FOLD, "with_skull"), (OUT_OF_FOLD, "stripped"), (LIST, "test")):
        studies = frame.studies_of(data_list, [part], dataset_dir=PREPARED)
        frame.predict(BUNDLE, OUT / "ensemble" / part, studies, None, WRITERS, **ONLY)


def predict_out_of_fold() -> None:
    """Each network on its own fold's patients."""
    for network, fold in enumerate(FOLDS):
        studies = frame.studies_of(LISTS / f"brain_tumour_fold{fold}.json", ["out_of_fold"], dataset_dir=PREPARED)
        frame.predict(BUNDLE, OUT / f"fold{fold}", studies, "dropout", WRITERS, **OF_ONE, member=network)


def predict_others() -> None:
    """What the bundle says of images that it was not made for, and of tumours that stand in no list."""
    for name, files in OTHERS.items():
        for file in files:
            out = OUT / "others" / name.replace(" ", "_") / Path(file).name.split(".")[0]
            frame.predict(BUNDLE, out, find_studies(DATA / file), None, WRITERS, **ONLY)


def predict_left_out() -> None:
    """One network for each institution that was left out."""
    for institution in INSTITUTIONS:
        studies = frame.studies_of(LISTS / f"brain_tumour_without_{institution}.json", ["left_out"], dataset_dir=PREPARED)
        weights = frame.weights_of(CHECKPOINTS / f"without_{institution}", OUT / "weights", prefix=PREFIX)
        frame.predict(BUNDLE, OUT / f"without_{institution}", studies, "dropout", WRITERS, **OF_ONE, **weights)


if __name__ == "__main__":
    main()
