"""From a folder of stored predictions and a list of truths to records, and every way in which that is refused."""

from __future__ import annotations

import hashlib
import json

import nibabel
import numpy as np
import pytest
from calibration_phantoms import (
    AFFINE,
    ML,
    case,
    labels,
    result_of,
    settings,
    write_label,
    write_list,
    write_result,
    write_stored,
)

from caveat.inference.calibration.calibrate import calibrate, fit_records
from caveat.inference.calibration.read_cases import Cases, read_cases
from caveat.inference.calibration.rows import one_per_unit
from caveat.inference.calibration.scores.absolute import Absolute
from caveat.inference.calibration.scores.fitted import Fitted
from caveat.inference.calibration.scores.log import Log
from caveat.inference.gate.gate import Check
from caveat.inference.stored.truths import MaskTruths
from caveat.inference.targets.volume import Volume
from caveat.reasons import StudyRefused

BOTH = MaskTruths(classes=(1, 2))


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """Twelve subjects of two scans each."""
    root = tmp_path_factory.mktemp("stored")
    write_stored(root)
    return root


@pytest.fixture
def stored(tmp_path):
    """Six subjects of one scan each, to be spoiled."""
    write_stored(tmp_path, units=6, scans=1)
    return tmp_path


def run(root, seen=(), split="calibration", **more):
    return calibrate(root / "out", root / "list.json", split, settings(**{"truths": BOTH, **more}), root / "data", seen)


def entries_of(root):
    return json.loads((root / "list.json").read_text())["calibration"]


def change(root, number, **facts):
    path = root / "out" / f"scan{number:03}" / "result.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))


def result(root, number):
    return json.loads((root / "out" / f"scan{number:03}" / "result.json").read_text())


def test_one_record_a_measurement_of_one_scan_a_unit(shared):
    whole, first = (entry.record for entry in run(shared))
    assert [whole.names, first.names] == [("whole volume",), ("first volume",)]
    assert whole.n == first.n == 12 and whole.measured_in == "mL" and whole.unit == "subject"
    assert whole.identity["weights_sha256"] == "w" and whole.identity["measurement"] == "whole volume"
    about = whole.provenance
    assert (about["images"], about["units"], about["not_accepted"], about["split"]) == (24, 12, 0, "calibration")
    assert len(about["list_sha256"]) == 64


def test_a_record_knows_its_units_without_naming_them(shared):
    record = run(shared)[0].record
    made = record.provenance["made_of"]
    assert made["salt"] == record.provenance["list_sha256"]
    assert made["unit_hashes"] == sorted(hashlib.sha256(f"{made['salt']}:subject {k}".encode()).hexdigest() for k in range(12))
    assert made["images_sha256"] == sorted(entry["sha256"] for entry in entries_of(shared))
    assert "subject 1" not in json.dumps(record.to_json())


def test_a_record_of_ratios_says_that_it_holds_in_any_unit(shared):
    record = run(shared, any_unit=True)[0].record
    assert record.identity["unit"] == record.identity["grid_spacing_mm"] == "any" and record.identity["draws"] == 5
    assert record.measured_in == "mL"


def test_it_is_the_same_again_and_another_seed_takes_other_scans(shared):
    records = [entry.record for entry in run(shared)]
    assert records == [entry.record for entry in run(shared)]
    other = run(shared, seed=1)
    assert records[0].strata != other[0].record.strata


def test_cases_hold_truths_by_the_measurements_own_value(shared):
    cases = read_cases(shared / "out", shared / "list.json", "calibration", BOTH, shared / "data", settings().targets)
    path = shared / "data" / entries_of(shared)[3]["label"][0]
    array = np.asarray(nibabel.load(path).dataobj)
    assert cases.by_name["first volume"][3].truth == pytest.approx((array == 1).sum() * ML)
    assert cases.by_name["whole volume"][3].truth == pytest.approx((array > 0).sum() * ML)
    assert cases.by_name["whole volume"][3].unit == "subject 1" and cases.units["whole volume"] == "mL"
    assert len(cases.results) == 24 and not cases.left_out


def test_a_stratum_of_the_list_is_kept(stored):
    entries = [entry | {"stratum": "severe"} for entry in entries_of(stored)]
    write_list(stored, calibration=entries)
    cases = read_cases(stored / "out", stored / "list.json", "calibration", BOTH, stored / "data", settings().targets)
    assert {one.stratum for one in cases.by_name["whole volume"]} == {"severe"}


