"""The table of reason codes."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest

from caveat.reasons import REASONS, StudyRefused

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("code", REASONS)
def test_each_reason_says_what_it_means_and_what_to_do(code):
    assert re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*", code)
    for line in (REASONS[code].meaning, REASONS[code].what_to_do):
        assert line
        assert "\n" not in line
        assert not line.endswith(".")
        assert line[0].islower() or line.startswith(("JPEG", "NIfTI", "PNG"))


def test_every_code_that_is_raised_stands_in_the_table():
    rooms = [ROOT / room for room in ("transforms", "networks", "inference", "caveat")]
    text = "\n".join(path.read_text(encoding="utf-8") for room in rooms for path in room.rglob("*.py"))
    raised = set(re.findall(r'StudyRefused\(\s*"([A-Z_0-9]+)"', text))
    assert raised
    assert raised <= set(REASONS)


def test_a_refusal_says_what_was_found():
    assert str(StudyRefused("TRUNCATED", "5 of 6 bytes")) == "TRUNCATED: 5 of 6 bytes"
    assert str(StudyRefused("TRUNCATED")) == f"TRUNCATED: {REASONS['TRUNCATED'].meaning}"


def test_an_unknown_code_is_a_mistake_of_the_program():
    with pytest.raises(ValueError, match="NO_SUCH_CODE"):
        StudyRefused("NO_SUCH_CODE")


def test_a_refusal_crosses_processes_unchanged():
    again = pickle.loads(pickle.dumps(StudyRefused("TRUNCATED", "5 of 6 bytes")))
    assert (again.code, again.found, str(again)) == ("TRUNCATED", "5 of 6 bytes", "TRUNCATED: 5 of 6 bytes")
