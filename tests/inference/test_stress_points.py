"""Figures of a stress run on landmarks, from predictions written by hand."""

from __future__ import annotations

import csv
import json
import math

import numpy as np
import pytest

from caveat.inference.metrics.linear_correlation import pearson
from caveat.inference.point_truths import PointTruths
from caveat.inference.stress.degraded import LIST, Degradation
from caveat.inference.stress.point_files import save_point_stress
from caveat.inference.stress.point_stress import is_inside, score_point_sets
from caveat.inference.stress.point_summary import (
    detection,
    means_and_strength,
    prevented_errors,
    scores_and_point_errors,
    summarise_point_sets,
)
from caveat.inference.stress.stress_set import CLEAN, PREDICTIONS, StressSet
from caveat.reasons import StudyRefused
from caveat.transforms.points_table import write_points

NAMES = ["Sella", "Nasion"]
TRUTH = np.array([[100.0, 50.0], [-40.0, 80.0]])  # pixels of 0.2 mm; the second was turned out of the image
IMAGES = 4
ERRORS = {  # mm, of each image; None is refused; 12 is beyond the limits of the kind of image
    CLEAN: (1.0, 1.0, 2.0, 2.0),
    Degradation("rotation", -15.0): (2.0, 3.0, 4.0, None),
    Degradation("rotation", 15.0): (2.0, 2.0, 3.0, None),
    Degradation("rotation", 45.0): (9.0, None, 12.0, None),
}
LIMIT = 3.0
"""Of the gate, on a score that is the error itself."""
OTHER = 12.0


def result_of(sha256: str, error: float | None, gate: bool, weights: str) -> dict:
    """Both landmarks are off by the error, one down and one to the right. A disc of 2.5 mm, an ellipse of 5 mm by 1."""
    about = {"bundle": {"name": "toy", "weights_sha256": weights}, "input": {"sha256": sha256}}
    if error is None:
        return about | {
            "status": "REFUSED",
            "reasons": [{"code": "NOT_THIS_KIND"}],
            "sampling": {},
            "study_scores": {},
            "points": [],
        }
    values = 0.2 * TRUTH - error * np.eye(2)
    regions = {
        "region": {"kind": "disc", "radius": 2.5},
        "simultaneous_region": {"kind": "ellipse", "semi_axes": [5.0, 1.0], "directions": [[0.6, 0.8], [-0.8, 0.6]]},
    }
    accepted = error <= LIMIT
    other_kind = error >= OTHER
    shown = regions if accepted and gate else dict.fromkeys(regions)
    points = [
        {"name": name, "unit": "mm", "value": value, "total_covariance": [[1.0, 0.0], [0.0, 1.0]], "outside_image": False} | shown
        for name, value in zip(NAMES, values.tolist())
    ]
    return about | {
        "status": "OK",
        "reasons": [],
        "input": {"sha256": sha256, "spacing_mm": [0.2, 0.2], "affine": np.diag([0.2, 0.2, 1, 1]).tolist()},
        "sampling": {"sampler": "Toy", "draws": 5, "seed": 0},
        "points": points,
        "study_scores": {"mean_distance_to_mean": error, "heatmap_activation": 0.5},
        "gate": {"accepted": accepted} if gate else None,
        "flags": ["NOT_THIS_KIND"] if other_kind else [],
    }


def write_set(folder, done, gate=True, weights="w") -> StressSet:
    name = f"{done.corruption}{done.strength:g}"
    entries = []
    for number, error in enumerate(ERRORS[done]):
        study = folder / name / PREDICTIONS / f"film{number}"
        study.mkdir(parents=True)
        (study / "result.json").write_text(json.dumps(result_of(f"{name}{number}", error, gate, weights)))
        rows = [(rater, landmark) for rater in ("senior", "junior") for landmark in NAMES]
        write_points(folder / name / f"{number}.csv", rows, np.concatenate([TRUTH, TRUTH + 70]))
        sha256 = f"{name}{number}"
        entries.append({"image": f"{number}.tif", "points": f"{number}.csv", "unit": f"patient {number}", "sha256": sha256})
    (folder / name / LIST).write_text(json.dumps({"stress": entries}))
    return StressSet(folder / name, folder / name / PREDICTIONS)


