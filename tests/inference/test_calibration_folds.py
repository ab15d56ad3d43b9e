"""CV+: against a loop written out over the units, an independent library, and simulations that the bounds must survive."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from calibration_phantoms import case, interval, settings
from calibration_phantoms import record_of as record_of_cases
from mapie.conformity_scores import AbsoluteConformityScore
from mapie.regression import CrossConformalRegressor
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.model_selection import PredefinedSplit

from caveat.inference.calibration.fold_bounds import fold_units_needed, guaranteed_rank, guaranteed_units_needed, worst_case
from caveat.inference.calibration.fold_stratum import FoldStratum
from caveat.inference.calibration.quantile import rank
from caveat.inference.calibration.record import Record
from caveat.inference.calibration.scores.absolute import Absolute
from caveat.inference.calibration.scores.draw_quantiles import DrawQuantiles
from caveat.inference.calibration.scores.fitted import Fitted
from caveat.inference.calibration.scores.log import Log
from caveat.inference.calibration.scores.size import Size
from caveat.inference.calibration.scores.spread import Spread
from caveat.inference.calibration.valid_record import Withheld
from caveat.inference.gate.gate import Check
from caveat.reasons import StudyRefused

K, NAME = 5, "whole volume"


def folds_of(n, networks=K):
    """As equal as can be."""
    return [unit % networks for unit in range(n)]


def unit_case(fold, own, truth, unit=""):
    """A unit as K networks measured it; only what its own fold's network says may count."""
    draws = [1e6] * K
    draws[fold] = own
    return replace(case(1e6, truth, tuple(draws), unit), fold=fold)


def new_case(says, value=None):
    return case(float(np.mean(says)) if value is None else value, None, tuple(says))


def synthetic(n, seed=0):
    """Folds, out-of-fold values, truths, and what the K networks say of a new study."""
    random = np.random.default_rng(seed)
    return folds_of(n), random.lognormal(3, 0.6, n), random.lognormal(3, 0.6, n), random.lognormal(3, 0.2, K)


def record_of(folds, own, truth, score=None, **more):
    cases = [unit_case(*row, unit=f"u{number}") for number, row in enumerate(zip(folds, own, truth, strict=True))]
    return record_of_cases(cases, settings(score or Absolute(), networks=K, **{"levels": (0.8,), **more}))


def written_out(says, folds, own, truth, level, value):
    """The interval about the value, unit by unit."""
    n, reaches = len(folds), []
    for unit in range(n):
        reaches.append(abs(value - says[folds[unit]]) + abs(truth[unit] - own[unit]))
    reaches.sort()
    reach = reaches[math.ceil((n + 1) * Fraction(str(level))) - 1]
    return max(0.0, value - reach), value + reach


def cv_plus(says, folds, own, truth, level):
    """The interval of the paper."""
    n = len(folds)
    low = sorted(says[folds[unit]] - abs(truth[unit] - own[unit]) for unit in range(n))
    high = sorted(says[folds[unit]] + abs(truth[unit] - own[unit]) for unit in range(n))
    upper = math.ceil((n + 1) * Fraction(str(level)))
    return low[n - upper], high[upper - 1]


