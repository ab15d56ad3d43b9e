"""`caveat evaluate` with a bundle of several classes and calibration records, on made-up scans."""

import argparse
import json

import nibabel
import numpy as np
import pytest

from caveat.commands import evaluate as command
from caveat.inference.calibration.calibrate import fit_records
from caveat.inference.calibration.read_cases import read_cases
from caveat.inference.calibration.record_file import write_record
from caveat.inference.calibration.scores.absolute import Absolute
from caveat.inference.calibration.settings import Calibration
from caveat.inference.stored.truths import MaskTruths
from caveat.inference.targets.volume import Volume
from caveat.reasons import StudyRefused

MEASUREMENTS = [
    Volume("hippocampus volume", "H", [1, 2]),
    Volume("anterior volume", "A", [1]),
    Volume("posterior volume", "P", [2]),
]
AFFINE = np.diag([4.0, 4.0, 4.0, 1.0])
SHAPE = (8, 12, 8)


def box(length, rng):
    """Anterior and posterior part of a structure, with a ragged end."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[2:6, 2 : 2 + length, 2:6] = 1
    labels[2:6, 2 + length : 2 + 2 * length, 2:6] = 2
    labels[2:4, 1 + 2 * length, 2 : 2 + rng.integers(0, 4)] = 0
    return labels


def save(labels, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(labels, AFFINE), path)


def stated(measurement, labels, rng):
    value = float(np.isin(labels, measurement.classes).sum() * 64 / 1000)
    draws = (value + rng.normal(0, 0.05, 5)).tolist()
    return {
        "name": measurement.name,
        "title": measurement.title,
        "unit": "mL",
        "value": value,
        "draws": {"n": 5, "values": draws},
    }


@pytest.fixture
def stored(tmp_path):
    """Both sides of 14 calibration and 6 test subjects, predicted; a list; records of all three volumes."""
    rng = np.random.default_rng(0)
    parts = {"calibration": [], "test": []}
    for scan in range(40):
        name = f"scan{scan:02d}"
        truth = box(int(rng.integers(3, 5)), rng)
        predicted = np.where(rng.random(SHAPE) < 0.05, 0, truth).astype(np.uint8)
        save(truth, tmp_path / f"data/{name}.nii.gz")
        save(predicted, tmp_path / f"out/{name}/segmentation.nii.gz")
        grid = {"shape": list(SHAPE), "spacing_mm": [4.0] * 3, "spacing_source": "header", "affine": AFFINE.tolist()}
        result = {
            "status": "OK",
            "reasons": [],
            "input": {"sha256": f"sha{scan}", **grid},
            "bundle": {"name": "hippocampus_volume", "weights_sha256": "w", "preprocessing_sha256": "p"},
            "sampling": {"sampler": "Ensemble", "source": "model", "draws": 5, "seed": 0},
            "measurements": [stated(measurement, predicted, rng) for measurement in MEASUREMENTS],
            "study_scores": {"pooled_pairwise_dice": 0.9 + 0.001 * scan},
        }
        (tmp_path / f"out/{name}/result.json").write_text(json.dumps(result))
        entry = {"image": f"{name}.nii.gz", "label": [f"{name}.nii.gz"], "unit": f"subject {scan // 2}", "sha256": f"sha{scan}"}
        parts["calibration" if scan < 28 else "test"].append(entry)
    (tmp_path / "list.json").write_text(json.dumps(parts))
    truths = MaskTruths(["truth"], [1, 2])
    cases = read_cases(tmp_path / "out", tmp_path / "list.json", "calibration", truths, tmp_path / "data", MEASUREMENTS)
    settings = Calibration(truths, MEASUREMENTS, Absolute(), "subject", levels=(0.5, 0.8, 0.9))
    (tmp_path / "records").mkdir()
    for number, one in enumerate(fit_records(cases, settings, {"list": "list.json", "list_sha256": "salt"})):
        write_record(one.record, tmp_path / f"records/{number}.json")
    return tmp_path


@pytest.fixture
def run(stored, monkeypatch):
    monkeypatch.setenv("CAVEAT_DATA", str(stored / "data"))

    def call(*more, bundle="hippocampus_volume"):
        parser = argparse.ArgumentParser()
        command.add_parser(parser.add_subparsers())
        options = parser.parse_args(["evaluate", bundle, "-p", str(stored / "out"), "--data", str(stored / "list.json"), *more])
        return options.run(options)

    return call


FILES = ("evaluation.json", "evaluation.md", "evaluation.csv", "coverage.png", "intervals.png")


def test_no_link_among_the_predictions_is_written_through(stored, run):
    """Predictions may be of somebody else, and a link among them leads to any file of whoever evaluates them."""
    (stored / "mine").write_text("ten years")
    for name in FILES:
        (stored / "out" / name).symlink_to(stored / "mine")
    assert run("--record", str(stored / "records")) == 0
    assert (stored / "mine").read_text() == "ten years"
    assert not any((stored / "out" / name).is_symlink() for name in FILES)


def test_figures_of_every_class_and_intervals_of_every_volume(stored, run, capsys):
    assert run("--record", str(stored / "records")) == 0
    table = json.loads((stored / "out/evaluation.json").read_text())
    metrics = table["rows"][0]["metrics"]
    names = ["Dice", "Dice, anterior", "average surface distance, posterior, mm", "surface Dice at 1 mm, both parts"]
    assert {*names, "anterior volume: error, mL", "hippocampus volume: error, share of the truth"} <= set(metrics)
    assert len(table["rows"]) == 12
    *sections, at_once = table["coverage"]["sections"]
    assert [section["names"] for section in sections] == [[measurement.name] for measurement in MEASUREMENTS]
    assert at_once["names"] == ["anterior volume", "posterior volume"] and at_once["record"] is None
    assert at_once["no_record"] == "NO_CALIBRATION_RECORD" and at_once["units"] == 6
    for section in sections:
        assert (section["record"]["n"], section["units"], len(section["rows"])) == (14, 6, 12)
        assert section["resplits"] and section["baselines"] and section["power"]
    assert table["coverage"]["claims"] == {"marginal": 9, "simultaneous": 3}
    printed = capsys.readouterr().out
    assert "## Coverage: posterior volume, mL" in printed
    first = {name: (stored / "out" / name).read_bytes() for name in FILES}
    run("--record", str(stored / "records"))
    assert first == {name: (stored / "out" / name).read_bytes() for name in FILES}
    assert all(str(stored).encode() not in content for content in first.values())


def test_the_calibration_part_is_no_check_of_its_record(stored, run):
    with pytest.raises(StudyRefused, match="UNITS_SEEN_IN_CALIBRATION: 14 units and 28 images"):
        run("--record", str(stored / "records"), "--split", "calibration")


def test_without_predictions_of_the_calibration_part_there_are_no_baselines_and_resplits(stored, run):
    for scan in range(28):
        (stored / f"out/scan{scan:02d}/result.json").unlink()
    assert run("--record", str(stored / "records")) == 0
    *sections, _ = json.loads((stored / "out/evaluation.json").read_text())["coverage"]["sections"]
    for section in sections:
        assert section["figures"] and section["power"] and not section["baselines"] and not section["resplits"]


def test_a_missing_data_folder_is_named(stored, run, monkeypatch):
    monkeypatch.setenv("CAVEAT_DATA", str(stored / "nowhere"))
    with pytest.raises(StudyRefused, match="NO_DATA_FOLDER: .*nowhere"):
        run("--record", str(stored / "records"))


def test_a_record_edited_by_hand_is_refused(stored, run):
    file = stored / "records/0.json"
    file.write_text(file.read_text().replace('"subject"', '"patient"'))
    with pytest.raises(StudyRefused, match="RECORD_EDITED"):
        run("--record", str(stored / "records"))


def test_what_holds_no_record_is_wrong_usage(stored, run):
    (stored / "empty").mkdir()
    (stored / "features.json").write_text('{"schema": "another"}')
    for place in ("nowhere", "empty", "features.json"):
        with pytest.raises(StudyRefused, match="WRONG_USAGE: --record names no record"):
            run("--record", str(stored / place))


def test_a_record_for_a_bundle_without_intervals_is_wrong_usage(stored, run):
    with pytest.raises(StudyRefused, match="WRONG_USAGE: the bundle's evaluate.yaml"):
        run("--record", str(stored / "records"), bundle="retinal_vessels")


def test_a_study_without_its_classes_is_left_out_and_named(stored, run, capsys):
    save(np.minimum(box(3, np.random.default_rng(1)), 1), stored / "data/scan30.nii.gz")
    run("--record", str(stored / "records"))
    table = json.loads((stored / "out/evaluation.json").read_text())
    assert [row["code"] for row in table["coverage"]["left_out"]] == ["LABEL_WITHOUT_CLASS"]
    assert "1 images have no interval" in capsys.readouterr().out
