"""A record from an nnU-Net's own cross-validation: its stored masks and the labels are all that CV+ needs."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import nibabel
import numpy as np
import pytest
import yaml
from nnunet_phantom import DATASET, write_folder, write_summary, write_training_set, write_validation
from wrapping import call

from caveat.api.bundle import load
from caveat.bundle_folders import CONFIG_HOME
from caveat.cli import main
from caveat.inference.calibration.case import Case
from caveat.inference.calibration.record import read_records
from caveat.reasons import StudyRefused
from caveat.wrap.nnunet_record import SETTINGS, one_a_fold, write_records
from caveat.wrap.nnunet_validation import HeldOut, TrainingSet

pytest.importorskip("nnunetv2", reason="the extra caveat[nnunet] is not installed")

FOLDS = 3
CASES = [f"sub{number:02d}_a" for number in range(9)] + ["sub00_b"]
"""Ten cases of nine patients: the first one's second case is in the fold of its first."""
EACH_PATIENT = ("--unit", "(sub[0-9]+)")


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A trained folder with its validation, and beside it the training set."""
    place = tmp_path_factory.mktemp("cross_validation")
    folder = write_folder(place / "trained", FOLDS)
    write_training_set(place / "raw", folder, CASES, FOLDS)
    return folder


@pytest.fixture(scope="module")
def wrapped(trained, tmp_path_factory) -> Path:
    bundle = tmp_path_factory.mktemp("wrapped") / "mine"
    assert call(bundle, str(trained), "--trained-on", str(trained.parent / "raw"), *EACH_PATIENT) == 0
    return bundle


def volume_ml(mask: Path, label: int) -> float:
    image = nibabel.load(mask)
    return float((np.asarray(image.dataobj) == label).sum() * abs(np.linalg.det(image.affine[:3, :3])) / 1000)


def test_its_residuals_are_those_of_the_stored_masks(trained, wrapped):
    """By hand: |truth - own| / (own + 0.1 mL), own of the fold's mask; one case a patient."""
    records = {record.names[0]: record for record in read_records(wrapped / "calibration")}
    for name, label in (("front volume", 1), ("back volume", 2)):
        (stratum,) = records[name].strata[0]
        expected: dict[str, list[float]] = {}
        for number, case in enumerate(CASES):
            own = volume_ml(trained / f"fold_{number % FOLDS}" / "validation" / f"{case}.nii.gz", label)
            truth = volume_ml(trained.parent / "raw" / "labelsTr" / f"{case}.nii.gz", label)
            expected.setdefault(case[:5], []).append(abs(truth - own) / (own + 0.1))
        assert stratum.networks == FOLDS and stratum.folds == (0, 0, 0, 1, 1, 1, 2, 2, 2)
        found = sorted(stratum.scores["either"])
        assert any(
            np.allclose(found, sorted([first, *(one[0] for unit, one in expected.items() if unit != "sub00")]))
            for first in expected["sub00"]
        )
        assert records[name].unit == "patient" and records[name].levels == (0.8, 0.9)


def test_a_size_that_no_patient_had_gets_no_interval(trained, wrapped):
    """The gate knows how much the folds found of what they had not seen."""
    (below, above) = (limit for limit in read_records(wrapped / "calibration")[0].gate.limits if limit.name == "draw_extent")
    folder = trained / "fold_{}" / "validation"
    found = {
        case: 1000 * sum(volume_ml(Path(str(folder).format(number % FOLDS)) / f"{case}.nii.gz", label) for label in (1, 2))
        for number, case in enumerate(CASES)
    }
    assert (below.direction, above.direction) == ("below", "above")
    of_one = (found["sub00_a"], found["sub00_b"])  # whichever of the two stands for its patient
    others = [size for case, size in found.items() if not case.startswith("sub00")]
    assert below.threshold in [pytest.approx(min(size, *others), rel=1e-5) for size in of_one]
    assert above.threshold == pytest.approx(max(found.values()), rel=1e-5)
    seen = dict.fromkeys(("relative_noise", "blur", "shading"), 0.0)
    gate = read_records(wrapped / "calibration")[0].gate
    sizes = (below.threshold, above.threshold, 2 * above.threshold)
    assert [gate.judge(seen | {"draw_extent": size}).accepted for size in sizes] == [True, True, False]


def test_a_new_study_gets_its_interval_and_one_of_the_training_set_none(trained, wrapped, monkeypatch, tmp_path):
    monkeypatch.setenv(CONFIG_HOME, str(wrapped.parent / "config"))
    bundle = load(wrapped, level=0.8)
    old = trained.parent / "raw" / "imagesTr" / "sub01_a_0000.nii.gz"
    assert "UNITS_SEEN_IN_TRAINING" in bundle.measure(old).flags
    image = nibabel.load(old)
    nibabel.save(nibabel.Nifti1Image(np.asarray(image.dataobj) + 0.01, image.affine), tmp_path / "new.nii.gz")
    answer = bundle.measure(tmp_path / "new.nii.gz").first
    assert answer.region is not None and answer.region["networks"] == FOLDS and answer.region["n"] == 9
    assert answer.interval[0] <= answer.value <= answer.interval[1]
    assert "cross-validated on 9 patients" in answer.statement


