"""`caveat wrap` of a trained nnU-Net v2 folder: its own prediction is stated, a draw is a fold, no code of strangers runs."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from nnunet_phantom import LABELS, plans, write_folder
from wrapping import call, wrap, write_image

from caveat.bundle_folders import CONFIG_HOME, read_metadata
from caveat.cli import main
from caveat.inference.stored.stored_study import read_map
from caveat.reasons import StudyRefused
from caveat.wrap.nnunet_folds import NnunetFolds

pytest.importorskip("nnunetv2", reason="the extra caveat[nnunet] is not installed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return write_folder(tmp_path_factory.mktemp("nnunet") / "nnUNetTrainer__nnUNetPlans__3d_fullres")


def own_prediction(folder: Path, image: Path, folds: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """nnU-Net's own reading and predictor. Returns: labels (x, y, z), probabilities (classes, x, y, z)."""
    from nnunetv2.imageio.simpleitk_reader_writer import SimpleITKIO
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    predictor = nnUNetPredictor(0.5, True, True, False, torch.device("cpu"), allow_tqdm=False)
    predictor.initialize_from_trained_model_folder(str(folder), folds, "checkpoint_final.pth")
    voxels, properties = SimpleITKIO().read_images([str(image)])
    labels, probabilities = predictor.predict_single_npy_array(voxels, properties, None, None, True)
    return labels.transpose(2, 1, 0), probabilities.transpose(0, 3, 2, 1)


@pytest.fixture(scope="module")
def predicted(folder, tmp_path_factory) -> Path:
    """The place of a bundle, an image and what was predicted of it."""
    place = tmp_path_factory.mktemp("wrapped")
    bundle = wrap(place / "mine", str(folder))
    write_image(place / "one.nii.gz")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CONFIG_HOME, str(place / "config"))
        asked = ["-i", str(place / "one.nii.gz"), "-o", str(place / "out"), "--workers", "0", "--device", "cpu", "--keep-draws"]
        assert main(["predict", str(bundle), *asked]) == 0
    return place


def test_what_is_stated_is_its_own_prediction(folder, predicted):
    labels, probabilities = own_prediction(folder, predicted / "one.nii.gz", (0, 1, 2))
    study = predicted / "out" / "one"
    np.testing.assert_array_equal(read_map(study / "segmentation.nii.gz")[0], labels)
    np.testing.assert_allclose(read_map(study / "probability.nii.gz")[0], probabilities, atol=1e-3)
    stated = json.loads((study / "result.json").read_text())["answers"]
    assert {0, 1} <= set(np.unique(labels)), "an image without a structure would show nothing"
    for answer, label in zip(stated, (1, 2), strict=True):
        assert answer["unit"] == "mL" and (answer["value"] or 0.0) == pytest.approx(
            (labels == label).sum() * voxel_ml(predicted), rel=1e-4
        )


def test_a_draw_is_a_fold(folder, predicted):
    answers = json.loads((predicted / "out" / "one" / "result.json").read_text())["answers"]
    for fold in range(3):
        labels, _ = own_prediction(folder, predicted / "one.nii.gz", (fold,))
        for answer in answers:
            count = (labels == LABELS[answer["name"].removesuffix(" volume")]).sum()
            assert answer["draws"]["values"][fold] == pytest.approx(count * voxel_ml(predicted), rel=1e-4)
    assert len(set(answers[0]["draws"]["values"])) == 3


def voxel_ml(place: Path) -> float:
    return abs(np.linalg.det(read_map(place / "one.nii.gz")[1][:3, :3])) / 1000


def test_weights_are_linked_and_the_samplers_named(predicted):
    assert (predicted / "mine" / "models" / "fold_0.pth").is_symlink()
    assert list(read_metadata(predicted / "mine")["samplers"]) == ["ensemble"]


def test_plans_that_were_changed_since_are_those_of_the_checkpoints(folder, predicted, monkeypatch):
    """The bundle links to a folder that goes on living: its plans name what is imported and how images are prepared."""
    monkeypatch.chdir(predicted)
    stored = plans()
    architecture(stored)["arch_kwargs"].update(
        nonlin="torch.nn.parallel.distributed.os.system", nonlin_kwargs={"command": "touch it_was_run"}
    )
    before = (folder / "plans.json").read_text()
    try:
        (folder / "plans.json").write_text(json.dumps(stored))
        monkeypatch.setenv(CONFIG_HOME, "config")
        assert main(["predict", "mine", "-i", "one.nii.gz", "-o", "again", "--workers", "0", "--device", "cpu"]) == 0
    finally:
        (folder / "plans.json").write_text(before)
    assert not Path("it_was_run").exists()
    answers = [json.loads((Path(out) / "one" / "result.json").read_text())["answers"] for out in ("out", "again")]
    assert answers[0] == answers[1]


