"""A refusal as an answer of the server: MONAI Label's own exceptions reach a client as a bare 500."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import HTTPException

from caveat.reasons import REASONS, StudyRefused

REFUSED = 422


@contextmanager
def refusals_answered() -> Iterator[None]:
    """Refusals go out as status 422, with code, what was found and what to do; of anything else only its kind goes out."""
    try:
        yield
    except StudyRefused as refusal:
        raise answer_of(refusal) from None
    except Exception as error:  # its text may quote a patient's file
        logging.getLogger("caveat").debug("unexpected", exc_info=error)
        raise answer_of(StudyRefused("UNEXPECTED_ERROR", type(error).__name__)) from None


def answer_of(refusal: StudyRefused) -> HTTPException:
    """What Slicer shows in its dialog."""
    return HTTPException(REFUSED, f"{refusal}\n\nhint: {REASONS[refusal.code].what_to_do}")
