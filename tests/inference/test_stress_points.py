"""Figures of a stress run on landmarks, from predictions written by hand."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace

import numpy as np
import pytest

from caveat.inference.calibration.identity import identity_of_target
from caveat.inference.calibration.record import MARGINAL, SIMULTANEOUS, Record
from caveat.inference.calibration.scores.conformity_score import ConformityScore
from caveat.inference.calibration.scores.distance import Distance
from caveat.inference.calibration.scores.ellipse_distance import EllipseDistance
from caveat.inference.calibration.split_stratum import SplitStratum
from caveat.inference.calibration.units import unit_hash
from caveat.inference.gate.gate import Gate, Limit
from caveat.inference.metrics.interval_coverage import CheckedPart, coverage_band
from caveat.inference.metrics.linear_correlation import pearson
from caveat.inference.stored.point_truths import PointTruths
from caveat.inference.stress.degraded import LIST, Degradation
from caveat.inference.stress.stress import StressSettings, StressTable, score_sets
from caveat.inference.stress.stress_files import save_stress
from caveat.inference.stress.stress_set import CLEAN, PREDICTIONS, StressSet
from caveat.inference.stress.summary import summarise
from caveat.inference.targets.landmark import landmarks
from caveat.reasons import StudyRefused
from caveat.transforms.landmarks.points_table import write_points

NAMES = ["Sella", "Nasion"]
TRUTH = np.array([[100.0, 50.0], [-40.0, 80.0]])  # pixels of 0.2 mm; the second was turned out of the image
IMAGES = 4
ERRORS = {  # mm, of each image; None is refused; 12 is beyond the limits of the kind of image
    CLEAN: (1.0, 1.0, 2.0, 2.0),
    Degradation("rotation", -15.0): (2.0, 3.0, 4.0, None),
    Degradation("rotation", 15.0): (2.0, 2.0, 3.0, None),
    Degradation("rotation", 45.0): (9.0, None, 12.0, None),
}
GATE = Gate((Limit("mean_distance_to_mean", "above", 3.0),), 0.1, 0.1, 19)
"""On a score that is the error itself."""
OTHER = 12.0


def result_of(sha256: str, error: float | None, weights: str) -> dict:
    """Both landmarks are off by the error, one down and one to the right."""
    about = {"bundle": {"name": "toy", "weights_sha256": weights, "preprocessing_sha256": "p"}, "input": {"sha256": sha256}}
    if error is None:
        return about | {
            "status": "REFUSED",
            "reasons": [{"code": "NOT_THIS_KIND"}],
            "sampling": {},
            "study_scores": {},
            "answers": [],
        }
    about_each = {"kind": "landmark", "unit": "mm", "outside_image": False, "draws": {"values": []}}
    about_each["total_covariance"] = [[1.0, 0.0], [0.0, 1.0]]
    values = (0.2 * TRUTH - error * np.eye(2)).tolist()
    return about | {
        "status": "OK",
        "reasons": [],
        "input": {"sha256": sha256, "spacing_mm": [0.2, 0.2], "affine": np.diag([0.2, 0.2, 1, 1]).tolist(), "shape": [600, 700]},
        "sampling": {"sampler": "Toy", "draws": 5, "seed": 0},
        "answers": [{"name": name, "value": value} | about_each for name, value in zip(NAMES, values)],
        "study_scores": {"mean_distance_to_mean": error, "heatmap_activation": 0.5},
        "flags": ["NOT_THIS_KIND"] if error >= OTHER else [],
    }


def write_set(folder, done, weights="w") -> StressSet:
    name = f"{done.corruption}{done.strength:g}"
    entries = []
    for number, error in enumerate(ERRORS[done]):
        study = folder / name / PREDICTIONS / f"film{number}"
        study.mkdir(parents=True)
        (study / "result.json").write_text(json.dumps(result_of(f"{name}{number}", error, weights)))
        rows = [(rater, landmark) for rater in ("senior", "junior") for landmark in NAMES]
        write_points(folder / name / f"{number}.csv", rows, np.concatenate([TRUTH, TRUTH + 70]))
        sha256 = f"{name}{number}"
        entries.append({"image": f"{number}.tif", "points": f"{number}.csv", "unit": f"patient {number}", "sha256": sha256})
    (folder / name / LIST).write_text(json.dumps({"stress": entries}))
    return StressSet(folder / name, folder / name / PREDICTIONS)


ELLIPSE = EllipseDistance(1.0, 0.01, dict.fromkeys(NAMES, ((9.63, 11.52), (11.52, 16.35))))
"""Half-axes of 5 mm along (0.6, 0.8) and of 1 mm across."""


def record_of(promise: str, score: ConformityScore, reach: float, gate: Gate | None = GATE) -> Record:
    """That reaches so far at 90 % from 19 patients."""
    strata = (SplitStratum(math.inf, {"either": (0.0,) * 17 + (reach, 9.0)}),)
    result = result_of("", 1.0, "w")
    identity = identity_of_target(result, result["bundle"], NAMES)
    made_of = {"salt": "salt", "unit_hashes": [unit_hash("patient 99", "salt")], "images_sha256": []}
    every = (strata,) * (len(NAMES) if promise == MARGINAL else 1)
    about = {"seed": 0, "made_of": made_of}
    return Record(tuple(NAMES), "mm", "patient", score, "two-sided", promise, every, (0.9,), gate, identity, about)


RECORDS = [record_of(MARGINAL, Distance(), 2.5), record_of(SIMULTANEOUS, ELLIPSE, 1.0)]


def scored(folder, records=RECORDS) -> StressTable:
    sets = {done: write_set(folder, done) for done in ERRORS}
    return score_sets(sets, "stress", settings(records, folder / "elsewhere"))


def settings(records=(), folder=None, names=NAMES) -> StressSettings:
    return StressSettings(PointTruths(["senior", "junior"], names, folder), landmarks(names), records)


@pytest.fixture
def table(tmp_path):
    return scored(tmp_path)


def test_each_set_has_its_means(table):
    clean, left, right, far = summarise(table)["sets"]
    assert (clean["measured"], clean["refused"], clean["passed"], clean["within"]) == (4, {}, 1, 1)
    assert clean["error"] == pytest.approx(1.5) == clean["error_accepted"] and math.isnan(clean["error_stopped"])
    assert math.isnan(clean["bias"]) and math.isnan(clean["dice"]), "a distance has no sign"
    assert (left["studies"], left["measured"], left["refused"]) == (4, 3, {"NOT_THIS_KIND": 1})
    assert left["error"] == pytest.approx(3) and left["within"] == pytest.approx(1 / 3)
    assert left["passed"] == 0.5 and left["error_accepted"] == pytest.approx(2.5) and left["error_stopped"] == pytest.approx(4)
    assert right["strength"] == 15 and far["passed"] == 0 and math.isnan(far["error_accepted"])
    assert far["refused"] == {"NOT_THIS_KIND": 3} and far["measured"] == 2 and far["error"] == far["error_stopped"] == 10.5
    assert right["study_scores"] == {"mean_distance_to_mean": pytest.approx(7 / 3), "heatmap_activation": 0.5}


def test_regions_are_counted_with_and_without_the_gate(table):
    """A disc of 2.5 mm holds an error of 2. Of the ellipse along (0.6, 0.8), 5 by 1 mm, 1 mm down is 0.12 and 0.8 of the
    half-axes away, inside; 2 mm are 1.6, outside. What is of another kind than the bundle's images has no region."""
    clean, left, _, far = summarise(table)["sets"]
    assert clean["coverage_accepted"] == 1 and clean["at_once_accepted"] == 0.5 and clean["size"] == 2.5
    assert left["coverage_accepted"] == 0.5 and left["at_once_accepted"] == 0
    assert left["coverage"] == pytest.approx(1 / 3) and (left["units"], left["accepted_units"]) == (3, 2)
    assert far["coverage"] == 0 and math.isnan(far["coverage_accepted"]) and math.isnan(far["at_once_accepted"])
    (other,) = [row for row in table.rows if row["code"] and row["error"] is not None]
    assert other["error"] == 12 and other["covered"] is other["size"] is None and other["accepted"] is False


