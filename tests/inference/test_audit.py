"""From stored predictions, their intervals and a list that says how it was drawn to the evidence against the records."""

from __future__ import annotations

import json
from contextlib import nullcontext
from functools import reduce

import numpy as np
import point_phantoms
import pytest
from calibration_phantoms import BUNDLE, labels, settings, write_label, write_list, write_result, write_stored

from caveat.inference.audit.audit import WARN_AT, audit
from caveat.inference.audit.audit_files import is_continued, save_audit, to_markdown
from caveat.inference.audit.evidence import FairRecord
from caveat.inference.audit.told import ALL_AT_ONCE
from caveat.inference.calibration.apply_records import ApplyRecordsd
from caveat.inference.calibration.calibrate import calibrate
from caveat.inference.calibration.record import MARGINAL, read_records
from caveat.inference.calibration.record_file import write_record
from caveat.inference.calibration.scores.absolute import Absolute
from caveat.inference.gate.gate import Check
from caveat.inference.stored.truths import MaskTruths
from caveat.reasons import StudyRefused

LEVEL, TRUTH = 0.8, "as the rater of the phantoms outlines it"
DRAWN = {"units": "consecutive", "blind": True}
SETTINGS = settings(Absolute(), truths=MaskTruths(classes=(1, 2)), checks=[Check("noise", "above")])


@pytest.fixture
def place(tmp_path):
    """Records of fifteen subjects; eight later studies of seven subjects, the third of which the gate turns away."""
    write_stored(tmp_path, units=15, scans=1)
    entries = json.loads((tmp_path / "list.json").read_text())["calibration"]
    made = calibrate(tmp_path / "out", tmp_path / "list.json", "calibration", SETTINGS, tmp_path / "data", truth=TRUTH)
    (tmp_path / "records").mkdir()
    for one in made:
        write_record(one.record, tmp_path / "records" / one.record.file_name)
    later = write_stored(tmp_path / "later", units=8, scans=1, part="test")
    for number, entry in enumerate(later):
        entry |= {"sha256": f"later {number}", "unit": f"somebody {min(number, 6)}", "label": [f"later_{entry['label'][0]}"]}
        result = json.loads((tmp_path / "later" / "out" / f"scan{number:03}" / "result.json").read_text())
        result["input"]["sha256"] = entry["sha256"]
        result["study_scores"]["noise"] = 1e9 if number == 2 else 0.0
        told = ApplyRecordsd(tmp_path / "records", LEVEL, BUNDLE)({"result": result})["result"]
        write_result(tmp_path / "out" / f"later{number}", told)
    (tmp_path / "later" / "data" / "labels").rename(tmp_path / "data" / "later_labels")
    write_list(tmp_path, calibration=entries, test=later, drawn=DRAWN)
    return tmp_path


def run(place, split="test", records=None):
    given = read_records(place / "records") if records is None else records
    return audit(place / "out", place / "list.json", split, SETTINGS, place / "data", given)


def change_list(place, **more):
    path = place / "list.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | more))


def test_every_unit_counts_once_and_withheld_intervals_do_not(place):
    found = run(place)
    assert (found["units"], found["withheld"], found["drawn"], found["left_out"]) == (7, 1, "consecutive", [])
    assert found["order"] == [f"later {number}" for number in range(7)]
    (promise,) = found["promises"]
    assert promise["promise"] == MARGINAL
    record = {record.names[0]: record for record in read_records(place / "records")}
    for part in promise["parts"]:
        assert (part["record"], part["truth"], part["n"]) == (record[part["part"]].checksum, TRUTH, 14)
        assert part["cases"] == 6 and part["covered"] == sum(part["which"])


def test_the_evidence_is_the_mean_of_the_parts_each_its_own_urn(place):
    found = run(place)
    paths = []
    for part in found["promises"][0]["parts"]:
        own = FairRecord(14, 12, LEVEL).evidence(part["which"])  # ceil(15 * 0.8)
        assert part["evidence"] == pytest.approx(own[-1])
        paths.append([*own[:2], own[1], *own[2:]])  # the third unit has no case: the evidence stays
    assert found["evidence"] == pytest.approx(np.mean(paths, axis=0))
    assert found["highest"] == pytest.approx(max(1.0, *np.mean(paths, axis=0))) and found["warned_after"] is None


