"""Landmarks get their regions, or say why not; positions never change."""

from __future__ import annotations

import copy
import json

import numpy as np
import point_phantoms as phantoms
import pytest
import torch
from monai.data import MetaTensor
from point_phantoms import BUNDLE, NAMES, result_of

from caveat.inference.calibration.apply_records import ApplyRecordsd
from caveat.inference.calibration.identity import identity_of_target
from caveat.inference.calibration.record_file import write_record
from caveat.inference.calibration.scores.ellipse_distance import EllipseDistance
from caveat.inference.calibration.whose_truth import UNSTATED
from caveat.inference.gate.gate import Check, fit_gate
from caveat.reasons import StudyRefused

RESULT = result_of("sha", np.zeros((3, 2)))
DISTANCES = tuple(k / 10 for k in range(1, 21))
ELLIPSE = EllipseDistance(0.5, 0.01, dict.fromkeys(NAMES, ((4.0, 0.0), (0.0, 1.0))))
FULL = "not calibrated; no region: "


def save(folder, score=None, promise="marginal", gate=None, result=RESULT):
    """A record of 20 patients whose landmarks were 0.1 ... 2 mm off, or twice that at once."""
    rows = (tuple(2 * d for d in DISTANCES),) if promise == "simultaneous" else (DISTANCES,) * 3
    identity = identity_of_target(result, BUNDLE, NAMES)
    about = {"gate": gate, "identity": identity, "provenance": {"list": "list.json"}, "levels": (0.5, 0.9)}
    record = phantoms.record(score, promise, rows, **about)
    folder.mkdir(exist_ok=True)
    write_record(record, folder / record.file_name)
    return record


def apply(folder, level=0.9, result=RESULT, bundle=BUNDLE, shape="disc"):
    data = {"result": copy.deepcopy(result), "image": "untouched"}
    out = ApplyRecordsd(str(folder), level, bundle, shape=shape)(data)
    assert data["result"] == result and out["image"] == "untouched"
    return out["result"]


def test_an_image_that_trained_the_network_gets_no_regions(tmp_path):
    save(tmp_path / "calibration")
    (tmp_path / "calibration" / "seen.json").write_text('["seen"]')
    apply_records = ApplyRecordsd(tmp_path / "calibration", 0.9, BUNDLE, bundle_root=tmp_path)
    for sha256, flags in (("seen", ["UNITS_SEEN_IN_TRAINING"]), ("new", [])):
        image = MetaTensor(torch.zeros(1, 2, 2), meta={"input_sha256": sha256})
        result = apply_records({"result": copy.deepcopy(RESULT), "input": image})["result"]
        assert result["flags"] == flags and (result["answers"][0]["region"] is None) == bool(flags)
        assert (f"{FULL}the network was made with this image" in result["answers"][0]["statement"]) == bool(flags)


def test_regions_in_the_result_and_in_the_sentence(tmp_path):
    record, at_once = save(tmp_path), save(tmp_path, promise="simultaneous")
    result = apply(tmp_path)
    entry = result["answers"][0]
    assert entry["region"] == {
        "kind": "disc",
        "radius": 1.9,
        "area": pytest.approx(np.pi * 1.9**2),
        "promise": "marginal",
        "level": 0.9,
        "record": record.checksum,
        "n": 20,
        "unit": "patient",
        "truth": UNSTATED,
        "date": None,
        "networks": None,
        "proven": 0.9,
        "score": "Distance",
        "width_from": "the record alone",
        "own_coverage": pytest.approx([0.7839, 0.9819], abs=1e-4),
        "sides": "two-sided",
    }
    assert entry["simultaneous_region"]["radius"] == 3.8 and entry["simultaneous_region"]["record"] == at_once.checksum
    assert entry["statement"] == f"Sella: row 40.00, column 30.00 mm (90 % within 1.9 mm {UNSTATED}, calibrated on 20 patients)"
    assert entry["value"] == RESULT["answers"][0]["value"] and result["flags"] == [] and result["gate"] is None
    json.dumps(result, allow_nan=False)


def test_an_ellipse_where_the_bundle_asks_for_it(tmp_path):
    save(tmp_path)
    save(tmp_path, ELLIPSE)
    entry = apply(tmp_path, shape="ellipse")["answers"][1]
    assert entry["region"]["semi_axes"] == pytest.approx([1.9 * np.sqrt(4.01), 1.9 * np.sqrt(1.01)])
    assert f"(90 % within an ellipse of semi-axes 3.8 and 1.9 mm {UNSTATED}, calibrated on 20 patients)" in entry["statement"]
    assert entry["simultaneous_region"] is None
    with pytest.raises(ValueError, match="one of disc, ellipse"):
        ApplyRecordsd(tmp_path, 0.9, BUNDLE, shape="star")