def test_the_bands_are_of_each_landmark_alone_and_of_all_at_once(table):
    clean, left, _, far = summarise(table)["sets"]
    for entry, units in ((clean, 4), (left, 2)):
        band = [covered / units for covered in coverage_band([CheckedPart(units, 18, 19)])]
        assert entry["band"] == entry["band_at_once"] == band
    assert far["band"] == far["band_at_once"] == []


def test_each_study_has_its_own_record_and_each_unit_counts_once(tmp_path):
    """Two films are of one patient; one patient's films were predicted on another grid, for which another record holds."""
    one = write_set(tmp_path, CLEAN)
    listed = json.loads((one.folder / LIST).read_text())
    listed["stress"][1]["unit"] = "patient 0"
    (one.folder / LIST).write_text(json.dumps(listed))
    path = one.predictions / "film3" / "result.json"
    stored = json.loads(path.read_text())
    path.write_text(json.dumps(stored | {"sampling": stored["sampling"] | {"grid_spacing_mm": [1.0, 1.0]}}))
    narrow = record_of(MARGINAL, Distance(), 1.5)
    wide = replace(record_of(MARGINAL, Distance(), 4.0), identity=narrow.identity | {"grid_spacing_mm": [1.0, 1.0]})
    table = score_sets({CLEAN: one}, "stress", settings([narrow, wide]))
    assert [row["size"] for row in table.rows] == [1.5, 1.5, 1.5, 4.0]
    assert [row["covered"] for row in table.rows] == [1, 1, 0, 1] and sum(row["first"] for row in table.rows[:2]) == 1
    assert table.source["records"] == {"landmarks": sorted([narrow.checksum, wide.checksum])}
    (clean,) = summarise(table)["sets"]
    assert clean["units"] == 3 and clean["coverage"] == pytest.approx(2 / 3)


