"""Truths of classes that may overlap: an organ of 64 voxels a slice with a lesion of 32 inside, a channel a class."""

from __future__ import annotations

import json

import nibabel
import numpy as np
import pytest
from calibration_phantoms import BUNDLE, SAMPLING, case, settings, write_list
from nibabel.orientations import apply_orientation, inv_ornt_aff
from PIL import Image

from caveat.inference.calibration.calibrate import calibrate
from caveat.inference.evaluation.evaluate import Evaluation, evaluate
from caveat.inference.figures.labels import label_overlap, label_surfaces
from caveat.inference.figures.overlap import overlap
from caveat.inference.stored.stored_study import StoredStudy, read_study
from caveat.inference.stored.true_value import true_value
from caveat.inference.stored.truths import MaskTruths
from caveat.inference.stress.kinds import OneMeasurement
from caveat.inference.targets.volume import Volume
from caveat.reasons import StudyRefused
from caveat.transforms.files.nifti_maps import write_nifti

SHAPE, AFFINE = (16, 16, 4), np.diag([-2.0, -2.0, 5.0, 1.0])
NAMES = ["background", "organ", "lesion"]
ML = 20 / 1000
"""Volume of a voxel."""
TARGETS = (Volume("organ", "Organ", (1,)), Volume("lesion", "Lesion", (2,)))
TRUTHS = MaskTruths(classes=(1, 2))


def nested(organ: int = 12, lesion: int = 8) -> np.ndarray:
    """Where each is, the lesion inside: bool (2, *SHAPE). Args: rows at which they end, of 8 voxels a slice."""
    masks = np.zeros((2, *SHAPE), bool)
    masks[0, 4:organ, 4:12] = True
    masks[1, 4:lesion, 4:12] = True
    return masks


def write_channels(path, masks, affine=AFFINE):
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(np.moveaxis(masks, 0, -1).astype(np.uint8), affine), path)


def result_of(sha256: str, counts: list[int]) -> dict:
    values = [count * ML for count in counts]
    return {
        "schema": "caveat-result-1",
        "status": "OK",
        "reasons": [],
        "classes": NAMES,
        "input": {
            **{"sha256": sha256, "kind": "nifti", "shape": list(SHAPE), "spacing_mm": [2.0, 2.0, 5.0]},
            **{"spacing_source": "the file", "affine": AFFINE.tolist()},
        },
        "bundle": BUNDLE,
        "sampling": SAMPLING | {"link": "sigmoid"},
        "measurements": [
            {"name": target.name, "title": target.title, "unit": "mL", "value": value, "classes": list(target.classes)}
            | {"draws": {"n": 3, "values": [0.9 * value, value, 1.1 * value]}, "interval": None, "statement": ""}
            for target, value in zip(TARGETS, values, strict=True)
        ],
        "points": [],
        "study_scores": {"pooled_pairwise_dice": 0.9},
        "gate": None,
        "flags": ["CLASSES_OVERLAP"],
    }


def write_study(folder, masks, sha256="sha"):
    """As `caveat predict` leaves it."""
    folder.mkdir(parents=True, exist_ok=True)
    probability = np.concatenate([~masks.any(axis=0, keepdims=True), masks]) * np.float32(0.75)
    write_nifti(folder / "probability.nii.gz", np.moveaxis(probability, 0, -1), AFFINE)
    write_nifti(folder / "segmentation.nii.gz", (masks[0] + masks[1]).astype(np.uint8), AFFINE)
    (folder / "result.json").write_text(json.dumps(result_of(sha256, masks.sum(axis=(1, 2, 3)).tolist())))


@pytest.fixture
def study(tmp_path):
    write_study(tmp_path / "out" / "a", nested())
    return read_study(tmp_path / "out" / "a", json.loads((tmp_path / "out" / "a" / "result.json").read_text()))


def read(study, folder, label, truths=TRUTHS, **more):
    return truths.read({"label": label, **more}, folder, study)[0]


