"""Coverage of regions: counted by hand, banded where promised, and never on what made the record."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import point_phantoms as phantoms
import pytest
from point_phantoms import NAMES, case, write_stored, write_study
from scipy.stats import betabinom

from caveat.inference.calibration.calibrate_points import calibrate_points
from caveat.inference.calibration.point_record import PointRecord
from caveat.inference.calibration.region_shape import Disc
from caveat.inference.gate.gate import Check
from caveat.inference.interval_evaluation.evaluate_intervals import Source
from caveat.inference.point_truths import PointTruths
from caveat.inference.region_evaluation.evaluate_regions import evaluate_regions
from caveat.inference.region_evaluation.figures import region_figures
from caveat.inference.region_evaluation.methods import CALIBRATED, RAW, Method
from caveat.inference.region_evaluation.plots import save_region_plot
from caveat.inference.region_evaluation.settings import RegionEvaluation
from caveat.inference.region_evaluation.tables import region_sections
from caveat.reasons import StudyRefused

ASKED = RegionEvaluation(NAMES, ("disc",), levels=(0.5, 0.8), resplits=20, resamples=200, plotted_level=0.8)


def record(promise="marginal", scores=((1.0, 2.0, 3.0, 4.0),) * 3) -> PointRecord:
    return PointRecord(NAMES, "patient", Disc(), promise, scores, (0.5, 0.8), None, {}, {})


CASES = [case([[x, 0.0], [0.0, y], [0.0, 0.0]], unit=str(x)) for x, y in ((1.0, 3.5), (3.0, 2.9), (3.5, 9.0))]
"""At 50 % discs reach 3 mm: the first landmark lies inside twice (at 3 mm too), the second once, the third always."""


def test_each_landmark_is_counted_for_itself_and_their_mean_has_no_band():
    row = region_figures(Method("marginal", record()), CASES, 0.5, ASKED, promised=True)
    assert [landmark["covered"] for landmark in row["landmarks"]] == [2, 1, 3]
    assert row["coverage"] == pytest.approx((2 / 3 + 1 / 3 + 1) / 3) and row["mean_radius"] == 3.0
    assert row["lower"] <= row["coverage"] <= row["upper"]
    assert ASKED.claims("marginal") == 2 * 1 * 3 and ASKED.claims("simultaneous") == 2


def test_all_landmarks_are_counted_at_once():
    row = region_figures(Method("simultaneous", record("simultaneous", ((1.0, 2.0, 3.0, 4.0),))), CASES, 0.5, ASKED, True)
    assert (row["covered"], row["n"], row["coverage"]) == (1, 3, pytest.approx(1 / 3))


def test_the_band_is_beta_binomial_shared_among_all_claims():
    many = [case(np.zeros((3, 2)), unit=str(number)) for number in range(40)]
    for promise, scores, claims in (("marginal", ((1.0,) * 19,) * 3, 6), ("simultaneous", ((1.0,) * 19,), 2)):
        row = region_figures(Method(promise, record(promise, scores)), many, 0.5, ASKED, promised=True)
        below = betabinom.cdf(np.arange(41), 40, 10, 10)  # the 10th of 19
        tail = 0.05 / claims / 2
        assert below[row["fewest"] - 1] <= tail < below[row["fewest"]] and below[row["most"] - 1] < 1 - tail <= below[row["most"]]
        free = region_figures(Method(promise, record(promise, scores)), many, 0.5, ASKED, promised=False)
        assert free["fewest"] is None and free["coverage"] == row["coverage"]


def test_without_a_record_the_ellipse_is_that_of_a_gaussian():
    """Inside the chi-square quantile of two degrees of freedom, -2 ln(1 - level); for three at once of a third of the miss."""
    for promise, miss in (("marginal", 0.2), ("simultaneous", 0.2 / 3)):
        reach = np.sqrt(-2 * np.log(miss))
        stretched = [np.diag([4.0, 1.0])] * 3
        inside = case([[1.999 * reach, 0.0], [0.0, 0.999 * reach], [0.0, 0.0]], stretched)
        outside = case([[2.001 * reach, 0.0], [0.0, 1.001 * reach], [0.0, 0.0]], stretched)
        method = Method(promise)
        assert method.inside([inside, outside], 0.8).tolist() == [[True] * 3, [False, False, True]]
        assert method.radii([inside], 0.8) == pytest.approx(np.full((1, 3), np.sqrt(2) * reach), rel=1e-5)


def test_a_level_that_the_record_cannot_serve_has_no_figures():
    row = region_figures(Method("marginal", record()), CASES, 0.9, ASKED, promised=True)
    assert row["n"] == 0 and row["fewest"] is None and row["landmarks"] == []


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Fifteen patients calibrate, fifteen are evaluated, of two images each; five more stand in a part of their own."""
    root = tmp_path_factory.mktemp("stored")
    write_stored(root, images=2, calibration=15, test=15, shift=5)
    return root


def source_of(root) -> Source:
    return Source(root / "out", root / "list.json", root, PointTruths(["senior"], NAMES, root / "prepared"))


def records_of(root, split="calibration", **more):
    asked = phantoms.settings(root / "prepared", checks=[Check("noise", "above")], **more)
    return [entry.record for entry in calibrate_points(root / "out", root / "list.json", split, asked, root)]


