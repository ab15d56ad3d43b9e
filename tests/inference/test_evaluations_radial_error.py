"""Radial errors: of numbers worked out by hand, and from stored results and tables to the figures of an evaluation."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from caveat.inference.evaluation.evaluate import Evaluation, evaluate
from caveat.inference.figures.radial_error import error_ranking, median_radial_error, radial_error
from caveat.inference.metrics.radial_error import detection_rate, radial_errors
from caveat.inference.stored.point_truths import PointTruths
from caveat.reasons import StudyRefused

NAMES = ["Sella", "Nasion", "Menton"]
WITHIN = [2, 2.5, 3, 4]
TRUTH = np.array([[100.0, 50.0], [40.0, 80.0], [150.0, 60.0]])  # pixels of 0.2 mm
OFF = np.array([[3.0, 4.0], [0.0, 10.0], [12.0, 9.0]])  # 5, 10 and 15 pixels: 1, 2 and 3 mm


def test_a_radial_error_is_a_distance_and_a_detection_lies_below():
    errors = radial_errors(0.2 * (TRUTH + OFF), 0.2 * TRUTH)
    np.testing.assert_allclose(errors, [1, 2, 3])
    assert [detection_rate(np.array([1.0, 2.0, 3.0]), within) for within in (1, 2, 2.5, 4)] == [0, 1 / 3, 2 / 3, 1]
    assert math.isnan(detection_rate(np.array([]), 2))
    with pytest.raises(ValueError, match="shapes"):
        radial_errors(TRUTH[:2], TRUTH)


def stored(folder, number: int, scale: float, spacing: float | None = 0.2) -> dict:
    """A result whose landmarks are off by `scale` times OFF, and its entry in the list."""
    values = 0.2 * (TRUTH + scale * OFF)
    points = [{"name": name, "unit": "mm", "value": value} for name, value in zip(NAMES, values.tolist())]
    result = {
        "status": "OK",
        "reasons": [],
        "bundle": {"name": "cephalometric_landmarks"},
        "sampling": {"sampler": "Ensemble", "draws": 5},
        "input": {
            "sha256": str(number),
            "spacing_mm": None if spacing is None else [spacing] * 2,
            "affine": np.diag([0.2, 0.2, 1, 1]).tolist(),
        },
        "points": points,
        "study_scores": {"mean_distance_to_mean": scale},
    }
    study = folder / "out" / str(number)
    study.mkdir(parents=True)
    (study / "result.json").write_text(json.dumps(result))
    rows = [
        f"{rater},{name},{r + shift},{c}"
        for rater, shift in (("senior", 0), ("junior", 10))
        for name, (r, c) in zip(NAMES, TRUTH)
    ]
    (folder / f"{number}.csv").write_text("\n".join(["rater,name,axis0,axis1", *rows]) + "\n")
    return {"image": f"{number}.jpg", "points": f"{number}.csv", "unit": f"patient {number // 2}", "sha256": str(number)}


def settings(folder) -> Evaluation:
    return Evaluation(
        truths=PointTruths(["senior", "junior"], NAMES, folder),
        metrics=[lambda study, truth: radial_error(study, truth, WITHIN, without=["Menton"])],
        over_studies=[
            lambda rows: median_radial_error(rows, NAMES, without=["Menton"]),
            lambda rows: error_ranking(rows, ["mean_distance_to_mean", "a score that is not there"]),
        ],
        resamples=200,
    )


@pytest.fixture
def table(tmp_path):
    entries = [stored(tmp_path, number, scale) for number, scale in enumerate((1.0, 0.5, 2.0, 1.5))]
    data_list = tmp_path / "list.json"
    data_list.write_text(json.dumps({"test": entries}))
    return evaluate(tmp_path / "out", data_list, "test", settings(tmp_path), tmp_path / "nowhere")


def mean_of(table, metric: str, reading: str = "prediction", against: str = "senior") -> dict:
    return next(row for row in table.means if (row["reading"], row["against"], row["metric"]) == (reading, against, metric))


def test_figures_against_the_senior_rater(table):
    """Errors are 1, 2, 3 mm times 1, 0.5, 2, 1.5."""
    assert mean_of(table, "radial error, mm")["mean"] == pytest.approx(2 * 1.25)
    assert mean_of(table, "radial error, mm without Menton")["mean"] == pytest.approx(1.5 * 1.25)
    assert mean_of(table, "radial error of Nasion, mm")["values"] == pytest.approx([2, 1, 4, 3])
    below_2 = [1, 0.5, 1, 1.5, 1.5]  # 2 mm itself is not below
    assert mean_of(table, "within 2 mm")["mean"] == pytest.approx(len(below_2) / 12)
    assert mean_of(table, "within 4 mm")["mean"] == pytest.approx(9 / 12)  # not 4, 4.5 and 6
    assert mean_of(table, "radial error, mm")["units"] == 2


def test_figures_over_all_studies(table):
    (found,) = [row["metrics"] for row in table.over_studies if (row["reading"], row["against"]) == ("prediction", "senior")]
    assert found["median radial error, mm"] == pytest.approx(np.median(np.outer([1, 2, 3], [1, 0.5, 2, 1.5])))
    assert found["median radial error, mm without Menton"] == pytest.approx(np.median(np.outer([1, 2], [1, 0.5, 2, 1.5])))
    assert found["rank correlation of mean_distance_to_mean and radial error"] == pytest.approx(1)
    assert len(found) == 3


def test_one_rater_is_read_against_the_other(table):
    assert mean_of(table, "radial error, mm", "junior", "senior")["values"] == pytest.approx([2.0] * 4)


def test_pixels_have_no_error_in_mm(tmp_path):
    entry = stored(tmp_path, 0, 1.0, spacing=None)
    (tmp_path / "list.json").write_text(json.dumps({"test": [entry]}))
    with pytest.raises(StudyRefused, match="1 NO_PIXEL_SPACING"):
        evaluate(tmp_path / "out", tmp_path / "list.json", "test", settings(tmp_path), tmp_path)


def test_an_entry_without_points_has_no_truth(tmp_path):
    entry = stored(tmp_path, 0, 1.0)
    entry.pop("points")
    (tmp_path / "list.json").write_text(json.dumps({"test": [entry]}))
    with pytest.raises(StudyRefused, match="1 NO_TRUTH"):
        evaluate(tmp_path / "out", tmp_path / "list.json", "test", settings(tmp_path), tmp_path)
