"""Lines of known width."""

import math

import numpy as np
import pytest

from caveat.inference.metrics.extent_error import extent_error
from caveat.inference.metrics.terciles import terciles
from caveat.inference.metrics.thin_vessels import centre_line_widths, thin_vessels_by_tercile

EVERYWHERE = np.ones((60, 90), bool)


def lines(*widths):
    """Horizontal lines over the whole picture, 10 rows apart."""
    mask = np.zeros((60, 90), bool)
    for number, width in enumerate(widths):
        mask[5 + 10 * number : 5 + 10 * number + width] = True
    return mask


@pytest.mark.parametrize(("width", "expected"), [(1, 1), (2, 1), (3, 3), (4, 3), (5, 5)])
def test_width_along_a_straight_line(width, expected):
    line, found = centre_line_widths(lines(width))
    middle = line & (np.arange(90) > 10)[None] & (np.arange(90) < 80)[None]
    assert (found[middle] == expected).all()
    assert middle.sum() >= 60


def test_terciles_keep_ties_together_and_cut_in_three():
    assert terciles(np.arange(9.0)).tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert set(terciles(np.array([0.0, 0, 0, 0, 1, 2]))[:4]) == {0}


def test_only_thin_lines_count_as_thin():
    truth = lines(2, 5)
    found = thin_vessels_by_tercile(truth, truth, EVERYWHERE, np.indices(truth.shape)[1].astype(float), widest=2, reach=3)
    assert found["n"] == pytest.approx(90, abs=3)
    assert found["recall"] == 1
    assert found["width difference"] == 0


def test_ends_of_wide_vessels_are_no_thin_vessels():
    truth = lines(2, 5)
    truth[5:7, 8:] = False  # only eight columns of the thin line are left
    ramp = np.indices(truth.shape)[1].astype(float)
    assert thin_vessels_by_tercile(truth, truth, EVERYWHERE, ramp, widest=2, reach=3, shortest=10)["n"] == 0
    assert thin_vessels_by_tercile(truth, truth, EVERYWHERE, ramp, widest=2, reach=3)["n"] > 0


def test_recall_by_tercile():
    """The uncertainty rises from left to right, and the right third of a line is missed."""
    truth, uncertainty = lines(2), np.indices(EVERYWHERE.shape)[1].astype(float)
    prediction = truth & (uncertainty < 60)
    found = thin_vessels_by_tercile(prediction, truth, EVERYWHERE, uncertainty, widest=2, reach=3)
    assert [found[f"recall {name}"] for name in ("lowest", "middle")] == [1, 1]
    assert found["recall highest"] < 0.05
    assert found["recall"] == pytest.approx(2 / 3, abs=0.02)
    assert found["recall highest less lowest"] == pytest.approx(-1, abs=0.05)
    assert math.isnan(found["width difference highest"]) or found["width difference highest"] == 0


def test_drawn_too_thin_where_unsure():
    uncertainty = np.indices(EVERYWHERE.shape)[1].astype(float)
    truth, thin = lines(5), np.zeros((60, 90), bool)
    thin[6:9] = True  # three of the five rows
    prediction = np.where(uncertainty < 60, truth, thin)
    found = thin_vessels_by_tercile(prediction, truth, EVERYWHERE, uncertainty, widest=math.inf, reach=3)
    assert found["width difference highest"] == pytest.approx(-2, abs=0.2)
    assert found["width difference lowest"] == pytest.approx(0, abs=0.2)
    assert found["width difference highest less lowest"] == pytest.approx(-2, abs=0.3)


def test_a_constant_map_has_no_terciles():
    found = thin_vessels_by_tercile(lines(2), lines(2), EVERYWHERE, np.zeros(EVERYWHERE.shape), widest=2, reach=3)
    assert found["recall"] == 1
    assert all(math.isnan(found[f"recall {name}"]) for name in ("lowest", "middle", "highest"))


def test_nothing_drawn_nothing_true():
    empty = np.zeros(EVERYWHERE.shape, bool)
    ramp = np.indices(EVERYWHERE.shape)[1].astype(float)
    assert thin_vessels_by_tercile(empty, lines(2), EVERYWHERE, ramp, 2, 3)["recall"] == 0
    nothing = thin_vessels_by_tercile(lines(2), empty, EVERYWHERE, ramp, 2, 3)
    assert nothing["n"] == 0
    assert math.isnan(nothing["recall"])


def test_extent_error():
    assert extent_error(90, 100) == pytest.approx({"signed": -0.1, "absolute": 0.1})
    assert math.isnan(extent_error(90, 0)["signed"])