def test_one_scan_of_each_unit_is_drawn_by_the_unit_alone():
    cases = [case(float(k), unit=f"u{k // 2}") for k in range(400)]
    named = [(type(one)(**{**vars(one), "sha256": f"sha {k}"}),) for k, one in enumerate(cases)]
    first, second = one_per_unit(named, seed=0)
    assert len(first) == len(second) == 200 and len({one.unit for (one,) in first}) == 200
    changed = [(type(one)(**{**vars(one), "value": 99.0, "sha256": f"other {k}"}),) for k, (one,) in enumerate(named)]
    assert [one.unit for (one,) in one_per_unit(changed, seed=0)[0]] == [one.unit for (one,) in first]
    assert [named.index(one) for one in first] == [changed.index(one) for one in one_per_unit(changed, seed=0)[0]]
    firsts = sum(named.index(one) % 2 == 0 for one in first)
    assert 70 < firsts < 130, "either scan of a unit is as likely"


def test_the_quantile_is_over_units_that_the_gate_accepts(shared):
    entry = run(shared, checks=[Check("noise", "above")], false_alarm_rate=0.3)[0]
    assert entry.record.gate is not None and entry.record.n == len(entry.rows) < 12
    assert entry.record.provenance["not_accepted"] == 12 - entry.record.n
    assert all(entry.record.gate.judge(one.scores).accepted for (one,) in entry.rows)


def test_each_measurement_may_have_its_own_score(shared):
    score = {"whole volume": Fitted({"log_value": 1.0}, {"noise": 0.1}), "first volume": settings().score}
    assert [type(entry.record.score).__name__ for entry in run(shared, score=score)] == ["Fitted", "Log"]


def test_several_measurements_may_be_promised_at_once(shared):
    """The largest excess of a study's measurements is one score: both intervals hold together at the level."""
    both = ("first volume", "whole volume")
    made = run(shared, score=Absolute(), promises=("marginal", "simultaneous"), at_once=both)
    assert [(entry.record.names, entry.record.promise) for entry in made] == [
        (("whole volume",), "marginal"),
        (("first volume",), "marginal"),
        (both, "simultaneous"),
    ]
    record, rows = made[2].record, made[2].rows
    assert record.n == 12 and record.identity["measurement"] == list(both) and record.identity["classes"] == [[1], [1, 2]]
    ((stratum,),) = record.strata
    assert stratum.scores["either"] == tuple(sorted(max(abs(case.value - case.truth) for case in row) for row in rows))
    held = [all(region.contains(case.truth) for region, case in zip(record.regions(row, 0.8), row, strict=True)) for row in rows]
    assert sum(held) == 11, "the quantile is the 11th of 12"
    alone = [entry.record.regions((row[index],), 0.8)[0] for entry, index in ((made[1], 0), (made[0], 1)) for row in rows[:1]]
    assert all(wide.radius >= own.radius for wide, own in zip(record.regions(rows[0], 0.8), alone, strict=True))
    with pytest.raises(ValueError, match="needs one score"):
        settings({"whole volume": Absolute(), "first volume": Log(0.1)}, promises=("simultaneous",))


def test_refused_and_empty_studies_are_left_out_and_counted(stored):
    change(stored, 0, status="REFUSED", reasons=[{"code": "TRUNCATED"}], answers=[])
    change(stored, 1, status="NOTHING_FOUND", reasons=[{"code": "NOTHING_FOUND"}])
    record = run(stored)[0].record
    assert record.n == 4 and record.provenance["left_out"] == {"NOTHING_FOUND": 1, "TRUNCATED": 1}


def test_a_structure_that_is_not_found_is_no_measurement(stored):
    measurements = result(stored, 2)["answers"]
    measurements[1]["value"] = None
    change(stored, 2, answers=measurements)
    whole, first = (entry.record for entry in run(stored))
    assert (whole.n, first.n) == (6, 5)
    assert first.provenance["nothing_found"] == 1


def test_a_target_whose_zero_is_an_answer_counts_with_it_predicted_or_true(stored):
    class Counted(Volume):
        def found(self, value: float) -> bool:
            return True

    write_label(stored / "data/labels/1.nii.gz", labels(0, 0))
    measurements = result(stored, 2)["answers"]
    measurements[1]["value"] = 0.0
    change(stored, 2, answers=measurements)
    (made,) = run(stored, truths=MaskTruths(), targets=[Counted("first volume", "Part", (1,))], score=Absolute())
    assert made.record.n == 6 and made.record.provenance["nothing_found"] == 0
    assert [row[0].truth for row in made.rows].count(0.0) == 1 and [row[0].value for row in made.rows].count(0.0) == 1