def test_truths_that_lie_elsewhere_make_it_warn_and_it_warns_for_ever(place):
    for number in (0, 1, 3, 4, 5):
        write_label(place / "data" / "later_labels" / f"{number}.nii.gz", labels(5, 5))
    found = run(place)
    assert found["promises"][0]["parts"][0]["which"][:5] == [0] * 5
    assert found["highest"] >= WARN_AT and found["warned_after"] <= 6
    text = save_audit(found, place / "out")
    assert f"WARNING after {found['warned_after']} units" in text and TRUTH in text
    assert json.loads((place / "out/audit.json").read_text())["schema"] == "caveat-audit-1"
    assert (place / "out/audit.md").read_text() == text


def test_looks_at_one_growing_stream_share_a_guarantee_and_others_do_not(place):
    entries = json.loads((place / "list.json").read_text())["test"]
    change_list(place, test=entries[:4])
    save_audit(run(place), place / "out")
    change_list(place, test=entries)
    assert "earlier audit" not in save_audit(run(place), place / "out")
    change_list(place, test=entries[::-1])
    assert "earlier audit" in save_audit(run(place), place / "out")
    write_label(place / "data" / "later_labels" / "7.nii.gz", labels(5, 5))
    save_audit(run(place), place / "out")
    write_label(place / "data" / "later_labels" / "7.nii.gz", labels(110, 110))
    assert "have other truths" in save_audit(run(place), place / "out")


def test_without_a_single_interval_there_is_nothing_to_audit(place):
    for folder in (place / "out").glob("later*"):
        result = json.loads((folder / "result.json").read_text())
        for entry in result["answers"]:
            entry["region"] = None
        write_result(folder, result)
    found = run(place)
    assert (found["withheld"], found["promises"], found["warned_after"]) == (7, [], None)
    assert "nothing to audit" in to_markdown(found)


class TestRefused:
    @pytest.mark.parametrize(
        "drawn",
        [None, "consecutive", {}, {"units": "consecutive"}, {"units": "picked", "blind": True}]
        + [{"units": "random", "blind": False}, {"units": "random", "blind": "yes"}],
    )
    def test_a_list_that_does_not_say_that_nobody_picked(self, place, drawn):
        change_list(place, drawn=drawn)
        with pytest.raises(StudyRefused, match="WRONG_USAGE.*drawn"):
            run(place)

    def test_the_units_of_the_record(self, place):
        entries = json.loads((place / "list.json").read_text())
        for number, entry in enumerate(entries["test"]):
            entry["unit"] = f"subject {number}"
        change_list(place, test=entries["test"])
        salted = [record.provenance["made_of"]["salt"] for record in read_records(place / "records")]
        assert len(set(salted)) == 1
        with pytest.raises(StudyRefused, match="UNITS_SEEN_IN_CALIBRATION"):
            run(place)

    def test_intervals_of_another_record(self, place):
        with pytest.raises(StudyRefused, match="--record"):
            run(place, records=[])

    def test_intervals_of_two_levels(self, place):
        path = place / "out/later4/result.json"
        result = json.loads(path.read_text())
        result["answers"][0]["region"]["level"] = 0.5
        path.write_text(json.dumps(result))
        with pytest.raises(StudyRefused, match="several records or levels"):
            run(place)

    @pytest.mark.parametrize(
        "where",
        ["status", "sampling", "study_scores", "answers", "input shape", "input affine", "input affine 0"]
        + [f"answers 1 {what}" for what in ("name", "kind", "unit", "value", "draws", "draws values", "region")]
        + ["answers 1 region level", "answers 1 region record"],
    )
    @pytest.mark.parametrize("value", [..., "x", {}, {"a": "b"}], ids=["gone", "text", "empty", "mapping"])
    def test_a_result_that_is_half_or_forged(self, place, where, value):
        """Each ended with UNEXPECTED_ERROR."""
        path = place / "out/later4/result.json"
        result = json.loads(path.read_text())
        *way, last = [int(step) if step.isdigit() else step for step in where.split()]
        part = reduce(lambda inner, step: inner[step], way, result)
        if value is ...:
            del part[last]
        else:
            part[last] = value
        path.write_text(json.dumps(result))
        in_its_form = [("answers", ...), ("region", ...), ("name", "x"), ("unit", "x"), ("study_scores", {})]
        known = (last, value) in in_its_form
        with nullcontext() if known else pytest.raises(StudyRefused, match="CORRUPT|WRONG_USAGE|MIXED_PREDICTIONS"):
            run(place)

    def test_no_truth_at_all(self, place):
        for path in (place / "data" / "later_labels").iterdir():
            path.unlink()
        with pytest.raises(StudyRefused, match="NOT_PREDICTED"):
            run(place)


