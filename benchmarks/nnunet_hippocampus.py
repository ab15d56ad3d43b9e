"""Someone else's network: nnU-Net, trained by its own code on the 106 training subjects of the hippocampus list.

    python benchmarks/nnunet_hippocampus.py STEP

prepare      its raw folder, its own preprocessing with small plans and the list's folds by subject, below out/nnunet; budget.json
train        folds one after the other (`--folds 0 2 4` for some), each ended by nnU-Net's own validation; resumes
elsewhere    crops of the size of a hippocampus scan, at random places of 27 FLAIR heads and 25 CT bodies, for the gate
limits       what the limits of the wrapped folder's record on the image alone (`--bundle`) make of these crops
compare      the wrapped folder (`--bundle`) beside nnU-Net's own predictor on four test scans, in turn: labels and time

Needs the extra caveat[nnunet]. Between them lie the commands of docs/your_network.md, which has the tables.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import frame
import nibabel as nib
import numpy as np
import torch
from frame import DATA, LISTS, ROOT

from caveat.inference.calibration.record import read_records
from caveat.inference.gate.image_scores import IMAGE_SCORES, image_scores
from caveat.inference.stored.list_part import read_entries
from caveat.transforms.study.load_study import LoadStudyd

OUT = ROOT / "out" / "nnunet"
RAW, PREPROCESSED, RESULTS = (OUT / name for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results"))
os.environ.update({folder.name: str(folder) for folder in (RAW, PREPROCESSED, RESULTS)})
"""nnU-Net reads these while it is imported."""
os.environ.setdefault("nnUNet_n_proc_DA", "1")

DATASET, NUMBER = "Dataset004_Hippocampus", 4
LABELS = {"background": 0, "anterior": 1, "posterior": 2}
FOLDS = range(5)
HEADS = ("brain_tumour_brats", "brain_tumour_brats_more", "brain_ms_ljubljana")
CROP_MM = (36, 50, 35)
"""The median of the hippocampus scans."""
EPOCHS = 10
"""Of 250 steps, nnU-Net's own length of an epoch."""
SMALL_PLANS = {"patch_size": [32, 48, 32], "batch_size": 2}
FEATURES = [8, 16, 32, 64]
"""nnU-Net plans the same stages for this set, with windows of 40 x 56 x 40, 6 of them a step, and four times the features."""


def main() -> None:
    """Run one step."""
    steps = {
        "prepare": lambda asked: prepare(),
        "train": lambda asked: [train(fold) for fold in asked.folds],
        "elsewhere": lambda asked: write_elsewhere(),
        "limits": lambda asked: show_limits(Path(asked.bundle)),
        "compare": lambda asked: compare(asked.bundle),
    }
    parser = frame.step_parser(__doc__, steps, bundle=str(OUT / "bundle"))
    parser.add_argument("--folds", type=int, nargs="+", default=list(FOLDS))
    asked = parser.parse_args()
    steps[asked.step](asked)


def case_name(entry: dict[str, Any]) -> str:
    """A scan's name in nnU-Net's folders: its subject stands in it, so that `--unit` finds it."""
    return f"sub-{entry['unit'].split()[-1]}_scan-{Path(entry['image']).name.split('.')[0].split('_')[-1]}"


def prepare() -> None:
    """Folders as nnU-Net wants them, and its own planning; then the plans made smaller and the split by subject."""
    from nnunetv2.experiment_planning.plan_and_preprocess_api import extract_fingerprints, plan_experiments, preprocess

    entries = read_entries(LISTS / "hippocampus_cross_validation.json", "training")
    write_raw(entries)
    write_budget(entries)
    extract_fingerprints([NUMBER], num_processes=1, check_dataset_integrity=True)
    plans = plan_experiments([NUMBER])
    plans_file = PREPROCESSED / DATASET / f"{plans}.json"
    plans_file.write_text(json.dumps(smaller(json.loads(plans_file.read_text())), indent=1))
    preprocess([NUMBER], plans, configurations=["3d_fullres"], num_processes=[1])
    (PREPROCESSED / DATASET / "splits_final.json").write_text(json.dumps(splits(entries), indent=1))


