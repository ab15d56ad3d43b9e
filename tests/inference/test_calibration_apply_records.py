"""A result gets its interval, or says why not; its value never changes."""

from __future__ import annotations

import copy
import json

import pytest
import torch
from calibration_phantoms import BUNDLE, ML, case, record_of, result_of, settings
from monai.data import MetaTensor
from scipy.stats import beta

from caveat.inference.calibration.apply_records import ApplyRecordsd
from caveat.inference.calibration.calibrate import fit_record
from caveat.inference.calibration.identity import identity_of, identity_of_target
from caveat.inference.calibration.record_file import write_record
from caveat.inference.calibration.scores.absolute import Absolute
from caveat.inference.calibration.scores.draw_quantiles import DrawQuantiles
from caveat.inference.calibration.scores.fitted import Fitted
from caveat.inference.calibration.whose_truth import UNSTATED
from caveat.inference.gate.gate import Check, fit_gate
from caveat.reasons import REASONS, StudyRefused

RESULT = result_of("sha", 100, 120)
ERRORS = [k / 100 for k in range(-10, 10)]


def save(folder, score=None, gate=None, name="whole volume", result=RESULT, file="record.json", **more):
    """A record of 20 units whose truths lie -0.10 ... 0.09 mL above what was predicted."""
    cases = [case(1.5, 1.5 + error, scores={"noise": 1.0}) for error in ERRORS]
    entry = next(entry for entry in result["answers"] if entry["name"] == name)
    identity = identity_of(result, BUNDLE, entry)
    record = record_of(cases, settings(score or Absolute(), **more), name, gate, measured_in="mL", identity=identity)
    folder.mkdir(exist_ok=True)
    write_record(record, folder / file)
    return record


def apply(folder, level=0.8, result=RESULT, bundle=BUNDLE):
    data = {"result": copy.deepcopy(result), "image": "untouched"}
    out = ApplyRecordsd(str(folder), level, bundle)(data)
    assert data["result"] == result and out["image"] == "untouched"
    return out["result"]


@pytest.mark.parametrize("most,upper", [(None, 220 * ML + 0.08), (5.0, 220 * ML + 0.08), (220 * ML + 0.01, 220 * ML + 0.01)])
def test_an_interval_ends_where_the_image_does(most, upper, tmp_path):
    save(tmp_path)
    result = copy.deepcopy(RESULT)
    result["answers"][0]["at_most"] = most
    told = apply(tmp_path, result=result)
    region = told["answers"][0]["region"]
    assert (region["lower"], region["upper"]) == (pytest.approx(220 * ML - 0.08), pytest.approx(upper))
    assert told["flags"] == (["INTERVAL_REACHES_IMAGE_END"] if upper == most else [])


def test_an_end_that_is_not_promised_stays_open_whatever_the_image_holds(tmp_path):
    save(tmp_path, sides="lower")
    result = copy.deepcopy(RESULT)
    result["answers"][0]["at_most"] = 5.0
    told = apply(tmp_path, result=result)
    assert told["answers"][0]["region"]["upper"] is None and told["flags"] == []


def test_an_interval_in_the_result_and_in_the_sentence(tmp_path):
    record = save(tmp_path)
    result = apply(tmp_path)
    interval = result["answers"][0]["region"]
    assert interval == {
        "kind": "interval",
        "promise": "marginal",
        "date": None,
        "level": 0.8,
        "lower": pytest.approx(220 * ML - 0.08),
        "upper": pytest.approx(220 * ML + 0.08),
        "record": record.checksum,
        "n": 20,
        "truth": UNSTATED,
        "networks": None,
        "proven": 0.8,
        "own_coverage": pytest.approx(beta.ppf([0.05, 0.95], 17, 4)),
        "unit": "subject",
        "score": "Absolute",
        "width_from": "the record alone",
        "sides": "two-sided",
    }
    statement = f"Whole: 1.760 mL (80 % interval 1.680 to 1.840 {UNSTATED}, calibrated on 20 subjects)"
    assert result["answers"][0]["statement"] == statement
    assert result["answers"][0]["value"] == RESULT["answers"][0]["value"]
    assert result["flags"] == [] and result["gate"] is None
    json.dumps(result, allow_nan=False)