def scored(folder, **settings):
    sets = {done: write_set(folder, done, **settings) for done in ERRORS}
    return score_point_sets(sets, "stress", PointTruths(["senior", "junior"], NAMES, folder / "elsewhere"))


@pytest.fixture
def table(tmp_path):
    return scored(tmp_path)


def test_each_set_has_its_means(table):
    clean, left, right, far = summarise_point_sets(table)
    assert (clean["measured"], clean["refused"], clean["accepted"], clean["within"]) == (4, {}, 1, 1)
    assert clean["error"] == pytest.approx(1.5) == clean["error_accepted"] and math.isnan(clean["error_stopped"])
    assert (left["studies"], left["measured"], left["refused"]) == (4, 3, {"NOT_THIS_KIND": 1})
    assert left["error"] == pytest.approx(3) and left["within"] == pytest.approx(1 / 3)
    assert left["accepted"] == 0.5 and left["error_accepted"] == pytest.approx(2.5) and left["error_stopped"] == pytest.approx(4)
    assert right["strength"] == 15 and far["accepted"] == 0 and math.isnan(far["error_accepted"])
    assert far["refused"] == {"NOT_THIS_KIND": 3} and far["measured"] == 2 and far["error"] == far["error_stopped"] == 10.5
    assert right["study_scores"] == {"mean_distance_to_mean": pytest.approx(7 / 3), "heatmap_activation": 0.5}


def test_regions_are_counted_where_they_are_given(table):
    """A disc of 2.5 mm holds an error of 2. Of the ellipse along (0.6, 0.8), 5 by 1 mm, 1 mm down is 0.12 and 0.8 of the
    half-axes away, inside; 2 mm are 1.6, outside."""
    clean, left, _, far = summarise_point_sets(table)
    assert clean["covered"] == 1 and clean["all_covered"] == 0.5
    assert left["covered"] == 0.5 and left["all_covered"] == 0
    assert math.isnan(far["covered"]) and math.isnan(far["all_covered"])
    ellipse = {"kind": "ellipse", "semi_axes": [5.0, 1.0], "directions": [[0.6, 0.8], [-0.8, 0.6]]}
    assert is_inside(ellipse, [1.0, 1.0], np.array([1 + 0.6 * 4.9, 1 + 0.8 * 4.9]))
    assert not is_inside(ellipse, [1.0, 1.0], np.array([1 - 0.8 * 1.1, 1 + 0.6 * 1.1]))


def test_the_gate_is_told_from_the_error_that_it_prevents(table):
    clean, turned = prevented_errors(table)
    assert clean["corruption"] == CLEAN.corruption and turned["studies"] == 12 and turned["measured"] == 8
    assert turned["refused"] == {"NOT_THIS_KIND": 5} and turned["accepted"] == pytest.approx(5 / 12)
    assert turned["error"] == pytest.approx((2 + 3 + 4 + 2 + 2 + 3 + 9 + 12) / 8)
    assert turned["error_accepted"] == pytest.approx((2 + 3 + 2 + 2 + 3) / 5)


def test_clean_and_turned_are_told_apart_at_each_angle_both_sides_together(table):
    """Clean scores 1 1 2 2; turned by 15 degrees 2 3 4 2 2 3 and two refused: of 32 pairs 6 are ties."""
    right_angle, far = detection(table)
    assert (right_angle["strength"], right_angle["studies"], right_angle["doubles"]) == (15, 8, True)
    assert right_angle["times"] == pytest.approx((16 / 6) / 1.5) and right_angle["stopped"] == pytest.approx(3 / 8)
    assert right_angle["auroc"]["mean_distance_to_mean"] == pytest.approx((32 - 6 / 2) / 32)
    assert right_angle["auroc"]["heatmap_activation"] == pytest.approx((24 / 2 + 8) / 32)  # it knows nothing but the two refused
    assert far["times"] == pytest.approx(7) and not far["doubles"] and far["stopped"] == 1 and far["stopped_clean"] == 0
    assert far["auroc"]["mean_distance_to_mean"] == 1


