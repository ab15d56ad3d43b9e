"""Records: as JSON and back, their checksum, size classes, levels."""

from __future__ import annotations

import json
import math
import os
from dataclasses import replace
from pathlib import Path

import pytest
from calibration_phantoms import case, interval, record_of, settings

from caveat.inference.calibration.describe import describe
from caveat.inference.calibration.record import Record, read_records
from caveat.inference.calibration.record_file import seal, write_record
from caveat.inference.calibration.scores.absolute import Absolute
from caveat.inference.calibration.scores.fitted import Fitted
from caveat.inference.calibration.split_stratum import SplitStratum
from caveat.inference.calibration.valid_record import Withheld
from caveat.inference.gate.gate import Check, fit_gate
from caveat.reasons import StudyRefused

NAME = "whole volume"


def cases(count=20, first=1.0):
    """Predicted 1, 1.1, ...; the truth lies 0.01, 0.02, ... above."""
    return [case(first + k / 10, first + k / 10 + (k + 1) / 100, unit=f"u{k}") for k in range(count)]


def record(**more):
    score = Fitted({"intercept": 0.1, "log_value": 1.0}, {"intercept": -1.0}, 0.1, 0.01)
    gate = fit_gate([{"noise": float(k)} for k in range(20)], [Check("noise", "above")], 0.1)
    about = {"measured_in": "mL", "identity": {"sampler": "Ensemble", "draws": 5}, "provenance": {"list": "list.json"}}
    return record_of(cases(), settings(score, **more), NAME, gate, **about)


@pytest.mark.parametrize("sides", ["two-sided", "asymmetric", "lower", "upper"])
def test_a_record_is_read_as_it_was_written(tmp_path, sides):
    made = record(sides=sides, strata={NAME: (2.0,)})
    write_record(made, tmp_path / made.file_name)
    assert made.file_name == "ensemble_5_draws_whole_volume.json"
    assert read_records(tmp_path) == read_records(tmp_path / made.file_name) == [made]
    new = case(1.4)
    assert interval(read_records(tmp_path)[0], new, 0.8) == interval(made, new, 0.8)


def test_its_json_says_what_a_person_asks(tmp_path):
    facts = record().to_json()
    assert facts["schema"] == "caveat-record-2"
    assert (facts["n"], facts["unit"], facts["measured_in"], facts["levels"]) == (20, "subject", "mL", [0.5, 0.8])
    assert facts["score"]["name"] == "Fitted" and facts["score"]["centre"] == {"intercept": 0.1, "log_value": 1.0}
    scores = facts["strata"][0][0]["scores"]["either"]
    assert scores == sorted(scores) and len(scores) == 20
    assert list(facts)[-1] == "checksum" and len(facts["checksum"]) == 64


@pytest.mark.parametrize(
    "edit",
    [
        lambda facts: facts["strata"][0][0]["scores"]["either"].__setitem__(0, 0.0),
        lambda facts: facts["identity"].__setitem__("draws", 20),
        lambda facts: facts["gate"]["limits"][0].__setitem__("threshold", 1e9),
        lambda facts: facts["provenance"].__setitem__("list", "other.json"),
        lambda facts: facts.__setitem__("n", 200),
        lambda facts: facts.__delitem__("checksum"),
        lambda facts: facts.__setitem__("remark", "only this"),
    ],
)
def test_a_record_edited_by_hand_is_refused(tmp_path, edit):
    facts = record().to_json()
    edit(facts)
    (tmp_path / "record.json").write_text(json.dumps(facts))
    with pytest.raises(StudyRefused, match="RECORD_EDITED"):
        read_records(tmp_path)


def test_layout_of_the_file_does_not_matter(tmp_path):
    made = record()
    (tmp_path / "record.json").write_text(json.dumps(dict(reversed(made.to_json().items()))))
    assert read_records(tmp_path) == [made]


def test_damaged_and_other_files(tmp_path):
    assert read_records(tmp_path / "nowhere") == []
    (tmp_path / "seen.json").write_text('["sha"]')
    (tmp_path / "features.json").write_text('{"schema": "another"}')
    assert read_records(tmp_path) == []
    (tmp_path / "cut.json").write_text('{"schema": "caveat-re')
    with pytest.raises(StudyRefused, match="RECORD_EDITED"):
        read_records(tmp_path)


