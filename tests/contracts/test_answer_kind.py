"""What every kind of answer must hold: the schema, the summary and the sentence know it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from discover import concrete_subclasses

from caveat.inference.calibration.case import case_of
from caveat.inference.calibration.kinds.answer_kind import AnswerKind, kind_of
from caveat.transforms.output.run_index import CELLS, COLUMNS
from caveat.transforms.writers.example_study import example_study

KINDS = concrete_subclasses(AnswerKind, "caveat.inference.calibration.kinds")
SCHEMA = Path(__file__).resolve().parents[2] / "transforms" / "writers" / "result.schema.json"
RESULT = example_study()["result"]
CLASS = {
    "kind": "class",
    "name": "finding",
    "title": "Film",
    "unit": "probability",
    "classes": ["no finding", "pneumonia"],
    "value": [0.25, 0.75],
    "draws": {"n": 2, "mean": [0.25, 0.75], "sd": [0.1, 0.1], "values": [[0.15, 0.85], [0.35, 0.65]]},
    "region": None,
}
ANSWERS = {answer["kind"]: answer for answer in [*RESULT["answers"], CLASS]}


def test_the_schema_and_the_summary_know_each_kind_and_no_other():
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    stated = set(schema["$defs"]["answer"]["properties"]["kind"]["enum"])
    assert stated == set(CELLS) == {kind.kind for kind in KINDS} == set(ANSWERS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_answer_becomes_a_case_a_sentence_and_a_line(kind):
    answer = ANSWERS[kind.kind]
    assert isinstance(kind_of(answer), kind)
    case = case_of(answer, RESULT)
    assert len(case.draws) == answer["draws"]["n"] and case.found
    assert kind_of(answer).sentence(answer, "").endswith("not calibrated)")
    assert "why not" in kind_of(answer).sentence(answer, "why not")
    line = CELLS[kind.kind](answer)
    assert line["unit"] == answer["unit"] and line["draws"] == answer["draws"]["n"] and set(line) <= set(COLUMNS)


def test_a_set_of_classes_stands_in_the_summary():
    for held, words in (([0, 1], "no finding or pneumonia"), ([1], "pneumonia"), ([], "none")):
        line = CELLS["class"]({**CLASS, "region": {"level": 0.9, "classes": held}})
        assert (line["measurement"], line["set"], line["level"]) == ("finding: pneumonia", words, 0.9)
