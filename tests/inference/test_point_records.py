"""Records of landmarks: scores by hand, as JSON and back, coverage by simulation, and every refusal."""

from __future__ import annotations

import json
import math

import numpy as np
import point_phantoms as phantoms
import pytest
from point_phantoms import NAMES, settings, write_stored, write_study

from caveat.inference.calibration.calibrate import calibrate as make_records
from caveat.inference.calibration.calibrate import fit_record
from caveat.inference.calibration.describe import describe
from caveat.inference.calibration.pooled_covariance import PooledCovariance, pool_errors
from caveat.inference.calibration.read_cases import read_cases
from caveat.inference.calibration.record import MARGINAL, SIMULTANEOUS, Record, read_records
from caveat.inference.calibration.record_file import seal, write_record
from caveat.inference.calibration.rows import rows_of
from caveat.inference.calibration.scores.conformity_score import ConformityScore
from caveat.inference.calibration.scores.distance import Distance
from caveat.inference.calibration.scores.ellipse_distance import EllipseDistance
from caveat.inference.gate.gate import Check
from caveat.inference.targets.landmark import landmarks
from caveat.reasons import StudyRefused

TRUTH = "as the rater of the phantoms marks it"
TWO = ("a", "b")


def record(score=None, promise=MARGINAL, scores=((1.0, 2.0, 3.0, 4.0), (2.0, 4.0, 6.0, 8.0)), **more):
    about = {"identity": {"sampler": "Ensemble", "draws": 5}, "provenance": {"list": "list.json", "truth": TRUTH}, **more}
    return phantoms.record(score, promise, scores, TWO, **about)


def two(errors, covariances=None):
    return phantoms.row(errors, covariances, names=TWO)


POOLED = {"a": ((4.0, 0.0), (0.0, 1.0)), "b": ((1.0, 0.5), (0.5, 1.0))}
ELLIPSE = EllipseDistance(0.5, 0.01, POOLED)


def test_a_discs_region_reaches_as_far_as_its_quantile():
    first, second = record().regions(two(np.zeros((2, 2))), 0.8)  # the 4th of 4
    assert first.to_json() == {"kind": "disc", "radius": 4.0, "area": pytest.approx(16 * math.pi)}
    assert second.radius == 8.0
    assert [region.radius for region in record().regions(two(np.zeros((2, 2))), 0.5)] == [3.0, 6.0]
    assert record().regions(two(np.zeros((2, 2))), 0.9) is None
    assert record().why_not(two(np.zeros((2, 2))), 0.9).why == "90 % needs 9 patients, there are 4"


def test_an_ellipses_region_lies_along_its_shape():
    made = record(ELLIPSE, SIMULTANEOUS, ((1.0, 1.5, 2.0, 2.0),))
    first, second = made.regions(two(np.zeros((2, 2)), [np.diag([1.0, 9.0]), np.eye(2)]), 0.8)
    # S = (diag(1, 9) + diag(4, 1)) / 2 + 0.01 = diag(2.51, 5.01): the longer semi-axis runs along columns
    stated = first.to_json()
    assert stated["semi_axes"] == pytest.approx([2 * math.sqrt(5.01), 2 * math.sqrt(2.51)])
    assert stated["directions"] == [[0.0, 1.0], [1.0, 0.0]]
    assert stated["area"] == pytest.approx(math.pi * stated["semi_axes"][0] * stated["semi_axes"][1])
    other = second.to_json()
    assert other["semi_axes"] == pytest.approx([2 * math.sqrt(1.26), 2 * math.sqrt(0.76)])  # 1.01 +- 0.25 along the diagonals
    np.testing.assert_allclose(np.abs(other["directions"]), math.sqrt(0.5))
    assert first.radius == pytest.approx(math.sqrt(stated["area"] / math.pi))


def made_of(score, rows, promise, **more):
    asked = phantoms.settings(targets=landmarks([case.name for case in rows[0]]), score=score, **{"levels": (0.5,), **more})
    names = [case.name for case in rows[0]]
    return fit_record(names, rows, asked, score, promise)


def columns(made):
    return tuple(stratum.scores["either"] for (stratum,) in made.strata)


def test_scores_are_sorted_for_each_landmark_or_the_largest_of_a_unit():
    rows = [two([[3.0, 4.0], [0.0, 1.0]]), two([[0.0, 2.0], [6.0, 8.0]])]
    assert columns(made_of(Distance(), rows, MARGINAL)) == ((2.0, 5.0), (1.0, 10.0))
    assert columns(made_of(Distance(), rows, SIMULTANEOUS)) == ((5.0, 10.0),)
    flat = EllipseDistance(1.0, 3.0, dict.fromkeys(TWO, ((1.0, 0.0), (0.0, 1.0))))  # S = 4 I
    assert columns(made_of(flat, rows, SIMULTANEOUS)) == (pytest.approx((2.5, 5.0)),)