def test_what_holds_at_once_stands_beside_what_holds_alone(tmp_path):
    save(tmp_path)
    names = tuple(entry["name"] for entry in RESULT["answers"])
    rows = [tuple(case(1.5, 1.5 + error, name=name) for name in names) for error in ERRORS]
    asked = settings(Absolute(), promises=("simultaneous",))
    about = {"measured_in": "mL", "identity": identity_of_target(RESULT, BUNDLE, names)}
    made = fit_record(names, rows, asked, Absolute(), "simultaneous", **about)
    write_record(made, tmp_path / made.file_name)
    whole, first = apply(tmp_path)["answers"]
    assert whole["region"]["promise"] == "marginal" and first["region"] is None
    assert [entry["simultaneous_region"]["record"] for entry in (whole, first)] == [made.checksum] * 2
    assert whole["simultaneous_region"]["upper"] == pytest.approx(220 * ML + 0.08)
    empty = copy.deepcopy(RESULT)
    empty["answers"][1]["value"] = None
    assert apply(tmp_path, result=empty)["answers"][0]["simultaneous_region"] is None, "one of them was not found"


@pytest.mark.parametrize("stored", [["seen"], {"seen": [0, 2]}], ids=["list", "by network"])
def test_an_image_that_trained_the_network_gets_no_interval(tmp_path, stored):
    save(tmp_path / "calibration")
    (tmp_path / "calibration" / "seen.json").write_text(json.dumps(stored))
    apply_records = ApplyRecordsd(tmp_path / "calibration", 0.8, BUNDLE, bundle_root=tmp_path)
    for sha256, flags in (("seen", ["UNITS_SEEN_IN_TRAINING"]), ("new", [])):
        image = MetaTensor(torch.zeros(1, 2, 2), meta={"input_sha256": sha256})
        result = apply_records({"result": copy.deepcopy(RESULT), "input": image})["result"]
        entry = result["answers"][0]
        assert result["flags"] == flags and entry["value"] == RESULT["answers"][0]["value"]
        assert (entry["region"] is None) == bool(flags)
        assert ("not calibrated: the network was made with this image" in entry["statement"]) == bool(flags)


def test_a_measurement_without_a_record_stays_as_it_is(tmp_path):
    save(tmp_path)
    assert apply(tmp_path)["answers"][1] == RESULT["answers"][1]


@pytest.mark.parametrize("folder", ["", "nowhere"])
def test_no_records_at_all_change_nothing(tmp_path, folder):
    assert apply(tmp_path / folder) == RESULT


@pytest.mark.parametrize(
    "key,value",
    [("sampler", "Dropout"), ("source", "rater"), ("draws", 4), ("temperature", 1.5), ("roi_size", [24, 24, 24])]
    + [("overlap", 0.25), ("blending", "constant"), ("align", 8), ("precision", "bfloat16"), ("grid_spacing_mm", [1.0, 1.0, 1.0])]
    + [("feature_reference", "another"), ("link", "sigmoid"), ("region_channel", 3)],
)
def test_another_way_of_sampling_gets_no_interval(tmp_path, key, value):
    save(tmp_path)
    result = apply(tmp_path, result={**RESULT, "sampling": {**RESULT["sampling"], key: value}})
    entry = result["answers"][0]
    assert entry["region"] is None and result["flags"] == ["RECORD_MISMATCH"]
    assert entry["statement"].endswith(f"not calibrated: the record was made with another {key.replace('_', ' ')})")


@pytest.mark.parametrize("key", ["weights_sha256", "preprocessing_sha256"])
def test_other_weights_or_preprocessing_get_no_interval(tmp_path, key):
    save(tmp_path)
    result = apply(tmp_path, bundle={**BUNDLE, key: "other"})
    assert result["answers"][0]["region"] is None and result["flags"] == ["RECORD_MISMATCH"]


def test_another_unit_gets_no_interval(tmp_path):
    save(tmp_path)
    other = copy.deepcopy(RESULT)
    other["answers"][0]["unit"] = "voxels"
    assert apply(tmp_path, result=other)["flags"] == ["RECORD_MISMATCH"]


@pytest.mark.parametrize("source", ["box", "point"])
def test_a_crop_that_the_user_placed_gets_no_interval_of_a_record_made_without(tmp_path, source):
    save(tmp_path)
    cropped = {**RESULT, "input": {"crop": {"source": source, "box_mm": [0.0, 40.0, 0.0, 54.0, 0.0, 40.0]}}}
    result = apply(tmp_path, result=cropped)
    entry = result["answers"][0]
    assert entry["region"] is None and result["flags"] == ["RECORD_MISMATCH"] and entry["value"] == pytest.approx(220 * ML)
    assert entry["statement"].endswith("not calibrated: the record was made with another crop)")
    save(tmp_path, result=cropped)
    assert apply(tmp_path, result=cropped)["answers"][0]["region"] is not None


