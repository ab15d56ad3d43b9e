"""The best matching, against all matchings."""

import math
from itertools import permutations

import numpy as np
import pytest

from caveat.inference.metrics.hungarian_iou import hungarian_iou
from caveat.inference.metrics.mask_distance import MaskDistances, mask_distances

MASKS = np.random.default_rng(2).random((4, 5, 5)) < 0.5


def with_cross(cross):
    """Distances of which only those between draws and raters count."""
    return MaskDistances(cross, np.zeros((len(cross),) * 2), np.zeros((cross.shape[1],) * 2))


@pytest.mark.parametrize(("draws", "raters"), [(1, 1), (3, 3), (2, 4), (2, 3), (3, 2), (1, 4)])
def test_no_matching_is_better(draws, raters):
    size = math.lcm(draws, raters)
    for seed in range(5):
        cross = np.random.default_rng(seed).random((draws, raters))
        best = max(
            np.mean([1 - cross[i % draws, j % raters] for i, j in enumerate(order)]) for order in permutations(range(size))
        )
        assert hungarian_iou(with_cross(cross)) == pytest.approx(best)


def test_raters_in_their_proportion_are_perfect():
    assert hungarian_iou(mask_distances(MASKS[[0, 1, 1, 2, 0, 1, 1, 2]], MASKS[[1, 2, 0, 1]])) == pytest.approx(1)


def test_a_rater_left_out_costs():
    distances = mask_distances(MASKS[[0, 0]], MASKS[[0, 1]])
    assert hungarian_iou(distances) == pytest.approx((1 + 1 - distances.raters[0, 1]) / 2)


def test_empty_masks_match():
    nothing = np.zeros((2, 3, 3), bool)
    assert hungarian_iou(mask_distances(nothing, nothing)) == 1
    assert math.isnan(hungarian_iou(mask_distances(nothing, nothing, absent="nan")))
