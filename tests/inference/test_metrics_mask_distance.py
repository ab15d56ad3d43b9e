"""Distances between all masks at once, against scikit-learn's Jaccard index of one pair."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import jaccard_score

from caveat.inference.metrics import pairwise_iou as module
from caveat.inference.metrics.mask_distance import mask_distance, mask_distances
from caveat.inference.metrics.pairwise_iou import pairwise_iou

A, B, EMPTY = np.array([[1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 0, 0]], bool)


def masks(seed, count, labels, shape=(3, 5)):
    """Label maps, some of them without some class."""
    random = np.random.default_rng(seed)
    present = random.integers(0, labels + 1, (count, 1, 1))
    return np.minimum(random.integers(0, labels + 1, (count, *shape)), present).astype(np.uint8)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 4), st.integers(1, 3))
def test_every_pair_is_as_scikit_learn_has_it(seed, n, m, labels):
    first, second, classes = masks(seed, n, labels), masks(seed + 1, m, labels), list(range(1, labels + 1))
    found = mask_distance(first, second, classes)
    for i, j in np.ndindex(n, m):
        iou = jaccard_score(second[j].ravel(), first[i].ravel(), labels=classes, average=None, zero_division=1)
        assert found[i, j] == pytest.approx(1 - iou.mean())


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_absent_classes_may_be_left_out(seed):
    first, second = masks(seed, 3, 2), masks(seed + 1, 2, 2)
    found = mask_distance(first, second, [1, 2], absent="nan")
    for i, j in np.ndindex(3, 2):
        pairs = [((first[i] == c) & (second[j] == c), (first[i] == c) | (second[j] == c)) for c in (1, 2)]
        distances = [1 - both.sum() / either.sum() for both, either in pairs if either.any()]
        assert found[i, j] == pytest.approx(np.mean(distances) if distances else np.nan, nan_ok=True)


def test_conventions_of_empty_masks():
    assert mask_distance(np.stack([A, EMPTY]), np.stack([A, B, EMPTY])).tolist() == [[0, 1, 1], [1, 1, 0]]
    assert np.isnan(mask_distance(EMPTY[None], EMPTY[None], absent="nan")).all()
    assert np.isnan(pairwise_iou(EMPTY[None], EMPTY[None])).all()


def test_without_classes_whatever_is_not_zero_is_the_structure():
    drawn = np.stack([A, B, A | B])
    assert (mask_distance(drawn * np.uint8(255), drawn) == mask_distance(drawn, drawn)).all()


def test_other_labels_are_background():
    assert mask_distance(np.array([[1, 2, 3]]), np.array([[1, 3, 2]]), [1]).item() == 0
    assert mask_distance(np.array([[1, 2, 3]]), np.array([[1, 3, 2]]), [1, 2, 3]).item() == pytest.approx(2 / 3)


def test_long_masks_are_counted_in_parts(monkeypatch):
    drawn = masks(0, 6, 2, (9, 11))
    whole = pairwise_iou(drawn, drawn, [1, 2])
    monkeypatch.setattr(module, "CHUNK", 7)
    np.testing.assert_array_equal(pairwise_iou(drawn, drawn, [1, 2]), whole)


def test_the_first_draws_are_a_corner_of_all():
    draws, raters = masks(1, 5, 1), masks(2, 3, 1)
    some, fewer = mask_distances(draws, raters).first(2), mask_distances(draws[:2], raters)
    for name in ("cross", "draws", "raters"):
        np.testing.assert_array_equal(getattr(some, name), getattr(fewer, name))
    for count in (0, 6):
        with pytest.raises(ValueError, match="draws of 5"):
            mask_distances(draws, raters).first(count)


@pytest.mark.parametrize(
    ("first", "second", "classes"),
    [
        (np.zeros((2, 4)), np.zeros((2, 4)), None),  # probabilities are no masks
        (np.zeros((2, 4), int), np.zeros((2, 5), int), None),
        (np.zeros((0, 4), int), np.zeros((2, 4), int), None),
        (np.zeros(4, int), np.zeros(4, int), None),
        (np.zeros((2, 4), int), np.zeros((2, 4), int), [0, 1]),
        (np.zeros((2, 4), int), np.zeros((2, 4), int), []),
    ],
)
def test_what_cannot_be_compared_is_an_error(first, second, classes):
    with pytest.raises(ValueError, match="expected|compared"):
        mask_distance(first, second, classes)
