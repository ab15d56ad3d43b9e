"""Evidence against a record: a martingale under a fair one, quick on wrecks, and in line with the law it is made of."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import beta

from caveat.inference.audit.audit import WARN_AT
from caveat.inference.audit.evidence import WORST_SHARE, FairRecord
from caveat.inference.calibration.quantile import spacings


def record(n=34, level=0.9):
    return FairRecord(n, spacings(n, level, "two-sided"), level)


def after(fair, covered):
    return float(fair.evidence(covered)[-1])


def streams(fair, length, repeats, coverage=None, seed=0):
    """Covered or not, (repeats, length): of fair records, or of one true coverage."""
    random = np.random.default_rng(seed)
    own = beta.rvs(fair.inside, fair.n + 1 - fair.inside, size=repeats, random_state=random) if coverage is None else coverage
    return random.uniform(size=(repeats, length)) < np.reshape(own, (-1, 1))


@pytest.mark.parametrize("n", [9, 34, 112])
def test_under_a_fair_record_the_next_case_changes_it_by_nothing_on_average(n):
    fair, random = record(n), np.random.default_rng(0)
    assert (fair.evidence([]) == []).all()
    first = fair.inside / (n + 1)
    assert first * after(fair, [True]) + (1 - first) * after(fair, [False]) == pytest.approx(1, rel=1e-9)
    for _ in range(30):
        covered = (random.uniform(size=random.integers(1, 60)) < random.uniform(0.5, 1)).tolist()
        next_is = (fair.inside + sum(covered)) / (n + 1 + len(covered))
        mean = next_is * after(fair, [*covered, True]) + (1 - next_is) * after(fair, [*covered, False])
        assert mean == pytest.approx(after(fair, covered), rel=1e-8)
        assert after(fair, [*covered, True]) <= after(fair, [*covered, False])


def test_its_parts_are_the_integrals_they_stand_for():
    fair, covered = record(), [True, False, True, True, False]
    seen = np.concatenate([[0], np.cumsum(covered)])
    law = beta(fair.inside, fair.n + 1 - fair.inside)

    def likelihood(c, first=0):
        return np.prod([c if one else 1 - c for one in covered[first:]])

    worst = law.ppf(WORST_SHARE)
    fairly = quad(lambda c: likelihood(c) * law.pdf(c), 0, 1)[0]
    tail = quad(lambda c: likelihood(c) * law.pdf(c), 0, worst)[0]
    assert fair.worst_records(seen)[-1] == pytest.approx(tail / fairly / WORST_SHARE, rel=1e-6)
    expected = 1 / 6
    for first in range(5):
        earlier = quad(lambda c: np.prod([c if one else 1 - c for one in covered[:first]]) * law.pdf(c), 0, 1)[0]  # noqa: B023
        below = quad(lambda c: likelihood(c, first) / 0.9, 0, 0.9)[0]  # noqa: B023
        expected += below / (fairly / earlier) / ((first + 1) * (first + 2))
    assert fair.change_points(seen)[-1] == pytest.approx(expected, rel=1e-6)
    assert after(fair, covered) == pytest.approx((fair.worst_records(seen) + fair.change_points(seen))[-1] / 2)


def test_a_fair_record_is_hardly_ever_doubted_and_a_broken_one_soon():
    """By simulation, 400 streams each; benchmarks/audit.py has 2,000, with 500 looks."""
    fair = record()
    doubted = [fair.evidence(one).max() >= WARN_AT for one in streams(fair, 200, 400)]
    assert np.mean(doubted) <= 0.05
    for coverage, most in ((0.5, 24), (0.3, 10)):
        first = [np.argmax(fair.evidence(one) >= WARN_AT) + 1 for one in streams(fair, 60, 400, coverage)]
        assert np.quantile(first, 0.9) <= most


def test_all_missed_warns_after_three():
    assert [bool(one >= WARN_AT) for one in record(57).evidence([False] * 3)] == [False, False, True]


def test_a_change_after_good_months_is_noticed():
    fair = record()
    evidence = fair.evidence([True] * 60 + [False] * 12)
    assert evidence[:60].max() < 1.5 and evidence.max() >= WARN_AT


def test_very_long_streams_stay_finite():
    assert np.isfinite(record().evidence([False] * 400)).all()
