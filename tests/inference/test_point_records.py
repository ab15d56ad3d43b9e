"""Records of landmarks: scores by hand, as JSON and back, coverage by simulation, and every refusal."""

from __future__ import annotations

import json
import math

import numpy as np
import point_phantoms as phantoms
import pytest
from point_phantoms import NAMES, case, settings, write_stored, write_study

from caveat.inference.calibration.calibrate_points import calibrate_points
from caveat.inference.calibration.describe_points import describe_points
from caveat.inference.calibration.point_case import read_point_cases
from caveat.inference.calibration.point_record import PointRecord, read_point_records, scores_of
from caveat.inference.calibration.pooled_covariance import PooledCovariance, pool_errors
from caveat.inference.calibration.record import read_records
from caveat.inference.calibration.record_file import write_record
from caveat.inference.calibration.region_shape import Disc, Ellipse, shape_from_json
from caveat.inference.gate.gate import Check
from caveat.reasons import StudyRefused

TRUTH = "as the rater of the phantoms marks it"


def record(shape=None, promise="marginal", scores=((1.0, 2.0, 3.0, 4.0), (2.0, 4.0, 6.0, 8.0)), **more):
    about = {"identity": {"sampler": "Ensemble", "draws": 5}, "provenance": {"list": "list.json", "truth": TRUTH}, **more}
    return PointRecord(("a", "b"), "patient", shape or Disc(), promise, scores, (0.5, 0.8), None, **about)


POOLED = (((4.0, 0.0), (0.0, 1.0)), ((1.0, 0.5), (0.5, 1.0)))
ELLIPSE = Ellipse(POOLED, 0.5, 0.01)


def test_a_discs_region_reaches_as_far_as_its_quantile():
    first, second = record().regions(case(np.zeros((2, 2))), 0.8)  # the 4th of 4
    about = {"promise": "marginal", "level": 0.8, "record": record().checksum, "n": 4, "unit": "patient"}
    about["truth"] = TRUTH
    assert first == {"kind": "disc", "radius": 4.0, "area": pytest.approx(16 * math.pi), **about}
    assert second["radius"] == 8.0
    assert record().reaches(0.5) == [3.0, 6.0]
    assert record().needed(0.9) == 9 and not record().is_available(0.9) and record().reaches(0.9) == [math.inf] * 2


def test_an_ellipses_region_lies_along_its_shape():
    made = record(ELLIPSE, "simultaneous", ((1.0, 1.5, 2.0, 2.0),))
    first, second = made.regions(case(np.zeros((2, 2)), [np.diag([1.0, 9.0]), np.eye(2)]), 0.8)
    # S = (diag(1, 9) + diag(4, 1)) / 2 + 0.01 = diag(2.51, 5.01): the longer semi-axis runs along columns
    assert first["semi_axes"] == pytest.approx([2 * math.sqrt(5.01), 2 * math.sqrt(2.51)])
    assert first["directions"] == [[0.0, 1.0], [1.0, 0.0]]
    assert first["area"] == pytest.approx(math.pi * first["semi_axes"][0] * first["semi_axes"][1])
    assert second["semi_axes"] == pytest.approx([2 * math.sqrt(1.26), 2 * math.sqrt(0.76)])  # 1.01 +- 0.25 along the diagonals
    np.testing.assert_allclose(np.abs(second["directions"]), math.sqrt(0.5))
    radii = made.radii(case(np.zeros((2, 2)), [np.diag([1.0, 9.0]), np.eye(2)]), 0.8)
    assert radii == pytest.approx([math.sqrt(first["area"] / math.pi), math.sqrt(second["area"] / math.pi)])


def test_scores_are_sorted_for_each_landmark_or_the_largest_of_a_unit():
    cases = [case([[3.0, 4.0], [0.0, 1.0]]), case([[0.0, 2.0], [6.0, 8.0]])]
    assert scores_of(Disc(), cases, "marginal") == ((2.0, 5.0), (1.0, 10.0))
    assert scores_of(Disc(), cases, "simultaneous") == ((5.0, 10.0),)
    flat = Ellipse((((1.0, 0.0), (0.0, 1.0)),) * 2, 1.0, 3.0)  # S = 4 I
    assert scores_of(flat, cases, "simultaneous") == (pytest.approx((2.5, 5.0)),)


