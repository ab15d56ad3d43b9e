"""Intervals hold what they promise: by simulation, and against an independent library."""

from __future__ import annotations

import math

import numpy as np
import pytest
from calibration_phantoms import case, interval, record_of, settings
from crepes import ConformalRegressor
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from caveat.inference.calibration.quantile import ONE_SIDED_SCORES
from caveat.inference.calibration.scores.absolute import Absolute
from caveat.inference.calibration.scores.draw_quantiles import DrawQuantiles
from caveat.inference.calibration.scores.fitted import Fitted
from caveat.inference.calibration.scores.log import Log
from caveat.inference.calibration.scores.size import Size
from caveat.inference.calibration.scores.spread import Spread
from caveat.inference.calibration.split_stratum import SplitStratum

REPEATS, N, LEVEL = 2000, 19, 0.9
NEARLY = 1e-9
"""Below the level that crepes is asked for: it takes the rank in floats, in which (19 + 1)(1 - 0.9) is less than 2."""
FITTED = Fitted({"intercept": 0.05, "log_mean": 1.0}, {"intercept": -2.0, "log_spread": 0.3})


def patients(random, count):
    """Cases of skewed sizes, biased predictions, errors that grow with the draws' spread."""
    truth = np.exp(random.normal(1.2, 0.3, count))
    spread = 0.1 * random.gamma(3, 0.5, count)
    value = 1.05 * truth + spread * random.standard_t(4, count)
    value = np.maximum(value, 0.01)
    draws = np.maximum(value[:, None] + spread[:, None] * random.normal(size=(count, 5)), 0.0)
    return [case(v, t, tuple(d)) for v, t, d in zip(value.tolist(), truth.tolist(), draws.tolist(), strict=True)]


@pytest.fixture(scope="module")
def repeats():
    """Patients of all repeats, n + 1 each, the last one new."""
    every = patients(np.random.default_rng(5), REPEATS * (N + 1))
    return [every[start : start + N + 1] for start in range(0, len(every), N + 1)]


@pytest.mark.parametrize(
    "score", [Absolute(), Log(0.05), Spread(0.1), Size(0.1), DrawQuantiles(), FITTED], ids=lambda s: type(s).__name__
)
def test_coverage_over_repeats_is_nominal(repeats, score):
    """Of continuous scores the expected coverage is exactly k / (n + 1): 18 of 20, and at each of two ends 19 of 20."""
    covered = dict.fromkeys(ONE_SIDED_SCORES, 0)
    for cases in repeats:
        excesses = [score.excess(one, one.truth) for one in cases]
        for sides in covered:
            below, above = SplitStratum.of(math.inf, excesses[:-1], sides).quantiles(LEVEL, sides)
            covered[sides] += score.region(cases[-1], (below, above)).contains(cases[-1].truth)
    four_sd = 4 * math.sqrt(LEVEL * (1 - LEVEL) / REPEATS)
    assert {sides: count / REPEATS for sides, count in covered.items()} == pytest.approx(
        dict.fromkeys(covered, LEVEL), abs=four_sd
    )