class Evil:
    def __reduce__(self):
        return os.system, ("true",)


def strange_checkpoint(folder: Path, **changed) -> None:
    path = folder / "fold_1" / "checkpoint_final.pth"
    torch.save(torch.load(path, weights_only=False) | changed, path)


def architecture(stored: dict) -> dict:
    return stored["configurations"]["3d_fullres"]["architecture"]


def with_plans(folder: Path, change) -> None:
    """Change the plans in the folder and in every checkpoint."""
    stored = plans()
    change(stored)
    (folder / "plans.json").write_text(json.dumps(stored))
    for path in folder.glob("fold_*/checkpoint_final.pth"):
        checkpoint = torch.load(path, weights_only=False)
        checkpoint["init_args"]["plans"] = stored
        torch.save(checkpoint, path)


def every_checkpoint(folder: Path, **changed) -> None:
    for path in folder.glob("fold_*/checkpoint_final.pth"):
        torch.save(torch.load(path, weights_only=False) | changed, path)


def by_trainer(folder: Path, name: str) -> None:
    every_checkpoint(folder, trainer_name=name)


def test_a_trainer_that_trains_for_another_time_makes_the_same_network(tmp_path):
    folder = write_folder(tmp_path / "nnunet", folds=1)
    by_trainer(folder, "nnUNetTrainer_250epochs")
    assert "nnUNetTrainer_250epochs" in (wrap(tmp_path / "mine", str(folder)) / "docs" / "README.md").read_text()


SPOILED = {
    "SOURCE_NOT_WRAPPED: fold_0 is not there, of the folds 0 to 1": lambda f: shutil.rmtree(f / "fold_0"),
    "SOURCE_NOT_WRAPPED: fold_1 has no checkpoint_final.pth": lambda f: (f / "fold_1" / "checkpoint_final.pth").unlink(),
    "SOURCE_NOT_WRAPPED: plans.json or dataset.json is not what": lambda f: (f / "dataset.json").write_text(
        json.dumps({"labels": {"background": 0, "back": 1, "front": 2}})
    ),
    "SOURCE_NOT_WRAPPED: dataset.json cannot be read": lambda f: (f / "dataset.json").unlink(),
    "SOURCE_NOT_WRAPPED: the folds are of different trainings": lambda f: strange_checkpoint(
        f, inference_allowed_mirroring_axes=None
    ),
    "SOURCE_NOT_WRAPPED: two folds have one checkpoint": lambda f: shutil.copy(
        f / "fold_0" / "checkpoint_final.pth", f / "fold_1" / "checkpoint_final.pth"
    ),
    "SOURCE_NOT_WRAPPED: it was trained by another trainer": lambda f: by_trainer(f, "nnUNetTrainerMine"),
    "WEIGHTS_REFUSED: a checkpoint holds more than": lambda f: strange_checkpoint(f, logging=Evil()),
    "WEIGHTS_REFUSED: they are not of the network": lambda f: strange_checkpoint(f, network_weights={}),
    "SOURCE_NOT_WRAPPED: plans.json names code": lambda f: with_plans(
        f, lambda stored: architecture(stored).update(network_class_name="os.system")
    ),
    "SOURCE_NOT_WRAPPED: plans.json names code that": lambda f: with_plans(
        f,
        lambda stored: architecture(stored)["arch_kwargs"].update(
            nonlin="torch.nn.parallel.distributed.os.system", nonlin_kwargs={"command": "touch it_was_run"}
        ),
    ),
    "SOURCE_NOT_WRAPPED: the second stage of a cascade": lambda f: with_plans(
        f, lambda stored: stored["configurations"]["3d_fullres"].update(previous_stage="3d_lowres")
    ),
    "SOURCE_NOT_WRAPPED: the plans are of a version before": lambda f: with_plans(
        f, lambda stored: stored["configurations"]["3d_fullres"].pop("architecture")
    ),
    "SOURCE_NOT_WRAPPED: its reader is none": lambda f: with_plans(
        f, lambda stored: stored.update(image_reader_writer="NaturalImage2DIO")
    ),
}


