"""The report's words on the gate."""

from __future__ import annotations

import re

import pytest

from caveat.transforms.pages.gate_rows import gate_rows, score_title
from caveat.transforms.writers.example_study import example_study
from caveat.transforms.writers.report_html import ReportHtmlWriter


def gate(*checks: tuple) -> dict:
    """Args: checks: name, value, threshold, direction, passed."""
    rows = [dict(zip(("name", "value", "threshold", "direction", "passed"), check)) for check in checks]
    return {"accepted": all(row["passed"] for row in rows), "checks": rows, "n": 36, "joint_bound": 2 / 37}


def page_of(study, tmp_path) -> str:
    """The report's text without its tags."""
    ReportHtmlWriter(longest=96).write(study, tmp_path)
    body = (tmp_path / "report.html").read_text(encoding="utf-8").split("<body>")[1]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


@pytest.fixture
def study() -> dict:
    study = example_study("nifti")
    study["result"]["gate"] = gate(("noise", 0.123456, 0.2, "above", True), ("pooled_pairwise_dice", 0.9, 0.8, "below", True))
    return study


def test_every_check_stands_with_its_value_and_limit(study, tmp_path):
    text = page_of(study, tmp_path)
    assert "Yes, in all that was looked at." in text and "Out of range" not in text
    assert re.search(r"Noise .{0,60} 0\.123 at most 0\.2 inside", text)
    assert re.search(r"Agreement of the draws .{0,60} 0\.9 at least 0\.8 inside", text)
    assert "36 calibration studies" in text and "at most 5 in 100" in text
    assert text.index("Maps") < text.index("Is this study like those") < text.index("How it was made")


def test_out_of_range_stands_on_top_with_what_failed(study, tmp_path):
    study["result"]["gate"] = gate(("noise", 0.5, 0.2, "above", False), ("feature_distance", None, 9.0, "above", False))
    study["result"]["flags"] = ["OUT_OF_RANGE"]
    text = page_of(study, tmp_path)
    banner = text[: text.index("Segmentation")]
    assert "Out of range" in banner and "Noise: 0.5, limit at most 0.2." in banner
    assert "Distance from the training images: missing, limit at most 9." in banner
    assert text.count("outside the limits, so no interval is given") == 1


def test_without_a_gate_the_report_says_that_nothing_judged(study, tmp_path):
    study["result"]["gate"] = None
    assert "Nothing has checked whether this image is like" in page_of(study, tmp_path)
    study["result"] |= {"status": "NOTHING_FOUND"}
    assert "Not judged, since nothing was found." in page_of(study, tmp_path)


def test_a_score_without_words_shows_its_name():
    assert score_title("mean_of_it") == ("Mean of it", "") and gate_rows(None) == []
