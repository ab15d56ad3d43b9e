"""Thresholds by risk control: the exact rule, the units it takes, the promise kept, and what becomes of a study's pixels."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from caveat.inference.calibration.apply_threshold import ApplyThresholdd
from caveat.inference.calibration.calibrate_threshold import THRESHOLDS, OutOfFold, false_share, fold_losses, units_of
from caveat.inference.calibration.record_file import write_record
from caveat.inference.calibration.risk_control import groups_needed, least_strict
from caveat.inference.calibration.threshold_record import ThresholdRecord, identity_of_threshold, read_threshold_records
from caveat.reasons import StudyRefused

BUNDLE = {"weights_sha256": "w", "preprocessing_sha256": "p"}
RESULT = {
    "classes": ["collimator", "open beam", "soft tissue", "bone"],
    "sampling": {"sampler": "Ensemble", "draws": 5},
    "answers": [],
    "flags": [],
    "status": "OK",
}


@pytest.mark.parametrize(
    "risk,bound,needed", [(0.1, 1, 9), (0.05, 1, 19), (0.005, 1, 199), (0.05, 0.25, 4), (0.005, 0.1, 19), (0.5, 0.25, 1)]
)
def test_a_risk_takes_its_number_of_groups(risk, bound, needed):
    assert groups_needed(risk, bound) == needed
    assert least_strict(np.zeros((needed, 3)), risk, bound) == 0
    assert needed == 1 or least_strict(np.zeros((needed - 1, 3)), risk, bound) is None


def test_five_folds_promise_a_sixth_at_best_and_with_a_cap_of_a_quarter_a_24th():
    losses = np.zeros((5, 2))
    assert [least_strict(losses, risk, 1) for risk in (0.16, 0.17)] == [None, 0]
    assert [least_strict(losses, risk, 0.25) for risk in (0.041, 0.042)] == [None, 0]


def test_the_threshold_is_the_least_strict_that_holds_from_there_on():
    losses = [[0.25, 0.2, 0.1, 0.0], [0.25, 0.1, 0.0, 0.0], [0.2, 0.1, 0.1, 0.0], [0.2, 0.2, 0.0, 0.0]]
    # (0.9, 0.6, 0.2, 0) + 0.25 over 5: 0.23, 0.17, 0.09, 0.05
    assert [least_strict(losses, risk, 0.25) for risk in (0.24, 0.18, 0.1, 0.05, 0.04)] == [0, 1, 2, 3, None]


@pytest.mark.parametrize("losses", [[[0.1, 0.2]], [[0.3, 0.1]], [[0.1, -0.1]]])
def test_losses_that_rise_or_leave_their_bounds_are_an_error(losses):
    with pytest.raises(ValueError, match="losses"):
        least_strict(losses, 0.2, 0.25)


def test_the_promise_is_kept_over_many_sets_of_units():
    generator, thresholds = np.random.default_rng(0), np.linspace(0, 1, 21)

    def units(count: int) -> np.ndarray:
        difficulty = generator.beta(0.6, 4, count)
        return np.minimum(1.5 * difficulty[:, None] * (1 - thresholds), 0.25)

    realised = []
    for _ in range(800):
        column = least_strict(units(20), 0.05, 0.25)
        realised.append(units(1)[0, column])
    assert 0.03 < np.mean(realised) < 0.05


def image(unit: str = "a") -> OutOfFold:
    """Two pixels each of open beam (1), soft tissue (2) and bone (3), one behind the collimator (0)."""
    return OutOfFold(unit, np.array([0.1, 0.3, 0.9, 0.4, 0.6, 0.05, 0.8]), np.array([1, 1, 2, 2, 3, 3, 0]))


def test_the_share_of_false_pixels_is_counted_by_hand():
    share = false_share(image(), 2, (1, 3))
    at = dict(zip(THRESHOLDS, share, strict=True))
    assert [at[t] for t in (0.0, 0.05, 0.1, 0.3, 0.6, 0.8, 1.0)] == [1, 1, 0.75, 0.5, 0.25, 0, 0]
    assert (np.diff(share) <= 0).all()


def test_a_units_loss_is_the_mean_of_its_images_and_capped():
    empty = OutOfFold("a", np.zeros(3), np.array([1, 2, 3]))
    losses = dict(zip(THRESHOLDS, fold_losses([image(), empty, image("b")], 2, (1, 3), 0.25), strict=True))
    assert losses[0.5] == pytest.approx((min((0.5 + 0) / 2, 0.25) + min(0.5, 0.25)) / 2)
    assert losses[0.7] == pytest.approx((0.125 + 0.25) / 2)


def test_folds_that_are_not_exchangeable_are_an_error():
    assert units_of({1: [image("a")], 2: [image("b")]}) == 2
    with pytest.raises(ValueError, match="folds"):
        units_of({1: [image("a"), image("c")], 2: [image("b")]})
    with pytest.raises(ValueError, match="folds"):
        units_of({1: [image("a")], 2: [image("a")]})


def record(**changed) -> ThresholdRecord:
    """Five folds without a loss above 0.5."""
    losses = tuple(0.2 if threshold <= 0.5 else 0.0 for threshold in THRESHOLDS)
    facts = dict(class_index=2, class_name="soft tissue", loss="false pixels", bound=0.25, unit="body", units=20)
    facts |= dict(thresholds=THRESHOLDS, losses=(losses,) * 5, identity=identity_of_threshold(RESULT, BUNDLE, 2), provenance={})
    return replace(ThresholdRecord(**facts), **changed)


def test_a_record_is_read_as_it_was_written_and_an_edited_one_is_refused(tmp_path):
    path = tmp_path / record().file_name
    write_record(record(), path)
    (read,) = read_threshold_records(tmp_path)
    assert read == record() and read.threshold(0.1) == 0.51
    path.write_text(path.read_text().replace('"units": 20', '"units": 200'))
    with pytest.raises(StudyRefused, match="RECORD_EDITED"):
        read_threshold_records(tmp_path)


def study() -> dict:
    """Soft tissue that every network is sure of, soft tissue that one is not, bone."""
    segmentation = torch.tensor([[[2, 2, 3]]], dtype=torch.uint8)
    lowest = torch.tensor([[[0.9, 0.51, 0.9]]])
    image = MetaTensor(torch.zeros(1, 1, 3), affine=torch.diag(torch.tensor([0.5, 0.5, 1, 1])), meta={"spacing_source": "x"})
    return {"result": json.loads(json.dumps(RESULT)), "segmentation": segmentation, "lowest_probability": lowest, "input": image}


def applied(tmp_path, risk: float | None, stored: ThresholdRecord) -> dict:
    write_record(stored, tmp_path / "record.json")
    return ApplyThresholdd(tmp_path, risk, BUNDLE, 2)(study())


def test_what_one_network_doubts_is_undecided(tmp_path):
    out = applied(tmp_path, 0.1, record())
    assert out["segmentation"].tolist() == [[[2, 4, 3]]]
    assert out["result"]["classes"][4] == "undecided"
    (entry,) = out["result"]["answers"]
    assert (entry["name"], entry["value"], entry["unit"], entry["classes"]) == ("undecided area", 0.25, "mm2", [4])
    assert "0.51 or less" in entry["statement"] and "at most 10 %" in entry["statement"] and "20 bodies" in entry["statement"]


def test_without_a_risk_nothing_is_undecided(tmp_path):
    assert applied(tmp_path, None, record())["segmentation"].tolist() == [[[2, 2, 3]]]


OTHER_WEIGHTS = {"identity": identity_of_threshold(RESULT, {**BUNDLE, "weights_sha256": "v"}, 2)}


@pytest.mark.parametrize("risk,changed,flag", [(0.04, {}, "TOO_FEW_UNITS"), (0.1, OTHER_WEIGHTS, "RECORD_MISMATCH")])
def test_a_record_that_is_not_valid_withholds_and_says_so(tmp_path, risk, changed, flag):
    out = applied(tmp_path, risk, record(**changed))
    assert out["segmentation"].tolist() == [[[2, 2, 3]]] and out["result"]["flags"] == [flag]


def test_a_share_is_promised_for_pixels_of_any_size_and_of_unknown_ones(tmp_path):
    sampling = {**RESULT["sampling"], "grid_spacing_mm": [1.0, 1.0]}
    measured = {**RESULT, "sampling": sampling, "unit": "mm2"}
    out = applied(tmp_path, 0.1, record(identity=identity_of_threshold(measured, BUNDLE, 2)))
    assert out["segmentation"].tolist() == [[[2, 4, 3]]] and not out["result"]["flags"]


def test_an_image_of_another_kind_is_promised_nothing(tmp_path):
    write_record(record(), tmp_path / "record.json")
    flagged = study()
    flagged["result"]["flags"] = ["NOT_THIS_KIND"]
    out = ApplyThresholdd(tmp_path / "record.json", 0.1, BUNDLE, 2)(flagged)
    assert out["segmentation"].tolist() == [[[2, 2, 3]]]
    assert not out["result"]["answers"] and out["result"]["flags"] == ["NOT_THIS_KIND"]


def test_an_image_that_a_network_has_seen_is_promised_nothing(tmp_path):
    (tmp_path / "calibration").mkdir()
    (tmp_path / "calibration" / "seen.json").write_text(json.dumps({"seen": [0]}))
    write_record(record(), tmp_path / "record.json")
    known = study()
    known["input"].meta["input_sha256"] = "seen"
    out = ApplyThresholdd(tmp_path / "record.json", 0.1, BUNDLE, 2, bundle_root=tmp_path)(known)
    assert out["segmentation"].tolist() == [[[2, 2, 3]]] and out["result"]["flags"] == ["UNITS_SEEN_IN_TRAINING"]
