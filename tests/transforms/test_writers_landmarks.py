"""Landmarks in files: points.csv, summary.csv, and crosses and ellipses where they belong, in pictures and volumes."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from PIL import Image
from scipy import ndimage

from caveat.transforms.drawing.landmark_marks import COLOURS, DEVIATIONS, draw_landmarks, marks_of
from caveat.transforms.drawing.plane import planes_through
from caveat.transforms.output.run_index import write_run_index
from caveat.transforms.writers.example_study import example_study
from caveat.transforms.writers.points_csv import PointsCsvWriter
from caveat.transforms.writers.preview import PreviewWriter
from caveat.transforms.writers.report_html import ReportHtmlWriter
from caveat.transforms.writers.result_json import ResultJsonWriter

SPACING = 0.2
COVARIANCE = np.array([[4.0, 1.5], [1.5, 1.0]])  # mm2


def entry(name: str, index: tuple[float, float], outside: bool = False, covariance: np.ndarray = COVARIANCE) -> dict:
    value = (SPACING * np.array(index)).tolist()
    return {
        "kind": "landmark",
        "name": name,
        "title": name,
        "unit": "mm",
        "value": None if outside else value,
        "index_on_input_grid": list(index),
        "outside_image": outside,
        "draws": {"n": 2, "mean": value, "covariance": (covariance / 2).tolist(), "values": [value, value]},
        "heatmap_covariance": (covariance / 2).tolist(),
        "total_covariance": covariance.tolist(),
        "mean_distance_to_mean": 0.5,
        "heatmap_activation": 0.1,
        "region": None,
        "simultaneous_region": None,
        "statement": f"{name}: somewhere (not calibrated)",
    }


def radiograph(*points: dict) -> dict:
    """A made-up radiograph of 120 x 100 pixels of 0.2 mm, bright discs where the landmarks are."""
    row, column = np.mgrid[:120, :100]
    image = np.full((120, 100), 40.0)
    for point in points:
        r, c = point["index_on_input_grid"]
        image += 120 * (np.hypot(row - r, column - c) < 4)
    affine = np.diag([SPACING, SPACING, 1, 1])
    study = example_study("picture")
    study["result"] |= {"answers": list(points), "classes": [], "study_scores": {}, "flags": []}
    grid = MetaTensor(torch.tensor(image[None], dtype=torch.float32), affine=torch.tensor(affine))
    grid.meta |= {"spacing_source": "stated by the user", "spacing_mm": [SPACING] * 2, "input_kind": "picture"}
    return {"name": "example", "number": 0, "input": grid, "result": study["result"]}


def yellow(drawing: np.ndarray) -> np.ndarray:
    """Where a drawing has the ellipse's colour."""
    wanted = [int(COLOURS["region"][i : i + 2], 16) for i in (1, 3, 5)]
    return (np.abs(drawing[..., :3].astype(int) - wanted).max(axis=-1) < 30) & (drawing[..., 3] > 128)


def test_an_ellipse_lies_around_its_landmark_and_is_as_large_as_its_covariance():
    study = radiograph(entry("Sella", (60.0, 40.0)))
    (plane,) = planes_through((0, 0), (120, 100), np.diag([SPACING, SPACING, 1, 1]))
    marks = marks_of(study["result"]["answers"], np.diag([SPACING, SPACING, 1, 1]), plane)
    np.testing.assert_allclose(marks[0].middle, [60, 40])
    away = (marks[0].outline - marks[0].middle) * SPACING
    reach = np.sqrt(np.einsum("ni,ij,nj->n", away, np.linalg.inv(COVARIANCE), away))
    np.testing.assert_allclose(reach, DEVIATIONS)
    drawn = yellow(draw_landmarks(marks, (slice(0, 120), slice(0, 100)), (480, 400), 1.0))
    rows, columns = np.nonzero(drawn)
    assert (rows.min() + rows.max()) / 2 / 4 == pytest.approx(60.4, abs=0.5)
    assert np.ptp(rows) / 4 == pytest.approx(2 * DEVIATIONS * 2 / SPACING, abs=1.5)  # 2 sqrt(4 mm2), in pixels
    assert np.ptp(columns) / 4 == pytest.approx(2 * DEVIATIONS * 1 / SPACING, abs=1.5)


def test_a_landmark_outside_the_image_is_not_drawn_but_keeps_the_numbers_of_the_others():
    points = [entry("Sella", (60, 40)), entry("Menton", (121, 50), outside=True), entry("Nasion", (30, 70))]
    (plane,) = planes_through((0, 0), (120, 100), np.eye(4))
    assert [mark.label for mark in marks_of(points, np.eye(4), plane)] == ["1", "3"]


def test_a_landmark_of_a_volume_is_shown_where_its_voxel_is():
    affine = np.array([[0, 0, 2.5, 5], [-0.9, 0, 0, 7], [0, 1.2, 0, -9], [0, 0, 0, 1.0]])
    index = (4, 6, 3)
    value = (affine @ [*index, 1])[:3]
    point = entry("Centre", (0, 0), covariance=np.eye(2)) | {"value": value.tolist(), "total_covariance": np.eye(3).tolist()}
    point["draws"] |= {"values": [value.tolist()]}
    for plane in planes_through(index, (20, 16, 12), affine):
        (mark,) = marks_of([point], affine, plane)
        np.testing.assert_allclose(mark.middle, plane.locate(index), atol=1e-9)