@pytest.mark.slow
def test_they_are_those_of_predictions_by_all_networks(trained, wrapped, monkeypatch, tmp_path):
    """What the stored masks stand in for: every image of the training set predicted, each counted by its own fold's draw."""
    raw = trained.parent / "raw"
    entries = [
        {
            "image": f"imagesTr/{case}_0000.nii.gz",
            "label": [f"labelsTr/{case}.nii.gz"],
            "unit": case[:5],
            "sha256": hashlib.sha256((raw / "imagesTr" / f"{case}_0000.nii.gz").read_bytes()).hexdigest(),
            "fold": number % FOLDS,
        }
        for number, case in sorted(enumerate(CASES), key=lambda one: one[1])
    ]
    (tmp_path / "list.json").write_text(json.dumps({"training": entries}))
    monkeypatch.setenv(CONFIG_HOME, str(wrapped.parent / "config"))
    monkeypatch.setenv("CAVEAT_DATA", str(raw))
    bundle, data = str(wrapped), ["--data", str(tmp_path / "list.json"), "--split", "training"]
    run = ["--workers", "0", "--threads", "1", "--device", "cpu", "-o", str(tmp_path / "out")]
    assert main(["predict", bundle, *data, *run]) == 0
    told = ["--settings", SETTINGS, "--levels", "0.8,0.9", "-o", str(tmp_path / "records")]
    assert main(["calibrate", bundle, "-p", str(tmp_path / "out"), *data, *told]) == 0
    stored, predicted = (
        {record.names: record for record in read_records(place)} for place in (wrapped / "calibration", tmp_path / "records")
    )
    assert stored.keys() == predicted.keys() and len(stored) == 2
    for names, record in stored.items():
        assert dict(record.identity) == dict(predicted[names].identity)
        for (one,), (other,) in zip(record.strata, predicted[names].strata, strict=True):
            np.testing.assert_allclose(one.scores["either"], other.scores["either"], rtol=1e-5)
        np.testing.assert_allclose(
            [limit.threshold for limit in record.gate.limits],
            [limit.threshold for limit in predicted[names].gate.limits],
            rtol=1e-5,
        )


def test_a_width_by_the_spread_of_draws_is_refused(trained, wrapped, tmp_path):
    """Out of fold there is one answer a case: no draws to take a spread of."""
    bundle = tmp_path / "mine"
    shutil.copytree(wrapped, bundle, symlinks=True)
    config = yaml.safe_load((bundle / "configs" / f"{SETTINGS}.yaml").read_text())
    spread = "caveat.inference.calibration.scores.spread.Spread"
    config["calibration"]["score"] = {"_target_": spread, "gamma": 0.1}
    (bundle / "configs" / f"{SETTINGS}.yaml").write_text(yaml.safe_dump(config))
    training_set = TrainingSet(trained.parent / "raw", lambda names: [name[:5] for name in names])
    cases = training_set.held_out([trained / f"fold_{fold}" for fold in range(FOLDS)], DATASET, channels=1)
    with pytest.raises(StudyRefused, match="WRONG_USAGE: the score needs draws of each network alone"):
        write_records(bundle, cases, "as phantoms are")


def test_which_network_has_seen_which_image_is_on_the_bundle(wrapped):
    seen = json.loads((wrapped / "calibration" / "seen.json").read_text())
    assert len(seen) == len(CASES) and all(len(networks) == FOLDS - 1 for networks in seen.values())


def without_a_case(folder: Path) -> None:
    (folder / "fold_1" / "validation" / "sub01_a.nii.gz").unlink()


def with_a_case_twice(folder: Path) -> None:
    shutil.copy(folder / "fold_1" / "validation" / "sub01_a.nii.gz", folder / "fold_2" / "validation")


def summarised_again(folder: Path) -> None:
    for place in folder.glob("fold_*/validation"):
        write_summary(place, folder.parent / "raw" / "labelsTr")


def with_a_mask_that_was_drawn_over(folder: Path) -> None:
    """Of a case that is not predicted again: one element more."""
    path = folder / "fold_2" / "validation" / "sub08_a.nii.gz"
    mask = nibabel.load(path)
    labels = np.asarray(mask.dataobj).copy()
    labels[tuple(np.argwhere(labels == 0)[0])] = 1
    nibabel.save(nibabel.Nifti1Image(labels, mask.affine, mask.header), path)


def without_a_summary(folder: Path) -> None:
    (folder / "fold_1" / "validation" / "summary.json").unlink()


def with_half_a_summary(folder: Path) -> None:
    path = folder / "fold_1" / "validation" / "summary.json"
    summary = json.loads(path.read_text())
    path.write_text(json.dumps(summary | {"metric_per_case": summary["metric_per_case"][1:]}))


