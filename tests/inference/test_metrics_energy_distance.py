"""Energy distance: known values, loops over pairs, and what the three forms promise."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caveat.inference.metrics.diversity import diversity
from caveat.inference.metrics.energy_distance import energy_distance, energy_distances
from caveat.inference.metrics.mask_distance import mask_distances
from caveat.inference.metrics.reference_samplers import resampled

MASKS = {"A": [1, 1, 0, 0], "B": [0, 0, 1, 1], "-": [0, 0, 0, 0]}
ONES = np.random.default_rng(5).random((4, 6, 6)) < 0.4


def of(draws, raters):
    """Distances of masks named by letter."""
    return mask_distances(*(np.array([MASKS[name] for name in names], bool) for names in (draws, raters)))


def random_masks(seed, count):
    """Masks of several densities, some empty."""
    random = np.random.default_rng(seed)
    return random.random((count, 4, 3)) < random.choice([0, 0.3, 0.6], (count, 1, 1))


@pytest.mark.parametrize(
    ("draws", "raters", "form", "expected"),
    [
        ("A-", "AAA-", "V", 0.125),
        ("A-", "AAA-", "U", -0.5),
        ("AAA-", "AAA-", "V", 0),
        ("AAA-", "AAA-", "U", -0.25),
        ("-", "A---", "V", 0.125),  # the two lines of Kohl et al.'s figure
        ("B", "A---", "V", 1.625),
        ("A-", "AAA-", "R", 2 * 0.5 - 1 - 0.375),
    ],
)
def test_known_values(draws, raters, form, expected):
    assert energy_distance(of(draws, raters), form) == pytest.approx(expected)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 5), st.integers(2, 4))
def test_the_forms_are_loops_over_pairs(seed, n, m):
    draws, raters = random_masks(seed, n), random_masks(seed + 1, m)

    def distance(first, second):
        either = (first | second).sum()
        return 1 - (first & second).sum() / either if either else 0.0

    def mean(ones, others, itself):
        return np.mean([distance(a, b) for i, a in enumerate(ones) for j, b in enumerate(others) if itself or i != j])

    cross, found = mean(draws, raters, True), mask_distances(draws, raters)
    for form, (draws_itself, raters_itself) in {"V": (True, True), "U": (False, False), "R": (False, True)}.items():
        expected = 2 * cross - mean(draws, draws, draws_itself) - mean(raters, raters, raters_itself)
        assert energy_distance(found, form) == pytest.approx(expected)
    assert energy_distance(found, "V") >= -1e-12
    difference = energy_distance(found, "V") - energy_distance(found, "U")
    assert difference == pytest.approx(diversity(found.draws) / n + diversity(found.raters) / m)


def test_a_perfect_sampler_has_0_in_form_r_and_what_the_draws_add_in_v():
    among = mask_distances(ONES, ONES).raters.mean()
    scores = {"V": [], "R": []}
    for seed in range(400):
        distances = mask_distances(resampled(ONES, 8, seed), ONES)
        for form, values in scores.items():
            values.append(energy_distance(distances, form))
    error = 4 * np.std(scores["V"]) / 20
    assert np.mean(scores["R"]) == pytest.approx(0, abs=error)
    assert np.mean(scores["V"]) == pytest.approx(among / 8, abs=error)
    assert error < among / 16


def test_one_set_of_distances_serves_every_number_of_draws():
    draws = random_masks(3, 9)
    found = energy_distances(mask_distances(draws, ONES[:, :4, :3]), sizes=(1, 4, 8, 16))
    assert list(found)[:4] == [
        "energy distance V, 1 draw",
        "energy distance V, 4 draws",
        "energy distance V, 8 draws",
        "energy distance U, 1 draw",
    ]
    for form in "VUR":
        expected = energy_distance(mask_distances(draws[:4], ONES[:, :4, :3]), form)
        assert found[f"energy distance {form}, 4 draws"] == pytest.approx(expected)
    assert not any("16" in name for name in found)


def test_a_form_without_a_pair_is_undefined():
    one_draw, one_rater = of("A", "AB"), of("AB", "A")
    assert energy_distance(one_draw, "V") == pytest.approx(2 * 0.5 - 0.5)
    assert all(math.isnan(energy_distance(one_draw, form)) for form in "UR")
    assert math.isnan(energy_distance(one_rater, "U"))
    assert energy_distance(one_rater, "R") == pytest.approx(2 * 0.5 - 1)
    with pytest.raises(ValueError, match="forms"):
        energy_distance(one_draw, "W")


def test_diversity_leaves_a_mask_with_itself_out():
    assert diversity(of("AAB", "A").draws) == pytest.approx(2 / 3)
    assert math.isnan(diversity(of("A", "A").draws))