def test_everything_of_a_folder_of_predictions(stored, tmp_path):
    records = records_of(stored)
    found = evaluate_regions(source_of(stored), "test", records, ASKED)
    json.dumps(found["sections"], allow_nan=False)
    marginal, at_once = found["sections"]
    for section, record in zip((marginal, at_once), records, strict=True):
        assert section["record"]["checksum"] == record.checksum and section["units"] == section["others"] == 15
        promised = [row for row in section["figures"] if row["fewest"] is not None]
        assert all(row["gate"] and row["method"] == CALIBRATED for row in promised) and len(promised) == 2
        assert {row["method"] for row in section["figures"]} == {CALIBRATED, RAW}
        assert {(row["divisions"], row["n"], row["evaluated"]) for row in section["resplits"]} == {(20, 15, 15)}
        assert section["accepted"] == sum(row["accepted"] for row in section["rows"])
    by_hand = np.array([row["scores"] for row in marginal["rows"] if row["accepted"]]) <= records[0].reaches(0.8)
    row = next(row for row in marginal["figures"] if row["gate"] and row["level"] == 0.8 and row["method"] == CALIBRATED)
    assert [landmark["covered"] for landmark in row["landmarks"]] == by_hand.sum(axis=0).tolist()
    text = "\n\n".join(region_sections(found))
    assert "## Regions: disc, all landmarks at once" in text and "| Nasion |" in text
    assert "6 claims for each landmark for itself and 2 claims for all landmarks at once" in text
    save_region_plot(found, tmp_path)
    assert (tmp_path / "regions.png").stat().st_size > 5000


def test_coverage_over_random_divisions_is_near_the_level(stored):
    """Mean over divisions; ranks of 15 and 13 units cover a little more than their level."""
    found = evaluate_regions(source_of(stored), "test", records_of(stored), replace(ASKED, resplits=100))
    for section in found["sections"]:
        for row in section["resplits"]:
            assert row["mean"] == pytest.approx(row["level"], abs=0.08)


def test_units_that_made_the_record_are_no_check_of_it(stored):
    records = records_of(stored)
    with pytest.raises(StudyRefused, match="UNITS_SEEN_IN_CALIBRATION: 15 units and 30 images"):
        evaluate_regions(source_of(stored), "calibration", records, ASKED, stated=True)
    section = evaluate_regions(source_of(stored), "calibration", records, ASKED)["sections"][0]
    assert section["record"] is None and section["no_record"].startswith("UNITS_SEEN_IN_CALIBRATION")
    assert {row["method"] for row in section["figures"]} == {RAW} and not section["resplits"] and not section["power"]


def test_a_record_of_another_part_is_checked_but_not_divided_anew(stored):
    """The shift line: calibrated on one half, tested on all of the other, of which the calibration part is a part."""
    parts = json.loads((stored / "list.json").read_text())
    (stored / "whole.json").write_text(json.dumps({**parts, "clean_test": [*parts["calibration"], *parts["test"]]}))
    records = records_of(stored, "shift", levels=(0.5,))
    source = replace(source_of(stored), data_list=stored / "whole.json")
    section = evaluate_regions(source, "clean_test", records, ASKED, stated=True)["sections"][0]
    assert section["units"] == 30 and section["record"]["n"] == records[0].n and section["resplits"] == []


def test_without_a_record_it_is_said_why(stored):
    section = evaluate_regions(source_of(stored), "test", [], ASKED)["sections"][0]
    assert section["no_record"] == "NO_CALIBRATION_RECORD" and section["rows"][0]["scores"] is None
    other = [replace(one, identity={**one.identity, "draws": 3}) for one in records_of(stored)]
    found = evaluate_regions(source_of(stored), "test", other, ASKED)
    assert found["sections"][0]["no_record"] == "RECORD_MISMATCH: draws"
    assert "No record: RECORD_MISMATCH: draws. 15 units" in "\n".join(region_sections(found))


def test_a_landmark_outside_its_image_counts_as_in_the_record(tmp_path):
    write_stored(tmp_path, calibration=12, test=3)
    write_study(tmp_path, 12, np.full((3, 2), 50.0))
    path = tmp_path / "out/study012/result.json"
    result = json.loads(path.read_text())
    result["points"][1]["outside_image"] = True
    path.write_text(json.dumps(result))
    records = calibrate_points(
        tmp_path / "out", tmp_path / "list.json", "calibration", phantoms.settings(tmp_path / "prepared"), tmp_path
    )
    section = evaluate_regions(source_of(tmp_path), "test", [entry.record for entry in records], ASKED)["sections"][0]
    row = next(row for row in section["figures"] if row["level"] == 0.8 and row["method"] == CALIBRATED)
    assert section["outside"] == 1 and row["n"] == 3 and row["landmarks"][1]["covered"] <= 2


def test_an_image_in_pixels_is_left_out_and_named(tmp_path):
    write_stored(tmp_path, test=3)
    path = tmp_path / "out/study001/result.json"
    result = json.loads(path.read_text())
    path.write_text(json.dumps(result | {"input": result["input"] | {"spacing_mm": None}}))
    found = evaluate_regions(source_of(tmp_path), "test", [], ASKED)
    assert [row["code"] for row in found["left_out"]] == ["NO_PIXEL_SPACING"]
    assert "1 images have no region" in "\n".join(region_sections(found))