RUNS = "$open('it_was_run', 'w')"


def with_configuration(folder: Path, name: str) -> None:
    """The plans' configuration renamed, as the checkpoints say it too."""
    with_plans(folder, lambda stored: stored.update(configurations={name: stored["configurations"]["3d_fullres"]}))
    for path in folder.glob("fold_*/checkpoint_final.pth"):
        checkpoint = torch.load(path, weights_only=False)
        checkpoint["init_args"]["configuration"] = name
        torch.save(checkpoint, path)


def mirrored(axes):
    return lambda folder: every_checkpoint(folder, inference_allowed_mirroring_axes=axes)


def of_configuration(**changed):
    return lambda folder: with_plans(folder, lambda stored: stored["configurations"]["3d_fullres"].update(changed))


def of_network(**changed):
    return lambda folder: with_plans(folder, lambda stored: architecture(stored)["arch_kwargs"].update(changed))


STRANGE = {
    "a configuration that is a program": lambda folder: with_configuration(folder, RUNS),
    "an axis that is a program": mirrored((0, RUNS)),
    "an axis that volumes do not have": mirrored((7,)),
    "axes that are no list": mirrored(5),
    "a window of words": of_configuration(patch_size=["a", 1, 1]),
    "a window too many": of_configuration(patch_size=[4, 4, 4, 4]),
    "a preprocessing that is none": of_configuration(preprocessor_name="os"),
    "a resampling that is none": of_configuration(resampling_fn_probabilities="nothing"),
    "a scheme that is none": of_configuration(normalization_schemes=[RUNS]),
    "a grid finer than any": of_configuration(spacing=[1e-3, 1e-3, 1e-3]),
    "a network of stages that do not fit": of_network(n_stages=3),
    "a network without its layers": of_network(conv_op="torch.nn.Nothing"),
    "plans that name what they lack": lambda folder: with_plans(
        folder, lambda stored: architecture(stored).update(_kw_requires_import=["nothing"])
    ),
    "a reader that is no name": lambda folder: with_plans(folder, lambda stored: stored.update(image_reader_writer=[])),
    "plans that are a list": lambda folder: with_plans(folder, lambda stored: stored.update(configurations=[])),
}


@pytest.mark.parametrize("what", STRANGE)
def test_what_nnunet_would_not_write_is_refused_and_nothing_of_it_is_run(what, tmp_path, monkeypatch, capsys):
    folder = write_folder(tmp_path / "nnunet", folds=1)
    monkeypatch.chdir(tmp_path)
    STRANGE[what](folder)
    assert call(tmp_path / "mine", str(folder)) == 2
    said = capsys.readouterr().err
    assert "SOURCE_NOT_WRAPPED" in said or "WRONG_USAGE" in said
    assert not Path("it_was_run").exists() and not Path("mine").exists()


@pytest.mark.parametrize("reason", SPOILED)
def test_what_is_not_whole_or_not_known_is_refused(reason, tmp_path, monkeypatch, capsys):
    folder = write_folder(tmp_path / "nnunet", folds=2)
    monkeypatch.chdir(tmp_path)
    SPOILED[reason](folder)
    assert call(tmp_path / "mine", str(folder)) == 2
    assert reason in capsys.readouterr().err and not Path("it_was_run").exists()


def test_a_fold_that_is_changed_while_it_is_in_use_is_refused(folder, tmp_path):
    """Its tensors are mapped: a training that writes over the file changes the answers, under the sha256 of before."""
    for number in range(2):
        shutil.copy(folder / f"fold_{number}" / "checkpoint_final.pth", tmp_path / f"{number}.pth")
    files = sorted(tmp_path.glob("*.pth"))
    folds = [{"file": file.name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()} for file in files]
    sampler = NnunetFolds(tmp_path, folds, "3d_fullres")
    study = MetaTensor(torch.rand(1, 1, 12, 12, 12), affine=torch.eye(4))
    before = sampler(study)
    torch.testing.assert_close(sampler(study), before)
    files[1].write_bytes((folder / "fold_2" / "checkpoint_final.pth").read_bytes())  # in place, as torch.save writes
    with pytest.raises(StudyRefused, match="WEIGHTS_HASH_MISMATCH"):
        sampler(study)