class TestRefusals:
    def refused(self, root, code, **more):
        with pytest.raises(StudyRefused) as refusal:
            run(root, **more)
        assert refusal.value.code == code
        return refusal.value.found

    def test_too_few_units(self, stored):
        assert "6 subjects, 9 are needed at 90 %" in self.refused(stored, "TOO_FEW_UNITS", levels=(0.5, 0.9))
        assert self.refused(stored, "TOO_FEW_UNITS", levels=(0.5, 0.8, 0.9, 0.95)).endswith("enough for --levels 0.5,0.8")
        assert "9 are needed at 80 % (asymmetric)" in self.refused(stored, "TOO_FEW_UNITS", sides="asymmetric")

    def test_no_units_at_all(self):
        with pytest.raises(StudyRefused, match="TOO_FEW_UNITS: 0 subjects"):
            fit_records(Cases({}, {}, [], []), settings(), {})

    def test_scans_do_not_make_up_for_units(self, tmp_path):
        write_stored(tmp_path, units=3, scans=4)
        assert self.refused(tmp_path, "TOO_FEW_UNITS").startswith("3 subjects")

    @pytest.mark.parametrize("part", ["training", "early_stopping"])
    def test_a_unit_seen_in_training_with_another_scan(self, stored, part):
        entries = entries_of(stored)
        write_list(stored, calibration=entries, **{part: [entries[0] | {"sha256": "another scan"}]})
        assert self.refused(stored, "UNITS_SEEN_IN_TRAINING").startswith("1 units and 0 images")

    def test_an_image_seen_under_another_name(self, stored):
        entries = entries_of(stored)
        write_list(stored, calibration=entries, training=[entries[0] | {"unit": "somebody"}])
        assert self.refused(stored, "UNITS_SEEN_IN_TRAINING").startswith("0 units and 1 images")

    def test_an_image_that_the_bundle_says_it_has_seen(self, stored):
        self.refused(stored, "UNITS_SEEN_IN_TRAINING", seen=["sha004"])

    def test_the_training_part_itself(self, stored):
        write_list(stored, training=entries_of(stored))
        self.refused(stored, "UNITS_SEEN_IN_TRAINING", split="training")

    def test_an_image_twice(self, stored):
        entries = entries_of(stored)
        write_list(stored, calibration=[*entries, entries[0] | {"unit": "somebody"}])
        self.refused(stored, "WRONG_USAGE")

    def test_no_such_part(self, stored):
        self.refused(stored, "WRONG_USAGE", split="nonsense")

    def test_a_unit_that_was_not_predicted(self, stored):
        (stored / "out/scan003/result.json").unlink()
        assert self.refused(stored, "NOT_PREDICTED").startswith("1 of the part's images")

    def test_a_unit_without_truth(self, stored):
        (stored / "data/labels/2.nii.gz").unlink()
        self.refused(stored, "NO_TRUTH")

    @pytest.mark.parametrize("shape,affine", [((12, 10, 7), AFFINE), ((12, 10, 8), np.diag([2.0, 2, 2.5, 1]))])
    def test_a_mask_off_the_grid(self, stored, shape, affine):
        write_label(stored / "data/labels/2.nii.gz", labels(90, 90)[:, :, : shape[2]], affine)
        self.refused(stored, "LABEL_OFF_GRID")

    def test_a_mask_without_the_class(self, stored):
        write_label(stored / "data/labels/2.nii.gz", labels(90, 0))
        self.refused(stored, "LABEL_WITHOUT_CLASS")
        self.refused(stored, "LABEL_WITHOUT_CLASS", truths=MaskTruths())

    def test_a_draw_that_is_no_number(self, stored):
        measurements = result(stored, 2)["answers"]
        measurements[0]["draws"]["values"][1] = None  # result.json's word for NaN
        change(stored, 2, answers=measurements)
        assert "1 of 6" in self.refused(stored, "NON_FINITE_DRAWS")

    @pytest.mark.parametrize("value", [float("nan"), float("inf")])
    def test_a_value_that_is_no_number(self, stored, value):
        measurements = result(stored, 2)["answers"]
        measurements[0]["value"] = value
        change(stored, 2, answers=measurements)
        self.refused(stored, "NON_FINITE_DRAWS")

    def test_predictions_of_two_runs(self, stored):
        change(stored, 2, sampling=result(stored, 2)["sampling"] | {"draws": 3})
        self.refused(stored, "MIXED_PREDICTIONS")

    def test_predictions_at_two_temperatures(self, stored):
        change(stored, 2, sampling=result(stored, 2)["sampling"] | {"temperature": 2.0})
        self.refused(stored, "MIXED_PREDICTIONS")

    def test_predictions_that_do_not_say_what_made_them(self, stored):
        for number in range(6):
            change(stored, number, bundle={"name": "phantoms", "weights_sha256": "w"})
        assert "preprocessing_sha256" in self.refused(stored, "RECORD_MISMATCH")

    def test_one_image_predicted_twice(self, stored):
        write_result(stored / "out/copy", result_of("sha002", 90, 90))
        self.refused(stored, "DUPLICATE_PREDICTION")

    def test_a_score_that_needs_what_is_not_there(self, stored):
        self.refused(stored, "MISSING_STUDY_SCORE", score=Fitted({"log_value": 1.0}, {"nowhere": 0.1}))

    def test_a_gate_that_needs_what_is_not_there(self, stored):
        self.refused(stored, "GATE_SCORE_MISSING", checks=[Check("nowhere", "above")])