def test_report_and_preview_show_the_ellipses(tmp_path):
    study = radiograph(entry("Sella", (60.0, 40.0)), entry("Nasion", (30.0, 70.0)))
    ReportHtmlWriter(longest=240).write(study, tmp_path)
    PreviewWriter(longest=240).write(study, tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "Sella: somewhere" in page and "Landmarks</label>" in page and "Segmentation</label>" not in page
    assert "Dashed ellipse: 2 standard deviations" in page and "Full line" not in page
    preview = np.asarray(Image.open(tmp_path / "preview.png")).astype(int)
    lines = preview[..., 0] - preview[..., 2] > 40  # everything else is grey, or blue
    closed = ndimage.binary_fill_holes(ndimage.binary_dilation(lines, iterations=2))
    labels, count = ndimage.label(closed)
    assert count == 2
    scale = preview.shape[0] / 120
    for row, column in ((60, 40), (30, 70)):
        assert closed[round(row * scale), round(column * scale)]


def rows_of(file) -> list[dict[str, str]]:
    with file.open(newline="") as opened:
        return list(csv.DictReader(opened))


def test_the_table_has_positions_in_mm_and_pixels_and_none_for_what_is_outside(tmp_path):
    one = entry("Sella", (60.0, 40.0))
    one["draws"] |= {"n": 1, "covariance": None, "values": [one["value"]]}
    one["mean_distance_to_mean"] = None
    PointsCsvWriter().write(radiograph(entry("Nasion", (30, 70)), one, entry("Menton", (121, 50), outside=True)), tmp_path)
    nasion, sella, menton = rows_of(tmp_path / "points.csv")
    assert (nasion["axis0"], nasion["axis1"], nasion["index0"], nasion["index1"]) == ("6", "14", "30", "70")
    assert (nasion["sd0"], nasion["total_sd0"], nasion["mean_distance_to_mean"]) == ("1.41421", "2", "0.5")
    assert (sella["axis0"], sella["sd0"], sella["total_sd1"], sella["mean_distance_to_mean"]) == ("12", "", "1", "")
    assert menton["outside_image"] == "1" and not any(menton[key] for key in ("axis0", "index0", "mean0", "total_sd0"))


def test_the_runs_table_has_no_coordinates_of_what_is_outside(tmp_path):
    folder = tmp_path / "one"
    folder.mkdir()
    ResultJsonWriter().write(radiograph(entry("Nasion", (30, 70)), entry("Menton", (121, 50), outside=True)), folder)
    write_run_index(tmp_path, [path.name for path in tmp_path.iterdir()])
    assert [row["value"] for row in rows_of(tmp_path / "summary.csv")] == ["6 14", ""]


DISC = {"kind": "disc", "radius": 3.0, "promise": "marginal", "level": 0.9, "record": "5eed", "n": 55, "unit": "patient"}
DISC["truth"] = "as the rater of the phantoms marks it"
ELLIPSE = DISC | {"kind": "ellipse", "semi_axes": [4.0, 2.0], "directions": [[0.0, 1.0], [1.0, 0.0]]}
del ELLIPSE["radius"]


@pytest.mark.parametrize("region,rows,columns", [(DISC, 3.0, 3.0), (ELLIPSE, 2.0, 4.0)])
def test_a_calibrated_region_is_drawn_in_its_own_size_with_a_full_line(region, rows, columns):
    (plane,) = planes_through((0, 0), (120, 100), np.eye(4))
    size, shown = (480, 400), (slice(0, 120), slice(0, 100))
    (mark,) = marks_of([entry("Sella", (60.0, 40.0)) | {"region": region}], np.diag([SPACING, SPACING, 1, 1]), plane)
    away = np.abs(mark.outline - mark.middle).max(axis=0) * SPACING
    assert mark.calibrated and away == pytest.approx([rows, columns], rel=2e-3)
    full, dashed = (yellow(draw_landmarks([kept], shown, size, 1.0)).sum() for kept in (mark, replace(mark, calibrated=False)))
    assert dashed < 0.85 * full


def test_report_and_table_say_which_line_is_a_calibrated_region(tmp_path):
    large = ELLIPSE | {"semi_axes": [6.0, 5.0], "promise": "simultaneous"}
    points = [
        entry("Sella", (60.0, 40.0)) | {"region": ELLIPSE, "simultaneous_region": large},
        entry("Menton", (121, 50), outside=True),
    ]
    ReportHtmlWriter(longest=240).write(radiograph(*points), tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "Full line: the region that holds the landmark in 90 of 100 studies, calibrated on 55 patients" in page
    assert "Dashed" not in page and "all landmarks of the image lie at once in larger ellipses" in page
    PointsCsvWriter().write(radiograph(*points), tmp_path)
    sella, menton = rows_of(tmp_path / "points.csv")
    assert [sella[key] for key in ("level", "radius", "semi_axis0", "semi_axis1", "calibrated_on", "record")] == [
        *("0.9", "", "4", "2", "55", "5eed")
    ]
    assert sella["truth"] == sella["simultaneous_truth"] == "as the rater of the phantoms marks it"
    assert (sella["simultaneous_level"], sella["simultaneous_semi_axis1"]) == ("0.9", "5")
    assert not any(menton[key] for key in ("level", "record", "simultaneous_level"))
    PointsCsvWriter().write(radiograph(entry("Sella", (60.0, 40.0)) | {"region": DISC}), tmp_path)
    assert rows_of(tmp_path / "points.csv")[0]["radius"] == "3"
