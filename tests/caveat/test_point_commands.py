"""`caveat calibrate` and `caveat evaluate` of landmarks, from the command line to the regions of the next study."""

from __future__ import annotations

import json

import numpy as np
import pytest
from point_phantoms import BUNDLE, result_of, write_stored

from caveat.cli import main
from caveat.inference.calibration.apply_records import ApplyRecordsd
from caveat.inference.calibration.record import read_records

NAMES = "name: phantoms\nweights_sha256: w\nlandmarks: [Sella, Nasion, Menton]\nbundle_root: .\n"
CALIBRATE = """
calibration:
  _target_: caveat.inference.calibration.settings.Calibration
  truths: {_target_: caveat.inference.stored.point_truths.PointTruths, raters: [senior], names: '@landmarks', folder: 'FOLDER'}
  targets: {_target_: caveat.inference.targets.landmark.landmarks, names: '@landmarks'}
  score:
    - {_target_: caveat.inference.calibration.scores.distance.Distance}
    - _target_: caveat.inference.calibration.scores.ellipse_distance.EllipseDistance
      folder: $@bundle_root + '/calibration'
      share: 0.5
      floor: 0.01
  promises: [marginal, simultaneous]
  unit: patient
  checks: [{_target_: caveat.inference.gate.gate.Check, name: noise, direction: above}]
"""
EVALUATE = """
evaluation:
  _target_: caveat.inference.evaluation.evaluate.Evaluation
  truths: {_target_: caveat.inference.stored.point_truths.PointTruths, raters: [senior], names: '@landmarks', folder: 'FOLDER'}
  metrics: [{_target_: caveat.inference.figures.radial_error.radial_error, _mode_: callable, within: [2]}]
coverage:
  _target_: caveat.inference.evaluation.settings.Coverage
  targets: {_target_: caveat.inference.targets.landmark.landmarks, names: '@landmarks'}
  kinds: [disc, ellipse]
  promises: [marginal, simultaneous]
  resplits: 5
  resamples: 100
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A bundle's folder, and patients of three parts."""
    monkeypatch.setenv("CAVEAT_BUNDLES", str(tmp_path))
    monkeypatch.setenv("CAVEAT_DATA", str(tmp_path))
    configs = tmp_path / "bundle/configs"
    configs.mkdir(parents=True)
    (configs / "metadata.json").write_text("{}")
    (configs / "inference.yaml").write_text(NAMES)
    (configs / "calibrate.yaml").write_text(CALIBRATE.replace("FOLDER", str(tmp_path / "prepared")))
    (configs / "evaluate.yaml").write_text(EVALUATE.replace("FOLDER", str(tmp_path / "prepared")))
    write_stored(tmp_path, early_stopping=6, calibration=14, test=8)
    return tmp_path


def run(command, place, *more):
    return main([command, str(place / "bundle"), "-p", str(place / "out"), "--data", str(place / "list.json"), *more])


def test_from_stored_landmarks_to_regions_and_their_check(place, capsys):
    assert run("calibrate", place) == 2
    assert "NO_POOLED_COVARIANCE" in capsys.readouterr().err
    assert run("reference", place, "covariance", "-o", str(place / "bundle/calibration")) == 0
    assert "errors of 3 landmarks in 6 images" in capsys.readouterr().out
    assert run("calibrate", place, "-o", str(place / "records")) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].split()[:4] == ["target", "promise", "stratum", "n"] and "half-width 90 %" in printed[0]
    assert "4 records" in printed[-1]
    assert len(read_records(place / "records")) == 4
    study = {"result": result_of("new", np.zeros((3, 2)), noise=0.0)}
    for shape in ("disc", "ellipse"):
        entry = ApplyRecordsd(place / "records", 0.9, BUNDLE, shape=shape)(study)["result"]["answers"][2]
        assert entry["region"]["kind"] == entry["simultaneous_region"]["kind"] == shape and "90 % within" in entry["statement"]
    assert run("evaluate", place, "--record", str(place / "records")) == 0
    assert "## Coverage: ellipse, each of 3 landmarks for itself" in capsys.readouterr().out
    table = json.loads((place / "out/evaluation.json").read_text())
    assert [section["units"] for section in table["coverage"]["sections"]] == [8] * 4
    assert (place / "out/regions.png").is_file()
    assert run("evaluate", place, "--record", str(place / "records"), "--split", "calibration") == 2
    assert "UNITS_SEEN_IN_CALIBRATION" in capsys.readouterr().err


@pytest.mark.parametrize("stated", [[0.1, 0.1], [0.2]])
def test_predictions_in_other_millimetres_than_the_list_states_are_refused(stated, place, capsys):
    """`--spacing 0.2` of films that the list says are of 0.1 mm: every error was twice what it is, and no word of it."""
    listed = json.loads((place / "list.json").read_text())
    states = {part: [{**entry, "spacing_mm": stated} for entry in entries] for part, entries in listed.items()}
    (place / "list.json").write_text(json.dumps(states))
    asked = [("evaluate",), ("reference", "covariance"), ("reference", "features", "--split", "early_stopping"), ("calibrate",)]
    for command, *more in asked if stated == [0.1, 0.1] else ():
        assert run(command, place, *more) == 2
        assert "SPACING_CONFLICT" in capsys.readouterr().err
    if stated == [0.2]:
        assert run("evaluate", place) == 0


def test_landmarks_of_a_volume_are_no_truth_of_a_film(place, capsys):
    for path in (place / "prepared").glob("*.csv"):
        titles, *rows = path.read_text().splitlines()
        path.write_text("\n".join([f"{titles},axis2", *(f"{row},1" for row in rows)]))
    assert run("evaluate", place) == 2 and "8 POINTS_INCOMPLETE" in capsys.readouterr().err


def test_pooled_covariances_are_for_landmarks(place, capsys):
    volumes = """
calibration:
  _target_: caveat.inference.calibration.settings.Calibration
  truths: {_target_: caveat.inference.stored.truths.MaskTruths}
  targets: []
  score: {_target_: caveat.inference.calibration.scores.absolute.Absolute}
  unit: subject
"""
    (place / "bundle/configs/calibrate.yaml").write_text(volumes)
    assert run("reference", place, "covariance") == 2
    assert "covariance is for bundles of landmarks" in capsys.readouterr().err