class TestInterval:
    @pytest.mark.parametrize("n", [9, 20, 24, 95])
    @pytest.mark.parametrize("level", [0.8, 0.9])
    def test_it_is_that_of_a_loop_over_all_units(self, n, level):
        folds, own, truth, says = synthetic(n)
        new = new_case(says, value=22.0)
        assert interval(record_of(folds, own, truth), new, level) == pytest.approx(
            written_out(says, folds, own, truth, level, 22.0), rel=1e-12
        )

    @pytest.mark.parametrize("n", [20, 24, 95])
    def test_it_holds_the_value_and_the_interval_of_the_paper(self, n):
        for seed in range(20):
            folds, own, truth, says = synthetic(n, seed)
            for value in (min(says) / 2, float(np.median(says)), 3 * max(says)):
                lower, upper = interval(record_of(folds, own, truth), new_case(says, value), 0.8)
                low, high = cv_plus(says, folds, own, truth, 0.8)
                assert lower <= max(0, low) + 1e-9 and high - 1e-9 <= upper and lower <= value <= upper

    def test_ratios_are_the_same_in_logarithms(self):
        folds, own, truth, says = synthetic(24)
        offset, value = 0.5, 22.0
        logs = [np.log(np.array(values) + offset) for values in (says, own, truth)]
        lower, upper = written_out(logs[0], folds, logs[1], logs[2], 0.8, math.log(value + offset))
        expected = max(0, math.exp(lower) - offset), math.exp(upper) - offset
        made = record_of(folds, own, truth, Log(offset))
        assert interval(made, new_case(says, value), 0.8) == pytest.approx(expected, rel=1e-12)

    def test_a_fold_that_finds_nothing_has_a_ratio(self):
        folds, own, truth, says = synthetic(24)
        own[3] = 0.0
        assert all(map(math.isfinite, interval(record_of(folds, own, truth, Log(0.5)), new_case([0.0, *says[1:]]), 0.8)))

    @pytest.mark.parametrize("score", [Log(1e-3), Fitted({"log_value": 1.0}, {"log_spread": 1.0}, 1e-3, 0.02)])
    def test_a_fold_that_finds_nothing_in_all_its_draws_stretches_no_other_units_interval(self, score):
        """In widths of draws that agree on nothing it is hundreds off: beyond what a volume can be told by."""
        random, folds = np.random.default_rng(3), folds_of(24)
        draws, truth = random.lognormal(3, 0.2, (24, 3 * K)), random.lognormal(3, 0.3, 24)
        cases = [replace(case(20.0, truth[unit], tuple(draws[unit]), f"u{unit}"), fold=folds[unit]) for unit in range(24)]
        new = case(20.0, None, tuple(random.lognormal(3, 0.2, 3 * K)))
        asked = settings(score, networks=K, levels=(0.8,))
        as_it_was = interval(record_of_cases(cases, asked), new, 0.8)
        cases[5] = replace(cases[5], draws=(0.0,) * (3 * K))
        lower, upper = interval(record_of_cases(cases, asked), new, 0.8)
        assert 0 < lower <= as_it_was[0] and as_it_was[1] <= upper < math.inf

    def test_signed_errors_make_one_list_of_which_both_ends_are_ranks(self):
        folds, own, truth, says = synthetic(24)
        moved = sorted(says[fold] + true - found for fold, true, found in zip(folds, truth, own, strict=True))
        index = math.ceil(25 * Fraction(9, 10))
        made = record_of(folds, own, truth, sides="asymmetric")
        inside = float(np.clip(says.mean(), moved[24 - index], moved[index - 1]))
        expected = max(0, moved[24 - index]), moved[index - 1]
        assert interval(made, new_case(says, inside), 0.8) == pytest.approx(expected, rel=1e-12)
        assert interval(made, new_case(says, 500.0), 0.8)[1] == 500.0  # wider, so that the value lies inside

    def test_bounds_of_one_side(self):
        folds, own, truth, says = synthetic(24)
        moved = sorted(says[fold] + true - found for fold, true, found in zip(folds, truth, own, strict=True))
        lower, upper = interval(record_of(folds, own, truth, sides="upper"), new_case(says), 0.8)
        assert (lower, upper) == (0, pytest.approx(max(moved[19], says.mean()), rel=1e-12))
        lower, upper = interval(record_of(folds, own, truth, sides="lower"), new_case(says), 0.8)
        assert (lower, upper) == (pytest.approx(max(0, min(moved[4], says.mean())), rel=1e-12), math.inf)

    def test_networks_that_agree_make_it_split_conformal_over_all_units(self):
        folds, own, truth, _ = synthetic(39)
        split = record_of_cases([case(a, b, unit=f"{a}") for a, b in zip(own, truth, strict=True)], settings(Absolute()))
        same = new_case([30.0] * K, 30.0)
        assert interval(record_of(folds, own, truth), same, 0.9) == pytest.approx(interval(split, same, 0.9), rel=1e-12)

    def test_a_width_of_its_own_is_the_spread_of_one_network_never_that_between_folds(self):
        random, gamma = np.random.default_rng(1), 0.3
        folds = folds_of(24)
        draws, truth = random.lognormal(3, 0.2, (24, 3, K)), random.lognormal(3, 0.3, 24)
        cases = [replace(case(20.0, truth[unit], tuple(draws[unit].ravel()), f"u{unit}"), fold=folds[unit]) for unit in range(24)]
        made = record_of_cases(cases, settings(Spread(gamma), networks=K, levels=(0.8,)))
        new, reaches = random.lognormal(3, 0.2, (3, K)), []
        for unit in range(24):
            mine, its = draws[unit, :, folds[unit]], new[:, folds[unit]]
            residual = abs(truth[unit] - mine.mean()) / (mine.std(ddof=1) + gamma)
            reaches.append(abs(20.0 - its.mean()) + residual * (its.std(ddof=1) + gamma))
        reach = sorted(reaches)[19]
        expected = max(0, 20.0 - reach), 20.0 + reach
        assert interval(made, case(20.0, None, tuple(new.ravel())), 0.8) == pytest.approx(expected, rel=1e-12)

    @pytest.mark.parametrize(
        "score", [Size(0.1), Fitted({"log_value": 0.9, "intercept": 0.1}, {"log_spread": 1.0}), DrawQuantiles(0.1, 0.9)]
    )
    def test_outside_it_the_truth_is_stranger_than_k_units_whatever_the_score(self, score):
        random = np.random.default_rng(2)
        folds = folds_of(24)
        cases = [
            replace(case(20.0, random.lognormal(3, 0.4), tuple(random.lognormal(3, 0.2, 3 * K)), f"u{unit}"), fold=folds[unit])
            for unit in range(24)
        ]
        made = record_of_cases(cases, settings(score, networks=K, levels=(0.8,)))
        new = case(20.0, None, tuple(random.lognormal(3, 0.2, 3 * K)))
        lower, upper = interval(made, new, 0.8)
        residuals = [max(score.excess(one.of_network(one.fold, K), one.truth)) for one in cases]
        for truth in (*np.linspace(0.01, lower, 20)[:-1], *np.linspace(upper, 300, 20)[1:]):
            strange = [max(score.excess(new.of_network(fold, K), truth)) for fold in folds]
            assert sum(far > own for far, own in zip(strange, residuals, strict=True)) >= 20

    def test_it_is_read_as_it_was_written(self):
        folds, own, truth, says = synthetic(24)
        made = record_of(folds, own, truth, one_recipe=True)
        read = Record.from_json(made.to_json())
        assert read == made and read.networks == K
        assert interval(read, new_case(says), 0.9) == interval(made, new_case(says), 0.9)

    def test_classes_by_predicted_size_count_their_own_units_and_folds(self):
        folds, own, truth, says = synthetic(48)
        cases = [
            replace(unit_case(fold, found, true, f"u{number}"), value=1.0 + number % 2)
            for number, (fold, found, true) in enumerate(zip(folds, own, truth, strict=True))
        ]
        made = record_of_cases(cases, settings(Absolute(), networks=K, levels=(0.8,), strata={NAME: (1.5,)}))
        assert [part.n for part in made.strata[0]] == [24, 24]
        odd = record_of(folds[1::2], own[1::2], truth[1::2])
        assert interval(made, new_case(says, 2.0), 0.8) == interval(odd, new_case(says, 2.0), 0.8)
        assert made.proven((new_case(says, 2.0),), 0.8) == odd.proven((new_case(says),), 0.8)


