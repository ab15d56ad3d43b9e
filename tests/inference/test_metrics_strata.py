"""Means by the number of raters that marked."""

import math

import numpy as np
import pytest

from caveat.inference.metrics.bootstrap import interval_of_mean
from caveat.inference.metrics.strata import means_by_stratum, raters_that_marked


def test_raters_that_marked():
    raters = np.zeros((4, 3, 3), np.uint8)
    raters[1, 0, 0], raters[3, 2, 1] = 1, 2
    assert raters_that_marked(raters) == 2
    assert raters_that_marked(np.zeros((3, 2), bool)) == 0


def test_means_by_stratum():
    values, strata, units = [1, 2, 3, 10, math.nan], [(2, 4), (2, 4), (2, 4), (1, 4), (1, 4)], ["a", "a", "b", "a", "b"]
    found = means_by_stratum(values, strata, units, level=0.8, resamples=100)
    assert list(found) == [(1, 4), (2, 4)]
    assert {key: found[2, 4][key] for key in ("mean", "n", "undefined", "units")} == {
        "mean": 2, "n": 3, "undefined": 0, "units": 2,
    }  # fmt: skip
    assert (found[2, 4]["lower"], found[2, 4]["upper"]) == interval_of_mean([1, 2, 3], ["a", "a", "b"], 0.8, 100)
    assert (found[1, 4]["mean"], found[1, 4]["n"], found[1, 4]["undefined"]) == (10, 1, 1)


def test_a_stratum_without_a_defined_value():
    found = means_by_stratum([math.nan], ["s"], ["a"])["s"]
    assert found["n"] == 0 and found["undefined"] == 1 and math.isnan(found["mean"])


@pytest.mark.parametrize(("values", "units"), [([1.0], ["a", "b"]), ([math.inf], ["a"])])
def test_what_does_not_fit_is_an_error(values, units):
    with pytest.raises(ValueError):
        means_by_stratum(values, ["s"], units)
