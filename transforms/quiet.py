"""Libraries' own messages, kept out of the way: they hold words of the file."""

from __future__ import annotations

import logging
import os
import sys
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
    sys.stderr.flush()
    kept, nowhere = os.dup(STDERR), os.open(os.devnull, os.O_WRONLY)
    try:
        logger.setLevel(logging.CRITICAL + 1)
        os.dup2(nowhere, STDERR)
        yield
    finally:
        os.dup2(kept, STDERR)
        logger.setLevel(level)
        os.close(kept)
        os.close(nowhere)