class Remembers(RegressorMixin, BaseEstimator):
    """A network of a fold, for the library: what it was told to say of every unit and of the new study."""

    def __init__(self, table=None):
        self.table = table

    def fit(self, x, y):
        """Which fold it is: the one that the unit numbers it is given lack."""
        given = set(np.asarray(x)[:, 0].astype(int).tolist())
        missing = [fold for unit, fold in enumerate(self.table["folds"]) if unit not in given]
        self.fold_ = missing[0] if missing else 0
        return self

    def predict(self, x):
        units = np.asarray(x)[:, 0].astype(int)
        return np.array([self.table["own"][unit] if unit >= 0 else self.table["says"][self.fold_] for unit in units])


@pytest.mark.parametrize("n", [20, 24, 95, 112])
@pytest.mark.parametrize("symmetric", [True, False])
def test_the_ranks_are_those_of_an_independent_library(n, symmetric):
    folds, own, truth, says = synthetic(n, seed=n)
    truth, own = truth + 500, own + 500  # no clipping at 0
    says = says + 500
    table = {"folds": folds, "own": own, "says": says}
    score = AbsoluteConformityScore(sym=symmetric)
    library = CrossConformalRegressor(
        Remembers(table), confidence_level=[0.8, 0.9], conformity_score=score, method="plus", cv=PredefinedSplit(folds)
    )
    library.fit_conformalize(np.arange(n)[:, None], truth)
    _, ends = library.predict_interval(np.array([[-1]]))
    made = record_of(folds, own, truth, sides="two-sided" if symmetric else "asymmetric")
    for column, level in enumerate((0.8, 0.9)):
        if symmetric:
            assert tuple(ends[0, :, column]) == pytest.approx(cv_plus(says, folds, own, truth, level), rel=1e-14)
        else:
            middle = float(ends[0, :, column].mean())
            assert interval(made, new_case(says, middle), level) == pytest.approx(tuple(ends[0, :, column]), rel=1e-14)