def test_no_records_and_no_points_change_nothing(tmp_path):
    assert apply(tmp_path) == RESULT
    save(tmp_path)
    empty = {**RESULT, "status": "REFUSED", "answers": []}
    assert apply(tmp_path, result=empty) == empty


@pytest.mark.parametrize(
    "key,value", [("sampler", "Dropout"), ("draws", 4), ("grid_spacing_mm", None), ("feature_reference", "b")]
)
def test_another_way_of_sampling_gets_no_region(tmp_path, key, value):
    save(tmp_path)
    result = apply(tmp_path, result={**RESULT, "sampling": {**RESULT["sampling"], key: value}})
    assert all(entry["region"] is None for entry in result["answers"]) and result["flags"] == ["RECORD_MISMATCH"]
    why = f"the record was made with another {key.replace('_', ' ')})"
    assert result["answers"][0]["statement"].endswith(FULL + why)


def test_the_same_field_in_other_pixels_has_its_regions(tmp_path):
    """Which a whole number of elements makes a little longer or shorter; another field has none."""
    save(tmp_path)
    regions = [
        apply(tmp_path, result={**RESULT, "sampling": {**RESULT["sampling"], "grid_spacing_mm": [0.9, along_rows]}})["answers"][0]
        for along_rows in (0.9, 0.9033, 0.92)
    ]
    assert regions[0]["region"] == regions[1]["region"] is not None and regions[2]["region"] is None


def test_other_weights_pixels_and_other_landmarks_get_no_region(tmp_path):
    save(tmp_path)
    assert apply(tmp_path, bundle={**BUNDLE, "weights_sha256": "other"})["flags"] == ["RECORD_MISMATCH"]
    pixels = copy.deepcopy(RESULT)
    for entry in pixels["answers"]:
        entry["unit"] = "pixels"
    assert apply(tmp_path, result=pixels)["flags"] == ["RECORD_MISMATCH"]
    other = apply(tmp_path, result={**RESULT, "answers": RESULT["answers"][:2]})
    assert all(entry["region"] is None for entry in other["answers"]) and other["flags"] == ["RECORD_MISMATCH"]
    turned = apply(tmp_path, result={**RESULT, "answers": RESULT["answers"][::-1]})["answers"]
    assert [entry["region"] for entry in turned[::-1]] == [entry["region"] for entry in apply(tmp_path)["answers"]], "by name"


def test_a_study_out_of_range_keeps_its_positions_and_loses_its_regions(tmp_path):
    gate = fit_gate([{"noise": float(k)} for k in range(20)], [Check("noise", "above")], 0.1)
    for promise in ("marginal", "simultaneous"):
        save(tmp_path, promise=promise, gate=gate)
    result = apply(tmp_path, result={**RESULT, "study_scores": {"noise": 40.0}})
    for entry, before in zip(result["answers"], RESULT["answers"], strict=True):
        assert entry["region"] is None and entry["simultaneous_region"] is None and entry["value"] == before["value"]
        assert entry["statement"].endswith(FULL + "unlike the calibration studies in noise)")
    assert result["flags"] == ["OUT_OF_RANGE"] and not result["gate"]["accepted"]
    assert apply(tmp_path, result={**RESULT, "study_scores": {}})["flags"] == ["OUT_OF_RANGE"], "a score that is missing"
    usual = apply(tmp_path)
    assert usual["gate"]["accepted"] and usual["answers"][0]["region"]


def test_too_few_patients_for_the_level_say_how_many_are_needed(tmp_path):
    save(tmp_path)
    result = apply(tmp_path, level=0.99)
    assert result["answers"][0]["region"] is None and result["flags"] == ["TOO_FEW_UNITS"]
    assert result["answers"][0]["statement"].endswith(FULL + "99 % needs 99 patients, there are 20)")


def test_a_landmark_outside_the_image_gets_no_region(tmp_path):
    save(tmp_path)
    outside = copy.deepcopy(RESULT)
    outside["answers"][1] |= {"outside_image": True, "value": None}
    entries = apply(tmp_path, result=outside)["answers"]
    assert entries[1] == outside["answers"][1]
    assert entries[0]["region"] and entries[2]["region"]


def test_an_edited_record_stops_the_run(tmp_path):
    record = save(tmp_path)
    facts = record.to_json()
    facts["strata"][0][0]["scores"]["either"][-2] = 0.1
    (tmp_path / record.file_name).write_text(json.dumps(facts))
    with pytest.raises(StudyRefused, match="RECORD_EDITED"):
        ApplyRecordsd(tmp_path, 0.9, BUNDLE)