def sizes(truth, study):
    return [round(true_value(target, truth, study.result) / ML) for target in TARGETS]


def test_a_label_has_a_channel_a_class_and_each_is_measured_whole(tmp_path, study):
    write_channels(tmp_path / "label.nii.gz", nested())
    truth = read(study, tmp_path, "label.nii.gz")
    assert sizes(truth, study) == [4 * 64, 4 * 32]
    assert [(truth.labels == index).sum() for index in (1, 2)] == [4 * 32, 4 * 32] and truth.mask.sum() == 4 * 64


def test_a_file_a_class_is_the_same_label_also_on_turned_axes(tmp_path, study):
    turn = np.array([[1, -1], [2, 1], [0, -1]])
    turned = AFFINE @ inv_ornt_aff(turn, SHAPE)
    for name, mask in zip(("organ", "lesion"), nested(), strict=True):
        array = apply_orientation(mask.astype(np.uint8) * 255, turn)
        nibabel.save(nibabel.Nifti1Image(array, turned), tmp_path / f"{name}.nii.gz")
    write_channels(tmp_path / "both.nii.gz", np.stack([apply_orientation(mask, turn) for mask in nested()]), turned)
    for label in (["organ.nii.gz", "lesion.nii.gz"], "both.nii.gz", ["both.nii.gz"]):
        truth = read(study, tmp_path, label)
        assert np.array_equal(truth.overlapping, nested()) and sizes(truth, study) == [256, 128]


def test_each_of_several_raters_has_channels(tmp_path, study):
    write_channels(tmp_path / "one.nii", nested())
    for name, mask in zip("ab", nested(organ=11), strict=True):
        nibabel.save(nibabel.Nifti1Image(mask.astype(np.uint8), AFFINE), tmp_path / f"{name}.nii")
    truths = MaskTruths(["first", "second"], classes=(1, 2)).read({"label": ["one.nii", ["a.nii", "b.nii"]]}, tmp_path, study)
    assert [(truth.rater, *sizes(truth, study)) for truth in truths] == [("first", 256, 128), ("second", 224, 128)]


def test_outside_the_lists_region_no_class_is_there(tmp_path, study):
    write_channels(tmp_path / "label.nii", nested())
    region = np.zeros(SHAPE, np.uint8)
    region[:, :8] = 1
    nibabel.save(nibabel.Nifti1Image(region, AFFINE), tmp_path / "region.nii")
    assert sizes(read(study, tmp_path, "label.nii", region="region.nii"), study) == [128, 64]


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (lambda masks: masks[:1], "OVERLAPPING_CLASSES: .*1 channels, and 2 classes"),
        (lambda masks: np.concatenate([~masks[:1], masks]), "OVERLAPPING_CLASSES: .*3 channels"),
        (lambda masks: np.stack([masks[0] + masks[1].astype(int), masks[1]]), "LABEL_WITHOUT_CLASS: .*other values"),
        (lambda masks: masks * [[[[1]]], [[[0]]]], "LABEL_WITHOUT_CLASS: .*without an element: 1"),
        (lambda masks: masks[:, 1:], "LABEL_OFF_GRID"),
        (lambda masks: masks[0] + masks[1].astype(int), "OVERLAPPING_CLASSES: .*one map"),
    ],
    ids=["a class fewer", "the background too", "a label map in a channel", "an empty class", "another grid", "a label map"],
)
def test_what_is_no_label_of_these_classes_is_refused(made, code, tmp_path, study):
    masks = np.asarray(made(nested()))
    array = np.moveaxis(masks, 0, -1) if masks.ndim == 4 else masks
    nibabel.save(nibabel.Nifti1Image(array.astype(np.uint8), AFFINE), tmp_path / "label.nii")
    with pytest.raises(StudyRefused, match=code):
        read(study, tmp_path, "label.nii")


def test_a_class_may_be_absent_where_the_bundle_says_so(tmp_path, study):
    write_channels(tmp_path / "label.nii", nested(lesion=4))
    assert sizes(read(study, tmp_path, "label.nii", MaskTruths(classes=(1, 2), may_lack=True)), study) == [256, 0]