@pytest.mark.parametrize("score", [Distance(), ELLIPSE])
def test_a_truth_lies_inside_exactly_where_its_score_is_at_most_the_reach(score):
    """By the outline that a result states, which knows nothing of scores."""
    random = np.random.default_rng(0)
    for _ in range(50):
        one = two(random.normal(size=(2, 2)), [np.diag(random.uniform(0.1, 2, 2)) for _ in range(2)])
        for case in one:
            outline = score.region(case, (1.3,)).to_json()
            lengths = outline.get("semi_axes", [outline.get("radius")] * 2)
            along = np.asarray(outline.get("directions", np.eye(2))) @ np.array(case.truth)
            assert (score.excess(case, case.truth)[0] <= 1.3) == (((along / lengths) ** 2).sum() <= 1)


@pytest.mark.parametrize("made", [record(), record(ELLIPSE, SIMULTANEOUS, ((1.0, 2.0, 3.0, 4.0),))])
def test_a_record_is_read_as_it_was_written(tmp_path, made):
    write_record(made, tmp_path / made.file_name)
    assert read_records(tmp_path) == read_records(tmp_path / made.file_name) == [made]
    assert made.file_name == f"ensemble_5_draws_{made.score.kind}_{made.promise}.json"
    assert made.to_json()["schema"] == "caveat-record-2"


@pytest.mark.parametrize("kind", ["disc", "ellipse"])
def test_a_record_of_version_1_promises_what_it_promised(tmp_path, kind):
    shape = {"kind": kind} if kind == "disc" else {"kind": kind, "pooled": list(POOLED.values()), "share": 0.5, "floor": 0.01}
    made = record(None if kind == "disc" else ELLIPSE)
    older = {"schema": "caveat-point-record-1", "names": TWO, "unit": "patient", "n": 4, "shape": shape, "promise": MARGINAL}
    older |= {"scores": columns(made), "levels": made.levels, "gate": None, "identity": made.identity}
    (tmp_path / "old.json").write_text(json.dumps(seal(older | {"provenance": made.provenance})))
    assert read_records(tmp_path) == [made]