@pytest.mark.parametrize("entry", ["score", "strata", "gate"])
def test_a_checksum_of_nonsense_makes_no_record(entry, tmp_path):
    facts = {key: value for key, value in record().to_json().items() if key != "checksum"}
    for nonsense in ("$x", [7], 10**400):
        (tmp_path / "record.json").write_text(json.dumps(seal(facts | {entry: nonsense})))
        with pytest.raises(StudyRefused, match="RECORD_EDITED"):
            read_records(tmp_path)
    (tmp_path / "record.json").write_text(json.dumps(record().to_json() | {entry: math.nan}))
    with pytest.raises(StudyRefused, match="RECORD_EDITED"):
        read_records(tmp_path)


def test_what_is_named_like_a_record_and_is_no_file_is_not_passed_over(tmp_path):
    """A pipe would never answer; without the record there would be no interval, and no word why."""
    for number, make in enumerate((os.mkfifo, os.mkdir, lambda place: os.symlink("nowhere", place))):
        (tmp_path / str(number)).mkdir()
        make(tmp_path / str(number) / "record.json")
        with pytest.raises(StudyRefused, match="RECORD_EDITED"):
            read_records(tmp_path / str(number))


def test_a_record_stays_where_the_next_one_cannot_be_written(tmp_path, monkeypatch):
    place = tmp_path / "record.json"
    write_record(record(), place)
    before = place.read_bytes()

    def full(path: Path, text: str, **_: object) -> int:
        path.write_bytes(text.encode()[:10])
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="disk full"):
        write_record(record(), place)
    assert place.read_bytes() == before and list(tmp_path.iterdir()) == [place]


def test_two_records_for_the_same_are_not_chosen_between(tmp_path):
    made = record()
    write_record(made, tmp_path / "a.json")
    write_record(replace(made, names=("first volume",)), tmp_path / "b.json")
    write_record(replace(made, identity={"sampler": "Ensemble", "draws": 1}), tmp_path / "c.json")
    assert len(read_records(tmp_path)) == 3
    for name, spacing in (("e", 2.0), ("f", 2.01)):
        write_record(replace(made, identity={"grid_spacing_mm": [spacing, spacing]}), tmp_path / f"{name}.json")
    with pytest.raises(StudyRefused, match="RECORD_AMBIGUOUS: 2 of 5 records"):
        read_records(tmp_path)
    for name in "ef":
        (tmp_path / f"{name}.json").unlink()
    write_record(replace(made, provenance={"list": "another"}), tmp_path / "d.json")
    with pytest.raises(StudyRefused, match="RECORD_AMBIGUOUS: 2 of 4 records"):
        read_records(tmp_path)
    assert read_records(tmp_path / "a.json") == [made]


def test_records_of_one_network_and_of_an_ensemble_have_names_of_their_own():
    names = [replace(record(), identity={"sampler": "Ensemble", "draws": draws}).file_name for draws in (1, 5)]
    assert names == ["ensemble_1_draws_whole_volume.json", "ensemble_5_draws_whole_volume.json"]


def test_an_unknown_score_is_refused_and_no_other_class_is_made():
    facts = record().to_json()
    for name in ("Invented", "Path", "ConformityScore", "Case"):
        with pytest.raises(StudyRefused, match="RECORD_MISMATCH"):
            Absolute.from_json({**facts["score"], "name": name})


def test_too_few_units_name_the_number_needed():
    with pytest.raises(StudyRefused, match=r"TOO_FEW_UNITS: 8 subjects, 9 are needed at 90 % \(two-sided\)"):
        record_of(cases(8), settings(levels=(0.5, 0.9)))
    with pytest.raises(StudyRefused, match=r"18 subjects, 19 are needed at 90 % \(asymmetric\)"):
        record_of(cases(18), settings(levels=(0.9,), sides="asymmetric"))
    assert record_of(cases(9), settings(levels=(0.5, 0.9))).levels == (0.5, 0.9)


def test_a_level_beyond_the_units_is_not_available_and_never_the_largest_score():
    made = record_of(cases(9), settings(Absolute()))
    assert interval(made, case(2.0), 0.9) is not None
    assert interval(made, case(2.0), 0.95) is None
    assert made.why_not((case(2.0),), 0.95) == Withheld("TOO_FEW_UNITS", "95 % needs 19 subjects, there are 9")


