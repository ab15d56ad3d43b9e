"""Figures look the same everywhere: nobody's matplotlibrc has a say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib


@contextmanager
def own_style() -> Iterator[None]:
    """Draw as matplotlib itself does, and give the user's settings back.

    It reads a file `matplotlibrc` of the current folder, which may be somebody's folder of images: such a file starts LaTeX on
    what it says.
    """
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        yield