@pytest.mark.parametrize(
    "edit",
    [
        lambda facts: facts["strata"][0][0]["scores"]["either"].__setitem__(0, 0.0),
        lambda facts: facts["score"].__setitem__("name", "EllipseDistance"),
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
        read_records(tmp_path)


def test_two_records_for_the_same_are_not_chosen_between(tmp_path):
    write_record(record(), tmp_path / "a.json")
    write_record(record(promise=SIMULTANEOUS, scores=((1.0,),)), tmp_path / "b.json")
    write_record(record(ELLIPSE), tmp_path / "c.json")
    assert len(read_records(tmp_path)) == 3
    write_record(record(provenance={"list": "another"}), tmp_path / "d.json")
    with pytest.raises(StudyRefused, match="RECORD_AMBIGUOUS: 2 of 4 records"):
        read_records(tmp_path)


def test_an_unknown_score_is_refused():
    with pytest.raises(StudyRefused, match="RECORD_MISMATCH"):
        ConformityScore.from_json({"name": "Star"})


@pytest.mark.parametrize(
    "score", [Distance(), EllipseDistance(0.5, 0.01, dict.fromkeys(NAMES, ((1.0, 0.0), (0.0, 1.0))))], ids=["disc", "ellipse"]
)
def test_coverage_is_nominal_for_each_landmark_or_for_all(score):
    """n = 19 at 90 % is 18 of 20 exactly. Errors of a study share a part, and grow with its covariance."""
    random, repeats, level = np.random.default_rng(2), 300, 0.9
    covered = {MARGINAL: [], SIMULTANEOUS: []}
    for _ in range(repeats):
        size = np.exp(random.normal(0, 0.5, (20, 1, 1)))
        errors = size * (random.normal(size=(20, 1, 2)) + random.normal(size=(20, 3, 2))) * np.array([1.0, 2, 3])[:, None]
        rows = [phantoms.row(error, [s[0, 0] ** 2 * np.eye(2)] * 3) for error, s in zip(errors, size, strict=True)]
        for promise, found in covered.items():
            regions = made_of(score, rows[:-1], promise, levels=(0.9,)).regions(rows[-1], level)
            found.append([region.contains(case.truth) for region, case in zip(regions, rows[-1], strict=True)])
    four_sd = 4 * math.sqrt(level * (1 - level) / repeats)
    assert np.mean(covered[MARGINAL], axis=0) == pytest.approx(np.full(3, level), abs=four_sd)
    assert np.all(covered[SIMULTANEOUS], axis=1).mean() == pytest.approx(level, abs=four_sd)
    assert np.all(covered[MARGINAL], axis=1).mean() < level


def test_strata_by_a_study_score_have_scores_of_their_own():
    """Landmarks have no size; of images whose noise differs each kind has its own reach."""
    rows = [phantoms.row([[1.0 + k % 2 * 9, 0.0]] * 3, scores={"noise": float(k % 2)}, unit=f"u{k}") for k in range(20)]
    asked = phantoms.settings(strata={"all": (0.5,)}, stratified_by="noise")
    made = fit_record(NAMES, rows, asked, Distance())
    assert [stratum.n for stratum in made.strata[0]] == [10, 10]
    for noise, reach in ((0.0, 1.0), (1.0, 10.0)):
        assert [one.radius for one in made.regions(phantoms.row(np.zeros((3, 2)), scores={"noise": noise}), 0.8)] == [reach] * 3
    with pytest.raises(StudyRefused, match="MISSING_STUDY_SCORE"):
        made.regions(phantoms.row(np.zeros((3, 2)), scores={}), 0.8)
    assert Record.from_json(json.loads(json.dumps(made.to_json()))) == made
    with pytest.raises(ValueError, match="have no size"):
        phantoms.settings(strata={"all": (0.5,)})


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Twelve patients of two images each to calibrate on, six to pool the errors of."""
    root = tmp_path_factory.mktemp("stored")
    write_stored(root, images=2, calibration=12, early_stopping=6)
    return root


def calibrate(root, split="calibration", seen=(), **more):
    return make_records(root / "out", root / "list.json", split, settings(root / "prepared", **more), root, seen)


def test_one_record_a_shape_and_promise_of_one_image_a_patient(stored, tmp_path):
    pooled = pool_errors(stored / "out", stored / "list.json", "early_stopping", settings(stored / "prepared"), stored)
    write_record(pooled, tmp_path / pooled.file_name)
    assert pooled.file_name == "ensemble_5_draws_pooled_covariance.json"
    made = calibrate(stored, score=(Distance(), EllipseDistance(0.5, 0.01, folder=str(tmp_path))))
    records = [entry.record for entry in made]
    assert [(one.score.kind, one.promise) for one in records] == [
        *(("disc", "marginal"), ("ellipse", "marginal")),
        *(("disc", "simultaneous"), ("ellipse", "simultaneous")),
    ]
    assert {one.n for one in records} == {12} and {one.provenance["images"] for one in records} == {24}
    assert records[1].score == EllipseDistance(0.5, 0.01, dict(zip(NAMES, pooled.matrices, strict=True)))
    assert records[0].identity["measurement"] == list(NAMES) and records[0].identity["unit"] == "mm"
    assert "patient 1" not in json.dumps(records[0].to_json())
    (row,) = describe(records[0], made[0].rows)
    radii = [sorted(scores)[math.ceil(0.8 * 13) - 1] for scores in columns(records[0])]
    assert row["half-width 80 %"] == f"{np.median(radii):.3g} mm" and (row["n"], row["unit"]) == ("12", "patient")


def test_the_pooled_covariance_is_the_mean_square_of_the_errors(stored):
    config = settings(stored / "prepared")
    pooled = pool_errors(stored / "out", stored / "list.json", "early_stopping", config, stored)
    cases = read_cases(stored / "out", stored / "list.json", "early_stopping", config.truths, stored, config.targets)
    rows = rows_of(cases.by_name, NAMES)
    errors = np.array([[np.array(one.truth) - one.place for one in row] for row in rows])
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
    assert [one.strata for one in records] == [entry.record.strata for entry in calibrate(tmp_path)]


def test_the_quantile_is_over_patients_that_the_gate_accepts(stored):
    entry = calibrate(stored, checks=[Check("noise", "above")], false_alarm_rate=0.3)[0]
    assert (
        entry.record.gate is not None and entry.record.n == len(entry.rows) == 12 - entry.record.provenance["not_accepted"] < 12
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
    ellipses = {"score": EllipseDistance(0.5, 0.01, folder=str(spoiled / "pooled"))}
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
    points = phantoms.result_of("sha002", np.zeros((3, 2)))["answers"]
    points[1]["value"][0] = None
    change(spoiled, 2, answers=points)
    assert refused(spoiled, "NON_FINITE_DRAWS").startswith("1 of the part's images; the first: 1 of")


def test_other_landmarks_than_the_bundles(spoiled):
    change(spoiled, 2, answers=phantoms.result_of("sha002", np.zeros((3, 2)))["answers"][:2])
    assert "other answers" in refused(spoiled, "NOT_PREDICTED")


def test_predictions_at_two_grid_spacings_are_mixed(spoiled):
    change(spoiled, 2, sampling=phantoms.SAMPLING | {"grid_spacing_mm": [0.5, 0.5]})
    assert "grid_spacing_mm" in refused(spoiled, "MIXED_PREDICTIONS")


def test_a_refused_study_is_left_out_and_a_landmark_outside_counts(spoiled):
    change(spoiled, 0, status="REFUSED", reasons=[{"code": "TRUNCATED"}], answers=[])
    write_study(spoiled, 1, np.full((3, 2), 30.0))
    points = json.loads((spoiled / "out/study001/result.json").read_text())["answers"]
    points[0] |= {"outside_image": True, "value": None}
    change(spoiled, 1, answers=points)
    made = calibrate(spoiled)[0].record
    assert made.n == 5 and made.provenance["left_out"] == {"TRUNCATED": 1}
    assert columns(made)[0][-1] == pytest.approx(30 * math.sqrt(2), rel=1e-4)


def test_settings_are_checked():
    for wrong in ({"promises": ("each",)}, {"promises": ()}, {"levels": (1.0,)}, {"sides": "lower"}, {"at_once": ("Lambda",)}):
        with pytest.raises(ValueError):
            settings(**wrong)
