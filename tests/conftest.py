"""What tests share; its being here also lets them import `phantoms`."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest


@pytest.fixture
def logging_given_back():
    """A training hangs handlers into the root of all loggers, which write to a stream that the next test does not have."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def shared_data() -> Path:
    """The folder with the data sets; a test that needs it is skipped where it is not there."""
    return data_folder()


def data_folder() -> Path:
    """The same, for fixtures of a wider scope."""
    folder = Path(os.environ.get("CAVEAT_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("no data sets here; CAVEAT_DATA names their folder")
    return folder