def test_a_list_of_files_is_no_label_of_classes_that_exclude_each_other(tmp_path, study):
    write_channels(tmp_path / "label.nii", nested())
    plain = StoredStudy("", study.result | {"sampling": {"link": "softmax"}}, study.maps)
    with pytest.raises(StudyRefused, match="NO_TRUTH"):
        read(plain, tmp_path, [["label.nii", "label.nii"]])
    with pytest.raises(StudyRefused, match="LABEL_OFF_GRID"):
        read(plain, tmp_path, "label.nii")


def test_pictures_have_a_file_a_class(tmp_path):
    for name, mask in zip(("organ", "lesion"), nested()[..., 0], strict=True):
        Image.fromarray(mask).save(tmp_path / f"{name}.png")
    result = {"classes": NAMES, "sampling": {"link": "sigmoid"}, "input": {}}
    picture = StoredStudy("", result, {"segmentation": np.zeros((16, 16), np.uint8)})
    truth = read(picture, tmp_path, ["organ.png", "lesion.png"])
    assert [truth.mask_of(index).sum() for index in (1, 2)] == [64, 32]


def write_stored(root, part):
    """Ten subjects whose lesions are found too small by half, their organs right."""
    entries = []
    for number in range(10):
        write_study(root / "out" / f"scan{number}", nested(lesion=6), f"sha{number}")
        write_channels(root / "data" / f"{number}.nii.gz", nested())
        about = {"unit": f"subject {number}", "sha256": f"sha{number}"}
        entries.append({"image": f"images/{number}.nii.gz", "label": f"{number}.nii.gz", **about})
    write_list(root, **{part: entries})


def test_nested_classes_are_evaluated_each_by_its_own_probability(tmp_path):
    write_stored(tmp_path, "test")
    metrics = [overlap, lambda *two: label_overlap(*two, NAMES), lambda *two: label_surfaces(*two, NAMES)]
    table = evaluate(
        tmp_path / "out", tmp_path / "list.json", "test", Evaluation(TRUTHS, metrics, resamples=10), tmp_path / "data"
    )
    means = {row["metric"]: row["mean"] for row in table.means}
    assert not table.left_out and means["Dice, organ"] == 1 and means["Dice"] == 1
    assert means["Dice, lesion"] == pytest.approx(2 * 16 / (16 + 32))
    assert means["average surface distance, organ, mm"] == 0


def test_nested_classes_are_calibrated_each_whole(tmp_path):
    write_stored(tmp_path, "calibration")
    asked = settings(truths=TRUTHS, targets=TARGETS)
    fitted = calibrate(tmp_path / "out", tmp_path / "list.json", "calibration", asked, tmp_path / "data", ())
    found = {one.record.names[0]: [(case.value / ML, case.truth / ML) for (case,) in one.rows] for one in fitted}
    assert np.allclose(found["organ"], [(256, 256)] * 10) and np.allclose(found["lesion"], [(64, 128)] * 10)
    assert [one.record.n for one in fitted] == [10, 10]


def test_without_the_probability_the_prediction_is_refused_and_no_label_map_is_read_for_it(tmp_path):
    write_stored(tmp_path, "test")
    for file in tmp_path.glob("out/*/probability.nii.gz"):
        file.unlink()
    asked = Evaluation(TRUTHS, [lambda *two: label_overlap(*two, NAMES)])
    with pytest.raises(StudyRefused, match="10 OVERLAPPING_CLASSES"):
        evaluate(tmp_path / "out", tmp_path / "list.json", "test", asked, tmp_path / "data")


def test_overlap_under_stress_is_of_the_whole_class(tmp_path, study):
    write_channels(tmp_path / "label.nii", nested())
    truth = read(study, tmp_path, "label.nii")
    row = (case(1.0, 1.0),)
    assert OneMeasurement(TARGETS[0]).errors(row, (study, truth))["dice"] == 1
