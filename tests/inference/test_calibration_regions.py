"""Regions of landmarks: sizes, what lies inside, and coverage for one landmark and for all at once."""

from __future__ import annotations

import math

import numpy as np
import pytest
from point_phantoms import row

from caveat.inference.calibration.record import MARGINAL, SIMULTANEOUS
from caveat.inference.calibration.regions.disc import Disc, distance, size_of
from caveat.inference.calibration.regions.ellipse import Ellipse, scaled_distance
from caveat.inference.calibration.regions.interval import Interval
from caveat.inference.calibration.scores.distance import Distance
from caveat.inference.calibration.scores.ellipse_distance import shape_matrix
from caveat.inference.calibration.sides import excess_of
from caveat.inference.calibration.split_stratum import SplitStratum


def test_a_radius_is_a_distance_in_millimetres():
    assert distance(np.array([0.0, 0.0]), np.array([3.0, 4.0])) == 5.0
    assert distance(np.array([1.0, 1.0]), np.array([1.0, 1.0])) == 0.0


def test_an_ellipse_measures_in_its_own_axes():
    shape = np.diag([4.0, 0.25])
    found = [scaled_distance(np.zeros(2), np.array(truth), shape) for truth in ([2.0, 0.0], [0.0, 0.5], [2.0, 0.5])]
    assert found == pytest.approx([1.0, 1.0, math.sqrt(2)])


def test_a_round_ellipse_is_a_disc():
    random = np.random.default_rng(0)
    for centre, truth in random.normal(size=(30, 2, 3)):
        assert scaled_distance(centre, truth, 4.0 * np.eye(3)) == pytest.approx(distance(centre, truth) / 2)
        ellipse = Ellipse(tuple(centre), tuple(map(tuple, 4.0 * np.eye(3))), 0.5)
        disc = Disc(tuple(centre), 1.0)
        assert ellipse.contains(tuple(truth)) == disc.contains(tuple(truth)) and ellipse.radius == pytest.approx(disc.radius)


def test_the_shape_shrinks_to_the_pooled_one():
    draws, pooled = np.diag([1.0, 0.0]), np.diag([0.0, 3.0])
    assert shape_matrix(draws, pooled, 0.25, 0.5) == pytest.approx(np.diag([0.75 + 0.5, 0.75 + 0.5]))
    for share, floor in [(-0.1, 1), (1.1, 1), (0.5, 0)]:
        with pytest.raises(ValueError):
            shape_matrix(draws, pooled, share, floor)


@pytest.mark.parametrize("axes,size", [(2, math.pi * 9), (3, 4 / 3 * math.pi * 27)])
def test_sizes_of_discs_balls_and_ellipses(axes, size):
    assert size_of(3.0, axes) == pytest.approx(size)
    shape = np.diag([4.0] + [1.0] * (axes - 1))
    assert size_of(3.0, axes, shape) == pytest.approx(2 * size)
    assert Disc((0.0,) * axes, 3.0).to_json()["area" if axes == 2 else "volume"] == pytest.approx(size)


def test_an_interval_holds_its_ends_and_says_where_it_has_none():
    one = Interval(1.0, math.inf)
    assert one.contains(1.0) and one.contains(1e9) and not one.contains(0.999)
    assert one.to_json() == {"kind": "interval", "lower": 1.0, "upper": None}
    assert Interval(1.0, 3.0).radius == 1.0 and not Interval(1.0, 3.0).is_empty and Interval(2.0, 2.0).is_empty
    assert Interval(1.0, 3.0).holding(3.5) == Interval(1.0, 3.5)


@pytest.mark.parametrize("promise", [MARGINAL, SIMULTANEOUS])
def test_coverage_is_nominal_for_each_point_or_for_all(promise):
    """Points of one study err together and not alike; n = 19 at 90 % is 18 of 20 exactly."""
    random, repeats = np.random.default_rng(1), 400
    common = random.normal(size=(repeats, 20, 1, 2))
    errors = (common + random.normal(size=(repeats, 20, 4, 2))) * np.array([0.5, 1.0, 2.0, 4.0])[:, None]
    score, inside = Distance(), []
    for one in errors:
        rows = [row(study, names="abcd") for study in one]
        parts = [[index] for index in range(4)] if promise == MARGINAL else [[0, 1, 2, 3]]
        held = []
        for part in parts:
            own = [tuple(study[index] for index in part) for study in rows]
            stratum = SplitStratum.of(math.inf, [excess_of(score, study) for study in own[:-1]], "two-sided")
            regions = stratum.regions(score, own[-1], 0.9, "two-sided")
            held += [region.contains(case.truth) for region, case in zip(regions, own[-1], strict=True)]
        inside.append(held)
    four_sd = 4 * math.sqrt(0.09 / repeats)
    if promise == SIMULTANEOUS:
        assert np.all(inside, axis=1).mean() == pytest.approx(0.9, abs=four_sd)
    else:
        assert np.mean(inside, axis=0) == pytest.approx(np.full(4, 0.9), abs=four_sd)
        assert np.all(inside, axis=1).mean() < 0.87