@pytest.mark.parametrize("shape", [Disc(), ELLIPSE])
def test_a_truth_lies_inside_exactly_where_its_score_is_at_most_the_reach(shape):
    """By the outline that a result states, which knows nothing of scores."""
    random = np.random.default_rng(0)
    for _ in range(50):
        one = case(random.normal(size=(2, 2)), [np.diag(random.uniform(0.1, 2, 2)) for _ in range(2)])
        for score, error, outline in zip(shape.scores(one), one.truth, shape.outlines(one, [1.3, 1.3]), strict=True):
            lengths = outline.get("semi_axes", [outline.get("radius")] * 2)
            along = np.asarray(outline.get("directions", np.eye(2))) @ error
            assert (score <= 1.3) == (((along / lengths) ** 2).sum() <= 1)


@pytest.mark.parametrize("made", [record(), record(ELLIPSE, "simultaneous", ((1.0, 2.0, 3.0, 4.0),))])
def test_a_record_is_read_as_it_was_written(tmp_path, made):
    write_record(made, tmp_path / made.file_name)
    assert read_point_records(tmp_path) == read_point_records(tmp_path / made.file_name) == [made]
    assert made.file_name == f"ensemble_5_draws_{made.shape.kind}_{made.promise}.json"
    assert read_records(tmp_path) == []
    assert made.to_json()["schema"] == "caveat-point-record-1"


@pytest.mark.parametrize(
    "edit",
    [
        lambda facts: facts["scores"][0].__setitem__(0, 0.0),
        lambda facts: facts["shape"].__setitem__("kind", "ellipse"),
        lambda facts: facts.__setitem__("promise", "simultaneous"),
        lambda facts: facts["identity"].__setitem__("draws", 20),
        lambda facts: facts.__delitem__("checksum"),
    ],
)
def test_a_record_edited_by_hand_is_refused(tmp_path, edit):
    facts = record().to_json()
    edit(facts)
    (tmp_path / "record.json").write_text(json.dumps(facts))
    with pytest.raises(StudyRefused, match="RECORD_EDITED"):
        read_point_records(tmp_path)


def test_two_records_for_the_same_are_not_chosen_between(tmp_path):
    write_record(record(), tmp_path / "a.json")
    write_record(record(promise="simultaneous", scores=((1.0,),)), tmp_path / "b.json")
    write_record(record(ELLIPSE), tmp_path / "c.json")
    assert len(read_point_records(tmp_path)) == 3
    write_record(record(provenance={"list": "another"}), tmp_path / "d.json")
    with pytest.raises(StudyRefused, match="RECORD_AMBIGUOUS: 2 of 4 records"):
        read_point_records(tmp_path)


def test_an_unknown_shape_is_refused():
    with pytest.raises(StudyRefused, match="RECORD_MISMATCH"):
        shape_from_json({"kind": "star"})


