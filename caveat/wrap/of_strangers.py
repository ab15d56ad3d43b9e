"""Files of strangers: whatever they make our code or a library raise says that they are not as they should be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..reasons import StudyRefused


@contextmanager
def of_strangers(what: str) -> Iterator[None]:
    """Args: what: is not as it should be. Raises: StudyRefused: SOURCE_NOT_WRAPPED; a refusal stays what it is."""
    try:
        yield
    except StudyRefused:
        raise
    except Exception as error:  # of wrong types and sizes, anywhere
        raise StudyRefused("SOURCE_NOT_WRAPPED", f"{what} ({type(error).__name__})") from error
