"""Overlap inside a region, by hand."""

import math

import numpy as np

from caveat.inference.metrics.overlap import dice, sensitivity, specificity

PREDICTION = np.array([[1, 1, 0, 0, 1]], bool)
TRUTH = np.array([[1, 0, 1, 0, 0]], bool)
REGION = np.array([[1, 1, 1, 1, 0]], bool)


def test_by_hand_inside_the_region():
    assert dice(PREDICTION, TRUTH, REGION) == 2 * 1 / (2 + 2)
    assert sensitivity(PREDICTION, TRUTH, REGION) == 1 / 2
    assert specificity(PREDICTION, TRUTH, REGION) == 1 / 2


def test_empty_masks():
    empty = np.zeros_like(TRUTH)
    assert dice(empty, empty, REGION) == 1
    assert dice(empty, TRUTH, REGION) == 0
    assert math.isnan(sensitivity(PREDICTION, empty, REGION))
    assert math.isnan(specificity(PREDICTION, ~empty, REGION))
