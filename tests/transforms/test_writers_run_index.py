"""summary.csv and index.html of a run."""

from __future__ import annotations

import csv
import html
from pathlib import Path

import pytest

from caveat.reasons import StudyRefused
from caveat.transforms.files.answers import landmarks_of, measurements_of
from caveat.transforms.files.csv_cells import safe_cell
from caveat.transforms.output.run_index import COLUMNS, relative_spread, write_run_index
from caveat.transforms.output.study_folder import WriteStudyd
from caveat.transforms.writers.example_study import example_study
from caveat.transforms.writers.result_json import ResultJsonWriter


def measured(name: str, **result) -> dict:
    study = example_study()
    study["input"].meta["flags"] = []
    study["result"] |= {"answers": measurements_of(study["result"]), "flags": [], **result}
    return study | {"name": name}


def table(output_dir: Path) -> list[dict[str, str]]:
    with (output_dir / "summary.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def index(output_dir: Path) -> dict[str, int]:
    return write_run_index(output_dir, [path.name for path in output_dir.iterdir() if path.is_dir()])


@pytest.fixture
def write(tmp_path):
    return WriteStudyd(tmp_path, [ResultJsonWriter()], {"name": "discs", "version": "0.1.0"})


def test_counts_and_one_row_a_study_or_measurement(write, tmp_path):
    two = measurements_of(example_study()["result"]) * 2
    write(measured("a", answers=two))
    write(measured("b", status="NOTHING_FOUND", reasons=[{"code": "NOTHING_FOUND", "message": "", "what_to_do": ""}]))
    write.refuse({"name": "c", "number": 2}, StudyRefused("CORRUPT"))
    assert index(tmp_path) == {"measured": 1, "nothing_found": 1, "refused": 1}
    rows = table(tmp_path)
    assert list(rows[0]) == list(COLUMNS)
    assert [(row["study"], row["status"], row["reasons"]) for row in rows] == [
        ("a", "OK", ""),
        ("a", "OK", ""),
        ("b", "NOTHING_FOUND", "NOTHING_FOUND"),
        ("c", "REFUSED", "CORRUPT"),
    ]


def test_numbers_of_a_measurement(write, tmp_path):
    study = measured("a", flags=["GRID_MATTERS"])
    entry = study["result"]["answers"][0]
    entry["region"] = {"level": 0.9, "lower": -1.5, "upper": 90.25, "record": "r", "n": 30, "unit": "patient"}
    entry["value"] = -2.0
    write(study)
    index(tmp_path)
    row = table(tmp_path)[0]
    values = entry["draws"]["values"]
    assert (row["measurement"], row["unit"], row["value"], row["draws"]) == ("disc", "pixels", "-2", "4")
    assert (float(row["draws_min"]), float(row["draws_max"])) == (min(values), max(values))
    assert float(row["draws_sd"]) == pytest.approx(entry["draws"]["sd"], rel=1e-5)
    assert (row["level"], row["lower"], row["upper"], row["flags"]) == ("0.9", "-1.5", "90.25", "GRID_MATTERS")


def test_what_was_not_found_has_no_value(write, tmp_path):
    study = measured("b", status="NOTHING_FOUND")
    study["result"]["answers"][0] |= {"value": None, "value_on_input_grid": None}
    write(study)
    index(tmp_path)
    assert (table(tmp_path)[0]["value"], table(tmp_path)[0]["value_on_input_grid"]) == ("", "")


def test_a_part_that_was_not_found_has_no_value_beside_one_that_was(write, tmp_path):
    found = measured("a")["result"]["answers"][0]
    write(measured("a", answers=[found, found | {"name": "ring", "value": None, "value_on_input_grid": None}]))
    index(tmp_path)
    disc, ring = table(tmp_path)
    assert float(disc["value"]) > 0
    assert (ring["measurement"], ring["value"], ring["value_on_input_grid"]) == ("ring", "", "")


def test_a_landmark_has_a_row(write, tmp_path):
    write(measured("a", answers=landmarks_of(example_study()["result"])))
    index(tmp_path)
    assert (table(tmp_path)[0]["measurement"], table(tmp_path)[0]["value"]) == ("centre", "20 15")


def order(output_dir: Path, names: list[str]) -> list[str]:
    page = (output_dir / "index.html").read_text(encoding="utf-8")
    return sorted(names, key=lambda name: page.index(f'href="{name}/report.html"'))


def test_worth_a_look_first_stands_on_top(write, tmp_path):
    write(measured("agree", study_scores={"pooled_pairwise_dice": 0.95}))
    write(measured("disagree", study_scores={"pooled_pairwise_dice": 0.55}))
    write(measured("flagged", study_scores={"pooled_pairwise_dice": 0.99}, flags=["GRID_MATTERS"]))
    write(measured("empty", status="NOTHING_FOUND"))
    write.refuse({"name": "refused", "number": 4}, StudyRefused("CORRUPT"))
    index(tmp_path)
    expected = ["refused", "empty", "flagged", "disagree", "agree"]
    assert order(tmp_path, sorted(expected)) == expected


def test_a_flag_that_all_studies_have_moves_none_to_the_top(write, tmp_path):
    write(measured("agree", study_scores={"pooled_pairwise_dice": 0.95}, flags=["NO_PIXEL_SPACING", "GRID_MATTERS"]))
    write(measured("disagree", study_scores={"pooled_pairwise_dice": 0.55}, flags=["NO_PIXEL_SPACING"]))
    index(tmp_path)
    assert order(tmp_path, ["agree", "disagree"]) == ["agree", "disagree"]


def test_without_agreement_the_largest_relative_spread_counts(write, tmp_path):
    for name, sd in (("narrow", 1.0), ("wide", 40.0)):
        study = measured(name, study_scores={})
        study["result"]["answers"][0]["draws"]["sd"] = sd
        write(study)
    index(tmp_path)
    assert order(tmp_path, ["narrow", "wide"]) == ["wide", "narrow"]


@pytest.mark.parametrize(
    ("draws", "spread"),
    [({"mean": 10.0, "sd": 2.0}, 0.2), ({"mean": 0.0, "sd": 2.0}, float("inf")), ({"mean": 3.0, "sd": None}, 0), ({}, 0)],
)
def test_relative_spread(draws, spread):
    assert relative_spread({"draws": draws}) == spread


def test_hostile_names_are_quoted_and_escaped(write, tmp_path):
    names = ["=cmd()", "@SUM(1)", "-1+1", "+1", "<script>alert(1)<", 'a"b', "line\nbreak", "50%20#x?"]
    for name in names:
        write(measured(name))
    index(tmp_path)
    cells = {row["study"] for row in table(tmp_path)}
    assert {"'=cmd()", "'@SUM(1)", "'-1+1", "'+1", "<script>alert(1)<", "line\nbreak"} <= cells
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "<script>" not in page
    assert html.escape("<script>alert(1)<") in page
    assert 'href="50%2520%23x%3F/report.html"' in page
    assert 'href="%3Dcmd%28%29/report.html"' in page


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1", "'=1"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("a=b", "a=b"),
        (-1.5, "-1.5"),
        (-3, "-3"),
        (None, ""),
        (1 / 3, "0.333333"),
    ],
)
def test_cells(value, cell):
    assert safe_cell(value) == cell


def test_only_what_the_run_names_is_counted(write, tmp_path):
    for name in ("a", "b"):
        write(measured(name))
    assert write_run_index(tmp_path, ["b"]) == {"measured": 1, "nothing_found": 0, "refused": 0}
    assert [row["study"] for row in table(tmp_path)] == ["b"]


def test_what_is_no_result_of_ours_is_passed_over(write, tmp_path):
    write(measured("a"))
    for name, text in (
        ("other", '{"schema": "x"}'),
        ("broken", "{"),
        ("list", "[]"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "result.json").write_text(text)
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    assert index(tmp_path) == {"measured": 1, "nothing_found": 0, "refused": 0}


def test_an_empty_run_has_its_tables(tmp_path):
    assert index(tmp_path) == {"measured": 0, "nothing_found": 0, "refused": 0}
    assert table(tmp_path) == []
    assert "0 studies" in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_two_runs_give_equal_bytes(tmp_path):
    for run in ("one", "two"):
        write = WriteStudyd(tmp_path / run, [ResultJsonWriter()])
        for name in ("b", "a") if run == "two" else ("a", "b"):
            write(measured(name))
        index(tmp_path / run)
    for name in ("summary.csv", "index.html"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