def write_raw(entries: list[dict[str, Any]]) -> None:
    """Images as they are; labels as whole numbers, since two of the set's are stored as floats."""
    folder = RAW / DATASET
    for name in ("imagesTr", "labelsTr"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for entry in entries:
        shutil.copyfile(DATA / entry["image"], folder / "imagesTr" / f"{case_name(entry)}_0000.nii.gz")
        label = nib.load(DATA / entry["label"][0])
        whole = np.asarray(label.dataobj).astype(np.uint8)
        nib.save(nib.Nifti1Image(whole, label.affine), folder / "labelsTr" / f"{case_name(entry)}.nii.gz")
    described = {"channel_names": {"0": "MRI"}, "labels": LABELS, "numTraining": len(entries), "file_ending": ".nii.gz"}
    (folder / "dataset.json").write_text(json.dumps(described, indent=1))


def write_budget(entries: list[dict[str, Any]]) -> None:
    """What is going to be trained, before the first step."""
    budget = {
        "trainer": trainer_class().__name__,
        "steps_a_fold": EPOCHS * 250,
        **SMALL_PLANS,
        "features_per_stage": FEATURES,
        "cases": len(entries),
        "subjects": len({entry["unit"] for entry in entries}),
        "folds": len(FOLDS),
        "seed": "none: nnU-Net sets none",
    }
    (OUT / "budget.json").write_text(json.dumps(budget, indent=1) + "\n")


def smaller(plans: dict[str, Any]) -> dict[str, Any]:
    """The plans of nnU-Net with fewer windows a step and fewer features, for a processor."""
    full = plans["configurations"]["3d_fullres"]
    full.update(SMALL_PLANS)
    stages = full["architecture"]["arch_kwargs"]
    if stages["n_stages"] != len(FEATURES):
        raise ValueError(
            f"nnU-Net planned {stages['n_stages']} stages, {len(FEATURES)} are expected: it has changed its planning"
        )
    stages["features_per_stage"] = FEATURES
    return plans


def splits(entries: list[dict[str, Any]]) -> list[dict[str, list[str]]]:
    """The list's folds, which keep a subject's two scans together; nnU-Net's own split looks at cases alone."""
    return [
        {
            "train": [case_name(entry) for entry in entries if entry["fold"] != fold],
            "val": [case_name(entry) for entry in entries if entry["fold"] == fold],
        }
        for fold in FOLDS
    ]


def trainer_class() -> type:
    """nnU-Net's own trainer of this length. Imported by its module: its search by name imports torchvision."""
    from nnunetv2.training.nnUNetTrainer.variants.training_length import nnUNetTrainer_Xepochs

    found: type = getattr(nnUNetTrainer_Xepochs, f"nnUNetTrainer_{EPOCHS}epochs")
    return found


def train(fold: int) -> None:
    """One fold on one core to its end, from where it was stopped; then its validation, as `nnUNetv2_train` does both."""
    torch.set_num_threads(1)
    plans, described = (json.loads((PREPROCESSED / DATASET / name).read_text()) for name in ("nnUNetPlans.json", "dataset.json"))
    kept = RESULTS / DATASET / f"{trainer_class().__name__}__nnUNetPlans__3d_fullres" / f"fold_{fold}"
    if (kept / "validation" / "summary.json").is_file():
        return
    checkpoint = next(
        (kept / name for name in ("checkpoint_final.pth", "checkpoint_latest.pth") if (kept / name).is_file()), None
    )
    plans["continue_training"] = checkpoint is not None
    trainer = trainer_class()(plans, "3d_fullres", fold, described, torch.device("cpu"))
    trainer.initialize()
    if checkpoint is not None:
        trainer.load_checkpoint(str(checkpoint))
    if checkpoint is None or checkpoint.name != "checkpoint_final.pth":
        trainer.run_training()
    trainer.load_checkpoint(str(kept / "checkpoint_final.pth"))
    trainer.perform_actual_validation(save_probabilities=False)


def write_elsewhere() -> None:
    """Crops that hold no hippocampus as it was learned, or none at all: of heads in another sequence, and of bodies in CT."""
    generator = np.random.default_rng(0)
    heads = sorted(path for name in HEADS for path in (DATA / name).glob("*_flair.nii.gz"))
    bodies = sorted(path for path in (DATA / "ct_for_projection").glob("*.nii.gz") if not path.name.endswith("_body.nii.gz"))
    for kind, files, air in (("flair", heads, 0.0), ("ct", bodies, -500.0)):
        folder = OUT / "elsewhere" / kind
        folder.mkdir(parents=True, exist_ok=True)
        for number, file in enumerate(files):
            nib.save(random_crop(nib.load(file), air, generator), folder / f"{kind}{number:02}.nii.gz")
        print(f"{len(files)} crops of {kind}")


def random_crop(image: Any, air: float, generator: np.random.Generator) -> Any:
    """A box of `CROP_MM` at a random place where nine tenths of its elements are more than air, or half of them."""
    voxels = np.asarray(image.dataobj, dtype=np.float32)
    size = [
        min(round(side / step), extent)
        for side, step, extent in zip(CROP_MM, image.header.get_zooms(), voxels.shape, strict=True)
    ]
    for share in (0.9, 0.5):
        for _ in range(200):
            start = [int(generator.integers(extent - side + 1)) for extent, side in zip(voxels.shape, size, strict=True)]
            box = tuple(slice(first, first + side) for first, side in zip(start, size, strict=True))
            if (voxels[box] > air).mean() >= share:
                return image.slicer[box]
    raise ValueError("a volume of air")


def show_limits(bundle: Path) -> None:
    """How many crops pass each limit, and the noise of training scans in the image's own unit and as a share of its contrast."""
    gate = read_records(bundle / "calibration")[0].gate
    limits = {limit.name: limit.threshold for limit in gate.limits if limit.name in IMAGE_SCORES}
    for kind in ("flair", "ct"):
        scores = [scores_of(crop) for crop in sorted((OUT / "elsewhere" / kind).glob("*.nii.gz"))]
        past = {name: sum(not one[name] <= limit for one in scores) for name, limit in limits.items()}
        within = sum(all(one[name] <= limit for name, limit in limits.items()) for one in scores)
        print(f"{len(scores)} crops of {kind}: past {past}, within all {within}")
    entries = read_entries(LISTS / "hippocampus_cross_validation.json", "training")
    scores = [scores_of(DATA / entry["image"]) for entry in entries]
    for name in ("noise", "relative_noise"):
        print(f"{name} of {len(scores)} training scans: {min(one[name] for one in scores)} to {max(one[name] for one in scores)}")


def scores_of(image: Path) -> dict[str, float]:
    """Of the image as the gate of a wrapped nnU-Net sees it."""
    return image_scores(np.asarray(LoadStudyd("image")({"image": str(image)})["image"][0]))


def compare(bundle: str) -> None:
    """Both ways on the same scans, one after the other: labels that differ, and CPU seconds."""
    import caveat

    own, wrapped = own_predictor(), caveat.load(bundle, device="cpu")
    scans = [DATA / entry["image"] for entry in read_entries(LISTS / "hippocampus_cross_validation.json", "test")][:4]
    ratios, other = [], 0
    for number, scan in enumerate(scans):
        ways = [("own", lambda scan=scan: own(scan)), ("wrapped", lambda scan=scan: wrapped.measure(scan))]
        said, seconds = {}, {}
        for name, way in ways if number % 2 else reversed(ways):
            begun = time.process_time()
            said[name] = way()
            seconds[name] = time.process_time() - begun
        labels = np.asarray(said["wrapped"].segmentation)[0]
        other += int((labels != said["own"]).sum())
        ratios.append(seconds["wrapped"] / seconds["own"])
        print(f"own {seconds['own']:.1f} s, wrapped {seconds['wrapped']:.1f} s", flush=True)
    print(f"labels that differ: {other}")
    print(f"wrapped takes {np.median(ratios):.2f} times nnU-Net's own ({min(ratios):.2f} to {max(ratios):.2f})")


def own_predictor() -> Callable[[Path], np.ndarray]:
    """nnU-Net's reader and predictor as its command line sets them. Returns: a file to its labels, (x, y, z)."""
    from nnunetv2.imageio.simpleitk_reader_writer import SimpleITKIO
    from nnunetv2.inference import predict_from_raw_data

    predict_from_raw_data.recursive_find_trainer_class_by_name = lambda name: trainer_class()  # as above
    predictor = predict_from_raw_data.nnUNetPredictor(0.5, True, True, False, torch.device("cpu"), allow_tqdm=False)
    folder = RESULTS / DATASET / f"{trainer_class().__name__}__nnUNetPlans__3d_fullres"
    predictor.initialize_from_trained_model_folder(str(folder), tuple(FOLDS), "checkpoint_final.pth")

    def predict(scan: Path) -> np.ndarray:
        voxels, properties = SimpleITKIO().read_images([str(scan)])
        labels: np.ndarray = predictor.predict_single_npy_array(voxels, properties, None, None, False)
        return labels.transpose(2, 1, 0)

    return predict


if __name__ == "__main__":
    main()
