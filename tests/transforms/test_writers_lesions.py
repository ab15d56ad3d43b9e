"""Lesions as a table and in the report."""

from __future__ import annotations

import csv

from caveat.transforms.writers.example_study import example_study
from caveat.transforms.writers.lesions_csv import LesionsCsvWriter
from caveat.transforms.writers.report_html import ReportHtmlWriter


def study():
    one = example_study("nifti")
    one["result"]["lesions"] = [
        {"unit": "mL", "value": 12.5, "existence": 1.0, "draws": draws(12.0, 13.0), "centre": [1.0, -2.0, 30.5]},
        {"unit": "mL", "value": 0.5, "existence": 0.5, "draws": draws(0.0, 1.0), "centre": [9.0, 8.0, 7.0]},
    ]
    return one


def draws(*values: float) -> dict:
    return {"n": 2, "mean": sum(values) / 2, "sd": 0.7071067811865476, "values": list(values)}


def test_a_row_a_lesion(tmp_path):
    LesionsCsvWriter().write(study(), tmp_path)
    with (tmp_path / "lesions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["lesion"], row["value"], row["existence"]) for row in rows] == [("1", "12.5", "1"), ("2", "0.5", "0.5")]
    assert (rows[1]["smallest"], rows[1]["largest"], rows[0]["centre_1"], rows[0]["centre_2"]) == ("0", "1", "-2", "30.5")


def test_no_file_without_lesions(tmp_path):
    one = study()
    one["result"]["lesions"] = []
    LesionsCsvWriter().write(one, tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_report_lists_them_and_says_what_the_share_is_not(tmp_path):
    ReportHtmlWriter(longest=96).write(study(), tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Piece by piece" in page and "50 %" in page and "1, -2, 30" in page and "no calibrated probability" in page