class TestWorstCase:
    @pytest.mark.parametrize(
        "sizes,proven",  # at 80, 90 and 95 %, from exact tables worked out elsewhere
        [
            ((5, 5, 5, 5, 4), (0.480, 0.720, 0.800)),
            ((19,) * 5, (0.540, 0.740, 0.840)),
            ((23, 23, 22, 22, 22), (0.556, 0.744, 0.846)),
        ],
    )
    def test_known_tables(self, sizes, proven):
        n = sum(sizes)
        for miss, expected in zip((0.2, 0.1, 0.05), proven, strict=True):
            assert float(worst_case(rank(n, miss), sizes, True)) == pytest.approx(expected, abs=6e-4)

    def test_it_is_never_below_the_published_bound(self):
        """Barber et al. 2021, theorem 4: 1 - 2 miss - min{2 (1 - 1/K)/(n/K + 1), (1 - K/n)/(K + 1)}, equal folds."""
        for n in range(10, 120):
            for networks in (k for k in range(2, n + 1) if n % k == 0):
                for miss in (Fraction(1, 5), Fraction(1, 10), Fraction(1, 20)):
                    if (index := rank(n, miss)) is not None:
                        loss = min(
                            2 * (1 - Fraction(1, networks)) / (Fraction(n, networks) + 1),
                            (1 - Fraction(networks, n)) / (networks + 1),
                        )
                        assert worst_case(index, [n // networks] * networks, True) >= 1 - 2 * miss - loss

    def test_misses_of_both_sides_add_up(self):
        folds, own, truth, says = synthetic(95)
        made = record_of(folds, own, truth, sides="asymmetric")
        assert [round(made.proven((new_case(says),), level), 2) for level in (0.8, 0.9, 0.95)] == [0.48, 0.68, 0.76]

    def test_the_guaranteed_rank_proves_twice_the_miss_and_no_further_term(self):
        assert [guaranteed_units_needed(K, miss) for miss in (0.2, 0.1, 0.05)] == [20, 45, 95]
        assert guaranteed_rank(95, K, 0.05) == 95 and guaranteed_rank(94, K, 0.05) is None
        folds, own, truth, says = synthetic(95)
        made = record_of(folds, own, truth)
        sure = made.with_guarantee()
        for level in (0.8, 0.9, 0.95):
            assert sure.proven((new_case(says),), level) >= round(2 * level - 1, 9) > made.proven((new_case(says),), level)
            narrow, wide = (interval(one, new_case(says), level) for one in (made, sure))
            assert wide[0] <= narrow[0] and narrow[1] <= wide[1]
        few = record_of(*(part[:94] for part in (folds, own, truth))).with_guarantee()
        assert few.why_not((new_case(says),), 0.95) == Withheld("TOO_FEW_UNITS", "95 % needs 95 subjects, there are 94")

    def test_half_is_void(self):
        folds, own, truth, says = synthetic(95)
        made = record_of(folds, own, truth)
        assert interval(made, new_case(says), 0.5) is None and made.proven((new_case(says),), 0.5) == 0
        assert made.why_not((new_case(says),), 0.5).code == "NOTHING_PROVEN"
        with pytest.raises(ValueError, match="proves nothing"):
            settings(Absolute(), networks=K, levels=(0.5, 0.8))

    def test_too_few_units_name_the_number_needed(self):
        folds, own, truth, _ = synthetic(8)
        with pytest.raises(StudyRefused, match=r"TOO_FEW_UNITS: 8 subjects, 9 are needed at 90 % \(two-sided\)"):
            record_of(folds, own, truth, levels=(0.9,))
        assert fold_units_needed(K, 0.2, 1, one_recipe=False) == 6  # with 4 and 5 a rank exists, and nothing is proven
        assert worst_case(4, [1, 1, 1, 1, 0], False) < 0 < worst_case(rank(6, 0.2), [2, 1, 1, 1, 1], False)


class TestSimulation:
    """2,000 records; new units and calibration units alike."""

    REPEATS = 2000

    def covered(self, says, folds, own, truth, new_truth, level):
        """Whether the paper's interval, and ours about the mean, hold the truth; all repeats at once, axis 0."""
        n = len(folds)
        index = rank(n, 1 - Fraction(str(level)))
        centre, residual = says[:, folds], np.abs(truth - own)
        low, high = np.sort(centre - residual, axis=1)[:, n - index], np.sort(centre + residual, axis=1)[:, index - 1]
        reach = np.sort(np.abs(says.mean(axis=1)[:, None] - centre) + residual, axis=1)[:, index - 1]
        inside = (low <= new_truth) & (new_truth <= high), np.abs(new_truth - says.mean(axis=1)) <= reach
        return [float(one.mean()) for one in inside]

    @pytest.mark.parametrize("n", [20, 95])
    def test_fold_networks_made_to_break_it_bring_coverage_to_the_bound_and_not_below(self, n):
        """Truth 0, x uniform. Below c = 1.4 miss even networks are off by 1 + x, odd ones by 1 + c - x; else all by x / 2."""
        random, folds, c = np.random.default_rng(0), np.array(folds_of(n)), 1.4 * 0.2
        x, new = random.uniform(size=(self.REPEATS, n)), random.uniform(size=self.REPEATS)

        def error(x, odd):
            return np.where(x < c, np.where(odd, 1 + c - x, 1 + x), x / 2)

        own, says = -error(x, folds % 2 == 1), -error(new[:, None], np.arange(K) % 2 == 1)
        zero = np.zeros_like(own)
        paper, ours = self.covered(says, folds, own, zero, np.zeros(self.REPEATS), 0.8)
        proven = float(worst_case(rank(n, 0.2), np.bincount(folds).tolist(), False))
        assert proven <= paper <= ours
        assert paper == pytest.approx({20: 0.799, 95: 0.741}[n], abs=0.02)  # the loss is real

    @pytest.mark.parametrize("n", [20, 95])
    def test_ordinary_networks_cover_about_the_level(self, n):
        random, folds = np.random.default_rng(1), np.array(folds_of(n))
        bias = random.normal(0, 0.3, (self.REPEATS, K))
        truth, new = random.normal(size=(self.REPEATS, n)), random.normal(size=self.REPEATS)
        own = truth + random.normal(size=truth.shape) + bias[:, folds]
        says = new[:, None] + random.normal(size=(self.REPEATS, 1)) + bias
        for level in (0.8, 0.9):
            paper, ours = self.covered(says, folds, own, truth, new, level)
            assert level - 0.02 <= paper < level + 0.06 and paper <= ours

    def test_ties_only_add_coverage(self):
        random, folds = np.random.default_rng(2), np.array(folds_of(20))
        draw = lambda *size: np.round(random.normal(20, 8, size) / 15) * 15  # noqa: E731
        truth, new = draw(self.REPEATS, 20), draw(self.REPEATS)
        own, says = draw(self.REPEATS, 20), np.repeat(draw(self.REPEATS, 1), K, axis=1)
        paper, ours = self.covered(says, folds, own, truth, new, 0.8)
        assert 0.8 < paper <= ours

    def test_the_record_counts_as_the_arrays_do(self):
        folds, own, truth, says = synthetic(20, seed=4)
        inside = self.covered(says[None], np.array(folds), own[None], truth[None], np.array([says.mean()]), 0.8)
        lower, upper = interval(record_of(folds, own, truth), new_case(says), 0.8)
        assert inside[1] == float(lower <= says.mean() <= upper) == 1.0


def test_a_width_or_a_gate_of_scores_that_all_networks_made_is_refused():
    for wrong in (
        {"checks": [Check("structure_entropy", "above")]},
        {"score": Fitted({"log_value": 1.0}, {"pooled_pairwise_dice": 1.0})},
    ):
        with pytest.raises(ValueError, match="says nothing of a new one"):
            settings(**{"networks": K, "levels": (0.8,), **wrong})
    assert settings(networks=K, levels=(0.8,), checks=[Check("noise", "above")]).networks == K


def test_a_class_keeps_no_order_of_its_list():
    units = [unit_case(fold, 10.0, 10.0 + off) for fold, off in ((2, 1.0), (0, 3.0), (0, -2.0))]
    made = FoldStratum.of_rows(math.inf, [(one,) for one in units], Absolute(), "two-sided", K, one_recipe=False)
    assert made.folds == (0, 0, 2) and made.scores == {"either": (2.0, 3.0, 1.0)}


def test_a_width_that_the_networks_disagreement_makes_is_not_said_to_come_from_the_record_alone():
    record = record_of(*synthetic(20)[:3])
    agreed, apart = (interval(record, new_case(says, value=90.0), 0.8) for says in ([90.0] * K, [70.0, 80.0, 90.0, 100.0, 110.0]))
    assert apart[0] < agreed[0] < agreed[1] < apart[1]
    assert record.width_from == "the record, and how far its 5 networks disagree about this study"