def test_of_several_records_the_one_that_fits_is_taken(tmp_path):
    other = {**RESULT, "sampling": {**RESULT["sampling"], "sampler": "Dropout"}}
    save(tmp_path, file="a.json", result=other)
    fitting = save(tmp_path, file="b.json")
    save(tmp_path, file="c.json", name="first volume")
    result = apply(tmp_path)
    assert result["answers"][0]["region"]["record"] == fitting.checksum and not result["flags"]
    assert result["answers"][1]["region"] is not None


def test_a_study_out_of_range_keeps_its_value_and_loses_its_interval(tmp_path):
    gate = fit_gate([{"noise": float(k)} for k in range(20)], [Check("noise", "above")], 0.1)
    save(tmp_path, gate=gate)
    strange = {**RESULT, "study_scores": {**RESULT["study_scores"], "noise": 40.0}}
    result = apply(tmp_path, result=strange)
    entry = result["answers"][0]
    assert entry["region"] is None and entry["value"] == RESULT["answers"][0]["value"]
    assert "not calibrated: unlike the calibration studies in noise)" in entry["statement"]
    assert result["flags"] == ["OUT_OF_RANGE"] and not result["gate"]["accepted"]
    assert result["gate"]["checks"][0]["value"] == 40.0
    usual = apply(tmp_path)
    assert usual["gate"]["accepted"] and usual["answers"][0]["region"]


def test_too_few_units_for_the_level_say_how_many_are_needed(tmp_path):
    save(tmp_path)
    result = apply(tmp_path, level=0.99)
    assert result["answers"][0]["region"] is None and result["flags"] == ["TOO_FEW_UNITS"]
    assert "not calibrated: 99 % needs 99 subjects, there are 20)" in result["answers"][0]["statement"]


def test_one_sided_bounds(tmp_path):
    save(tmp_path, sides="lower")
    entry = apply(tmp_path)["answers"][0]
    assert entry["region"]["upper"] is None and entry["region"]["lower"] == pytest.approx(1.76 - 0.07)
    assert entry["statement"] == f"Whole: 1.760 mL (80 % bound: at least 1.690 {UNSTATED}, calibrated on 20 subjects)"
    save(tmp_path, sides="upper")
    entry = apply(tmp_path)["answers"][0]
    assert entry["region"]["lower"] is None
    assert entry["statement"] == f"Whole: 1.760 mL (80 % bound: at most 1.820 {UNSTATED}, calibrated on 20 subjects)"


def test_crossed_ends_are_flagged(tmp_path):
    save(tmp_path, score=DrawQuantiles(0.0, 1.0))  # the band of the phantoms' cases is far wider than their errors
    result = apply(tmp_path, level=0.5)
    interval = result["answers"][0]["region"]
    assert interval["lower"] == interval["upper"] and result["flags"] == ["EMPTY_INTERVAL"]


def test_a_study_score_that_one_study_lacks(tmp_path):
    save(tmp_path, score=Fitted({"log_value": 1.0}, {"intercept": -2.0, "noise": 0.1}))
    assert apply(tmp_path)["answers"][0]["region"]
    result = apply(tmp_path, result={**RESULT, "study_scores": {"noise": None}})
    assert result["answers"][0]["region"] is None and result["flags"] == ["MISSING_STUDY_SCORE"]
    assert result["answers"][0]["statement"].endswith("not calibrated: noise is unknown)")


def test_nothing_found_gets_no_interval(tmp_path):
    save(tmp_path)
    empty = {**RESULT, "status": "NOTHING_FOUND"}
    assert apply(tmp_path, result=empty) == empty
    part = copy.deepcopy(RESULT)
    part["answers"][0] |= {"value": None, "statement": "nothing found"}
    assert apply(tmp_path, result=part)["answers"][0] == part["answers"][0]
    part["answers"][0]["value"] = 0.0  # of a target whose zero is an answer
    assert apply(tmp_path, result=part)["answers"][0]["region"]["lower"] == 0.0


def test_an_edited_record_stops_the_run(tmp_path):
    save(tmp_path)
    facts = json.loads((tmp_path / "record.json").read_text())
    facts["strata"][0][0]["scores"]["either"][-1] = 0.0
    (tmp_path / "record.json").write_text(json.dumps(facts))
    with pytest.raises(StudyRefused, match="RECORD_EDITED"):
        ApplyRecordsd(tmp_path, 0.9, BUNDLE)


def test_every_flag_is_explained():
    withheld = ("RECORD_MISMATCH", "OUT_OF_RANGE", "TOO_FEW_UNITS", "MISSING_STUDY_SCORE", "RECORD_EDITED")
    for code in (*withheld, "EMPTY_INTERVAL", "INTERVAL_REACHES_IMAGE_END"):
        assert code in REASONS
