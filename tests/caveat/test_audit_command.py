"""`caveat audit`, from the command line to its files."""

from __future__ import annotations

import json

import pytest
from calibration_phantoms import BUNDLE, write_list, write_stored
from test_calibrate_command import CALIBRATE, MEASUREMENTS

from caveat.cli import main
from caveat.inference.calibration.apply_records import ApplyRecordsd

DRAWN = {"units": "consecutive", "blind": True}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A bundle's folder with records, and the predictions of ten subjects that are to be audited."""
    monkeypatch.setenv("CAVEAT_BUNDLES", str(tmp_path))
    monkeypatch.setenv("CAVEAT_DATA", str(tmp_path / "data"))
    configs = tmp_path / "bundle/configs"
    configs.mkdir(parents=True)
    (configs / "metadata.json").write_text("{}")
    (configs / "inference.yaml").write_text(MEASUREMENTS)
    (configs / "calibrate.yaml").write_text(CALIBRATE)
    write_stored(tmp_path, units=25, scans=1)
    entries = json.loads((tmp_path / "list.json").read_text())["calibration"]
    write_list(tmp_path, calibration=entries[:15], test=entries[15:], drawn=DRAWN)
    common = [str(tmp_path / "bundle"), "-p", str(tmp_path / "out"), "--data", str(tmp_path / "list.json")]
    assert main(["calibrate", *common, "-o", str(tmp_path / "bundle/calibration"), "--truth", "as A. B. outlines it"]) == 0
    apply = ApplyRecordsd(tmp_path / "bundle/calibration", 0.8, BUNDLE)
    for path in (tmp_path / "out").glob("*/result.json"):
        path.write_text(json.dumps(apply({"result": json.loads(path.read_text())})["result"]))
    return tmp_path


def audit(place, *more):
    return main(["audit", str(place / "bundle"), "-p", str(place / "out"), "--data", str(place / "list.json"), *more])


def test_it_says_whose_promise_was_watched_and_what_was_found(place, capsys):
    assert audit(place) == 0
    printed = capsys.readouterr().out
    assert (
        "10 consecutive units with a truth" in printed and "promised as A. B. outlines it" in printed and "No warning" in printed
    )
    assert json.loads((place / "out/audit.json").read_text())["units"] == 10
    assert (place / "out/audit.md").read_text() in printed


def test_wrong_usage_is_said_in_one_line(place, capsys):
    (place / "empty").mkdir()
    for more in (("--split", "nonsense"), ("--record", str(place / "empty")), ("--data", "nowhere"), ("-p", "nowhere")):
        assert audit(place, *more) == 2
        assert "WRONG_USAGE" in capsys.readouterr().err
    assert audit(place, "--split", "calibration") == 2
    assert "UNITS_SEEN_IN_CALIBRATION" in capsys.readouterr().err
