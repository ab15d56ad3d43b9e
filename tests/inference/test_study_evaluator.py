"""A refusal is found however deep it is wrapped; texts of other libraries go no further."""

from __future__ import annotations

from caveat.inference.answers.study_evaluator import refusal_behind
from caveat.reasons import StudyRefused


def wrapped(error: Exception, times: int) -> Exception:
    for _ in range(times):
        try:
            raise RuntimeError("applying transform to /secret/NAME^PATIENT.png") from error
        except RuntimeError as outer:
            error = outer
    return error


def test_a_refusal_is_found_through_any_wrapping():
    assert refusal_behind(wrapped(StudyRefused("CONSTANT_IMAGE"), 3)).code == "CONSTANT_IMAGE"


def test_anything_else_is_unexpected_and_keeps_its_words_to_itself():
    refusal = refusal_behind(wrapped(KeyError("NAME^PATIENT"), 2))
    assert refusal.code == "UNEXPECTED_ERROR"
    assert "PATIENT" not in str(refusal) and "secret" not in str(refusal)