def test_units_that_made_a_record_are_refused(tmp_path):
    made_of = RECORDS[1].provenance["made_of"] | {"unit_hashes": [unit_hash("patient 2", "salt")]}
    with pytest.raises(StudyRefused, match="UNITS_SEEN_IN_CALIBRATION: 1 units and 0 images"):
        scored(tmp_path, [RECORDS[0], replace(RECORDS[1], provenance={"seed": 0, "made_of": made_of})])


def test_the_gate_is_told_from_the_error_that_it_prevents(table):
    clean, turned = summarise(table)["prevented"]
    assert clean["corruption"] == CLEAN.corruption and turned["studies"] == 12 and turned["measured"] == 8
    assert turned["refused"] == {"NOT_THIS_KIND": 5} and turned["passed"] == pytest.approx(5 / 12)
    assert turned["error"] == pytest.approx((2 + 3 + 4 + 2 + 2 + 3 + 9 + 12) / 8)
    assert turned["error_accepted"] == pytest.approx((2 + 3 + 2 + 2 + 3) / 5)


def test_clean_and_turned_are_told_apart_at_each_angle_both_sides_together(table):
    """Clean scores 1 1 2 2; turned by 15 degrees 2 3 4 2 2 3 and two refused: of 32 pairs 6 are ties."""
    right_angle, far = summarise(table)["detection"]
    assert (right_angle["strength"], right_angle["studies"], right_angle["doubles"]) == (15, 8, True)
    assert right_angle["times"] == pytest.approx((16 / 6) / 1.5) and right_angle["stopped"] == pytest.approx(3 / 8)
    assert right_angle["auroc"]["mean_distance_to_mean"] == pytest.approx((32 - 6 / 2) / 32)
    assert right_angle["auroc"]["heatmap_activation"] == pytest.approx((24 / 2 + 8) / 32)  # it knows nothing but the two refused
    assert far["times"] == pytest.approx(7) and not far["doubles"] and far["stopped"] == 1 and far["stopped_clean"] == 0
    assert far["auroc"]["mean_distance_to_mean"] == 1


