"""`measurements` and `points` of results: written beside `answers` for older readers, and read where there is nothing else."""

from __future__ import annotations

import json

import pytest

from caveat.transforms.files.answers import landmarks_of, measurements_of
from caveat.transforms.files.older_keys import answers_of_older, older_keys
from caveat.transforms.files.stored_result import read_result
from caveat.transforms.writers.example_study import example_study

INTERVAL = {"level": 0.9, "lower": 1.0, "upper": 2.0}


@pytest.fixture
def result() -> dict:
    """A measurement with an interval, and a landmark."""
    made = example_study("nifti")["result"]
    made["answers"][0]["region"] = {"kind": "interval", **INTERVAL}
    return made


def test_older_keys_say_what_they_said(result):
    older = older_keys(result)
    (measurement,), (point,) = older["measurements"], older["points"]
    assert measurement["interval"] == {"kind": "interval", **INTERVAL} and not {"region", "kind"} & set(measurement)
    assert measurement["value"] == result["answers"][0]["value"]
    assert point == {key: value for key, value in result["answers"][1].items() if key not in ("kind", "title")}


def test_what_was_not_found_is_null_and_was_a_number(result):
    measurement, landmark = result["answers"]
    measurement |= {"value": None, "value_on_input_grid": None, "region": None}
    landmark |= {"value": None, "outside_image": True}
    older = older_keys(result)
    assert older["measurements"][0]["value"] == older["measurements"][0]["value_on_input_grid"] == 0
    assert older["points"][0]["value"] == landmark["draws"]["mean"]
    assert answers_of_older(older) == result["answers"]


def test_there_and_back(result):
    assert answers_of_older(older_keys(result)) == result["answers"]


def test_nothing_undecided_is_an_answer(result):
    undecided = older_keys(result)["measurements"][0] | {"value": 0.0, "threshold": {"value": 0.5}}
    assert answers_of_older({"measurements": [undecided]})[0]["value"] == 0


def test_a_result_of_an_older_version_is_read(result, tmp_path):
    older = {key: value for key, value in result.items() if key != "answers"} | older_keys(result)
    (tmp_path / "result.json").write_text(json.dumps(older))
    read = read_result(tmp_path)
    assert measurements_of(read) == measurements_of(result) and landmarks_of(read) == landmarks_of(result)