@pytest.mark.parametrize("shape", [Disc(), Ellipse((((1.0, 0.0), (0.0, 1.0)),) * 3, 0.5, 0.01)], ids=["disc", "ellipse"])
def test_coverage_is_nominal_for_each_landmark_or_for_all(shape):
    """n = 19 at 90 % is 18 of 20 exactly. Errors of a study share a part, and grow with its covariance."""
    random, repeats, level = np.random.default_rng(2), 600, 0.9
    covered = {"marginal": [], "simultaneous": []}
    for _ in range(repeats):
        size = np.exp(random.normal(0, 0.5, (20, 1, 1)))
        errors = size * (random.normal(size=(20, 1, 2)) + random.normal(size=(20, 3, 2))) * np.array([1.0, 2, 3])[:, None]
        cases = [case(error, [s[0, 0] ** 2 * np.eye(2)] * 3) for error, s in zip(errors, size, strict=True)]
        for promise, found in covered.items():
            made = PointRecord(
                ("a", "b", "c"), "patient", shape, promise, scores_of(shape, cases[:-1], promise), (0.9,), None, {}, {}
            )
            found.append(shape.scores(cases[-1]) <= made.reaches(level))
    four_sd = 4 * math.sqrt(level * (1 - level) / repeats)
    assert np.mean(covered["marginal"], axis=0) == pytest.approx(np.full(3, level), abs=four_sd)
    assert np.all(covered["simultaneous"], axis=1).mean() == pytest.approx(level, abs=four_sd)
    assert np.all(covered["marginal"], axis=1).mean() < level


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Twelve patients of two images each to calibrate on, six to pool the errors of."""
    root = tmp_path_factory.mktemp("stored")
    write_stored(root, images=2, calibration=12, early_stopping=6)
    return root


def calibrate(root, split="calibration", seen=(), **more):
    return calibrate_points(root / "out", root / "list.json", split, settings(root / "prepared", **more), root, seen)


def test_one_record_a_shape_and_promise_of_one_image_a_patient(stored, tmp_path):
    pooled = pool_errors(stored / "out", stored / "list.json", "early_stopping", settings(stored / "prepared"), stored)
    write_record(pooled, tmp_path / pooled.file_name)
    assert pooled.file_name == "ensemble_5_draws_pooled_covariance.json"
    made = calibrate(stored, shapes=("disc", "ellipse"), pooled=tmp_path)
    records = [entry.record for entry in made]
    assert [(one.shape.kind, one.promise) for one in records] == [
        *(("disc", "marginal"), ("disc", "simultaneous")),
        *(("ellipse", "marginal"), ("ellipse", "simultaneous")),
    ]
    assert {one.n for one in records} == {12} and {one.provenance["images"] for one in records} == {24}
    assert records[2].shape == Ellipse(pooled.matrices, 0.5, 0.01)
    assert records[0].identity["measurement"] == list(NAMES) and records[0].identity["unit"] == "mm"
    assert "patient 1" not in json.dumps(records[0].to_json())
    row = describe_points(records[0], made[0].cases)
    radii = [sorted(scores)[math.ceil(0.8 * 13) - 1] for scores in records[0].scores]
    assert row["mean radius 80 %"] == f"{np.mean(radii):.3g} mm" and (row["n"], row["unit"]) == ("12", "patient")


def test_the_pooled_covariance_is_the_mean_square_of_the_errors(stored):
    config = settings(stored / "prepared")
    pooled = pool_errors(stored / "out", stored / "list.json", "early_stopping", config, stored)
    cases = read_point_cases(stored / "out", stored / "list.json", "early_stopping", config.truths, stored, NAMES).cases
    errors = np.array([one.truth - one.positions for one in cases])
    expected = [sum(np.outer(error, error) for error in errors[:, index]) / 12 for index in range(3)]
    np.testing.assert_allclose(pooled.matrices, expected, rtol=1e-4)
    assert pooled.n == 12 and PooledCovariance.from_json(json.loads(json.dumps(pooled.to_json()))) == pooled


def test_order_of_patients_changes_nothing(stored, tmp_path):
    records = [entry.record for entry in calibrate(stored)]
    (tmp_path / "out").symlink_to(stored / "out")
    (tmp_path / "prepared").symlink_to(stored / "prepared")
    parts = json.loads((stored / "list.json").read_text())
    pairs = [parts["calibration"][start : start + 2] for start in range(0, 24, 2)]
    shuffled = [entry for pair in np.random.default_rng(0).permutation(12) for entry in pairs[pair]]
    (tmp_path / "list.json").write_text(json.dumps({**parts, "calibration": shuffled}))
    assert [one.scores for one in records] == [entry.record.scores for entry in calibrate(tmp_path)]


def test_the_quantile_is_over_patients_that_the_gate_accepts(stored):
    entry = calibrate(stored, checks=[Check("noise", "above")], false_alarm_rate=0.3)[0]
    assert (
        entry.record.gate is not None and entry.record.n == len(entry.cases) == 12 - entry.record.provenance["not_accepted"] < 12
    )


def refused(root, code, **more):
    with pytest.raises(StudyRefused, match=code) as refusal:
        calibrate(root, **more)
    return refusal.value.found


@pytest.fixture
def spoiled(tmp_path):
    """Six patients of one image each, to be spoiled."""
    write_stored(tmp_path, calibration=6, early_stopping=4)
    return tmp_path


def change(root, number, **facts):
    path = root / f"out/study{number:03}/result.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))


def test_too_few_patients_name_the_number_needed(spoiled):
    assert refused(spoiled, "TOO_FEW_UNITS", levels=(0.9,)) == "6 patients, 9 are needed at 90 % (two-sided)"


def test_seen_images_and_patients_are_refused(spoiled):
    assert "0 units and 1 images" in refused(spoiled, "UNITS_SEEN_IN_TRAINING", seen=["sha003"])
    refused(spoiled, "UNITS_SEEN_IN_TRAINING", split="early_stopping")


def test_a_pooled_covariance_is_needed_of_the_same_sampler_and_of_other_images(spoiled):
    ellipses = {"shapes": ("ellipse",), "pooled": spoiled / "pooled"}
    assert refused(spoiled, "NO_POOLED_COVARIANCE", **ellipses) == "0 are there, none of these weights and settings"
    (spoiled / "pooled").mkdir()
    for split in ("early_stopping", "calibration"):
        pooled = pool_errors(spoiled / "out", spoiled / "list.json", split, settings(spoiled / "prepared"), spoiled)
        write_record(pooled, spoiled / f"pooled/{pooled.file_name}")
        if split == "early_stopping":
            assert calibrate(spoiled, **ellipses)
    assert "6 images made" in refused(spoiled, "UNITS_SEEN_IN_TRAINING", **ellipses)
    for number in range(6):
        change(spoiled, number, sampling=phantoms.SAMPLING | {"draws": 3})
    assert "1 are there" in refused(spoiled, "NO_POOLED_COVARIANCE", **ellipses)


def test_a_prediction_in_pixels_has_no_distance_in_mm(spoiled):
    given = json.loads((spoiled / "out/study002/result.json").read_text())["input"]
    change(spoiled, 2, input=given | {"spacing_mm": None})
    assert refused(spoiled, "NO_PIXEL_SPACING").startswith("1 of the part's images")


def test_a_missing_prediction_and_a_missing_truth_must_be_mended(spoiled):
    (spoiled / "prepared/2.csv").unlink()
    refused(spoiled, "NO_TRUTH")
    change(spoiled, 1, input={"sha256": "another"})
    refused(spoiled, "NOT_PREDICTED")


def test_a_position_that_is_no_number(spoiled):
    points = phantoms.result_of("sha002", np.zeros((3, 2)))["points"]
    points[1]["value"][0] = None
    change(spoiled, 2, points=points)
    assert "1 of 3 landmarks" in refused(spoiled, "NON_FINITE_DRAWS")


def test_other_landmarks_than_the_bundles(spoiled):
    change(spoiled, 2, points=phantoms.result_of("sha002", np.zeros((3, 2)))["points"][:2])
    assert "other landmarks" in refused(spoiled, "NOT_PREDICTED")


def test_predictions_at_two_grid_spacings_are_mixed(spoiled):
    change(spoiled, 2, sampling=phantoms.SAMPLING | {"grid_spacing_mm": [0.5, 0.5]})
    assert "grid_spacing_mm" in refused(spoiled, "MIXED_PREDICTIONS")


def test_a_refused_study_is_left_out_and_a_landmark_outside_counts(spoiled):
    change(spoiled, 0, status="REFUSED", reasons=[{"code": "TRUNCATED"}], points=[])
    write_study(spoiled, 1, np.full((3, 2), 30.0))
    points = json.loads((spoiled / "out/study001/result.json").read_text())["points"]
    points[0]["outside_image"] = True
    change(spoiled, 1, points=points)
    made = calibrate(spoiled)[0].record
    assert made.n == 5 and made.provenance["left_out"] == {"TRUNCATED": 1}
    assert made.scores[0][-1] == pytest.approx(30 * math.sqrt(2), rel=1e-4)


def test_settings_are_checked():
    for wrong in ({"shapes": ("star",)}, {"promises": ()}, {"levels": (1.0,)}, {"shapes": ("ellipse",)}):
        with pytest.raises(ValueError):
            settings(**wrong)
