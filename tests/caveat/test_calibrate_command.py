"""`caveat calibrate`, from the command line to the interval of the next study."""

from __future__ import annotations

import json

import pytest
from calibration_phantoms import BUNDLE, result_of, write_list, write_result, write_stored

from caveat.cli import main
from caveat.inference.calibration.apply_records import ApplyRecordsd
from caveat.inference.calibration.record import read_records
from caveat.inference.calibration.whose_truth import UNSTATED

MEASUREMENTS = """
name: phantoms
weights_sha256: w
measurements:
  - {_target_: caveat.inference.targets.volume.Volume, name: whole volume, title: Whole, classes: [1, 2]}
  - {_target_: caveat.inference.targets.volume.Volume, name: first volume, title: 'Part, the first', classes: [1]}
"""
CALIBRATE = """
calibration:
  _target_: caveat.inference.calibration.settings.Calibration
  truths: {_target_: caveat.inference.stored.truths.MaskTruths, classes: [1, 2]}
  targets: '@measurements'
  score:
    whole volume:
      _target_: caveat.inference.calibration.scores.fitted.Fitted
      centre: {intercept: 0.0, log_value: 1.0}
      log_width: {log_spread: 0.5}
    first volume: {_target_: caveat.inference.calibration.scores.log.Log, offset: 0.05}
  unit: subject
  checks: [{_target_: caveat.inference.gate.gate.Check, name: noise, direction: above}]
  strata: {first volume: [0.8, 0.95]}
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A bundle's folder, and fifteen subjects."""
    monkeypatch.setenv("CAVEAT_BUNDLES", str(tmp_path))
    monkeypatch.setenv("CAVEAT_DATA", str(tmp_path / "data"))
    configs = tmp_path / "bundle/configs"
    configs.mkdir(parents=True)
    (configs / "metadata.json").write_text(json.dumps({"truth": "as the phantoms have it"}))
    (configs / "inference.yaml").write_text(MEASUREMENTS)
    (configs / "calibrate.yaml").write_text(CALIBRATE)
    write_stored(tmp_path, units=15)
    return tmp_path


def calibrate(place, *more):
    return main(["calibrate", str(place / "bundle"), "-p", str(place / "out"), "--data", str(place / "list.json"), *more])


def test_records_are_written_and_told(place, capsys):
    assert calibrate(place) == 0
    printed = capsys.readouterr().out
    lines = printed.splitlines()
    assert lines[0].split()[:2] == ["target", "stratum"] and "q 90 %" in lines[0] and "half-width 50 %" in lines[0]
    assert lines[1].startswith("whole volume") and "subject" in lines[1] and "Fitted" in lines[1] and "mL" in lines[1]
    assert "strata with too few units give no region: first volume" in printed
    assert "2 records" in lines[-1]
    records = read_records(place / "out/records")
    assert [record.names for record in records] == [("first volume",), ("whole volume",)]
    assert records[0].gate is not None and records[0].levels == (0.5, 0.8, 0.9)


def test_whose_truth_the_labels_are_is_said_by_the_user_or_by_the_bundle(place, capsys):
    said = "as the neuroradiologist of our clinic outlines it"
    for option, expected in (((), UNSTATED), (("--truth", said), said), (("--truth", "bundle"), "as the phantoms have it")):
        assert calibrate(place, *option) == 0
        assert f"truth: {expected}" in capsys.readouterr().out
        assert {record.truth for record in read_records(place / "out/records")} == {expected}
    assert calibrate(place, "--truth", " ") == 2
    assert "WRONG_USAGE" in capsys.readouterr().err


def test_the_next_study_gets_its_interval(place):
    calibrate(place, "-o", str(place / "mine"))
    study = {"result": result_of("new", 120, 110, study_scores={"noise": 0.0})}
    result = ApplyRecordsd(place / "mine", 0.9, BUNDLE)(study)["result"]
    for entry in result["answers"]:
        assert entry["region"]["lower"] < entry["value"] < entry["region"]["upper"]
        assert "90 % interval" in entry["statement"]


def test_levels_may_be_asked_for(place, capsys):
    assert calibrate(place, "--levels", "0.95") == 2
    assert "19 are needed at 95 %" in capsys.readouterr().err
    assert calibrate(place, "--levels", "0.5,0.75") == 0
    assert read_records(place / "out/records")[0].levels == (0.5, 0.75)
    for wrong in ("much", "1.5", "90"):
        assert calibrate(place, "--levels", wrong) == 2


def test_images_that_the_bundle_has_seen_are_refused(place, capsys):
    (place / "bundle/calibration").mkdir()
    (place / "bundle/calibration/seen.json").write_text(json.dumps(["sha003"]))
    assert calibrate(place) == 2
    assert "UNITS_SEEN_IN_TRAINING" in capsys.readouterr().err
    assert not (place / "out/records").exists()


