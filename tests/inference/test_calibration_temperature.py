"""The temperature against the closed form, another optimiser, and what must not change it."""

from __future__ import annotations

import math

import pytest
import torch
from scipy.optimize import minimize_scalar

from caveat.inference.calibration.temperature import LabelledLogits, fit_on_studies, fit_temperature
from caveat.inference.engine.inferer import SamplingInferer
from caveat.inference.reducers.kept_draws import KeptDraws
from caveat.inference.reducers.moments import Moments
from caveat.networks.samplers.ensemble import Ensemble


def golden(repeats: int = 2, draws: int = 1) -> LabelledLogits:
    """Logits (2, 0) everywhere, three labels in four are 0: the best temperature is 2 / ln 3."""
    logits = torch.tensor([2.0, 0.0])[None, :, None].expand(draws, 2, 4 * repeats)
    return LabelledLogits(logits, torch.tensor([0, 0, 0, 1] * repeats))


def ambiguous(scale: float = 1.0) -> LabelledLogits:
    """Three draws of 500 voxels and four classes; labels follow twice the first draw's logits."""
    torch.manual_seed(0)
    logits = torch.randn(3, 4, 500)
    labels = torch.distributions.Categorical(logits=2 * logits[0].T).sample()
    return LabelledLogits(logits * scale, labels)


def test_golden_value():
    fit = fit_temperature([golden()])
    assert fit.temperature == pytest.approx(2 / math.log(3), rel=1e-6)
    assert fit.draw_nll[1] == pytest.approx(-(0.75 * math.log(0.75) + 0.25 * math.log(0.25)), rel=1e-6)
    assert fit.draw_nll == pytest.approx(fit.mean_nll) and (fit.studies, fit.draws, fit.voxels) == (1, 1, 8)


def test_several_studies_and_draws_of_one_kind_change_nothing():
    fit = fit_temperature([golden(1, draws=3), golden(3, draws=3)])
    assert fit.temperature == pytest.approx(2 / math.log(3), rel=1e-6) and (fit.studies, fit.voxels) == (2, 16)


@pytest.mark.parametrize("scale", [0.1, 1.0, 7.0])
def test_logits_of_another_scale_have_a_temperature_of_that_scale(scale):
    expected = fit_temperature([ambiguous()]).temperature
    assert fit_temperature([ambiguous(scale)]).temperature == pytest.approx(scale * expected, rel=1e-4)


def test_it_is_the_optimum_that_another_optimiser_finds():
    study = ambiguous()

    def nll(temperature: float) -> float:
        log_probability = (study.logits.double() / temperature).log_softmax(1)
        return -float(sum(draw[study.labels, torch.arange(500)].mean() for draw in log_probability)) / 3

    best = minimize_scalar(nll, bounds=(0.1, 50), method="bounded", options={"xatol": 1e-6})
    fit = fit_temperature([study])
    assert fit.temperature == pytest.approx(best.x, rel=1e-4)
    assert fit.draw_nll == pytest.approx((nll(1.0), best.fun), rel=1e-6)


@pytest.mark.parametrize("labels", [[0, 0, 0, 0], [1, 1, 1, 1]])
def test_without_an_optimum_there_is_no_temperature(labels):
    with pytest.raises(ValueError, match="no temperature suits"):
        fit_temperature([LabelledLogits(golden(1).logits, torch.tensor(labels))])


def test_without_studies_there_is_no_temperature():
    with pytest.raises(ValueError, match="at least one"):
        fit_temperature([])


def inferer(link: str = "identity", region_channel: int | None = None) -> SamplingInferer:
    return SamplingInferer((-1, -1), ["a", "b"], [Moments(), KeptDraws()], link=link, region_channel=region_channel)


def network(channels: int) -> Ensemble:
    """Logits (2, 0) wherever one looks."""
    member = torch.nn.Conv2d(channels, 2, 1)
    with torch.no_grad():
        member.weight.zero_()
        member.bias.copy_(torch.tensor([2.0, 0.0]))
    return Ensemble([member])


def test_on_studies_as_the_sampler_draws_them():
    study = {"image": torch.rand(1, 4, 4), "label": (torch.arange(16).reshape(1, 4, 4) % 4 == 0).float()}
    fit = fit_on_studies(network(1), inferer(), [study, study], torch.device("cpu"))
    assert fit.temperature == pytest.approx(2 / math.log(3), rel=1e-5) and fit.voxels == 32


def test_what_is_not_measured_does_not_count():
    image, label = torch.zeros(2, 4, 4), (torch.arange(16).reshape(1, 4, 4) % 4 == 0).float()
    image[1, :2], label[:, 2:] = 1.0, 1.0
    fit = fit_on_studies(network(2), inferer(region_channel=1), [{"image": image, "label": label}], torch.device("cpu"))
    assert fit.temperature == pytest.approx(2 / math.log(3), rel=1e-5) and fit.voxels == 8


def test_probabilities_are_no_logits():
    with pytest.raises(ValueError, match="link is softmax"):
        fit_on_studies(network(1), inferer("softmax"), [], torch.device("cpu"))
