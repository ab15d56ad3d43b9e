"""The published schema of result.json: what the writer writes follows it, and what would mislead a reader does not."""

from __future__ import annotations

import copy
import json
import math
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from result_schema import mistakes, published, read_valid

from caveat.reasons import StudyRefused
from caveat.transforms.files.stored_result import EMPTY_RESULT, SCHEMA
from caveat.transforms.output.study_folder import WriteStudyd
from caveat.transforms.writers.example_study import example_study
from caveat.transforms.writers.result_json import ResultJsonWriter

BUNDLE = {"name": "discs", "version": "0.1.0", "weights_sha256": "0" * 64}


@pytest.fixture
def write(tmp_path):
    """Write an example study with other facts. Returns: the stored result."""

    def write(kind: str = "picture", **facts: Any) -> dict[str, Any]:
        study = example_study(kind)
        study["result"] |= facts
        WriteStudyd(tmp_path, [ResultJsonWriter()], BUNDLE)(study)
        return read_valid(tmp_path / "example" / "result.json")

    return write


def test_the_schema_is_one_and_names_every_key():
    Draft202012Validator.check_schema(published())
    assert published()["properties"]["schema"] == {"const": SCHEMA}
    assert published()["required"] == list(EMPTY_RESULT)
    assert list(published()["properties"]) == [*EMPTY_RESULT, "measurements", "points"]


@pytest.mark.parametrize("kind", ["picture", "nifti"])
def test_a_measured_study(write, kind):
    assert write(kind)["status"] == "OK"


def test_a_study_in_which_nothing_was_found(write):
    result = write(status="NOTHING_FOUND", answers=[], lesions=[])
    assert result["reasons"][0]["code"] == "NOTHING_FOUND"


def test_a_number_that_is_none_is_null(write):
    assert write(study_scores={"spread": math.nan})["study_scores"] == {"spread": None}


@pytest.mark.parametrize("read", [True, False], ids=["read", "not read"])
def test_a_refused_study(tmp_path, read):
    study = {"name": "one", "number": 0} | ({"input": example_study("nifti")["input"]} if read else {})
    WriteStudyd(tmp_path, [ResultJsonWriter()], BUNDLE).refuse(study, StudyRefused("SLICE_GAP", "2 of 140"))
    assert bool(read_valid(tmp_path / "one" / "result.json")["input"]) == read


def changed(result: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The result with another value at a path such as "answers/0/unit"; a value of None takes the key away."""
    result = copy.deepcopy(result)
    *way, last = path.split("/")
    place: Any = result
    for key in way:
        place = place[int(key) if isinstance(place, list) else key]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return result


@pytest.mark.parametrize(
    "path,value",
    [
        ("schema", "caveat-result-0"),
        ("status", "FINE"),
        ("status", "NOTHING_FOUND"),  # without a reason
        ("status", "REFUSED"),  # and with measurements
        ("answers/0/kind", "hunch"),
        ("answers/0/unit", None),
        ("answers/0/unit", ""),
        ("answers/0/value", "12"),
        ("answers/0/region", None),  # the key is there, null where nothing is promised
        ("answers/0/region", {"kind": "interval", "level": 0.9, "lower": 1.0, "upper": 2.0}),  # whose record, of how many?
        ("answers/0/statement", ""),
        ("answers/0/patient", "Canary"),
        ("answers/1/region", {"kind": "disc", "level": 0.9}),
        ("answers/1/value", [1.0]),
        ("answers/1/outside_image", True),  # and a value
        ("lesions/0/existence", 1.5),
        ("flags", ["in words"]),
        ("input/affine", [[1, 0, 0, 0]]),
        ("gate", {"accepted": True}),
        ("patient", "Canary"),
    ],
)
def test_what_would_mislead_is_refused(write, path, value):
    result = write()
    assert mistakes(json.loads(json.dumps(changed(result, path, value))))