def test_wrong_usage_is_said_in_one_line(place, capsys):
    assert main(["calibrate", str(place / "bundle"), "-p", str(place / "nowhere"), "--data", str(place / "list.json")]) == 2
    assert main(["calibrate", str(place / "bundle"), "-p", str(place / "out"), "--data", str(place / "nowhere")]) == 2
    (place / "bundle/configs/calibrate.yaml").unlink()
    assert calibrate(place) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_features_of_training_images(place, capsys):
    write_stored(place, units=4, scans=1, part="training")
    for number in range(4):
        features = [float(number), 1.0, number**2 / 2]
        write_result(place / f"out/scan{number:03}", result_of(f"sha{number:03}", 90, 90, features=features))
    said = ["-p", str(place / "out"), "--data", str(place / "list.json"), "-o", str(place / "mine")]
    assert main(["reference", str(place / "bundle"), "features", *said]) == 0
    assert "features of 4 of 4 images" in capsys.readouterr().out
    assert (place / "mine/features.json").is_file() and read_records(place / "mine") == []


@pytest.mark.parametrize("split", ["calibration", "test", "training"])
def test_a_reference_is_made_of_nothing_that_calibrates_or_tests(split, place, capsys):
    entries = json.loads((place / "list.json").read_text())["calibration"]
    other_scan = {**entries[6], "unit": "subject 0"}
    write_list(place, calibration=entries[:2], test=entries[2:4], training=[entries[4], other_scan])
    said = ["-p", str(place / "out"), "--data", str(place / "list.json"), "-o", str(place / "mine"), "--split", split]
    assert main(["reference", str(place / "bundle"), "features", *said]) == 2
    found = "1 units and 0 images of training" if split == "training" else f"1 units and 2 images of {split}"
    assert f"{found} lie in what calibrates or tests" in capsys.readouterr().err
    assert not (place / "mine").exists()


def test_other_settings_of_the_bundle_can_be_named_but_no_file_elsewhere(place, tmp_path, capsys):
    (place / "bundle/configs/one_sided.yaml").write_text(CALIBRATE.replace("unit: subject", "unit: subject\n  sides: lower"))
    assert calibrate(place, "--settings", "one_sided") == 0
    assert {record.sides for record in read_records(place / "out/records_one_sided")} == {"lower"}
    assert not (place / "out/records").exists()
    (tmp_path / "elsewhere.yaml").write_text(CALIBRATE)
    assert calibrate(place, "--settings", str(tmp_path / "elsewhere")) == 2
    assert "elsewhere.yaml" in capsys.readouterr().err


def test_notices_of_libraries_are_kept_quiet(place, monkeypatch):
    called = []
    monkeypatch.setattr("caveat.run_bundle.quieten_libraries", lambda: called.append(True))
    assert calibrate(place) == 0 and called


def test_a_config_without_calibration_is_wrong_usage(place, capsys):
    assert calibrate(place, "--settings", "inference") == 2
    assert "no entry `calibration`" in capsys.readouterr().err


def test_settings_that_contradict_each_other_say_how(place, capsys):
    path = place / "bundle/configs/calibrate.yaml"
    path.write_text(path.read_text() + "  at_once: [another volume]\n")
    assert calibrate(place) == 2
    assert "WRONG_USAGE: calibrate.yaml: at_once names what is no target" in capsys.readouterr().err


def test_records_go_nowhere_by_a_link_among_the_predictions(tmp_path, capsys):
    """They may be of somebody else, and the link may lead to a bundle's own records."""
    (tmp_path / "list.json").write_text("{}")
    for name in ("mine", "out"):
        (tmp_path / name).mkdir()
    (tmp_path / "out" / "records").symlink_to(tmp_path / "mine")
    stated = ["-p", str(tmp_path / "out"), "--data", str(tmp_path / "list.json")]
    assert main(["calibrate", "hippocampus_volume", *stated]) == 2
    assert "OUTPUT_OCCUPIED" in capsys.readouterr().err and not any((tmp_path / "mine").iterdir())


ASKED = {
    "calibrate": [],
    "audit": ["--split", "calibration"],
    "reference": ["features", "--split", "calibration"],
    "evaluate": ["--split", "calibration"],
}


EVALUATION = "evaluation: {_target_: caveat.inference.evaluation.evaluate.Evaluation, truths: null, metrics: []}\n"


@pytest.mark.parametrize(
    ("command", "fact", "other"),
    [
        *((command, "name: phantoms", "name: ghosts") for command in ASKED),
        *((command, "weights_sha256: w", "weights_sha256: v") for command in ASKED if command != "evaluate"),
    ],
)
def test_predictions_of_another_bundle_are_refused(place, capsys, command, fact, other):
    """Its seen.json would be asked about images that trained other networks, and its words of the truth be written. Figures may
    be made of other weights of the same bundle."""
    (place / "bundle/configs/evaluate.yaml").write_text(EVALUATION)
    (place / "bundle/configs/inference.yaml").write_text(MEASUREMENTS.replace(fact, other))
    said = ["-p", str(place / "out"), "--data", str(place / "list.json")]
    assert main([command, str(place / "bundle"), *ASKED[command], *said]) == 2
    refused = capsys.readouterr().err
    assert "WRONG_USAGE" in refused and "30 of 30 predictions state" in refused and fact.split(":")[0][:4] in refused
    assert "name the bundle that made them" in refused and not (place / "out/records").exists()


def test_weights_may_be_those_of_any_sampler_of_the_bundle(place):
    (place / "bundle/configs/metadata.json").write_text(json.dumps({"samplers": {"ensemble": "", "other": ""}}))
    (place / "bundle/configs/inference.yaml").write_text(MEASUREMENTS.replace("weights_sha256: w", "weights_sha256: v"))
    (place / "bundle/configs/other.yaml").write_text("weights_sha256: w\n")
    assert calibrate(place) == 0