def test_a_score_that_is_the_error_ranks_every_image_and_its_means_follow_the_angle(table):
    found = summarise(table)
    scores = {entry["score"]: entry for entry in found["scores"] if entry["corruption"] == "rotation"}
    knowing, ignorant = scores["mean_distance_to_mean"], scores["heatmap_activation"]
    assert knowing["n"] == 12 and knowing["spearman_pooled"] == pytest.approx(1)
    assert knowing["spearman_per_image"] == pytest.approx(1) and knowing["images"] == 3  # one image has a single figure
    assert knowing["E-AURC"] == pytest.approx(0, abs=1e-12) and knowing["AURC_random"] == pytest.approx((6 + 37) / 12)
    assert math.isnan(ignorant["spearman_pooled"]) and ignorant["AURC"] == pytest.approx(ignorant["AURC_random"])
    means = {entry["score"]: entry for entry in found["means"]}
    angles, values = [0, 15, 15, 45], [1.5, 3, 7 / 3, 10.5]
    assert means["mean_distance_to_mean"]["pearson"] == pytest.approx(np.corrcoef(angles, values)[0, 1])
    assert means["error"] == means["mean_distance_to_mean"] | {"score": "error"}
    assert means["error"]["sets"] == 4 and means["error"]["spearman"] == pytest.approx(0.9486833)


def test_pearson_is_undefined_where_nothing_varies():
    assert math.isnan(pearson([1, 2, 3], [4, 4, 4])) and math.isnan(pearson([1, 2], [3, 4]))
    assert pearson([1, 2, 3], [5, 3, 1]) == pytest.approx(-1)


def test_without_a_record_nothing_is_said_of_acceptance(tmp_path):
    found = summarise(scored(tmp_path, ()))
    assert all(math.isnan(entry["passed"]) and math.isnan(entry["coverage"]) for entry in found["sets"][:3])
    assert all(math.isnan(entry["stopped"]) for entry in found["detection"])


def test_files_say_the_same(table, tmp_path):
    said = save_stress(table, tmp_path)
    stored = json.loads((tmp_path / "stress.json").read_text())
    assert stored["source"]["bundle"]["name"] == "toy" and len(stored["rows"]) == 16 and stored["left_out"] == []
    assert stored["sets"][3]["error_accepted"] is None and stored["detection"][0]["doubles"] is True
    rows = list(csv.DictReader((tmp_path / "stress.csv").open()))
    assert len(rows) == 16 and rows[7]["code"] == "NOT_THIS_KIND" and rows[7]["error"] == "" and float(rows[4]["error"]) == 2
    assert said == (tmp_path / "stress.md").read_text() and "nan" not in said
    assert "| rotation | -15 | 3 | 1 NOT_THIS_KIND | 0 | 3.00 | 0.333 | 2.50 |" in said and "| 1.78 | yes |" in said
    for name in ("error", "accepted", "coverage", "at_once", "scores", "mean_scores", "risk_coverage"):
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_what_has_no_truth_is_left_out_and_other_weights_are_not_mixed(tmp_path):
    sets = {done: write_set(tmp_path, done) for done in (CLEAN, Degradation("rotation", 15.0))}
    (sets[CLEAN].folder / "2.csv").unlink()
    table = score_sets(sets, "stress", settings())
    assert table.left_out == [{"corruption": "clean", "strength": 0.0, "unit": "patient 2", "code": "NO_TRUTH"}]
    with pytest.raises(StudyRefused, match="could be scored: 7 NOT_PREDICTED, 1 NOT_THIS_KIND"):
        score_sets(sets, "stress", settings(names=[*NAMES, "Menton"]))
    other = write_set(tmp_path / "other", Degradation("rotation", 45.0), weights="v")
    with pytest.raises(StudyRefused, match="MIXED_PREDICTIONS"):
        score_sets(sets | {Degradation("rotation", 45.0): other}, "stress", settings())