def test_one_sided_bounds_have_one_end():
    made = {sides: record_of(cases(20), settings(Absolute(), sides=sides)) for sides in ("lower", "upper")}
    lower, upper = interval(made["lower"], case(2.0), 0.8)
    assert upper == math.inf and lower == pytest.approx(2.0 + 0.04)  # the truth was never below the prediction
    lower, upper = interval(made["upper"], case(2.0), 0.8)
    assert lower == 0 and upper == pytest.approx(2.0 + 0.17)


class TestStrataBySize:
    def test_each_class_has_its_own_scores(self):
        made = record_of(cases(20), settings(Absolute(), strata={NAME: (1.95,)}))
        assert [(c.up_to, c.n) for c in made.strata[0]] == [(1.95, 10), (math.inf, 10)]
        assert interval(made, case(1.2), 0.8)[1] == pytest.approx(1.2 + 0.09)
        assert interval(made, case(2.2), 0.8)[1] == pytest.approx(2.2 + 0.19)
        assert not made.empty_handed

    def test_a_class_with_too_few_units_gives_no_interval_and_the_others_do(self):
        made = record_of(cases(20), settings(Absolute(), strata={NAME: (0.5, 1.15, 1.75, 2.25)}))
        assert [(c.up_to, c.n) for c in made.strata[0]] == [(0.5, 0), (1.15, 2), (1.75, 6), (2.25, 5), (math.inf, 7)]
        assert [interval(made, case(value), 0.8) is None for value in (0.4, 1.1, 1.5, 2.0, 3.0)] == [
            True,
            True,
            False,
            False,
            False,
        ]
        assert made.why_not((case(1.1),), 0.8).code == "TOO_FEW_UNITS"
        assert made.empty_handed and Record.from_json(made.to_json()) == made
        assert [row["half-width 80 %"] for row in describe(made, [(one,) for one in cases(20)])][:2] == ["too few units"] * 2

    def test_where_no_class_has_enough_there_is_no_record(self):
        with pytest.raises(StudyRefused, match="TOO_FEW_UNITS: 2 "):
            record_of(cases(5), settings(Absolute(), strata={NAME: (1.15, 1.35)}))

    def test_the_class_is_that_of_the_prediction(self):
        one = record_of(cases(20), settings(Absolute(), strata={NAME: (1.95,)}))
        assert one.stratum_of(0, (case(1.0, truth=9.0),)) == 0
        assert one.stratum_of(0, (case(1.95),)) == 0

    def test_a_row_each_is_described(self):
        made = record_of(cases(20), settings(Absolute(), strata={NAME: (1.95,)}), measured_in="mL")
        rows = describe(made, [(one,) for one in cases(20)])
        assert [row["stratum"] for row in rows] == ["up to 1.95", "larger"]
        assert [row["half-width 80 %"] for row in rows] == ["0.09 mL", "0.19 mL"]
        assert describe(record_of(cases(), settings(Absolute())), [(one,) for one in cases()])[0]["stratum"] == "all"


def test_scores_of_each_kind_of_sides():
    excesses = [(-1.0, 1.0), (2.0, -2.0), (0.5, -0.5)]
    assert SplitStratum.of(9.0, excesses, "two-sided").scores == {"either": (0.5, 1.0, 2.0)}
    assert SplitStratum.of(9.0, excesses, "asymmetric").scores == {"below": (-1.0, 0.5, 2.0), "above": (-2.0, -0.5, 1.0)}
    assert SplitStratum.of(9.0, excesses, "lower").scores == {"below": (-1.0, 0.5, 2.0)}
    assert SplitStratum.of(9.0, excesses, "upper").scores == {"above": (-2.0, -0.5, 1.0)}


def test_settings_are_checked():
    for wrong in ({"sides": "both"}, {"levels": (0.9, 1.0)}, {"strata": {NAME: (2.0, 1.0)}}):
        with pytest.raises(ValueError):
            settings(**wrong)


def test_a_gate_goes_with_the_record():
    made = Record.from_json(json.loads(json.dumps(record().to_json())))
    assert made.gate.judge({"noise": 3.0}).accepted
    assert not made.gate.judge({"noise": 99.0}).accepted