def test_a_score_that_is_the_error_ranks_every_image_and_its_means_follow_the_angle(table):
    found = {entry["score"]: entry for entry in scores_and_point_errors(table)}
    knowing, ignorant = found["mean_distance_to_mean"], found["heatmap_activation"]
    assert knowing["n"] == 12 and knowing["spearman_pooled"] == pytest.approx(1)
    assert knowing["spearman_per_image"] == pytest.approx(1) and knowing["images"] == 3  # one image has a single figure
    assert math.isnan(ignorant["spearman_pooled"])
    means = {entry["score"]: entry for entry in means_and_strength(summarise_point_sets(table))}
    angles, values = [0, 15, 15, 45], [1.5, 3, 7 / 3, 10.5]
    assert means["mean_distance_to_mean"]["pearson"] == pytest.approx(np.corrcoef(angles, values)[0, 1])
    assert means["error"] == means["mean_distance_to_mean"] | {"score": "error"}
    assert means["error"]["sets"] == 4 and means["error"]["spearman"] == pytest.approx(0.9486833)


def test_pearson_is_undefined_where_nothing_varies():
    assert math.isnan(pearson([1, 2, 3], [4, 4, 4])) and math.isnan(pearson([1, 2], [3, 4]))
    assert pearson([1, 2, 3], [5, 3, 1]) == pytest.approx(-1)


def test_without_a_gate_nothing_is_said_of_acceptance(tmp_path):
    table = scored(tmp_path, gate=False)
    assert all(math.isnan(entry["accepted"]) and math.isnan(entry["covered"]) for entry in summarise_point_sets(table)[:3])
    assert all(math.isnan(entry["stopped"]) for entry in detection(table))


def test_files_say_the_same(table, tmp_path):
    said = save_point_stress(table, tmp_path)
    stored = json.loads((tmp_path / "stress.json").read_text())
    assert stored["source"]["bundle"]["name"] == "toy" and len(stored["rows"]) == 16 and stored["left_out"] == []
    assert stored["sets"][3]["error_accepted"] is None and stored["detection"][0]["doubles"] is True
    rows = list(csv.DictReader((tmp_path / "stress.csv").open()))
    assert len(rows) == 16 and rows[7]["code"] == "NOT_THIS_KIND" and rows[7]["error"] == "" and float(rows[4]["error"]) == 2
    assert said == (tmp_path / "stress.md").read_text() and "nan" not in said
    assert "| rotation | -15 | 3 | 1 NOT_THIS_KIND | 0 | 3.00 |" in said and "**1.78**" in said
    for name in ("error", "accepted", "scores"):
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_what_has_no_truth_is_left_out_and_other_weights_are_not_mixed(tmp_path):
    sets = {done: write_set(tmp_path, done) for done in (CLEAN, Degradation("rotation", 15.0))}
    (sets[CLEAN].folder / "2.csv").unlink()
    truths = PointTruths(["senior"], NAMES)
    table = score_point_sets(sets, "stress", truths)
    assert table.left_out == [{"corruption": "clean", "strength": 0.0, "unit": "patient 2", "code": "NO_TRUTH"}]
    with pytest.raises(StudyRefused, match="could be scored: 6 NOT_PREDICTED, 1 NO_TRUTH, 1 NOT_THIS_KIND"):
        score_point_sets(sets, "stress", PointTruths(["senior"], NAMES[:1]))
    other = write_set(tmp_path / "other", Degradation("rotation", 45.0), weights="v")
    with pytest.raises(StudyRefused, match="MIXED_PREDICTIONS"):
        score_point_sets(sets | {Degradation("rotation", 45.0): other}, "stress", truths)
