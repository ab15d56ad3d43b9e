"""Libraries' own messages, kept out of the way: they hold words of the file."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

STDERR = 2


@contextmanager
def quiet_library(name: str) -> Iterator[None]:
    """Silence one library: what it logs, and what its C code writes to the standard error stream.

    Args:
        name: of its root logger.
    """
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with _quiet_stderr():
            yield
    finally:
        logger.setLevel(level)


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    try:
        kept = os.dup(STDERR)
    except OSError:  # the process was started without one
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, STDERR)
        yield
    finally:
        os.dup2(kept, STDERR)
        os.close(kept)
        os.close(nowhere)
