"""Elements are decoded on first use, and a damaged one raises anything: whatever it is becomes a reason."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from caveat.reasons import StudyRefused

from .quiet_pydicom import quiet_pydicom


@contextmanager
def guarded_header() -> Iterator[None]:
    """Look at a header: pydicom is quiet, and what it raises, whose text may hold words of the file, is BAD_HEADER."""
    with quiet_pydicom():
        try:
            yield
        except StudyRefused:
            raise
        except Exception as error:
            raise StudyRefused("BAD_HEADER", type(error).__name__) from None
