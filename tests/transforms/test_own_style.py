"""A `matplotlibrc` of the current folder, or of the user, has no say in figures: it could start LaTeX on what it says."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest

from caveat.transforms.drawing.landmark_marks import Mark, draw_landmarks


@pytest.fixture
def strange_settings():
    """As a file among somebody's images has set them."""
    with matplotlib.rc_context({"text.usetex": True, "lines.linewidth": 30, "font.size": 40}):
        yield


def drawn() -> np.ndarray:
    mark = Mark("1", np.array([20.0, 20.0]), np.zeros((0, 2)), np.array([[10.0, 10.0], [30.0, 30.0], [10.0, 30.0]]), True)
    return draw_landmarks([mark], (slice(0, 40), slice(0, 40)), (40, 40), 1.0)


def test_landmarks(request):
    plain = drawn()
    request.getfixturevalue("strange_settings")
    np.testing.assert_array_equal(drawn(), plain)
    assert matplotlib.rcParams["text.usetex"] is True, "given back"
