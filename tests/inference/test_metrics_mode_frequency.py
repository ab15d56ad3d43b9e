"""A phantom whose classes flip with known probabilities, as in Kohl et al.'s test on Cityscapes."""

import math

import numpy as np
import pytest

from caveat.inference.metrics.mask_distance import mask_distance
from caveat.inference.metrics.mode_frequency import flip_frequency, flip_modes, mode_frequency, total_variation

STREET = np.repeat(np.array([1, 2, 3, 0, 2], np.uint8), 4).reshape(4, 5)
FLIPS = ((1, 11, 8 / 17), (2, 12, 6 / 17), (3, 13, 4 / 17))
CLASSES = (1, 2, 3, 11, 12, 13)


def flipping(labels, flips, count, seed):
    """Draws of a sampler that flips each class with its probability, and errs in one element at random."""
    random, draws = np.random.default_rng(seed), np.repeat(labels[None], count, axis=0)
    for original, alternative, probability in flips:
        flipped = random.random((count, 1, 1)) < probability
        draws = np.where(flipped & (draws == original), alternative, draws)
    rows, columns = random.integers(labels.shape[0], size=count), random.integers(labels.shape[1], size=count)
    draws[np.arange(count), rows, columns] = 0
    return draws


def test_modes_are_all_combinations():
    modes, probability = flip_modes(STREET, FLIPS)
    assert modes.shape == (8, 4, 5)
    assert len(np.unique(modes.reshape(8, -1), axis=0)) == 8
    assert modes.dtype == np.uint8
    np.testing.assert_array_equal(modes[0], STREET)
    np.testing.assert_array_equal(modes[5], np.select([STREET == 1, STREET == 3], [11, 13], STREET.astype(int)))
    assert probability[5] == pytest.approx(8 / 17 * 11 / 17 * 4 / 17)
    assert probability.sum() == pytest.approx(1)


def test_modes_of_the_source():
    """Five flips give 32 modes, of which the unflipped one is the most frequent, 0.109."""
    labels = np.arange(1, 6)
    modes, probability = flip_modes(labels, [(n, n + 10, k / 17) for n, k in zip(labels, (8, 7, 6, 5, 4), strict=True)])
    assert len(modes) == 32
    assert probability.argmax() == 0
    assert probability.max() == pytest.approx(0.109, abs=5e-4)


def test_a_perfect_sampler_draws_each_mode_as_often_as_it_occurs():
    modes, probability = flip_modes(STREET, FLIPS)
    count = 4000
    predicted = mode_frequency(mask_distance(flipping(STREET, FLIPS, count, 0), modes, CLASSES), probability)
    expected = np.sqrt(probability * (1 - probability) / (2 * np.pi * count)).sum()
    assert total_variation(predicted, probability) < 2 * expected
    means = [total_variation(np.random.default_rng(seed).multinomial(200, probability) / 200, probability) for seed in range(300)]
    assert np.mean(means) == pytest.approx(expected * math.sqrt(count / 200), rel=0.05)  # as the docstring says


def test_a_sampler_that_never_flips_is_found_out():
    modes, probability = flip_modes(STREET, FLIPS)
    predicted = mode_frequency(mask_distance(flipping(STREET, (), 50, 1), modes, CLASSES), probability)
    assert predicted.tolist() == [1, 0, 0, 0, 0, 0, 0, 0]
    assert total_variation(predicted, probability) == pytest.approx(1 - probability[0])


def test_a_mode_that_the_image_cannot_tell_apart_is_shared_by_its_probability():
    labels = np.where(STREET == 3, 0, STREET).astype(np.uint8)  # the third class is absent
    modes, probability = flip_modes(labels, FLIPS)
    predicted = mode_frequency(mask_distance(modes[:1], modes, CLASSES), probability)
    assert predicted == pytest.approx([13 / 17, 4 / 17, 0, 0, 0, 0, 0, 0])


def test_two_shapes():
    shapes = np.array([[1, 1, 0, 0], [0, 0, 1, 1]], bool)
    draws = np.array([[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 1], [0, 1, 1, 1]], bool)
    assert mode_frequency(mask_distance(draws, shapes), np.array([0.3, 0.7])).tolist() == [0.5, 0.5]


def test_flip_frequency():
    draws = np.array([[1, 11, 2], [11, 11, 2]])
    assert flip_frequency(draws, 1, 11) == pytest.approx(3 / 4)
    assert flip_frequency(draws, 2, 12) == 0
    assert math.isnan(flip_frequency(draws, 3, 13))


def test_what_does_not_fit_is_an_error():
    with pytest.raises(ValueError, match="already"):
        flip_modes(STREET, [(1, 2, 0.5)])
    for distances, probability in (
        (np.zeros((2, 3)), np.full(2, 0.5)),
        (np.full((2, 2), np.nan), np.full(2, 0.5)),
        (np.zeros((2, 2)), np.array([1.0, 0.0])),
    ):
        with pytest.raises(ValueError, match="expected"):
            mode_frequency(distances, probability)