def test_coverage_holds_within_size_classes():
    """Errors grow steeply with size: one class would cover the small ones always and the large ones too seldom."""
    random, covered, config = np.random.default_rng(6), [[], []], settings(Absolute(), strata={"whole volume": (2.0,)})
    for _ in range(REPEATS // 2):
        truths = random.choice([1.0, 3.0], 25).tolist()
        cases = [case(truth, truth + random.normal(0, 0.1 if truth < 2 else 0.9)) for truth in truths]
        record = record_of(cases[:-1], config)
        if len(record.strata[0]) == 2:
            lower, upper = interval(record, cases[-1], 0.8)
            covered[cases[-1].value > 2].append(lower <= cases[-1].truth <= upper)
    for group in covered:
        assert 0.8 - 0.05 < np.mean(group) < 0.92  # k / (n + 1) for the n of each repeat lies in 0.8 ... 0.92


def test_a_rare_hard_class_of_which_units_are_few_breaks_no_promise():
    """Were it joined to its neighbour where it has too few units, its intervals would hold 0.70, and all together 0.896."""
    random, held = np.random.default_rng(8), {False: [], True: []}
    config = settings(Absolute(), levels=(0.9,), strata={"whole volume": (2.0,)})
    for _ in range(3 * REPEATS):
        values = np.where(random.random(41) < 0.22, 3.0, 1.0)
        truths = values + random.normal(0, np.where(values > 2, 0.9, 0.1))
        *cases, new = map(case, values.tolist(), truths.tolist())
        ends = interval(record_of(cases, config), new, 0.9)
        if ends is not None:
            held[new.value > 2].append(ends[0] <= new.truth <= ends[1])
    for stated in (*held.values(), held[False] + held[True]):
        assert np.mean(stated) > 0.9 - 3 * math.sqrt(0.09 / len(stated))


@pytest.mark.parametrize("n", [9, 19, 36, 53])
@pytest.mark.parametrize("level", [0.5, 0.8, 0.9])
def test_intervals_are_those_of_crepes(n, level):
    *cases, new = patients(np.random.default_rng(n), n + 1)
    residuals = np.array([c.truth - c.value for c in cases])
    widths = {
        Absolute(): lambda c: 1.0,
        Spread(0.2): lambda c: float(np.std(c.draws, ddof=1)) + 0.2,
        Size(0.1): lambda c: c.value + 0.1,
    }
    for score, width in widths.items():
        theirs = ConformalRegressor().fit(residuals, sigmas=np.array([width(c) for c in cases]))
        expected = theirs.predict_int([new.value], sigmas=np.array([width(new)]), confidence=level - NEARLY, y_min=0)[0]
        found = interval(record_of(cases, settings(score, levels=(level,))), new, level)
        assert found == pytest.approx(expected, rel=1e-12)


def test_size_classes_are_the_bins_of_crepes():
    *cases, new = patients(np.random.default_rng(1), 61)
    bounds = (2.8, 3.6)
    bins = np.searchsorted(bounds, [c.value for c in cases])
    theirs = ConformalRegressor().fit(np.array([c.truth - c.value for c in cases]), bins=bins)
    for value in (2.0, 3.0, 4.0):
        probe = case(value)
        expected = theirs.predict_int([value], bins=np.searchsorted(bounds, [value]), confidence=0.8 - NEARLY, y_min=0)[0]
        record = record_of(cases, settings(Absolute(), strata={"whole volume": bounds}))
        assert len(record.strata[0]) == 3
        assert interval(record, probe, 0.8) == pytest.approx(expected)


SEEDS, FACTORS = st.integers(0, 10_000), st.floats(0.01, 100)


def scaled(c, factor):
    return case(factor * c.value, factor * c.truth, tuple(factor * d for d in c.draws))


@given(SEEDS, FACTORS)
@hypothesis_settings(max_examples=25, deadline=None)
def test_intervals_scale_with_the_unit_of_volume(seed, factor):
    """In microlitres instead of millilitres the same is covered, where offsets and gamma are scaled too."""
    *cases, new = patients(np.random.default_rng(seed), 13)
    pairs = [(Absolute(), Absolute()), (Log(0.1), Log(0.1 * factor)), (Spread(0.2), Spread(0.2 * factor))]
    pairs += [(Size(0.1), Size(0.1 * factor)), (DrawQuantiles(), DrawQuantiles())]
    for score, other in pairs:
        plain = interval(record_of(cases, settings(score)), new, 0.8)
        large = interval(record_of([scaled(c, factor) for c in cases], settings(other)), scaled(new, factor), 0.8)
        assert large == pytest.approx([factor * end for end in plain], rel=1e-6, abs=1e-9 * factor)


@given(SEEDS)
@hypothesis_settings(max_examples=25, deadline=None)
def test_order_of_patients_changes_nothing_and_higher_levels_are_wider(seed):
    random = np.random.default_rng(seed)
    *cases, new = patients(random, 31)
    record = record_of(cases, settings(Spread(0.1)))
    again = record_of([cases[i] for i in random.permutation(len(cases))], settings(Spread(0.1)))
    assert record == again and record.checksum == again.checksum
    intervals = [interval(record, new, level) for level in (0.5, 0.7, 0.8, 0.9, 0.95)]
    assert [lower for lower, _ in intervals] == sorted((lower for lower, _ in intervals), reverse=True)
    assert [upper for _, upper in intervals] == sorted(upper for _, upper in intervals)


def test_a_constant_bias_is_taken_off_by_asymmetric_intervals():
    random = np.random.default_rng(0)
    cases = [case(truth + 0.5 + random.normal(0, 0.05), truth) for truth in random.uniform(2, 4, 40)]
    widths = {}
    for sides in ("two-sided", "asymmetric"):
        lower, upper = interval(record_of(cases, settings(Absolute(), sides=sides)), case(3.0), 0.8)
        widths[sides] = upper - lower
        assert lower <= 2.5 <= upper
    assert widths["asymmetric"] < 0.3 * widths["two-sided"]
