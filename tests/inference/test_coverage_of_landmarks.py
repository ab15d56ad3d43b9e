"""Coverage of landmarks' regions: counted by hand, banded where promised, and never on what made the record."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import point_phantoms as phantoms
import pytest
from point_phantoms import NAMES, record, row, write_stored, write_study
from scipy.stats import betabinom

from caveat.inference.calibration.calibrate import calibrate
from caveat.inference.calibration.record import MARGINAL, SIMULTANEOUS
from caveat.inference.calibration.scores.distance import Distance
from caveat.inference.evaluation.evaluate_coverage import evaluate_coverage
from caveat.inference.evaluation.figures import FIRST_LINE, SECOND_LINE, figures_of
from caveat.inference.evaluation.methods import CALIBRATED, TOTAL_COVARIANCE, Method
from caveat.inference.evaluation.plots import save_plots
from caveat.inference.evaluation.settings import Coverage
from caveat.inference.evaluation.source import Source
from caveat.inference.evaluation.tables import coverage_sections
from caveat.inference.gate.gate import Check
from caveat.inference.stored.point_truths import PointTruths
from caveat.inference.targets.landmark import landmarks
from caveat.reasons import StudyRefused

ASKED = Coverage(
    landmarks(NAMES),
    levels=(0.5, 0.8),
    kinds=("disc",),
    promises=(MARGINAL, SIMULTANEOUS),
    resplits=20,
    resamples=200,
    plotted_level=0.8,
)
AT_ONCE = {"promise": SIMULTANEOUS, "scores": ((1.0, 2.0, 3.0, 4.0),)}
ROWS = [row([[x, 0.0], [0.0, y], [0.0, 0.0]], unit=str(x)) for x, y in ((1.0, 3.5), (3.0, 2.9), (3.5, 9.0))]
"""At 50 % discs reach 3 mm: the first landmark lies inside twice (at 3 mm too), the second once, the third always."""


def test_each_landmark_is_counted_for_itself_and_their_mean_has_no_band():
    found = figures_of(Method(record()), ROWS, 0.5, ASKED, MARGINAL, promised=True)
    assert [one["covered"] for one in found["components"]] == [2, 1, 3]
    assert found["coverage"] == pytest.approx((2 / 3 + 1 / 3 + 1) / 3) and found["mean_radius"] == 3.0
    assert found["lower"] <= found["coverage"] <= found["upper"]
    assert found["covered"] is found["fewest"] is None
    assert ASKED.claims(MARGINAL) == 2 * 1 * 3 and ASKED.claims(SIMULTANEOUS) == 2


def test_all_landmarks_are_counted_at_once():
    found = figures_of(Method(record(**AT_ONCE)), ROWS, 0.5, ASKED, SIMULTANEOUS, promised=True)
    assert (found["covered"], found["n"], found["coverage"]) == (1, 3, pytest.approx(1 / 3))


def test_the_band_is_beta_binomial_shared_among_all_claims():
    many = [row(np.zeros((3, 2)), unit=str(number)) for number in range(40)]
    for promise, scores, claims in ((MARGINAL, ((1.0,) * 19,) * 3, 6), (SIMULTANEOUS, ((1.0,) * 19,), 2)):
        method = Method(record(promise=promise, scores=scores))
        found = figures_of(method, many, 0.5, ASKED, promise, promised=True)
        below = betabinom.cdf(np.arange(41), 40, 10, 10)  # the 10th of 19
        tail = 0.05 / claims / 2
        for band in found["components"] if promise == MARGINAL else [found]:
            assert below[band["fewest"] - 1] <= tail < below[band["fewest"]]
            assert below[band["most"] - 1] < 1 - tail <= below[band["most"]]
        free = figures_of(method, many, 0.5, ASKED, promise, promised=False)
        assert all(one["fewest"] is None for one in [free, *free["components"]]) and free["coverage"] == found["coverage"]


def test_without_a_record_the_ellipse_is_that_of_a_gaussian():
    """Inside the chi-square quantile of two degrees of freedom, -2 ln(1 - level); for three at once of a third of the miss."""
    for promise, miss in ((MARGINAL, 0.2), (SIMULTANEOUS, 0.2 / 3)):
        reach = np.sqrt(-2 * np.log(miss))
        stretched = [np.diag([4.0, 1.0])] * 3
        inside = row([[1.999 * reach, 0.0], [0.0, 0.999 * reach], [0.0, 0.0]], stretched)
        outside = row([[2.001 * reach, 0.0], [0.0, 1.001 * reach], [0.0, 0.0]], stretched)
        method = Method.stated(promise, of_landmarks=True)
        for study, expected in ((inside, [True] * 3), (outside, [False, False, True])):
            regions = method.regions(study, 0.8)
            assert [region.contains(case.truth) for region, case in zip(regions, study, strict=True)] == expected
            assert [region.radius for region in regions] == pytest.approx([np.sqrt(2) * reach] * 3, rel=1e-5)


def test_a_level_that_the_record_cannot_serve_has_no_figures():
    found = figures_of(Method(record()), ROWS, 0.9, ASKED, MARGINAL, promised=True)
    assert (found["n"], found["without"], found["fewest"], found["components"]) == (0, 3, None, [])


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
    return [entry.record for entry in calibrate(root / "out", root / "list.json", split, asked, root)]


def test_everything_of_a_folder_of_predictions(stored, tmp_path):
    records = records_of(stored)
    found = evaluate_coverage(source_of(stored), "test", records, ASKED)
    marginal, at_once = found["sections"]
    for section, own in zip((marginal, at_once), records, strict=True):
        assert section["record"]["checksum"] == own.checksum and section["units"] == section["others"] == 15
        promised = [row for row in section["figures"] if any(one["fewest"] is not None for one in [row, *row["components"]])]
        assert all(row["gate"] and row["method"] == CALIBRATED and row["studies"] == FIRST_LINE for row in promised)
        assert len(promised) == 2
        assert {(row["method"], row["studies"]) for row in section["figures"]} == {
            (CALIBRATED, FIRST_LINE),
            (CALIBRATED, SECOND_LINE),
            (TOTAL_COVARIANCE, FIRST_LINE),
        }
        assert {(row["divisions"], row["n"], row["evaluated"]) for row in section["resplits"]} == {(20, 15, 15)}
        first = [row for row in section["rows"] if row["first"]]
        assert len(section["rows"]) == 30 and section["accepted"] == sum(row["accepted"] for row in first)
    accepted = [row for row in marginal["rows"] if row["first"] and row["accepted"]]
    reaches = [own[0].quantiles(0.8, "two-sided")[0] for own in records[0].strata]
    by_hand = np.array([[one["excess"][0] for one in row["components"]] for row in accepted]) <= reaches
    row = next(row for row in marginal["figures"] if row["gate"] and row["level"] == 0.8 and row["method"] == CALIBRATED)
    assert [one["covered"] for one in row["components"]] == by_hand.sum(axis=0).tolist()
    text = "\n\n".join(coverage_sections(found))
    assert "## Coverage: disc, all of 3 landmarks at once" in text and "| Nasion |" in text
    assert "6 claims (each for itself) and 2 claims (all at once)" in text
    save_plots(found, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["coverage.png", "regions.png"]
    assert (tmp_path / "regions.png").stat().st_size > 5000


def test_a_baseline_of_landmarks_has_counts_and_radii(stored):
    """The record's own score gives the record's own figures."""
    found = evaluate_coverage(source_of(stored), "test", records_of(stored), replace(ASKED, baselines={"itself": Distance()}))
    for section in found["sections"]:
        pairs = [[row for row in section["figures"] if row["method"] == name] for name in (CALIBRATED, "itself")]
        ours, itself = ([{**row, "method": ""} for row in rows if row["studies"] == FIRST_LINE] for rows in pairs)
        assert json.dumps(ours) == json.dumps(itself) and len(itself) == 4 and section["baselines"] == []


def test_landmarks_are_counted_by_strata(stored, tmp_path):
    """Of the list, and of a record that a study score divides."""
    parts = json.loads((stored / "list.json").read_text())
    for number, entry in enumerate(parts["test"]):
        entry["stratum"] = ("clean", "severe")[number // 2 % 2]
    (stored / "strata.json").write_text(json.dumps(parts))
    records = records_of(stored, strata={"all": [0.5]}, stratified_by="noise", levels=(0.5,))
    settings = replace(ASKED, levels=(0.5,))
    marginal, at_once = evaluate_coverage(
        replace(source_of(stored), data_list=stored / "strata.json"), "test", records, settings
    )["sections"]
    for section, own in ((marginal, records[0]), (at_once, records[1])):
        sizes = {row["studies"]: row["of"] for row in section["figures"] if not row["gate"]}
        assert (sizes["stratum clean"], sizes["stratum severe"]) == (8, 7)
        assert [[one["n"] for one in of_part] for of_part in section["record"]["strata"]] == [
            [one.n for one in of_part] for of_part in own.strata
        ]
        assert len(section["record"]["strata"][0]) == 2 and section["resplits"]


def test_coverage_over_random_divisions_is_near_the_level(stored):
    """Mean over divisions; ranks of 15 and 13 units cover a little more than their level."""
    found = evaluate_coverage(source_of(stored), "test", records_of(stored), replace(ASKED, resplits=100))
    for section in found["sections"]:
        for entry in section["resplits"]:
            assert entry["mean"] == pytest.approx(entry["level"], abs=0.08)


def test_units_that_made_the_record_are_no_check_of_it(stored):
    records = records_of(stored)
    with pytest.raises(StudyRefused, match="UNITS_SEEN_IN_CALIBRATION: 15 units and 30 images"):
        evaluate_coverage(source_of(stored), "calibration", records, ASKED, stated=True)
    section = evaluate_coverage(source_of(stored), "calibration", records, ASKED)["sections"][0]
    assert section["record"] is None and section["no_record"].startswith("UNITS_SEEN_IN_CALIBRATION")
    assert (
        {row["method"] for row in section["figures"]} == {TOTAL_COVARIANCE} and not section["resplits"] and not section["power"]
    )


def test_a_record_of_another_part_is_checked_but_not_divided_anew(stored):
    """The shift line: calibrated on one half, tested on all of the other, of which the calibration part is a part."""
    parts = json.loads((stored / "list.json").read_text())
    (stored / "whole.json").write_text(json.dumps({**parts, "clean_test": [*parts["calibration"], *parts["test"]]}))
    records = records_of(stored, "shift", levels=(0.5,))
    source = replace(source_of(stored), data_list=stored / "whole.json")
    section = evaluate_coverage(source, "clean_test", records, ASKED, stated=True)["sections"][0]
    assert section["units"] == 30 and section["record"]["n"] == records[0].n and section["resplits"] == []


def test_without_a_record_it_is_said_why(stored):
    section = evaluate_coverage(source_of(stored), "test", [], ASKED)["sections"][0]
    assert section["no_record"] == "NO_CALIBRATION_RECORD" and section["rows"][0]["components"][0]["excess"] is None
    other = [replace(one, identity={**one.identity, "draws": 3}) for one in records_of(stored)]
    found = evaluate_coverage(source_of(stored), "test", other, ASKED)
    assert found["sections"][0]["no_record"] == "RECORD_MISMATCH: draws"
    assert "No record: RECORD_MISMATCH: draws. 15 units (15 further studies of them), not calibrated." in "\n".join(
        coverage_sections(found)
    )


def test_a_landmark_outside_its_image_counts_as_in_the_record(tmp_path):
    write_stored(tmp_path, calibration=12, test=3)
    write_study(tmp_path, 12, np.full((3, 2), 50.0))
    path = tmp_path / "out/study012/result.json"
    result = json.loads(path.read_text())
    result["answers"][1] |= {"outside_image": True, "value": None}
    path.write_text(json.dumps(result))
    asked = phantoms.settings(tmp_path / "prepared")
    made = calibrate(tmp_path / "out", tmp_path / "list.json", "calibration", asked, tmp_path)
    section = evaluate_coverage(source_of(tmp_path), "test", [one.record for one in made], ASKED)["sections"][0]
    row = next(row for row in section["figures"] if row["level"] == 0.8 and row["method"] == CALIBRATED)
    assert section["outside"] == 1 and row["n"] == 3 and row["components"][1]["covered"] <= 2


def test_an_image_in_pixels_is_left_out_and_named(tmp_path):
    write_stored(tmp_path, test=3)
    path = tmp_path / "out/study001/result.json"
    result = json.loads(path.read_text())
    path.write_text(json.dumps(result | {"input": result["input"] | {"spacing_mm": None}}))
    found = evaluate_coverage(source_of(tmp_path), "test", [], ASKED)
    assert [row["code"] for row in found["left_out"]] == ["NO_PIXEL_SPACING"]
    assert "1 images have no region" in "\n".join(coverage_sections(found))


def test_a_record_that_is_not_asked_for_is_named(stored):
    found = evaluate_coverage(source_of(stored), "test", records_of(stored), replace(ASKED, promises=(MARGINAL,)))
    assert found["not_asked"] == ["Sella and 2 more, simultaneous"] and len(found["sections"]) == 1
    assert "Records of what evaluate.yaml does not ask for: Sella and 2 more, simultaneous." in coverage_sections(found)