def with_masks_of_other_networks(folder: Path) -> None:
    for number, case in enumerate(CASES):
        write_validation(folder, (number + 1) % FOLDS, case, folder.parent / "raw" / "imagesTr" / f"{case}_0000.nii.gz")
        made = folder / f"fold_{(number + 1) % FOLDS}" / "validation" / f"{case}.nii.gz"
        made.replace(folder / f"fold_{number % FOLDS}" / "validation" / made.name)
    summarised_again(folder)


def without_mirroring(folder: Path) -> None:
    for number, case in enumerate(CASES):
        image = folder.parent / "raw" / "imagesTr" / f"{case}_0000.nii.gz"
        write_validation(folder, number % FOLDS, case, image, mirror=False)
    summarised_again(folder)


def without_validation(folder: Path) -> None:
    for place in folder.glob("fold_*/validation"):
        shutil.rmtree(place)


def without_a_label(folder: Path) -> None:
    (folder.parent / "raw" / "labelsTr" / "sub01_a.nii.gz").unlink()


def with_another_value(folder: Path) -> None:
    path = folder.parent / "raw" / "labelsTr" / "sub01_a.nii.gz"
    label = nibabel.load(path)
    nibabel.save(nibabel.Nifti1Image(np.asarray(label.dataobj) * np.uint8(2), label.affine), path)


def with_an_image_of_two_patients(folder: Path) -> None:
    images = folder.parent / "raw" / "imagesTr"
    shutil.copy(images / "sub01_a_0000.nii.gz", images / "sub04_a_0000.nii.gz")


SPOILED = {
    "UNITS_SEEN_IN_TRAINING: images of several patients or folds: 1 of 10": with_an_image_of_two_patients,
    "NOT_OUT_OF_FOLD: labelled cases without a mask in any fold's validation: 1 of 10": without_a_case,
    "NOT_OUT_OF_FOLD: cases with masks in the validation of several folds: 1": with_a_case_twice,
    "NOT_OUT_OF_FOLD: fold_0, fold_1, fold_2 without masks in validation/": without_validation,
    "NOT_OUT_OF_FOLD: a mask is not what its fold's checkpoint_final.pth predicts": with_masks_of_other_networks,
    "NOT_OUT_OF_FOLD: a mask is not the one that nnU-Net counted": with_a_mask_that_was_drawn_over,
    "NOT_OUT_OF_FOLD: fold_1 has no validation/summary.json": without_a_summary,
    "NOT_OUT_OF_FOLD: masks that no fold's validation/summary.json names: 1 of 10": with_half_a_summary,
    "NOT_OUT_OF_FOLD: a mask is not what": without_mirroring,
    "NO_TRUTH: validated cases without a label in labelsTr: 1 of 10": without_a_label,
    "LABEL_WITHOUT_CLASS": with_another_value,
}


@pytest.mark.parametrize("reason", SPOILED)
def test_what_is_no_whole_cross_validation_of_these_networks_is_refused(reason, trained, tmp_path, capsys):
    for name in ("trained", "raw"):
        shutil.copytree(trained.parent / name, tmp_path / name)
    SPOILED[reason](tmp_path / "trained")
    assert call(tmp_path / "mine", str(tmp_path / "trained"), "--trained-on", str(tmp_path / "raw"), *EACH_PATIENT) == 2
    assert reason in capsys.readouterr().err
    assert not (tmp_path / "mine").exists() and not list(tmp_path.glob(".*partial"))


@pytest.mark.parametrize(
    "options,reason",
    [
        ((), "WRONG_USAGE: say which patient each case is of"),
        (("--unit", "(sub)"), "UNITS_SEEN_IN_TRAINING: patients that lie in several folds: 1"),
        (("--unit", "(nobody)"), "WRONG_USAGE: --unit finds nothing"),
    ],
)
def test_who_is_a_patient_has_to_be_said_and_be_in_one_fold(options, reason, trained, tmp_path, capsys):
    assert call(tmp_path / "mine", str(trained), "--trained-on", str(trained.parent / "raw"), *options) == 2
    assert reason in capsys.readouterr().err


def test_the_case_that_shows_whose_masks_these_are_is_not_empty():
    """Every network finds nothing where nothing is."""
    found = [(0, 0.0), (1, 0.0), (0, 2.0), (0, 3.0), (1, 0.0)]
    cases = [HeldOut("", fold, (), Path(), Path(str(number)), {}) for number, (fold, _) in enumerate(found)]
    rows = [(Case("", "", "", value, ()),) for _, value in found]
    assert [case.mask.name for case, _ in one_a_fold(cases, rows)] == ["2", "4"]


def test_masks_that_are_no_nifti_files_are_refused(trained):
    training_set = TrainingSet(trained.parent / "raw", lambda names: list(names))
    with pytest.raises(StudyRefused, match="SOURCE_NOT_WRAPPED: a record is made of masks that are NIfTI"):
        training_set.held_out([trained / "fold_0", trained / "fold_1"], DATASET | {"file_ending": ".nrrd"}, channels=1)


def test_patients_without_a_training_set_are_wrong_usage(trained, tmp_path, capsys):
    assert call(tmp_path / "mine", str(trained), *EACH_PATIENT) == 2
    assert "WRONG_USAGE: --unit" in capsys.readouterr().err
