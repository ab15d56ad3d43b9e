"""pydicom's own messages and highdicom's, kept out of the way: they may hold words of the file."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

LIBRARIES = ("pydicom", "highdicom")


@contextmanager
def quiet_pydicom() -> Iterator[None]:
    """Silence warnings and the loggers. Both are Python alone, so the error stream itself need not be turned away."""
    loggers = [logging.getLogger(name) for name in LIBRARIES]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
