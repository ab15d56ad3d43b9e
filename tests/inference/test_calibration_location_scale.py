"""Centre and width learned from features: a bias is found, and which studies err more."""

from __future__ import annotations

import math

import numpy as np
import pytest
from calibration_phantoms import case

from caveat.inference.calibration.features import features_of, standard_deviation
from caveat.inference.calibration.location_scale import fit_location_scale
from caveat.reasons import StudyRefused


def units(count=400, seed=0):
    """Predictions 10 % too large; ln of the error's width is -4 + 2 noise."""
    random = np.random.default_rng(seed)
    cases = []
    for noise in random.uniform(0, 1, count).tolist():
        truth = math.exp(random.normal(1, 0.5))
        value = 1.1 * truth * math.exp(random.laplace(0, math.exp(-4 + 2 * noise)))
        cases.append(case(value, truth, scores={"noise": noise, "nothing": random.normal()}))
    return cases


def test_a_bias_and_a_width_are_recovered():
    score = fit_location_scale(units(), ["log_value"], ["noise", "nothing"], offset=1e-6, penalty=0.1)
    assert score.centre["intercept"] + score.centre["log_value"] * 1.1 == pytest.approx(1.1 - math.log(1.1), abs=0.01)
    assert score.log_width["noise"] == pytest.approx(2.0, abs=0.4)
    assert abs(score.log_width["nothing"]) < 0.15
    assert score.log_width["intercept"] == pytest.approx(-4.0, abs=0.3)


def test_a_strong_penalty_leaves_the_prediction_and_one_width():
    score = fit_location_scale(units(60), ["log_value", "noise"], ["noise"], offset=0.1, penalty=1e6)
    assert score.centre["log_value"] == pytest.approx(1.0, abs=0.01)
    assert abs(score.centre["noise"]) < 0.01 and abs(score.log_width["noise"]) < 0.01
    below, above = score.excess(case(3.0, scores={"noise": 0.5}), 3.0 / 1.1)
    assert abs(below) < 0.5 and below == -above


def test_scores_with_a_width_of_its_own_are_alike_in_all_studies():
    score = fit_location_scale(units(), ["log_value"], ["noise"], offset=1e-6)
    new = units(seed=1)
    excess = np.array([max(score.excess(one, one.truth)) for one in new])
    noise = np.array([one.scores["noise"] for one in new])
    assert np.median(excess[noise > 0.5]) == pytest.approx(np.median(excess[noise < 0.5]), rel=0.35)


def test_it_does_not_run_without_what_it_needs():
    with pytest.raises(ValueError, match="truth"):
        fit_location_scale([case(1.0) for _ in range(9)], ["log_value"], [], 0.1)
    with pytest.raises(ValueError, match="more cases"):
        fit_location_scale(units(3), ["log_value"], ["noise"], 0.1)
    with pytest.raises(ValueError, match="log_value or log_mean"):
        fit_location_scale(units(30), ["noise"], [], 0.1)
    with pytest.raises(StudyRefused, match="MISSING_STUDY_SCORE: nowhere"):
        fit_location_scale(units(30), ["log_value", "nowhere"], [], 0.1)


def test_features_by_name():
    one = case(2.0, draws=(1.0, 2.0, 3.0), scores={"noise": 0.25, "undefined": None, "not a number": math.nan})
    found = features_of(one, ["log_value", "log_mean", "log_spread", "noise"], offset=0.5, floor=0.1)
    logs = np.log([1.5, 2.5, 3.5])
    assert list(found.values()) == pytest.approx([math.log(2.5), math.log(2.5), math.log(logs.std(ddof=1) + 0.1), 0.25])
    for name in ("undefined", "not a number", "nowhere"):
        with pytest.raises(StudyRefused, match="MISSING_STUDY_SCORE"):
            features_of(one, [name], 0.5, 0.1)
    assert standard_deviation([3.0]) == 0.0