class TestLandmarks:
    @pytest.fixture
    def films(self, tmp_path):
        """Records of twenty patients, and twelve later ones."""
        point_phantoms.write_stored(tmp_path, calibration=20, test=12)
        chosen = point_phantoms.settings(tmp_path / "prepared")
        made = calibrate(tmp_path / "out", tmp_path / "list.json", "calibration", chosen, tmp_path, truth=TRUTH)
        (tmp_path / "records").mkdir()
        for one in made:
            write_record(one.record, tmp_path / "records" / one.record.file_name)
        for number in range(20, 32):
            path = tmp_path / f"out/study{number:03}/result.json"
            apply = ApplyRecordsd(tmp_path / "records", LEVEL, point_phantoms.BUNDLE)
            path.write_text(json.dumps(apply({"result": json.loads(path.read_text())})["result"]))
        change_list(tmp_path, drawn=DRAWN | {"units": "random"})
        return tmp_path, chosen, [one.record for one in made]

    def run(self, films):
        place, chosen, records = films
        return audit(place / "out", place / "list.json", "test", chosen, place, records)

    def test_each_landmark_and_all_at_once(self, films):
        found = self.run(films)
        marginal, simultaneous = found["promises"]
        assert [part["part"] for part in marginal["parts"]] == list(point_phantoms.NAMES)
        assert [part["part"] for part in simultaneous["parts"]] == [ALL_AT_ONCE]
        together = np.prod([part["which"] for part in simultaneous["parts"]], axis=0)
        assert simultaneous["parts"][0]["covered"] == together.sum()
        assert found["evidence"] == pytest.approx(np.mean([marginal["evidence"], simultaneous["evidence"]], axis=0))
        assert found["drawn"] == "random" and found["withheld"] == 0

    def test_a_rater_whose_habit_moved_is_noticed_by_the_promise_of_all_at_once_first(self, films):
        """One landmark lies elsewhere: each for itself, two of three are as they were."""
        place = films[0]
        for number in range(20, 32):
            path = place / f"out/study{number:03}/result.json"
            result = json.loads(path.read_text())
            result["answers"][0]["value"][0] += 50.0
            path.write_text(json.dumps(result))
        marginal, simultaneous = self.run(films)["promises"]
        assert marginal["parts"][0]["covered"] == simultaneous["parts"][0]["covered"] == 0
        assert simultaneous["warned_after"] <= 5
        assert marginal["warned_after"] is None or marginal["warned_after"] > simultaneous["warned_after"]

    def test_a_landmark_that_the_image_does_not_show_counts_as_in_the_record(self, films):
        path = films[0] / "out/study021/result.json"
        result = json.loads(path.read_text())
        result["answers"][0] |= {"outside_image": True, "value": None, "region": None, "simultaneous_region": None}
        path.write_text(json.dumps(result))
        marginal = self.run(films)["promises"][0]
        assert [part["cases"] for part in marginal["parts"]] == [12, 12, 12]


@pytest.mark.parametrize(
    "earlier", [None, [], "x", {}, {"order": 1}, {"order": [], "promises": 3}, {"order": [], "promises": [{}]}]
)
def test_a_file_of_another_kind_is_no_earlier_audit(earlier):
    assert not is_continued(earlier, {"order": ["a"], "promises": []})
