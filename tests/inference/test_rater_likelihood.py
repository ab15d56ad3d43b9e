"""The likelihood of an outline against quadrature, and its rank among draws, on a model whose integral is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from caveat.inference.engine.inferer import SamplingInferer
from caveat.inference.likelihood.rater_likelihood import RaterLikelihood
from caveat.inference.reducers.moments import Moments
from caveat.networks.backbones.residual_unet import ResidualUNet
from caveat.networks.draws.draw import first_draws
from caveat.networks.latent.latent_gaussian import LatentGaussian
from caveat.networks.latent.latent_sampler import LatentSampler
from caveat.networks.losses.reconstruction import Reconstruction

OFFSET, SLOPE = 0.4, 1.5
PRIOR, POSTERIOR = (0.3, 0.9), (0.5, 1.0)
"""Mean and deviation of the prior, and of a posterior that is not the true one."""


class OneNumber(LatentSampler):
    """Each voxel of a study is foreground with logit OFFSET + SLOPE z; nothing is learnt from the image."""

    def __init__(self, dimensions: int = 2) -> None:
        backbone = ResidualUNet(dimensions, 1, 2, channels=(2, 2), units=(1, 1))
        super().__init__(backbone, in_channels=1, latent=1, encoder_channels=(2,), tile=64)
        self.proposal = POSTERIOR

    def prior(self, study):
        return _gaussian(PRIOR, len(study))

    def posterior(self, study, label):
        return _gaussian(self.proposal, len(study))

    def share(self, features):
        return torch.zeros_like(self.backbone.decode(features))

    def mix(self, shared, latents):
        logit = (OFFSET + SLOPE * latents).reshape(*latents.shape[:2], *[1] * (shared.ndim - 1))
        logits = torch.cat([torch.zeros_like(logit), logit], dim=2)
        return shared[None] + logits

    @classmethod
    def example(cls):
        return cls().eval()


def _gaussian(moments: tuple[float, float], count: int) -> LatentGaussian:
    return LatentGaussian(torch.full((count, 1), moments[0]), torch.full((count, 1), math.log(moments[1])))


def outline(foreground: int, *size: int) -> torch.Tensor:
    label = torch.zeros(math.prod(size), dtype=torch.long)
    label[:foreground] = 1
    return label.reshape(1, 1, *size)


def quadrature(foreground: int, voxels: int, temperature: float = 1.0) -> float:
    """log of the integral over z of N(z; prior) p(1)^foreground p(0)^rest."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    logit = (OFFSET + SLOPE * (PRIOR[0] + PRIOR[1] * nodes)) / temperature
    fit = -foreground * np.log1p(np.exp(-logit)) - (voxels - foreground) * np.log1p(np.exp(logit))
    return float(np.log((weights * np.exp(fit)).sum() / weights.sum()))


def scorer(samples: int, roi: tuple[int, ...] = (4, 4), **options) -> RaterLikelihood:
    options = {"decode_batch": 16_000, **options}
    return RaterLikelihood(SamplingInferer(roi, ["background", "object"], [Moments()], draws=4, **options), samples)


@pytest.mark.parametrize(("roi", "size"), [((4, 4), (5, 4)), ((8, 8), (5, 4)), ((2, 2), (5, 4)), ((2, 4, 2), (3, 2, 4))])
@pytest.mark.parametrize(("foreground", "temperature"), [(4, 1.0), (12, 2.0), (19, 1.0)])
def test_the_likelihood_is_the_integral_over_the_latent(roi, size, foreground, temperature):
    """In whatever windows; padding is no voxel of the study."""
    network = OneNumber(len(size)).eval()
    found = scorer(2000, roi, temperature=temperature).score(torch.rand(1, 1, *size), outline(foreground, *size), network)
    assert found.nats == pytest.approx(quadrature(foreground, math.prod(size), temperature), abs=0.1)


def test_more_samples_come_closer_from_below_and_one_is_the_evidence_lower_bound():
    network, study, label = OneNumber.example(), torch.rand(1, 1, 4, 4), outline(11, 4, 4)
    logs = scorer(8000).log_weights(study, label, network)
    means = [float((logs.reshape(-1, size).logsumexp(1) - math.log(size)).mean()) for size in (1, 4, 16, 80)]
    exact = quadrature(11, 16)
    assert means[0] < means[1] < means[2] < means[3] < exact + 0.05
    assert means[3] == pytest.approx(exact, abs=0.05) and means[0] < exact - 0.1
    torch.manual_seed(0)
    many, copies = study.repeat(2000, 1, 1, 1), label.repeat(2000, 1, 1, 1)
    bounds = Reconstruction.unpack(network.explain(many, copies)).elbo(copies)
    assert float(bounds.mean()) == pytest.approx(means[0], abs=5 * float(bounds.std()) / 2000**0.5)


def test_a_proposal_that_is_the_prior_needs_no_weights():
    """Then every weight is a likelihood, and one voxel's is known at once."""
    network = OneNumber.example()
    network.proposal = PRIOR
    study, label = torch.rand(1, 1, 2, 2), outline(4, 2, 2)
    draws = scorer(3, (2, 2), seed=5).log_weights(study, label, network)
    latents = network.latents(first_draws(3, 5), network.begin(study)).double().flatten()
    expected = -4 * torch.log1p(torch.exp(-(OFFSET + SLOPE * latents)))
    torch.testing.assert_close(draws, expected, rtol=1e-6, atol=1e-6)
    assert draws.dtype == torch.float64


def test_effective_samples_say_when_one_decides():
    network, study, label = OneNumber.example(), torch.rand(1, 1, 4, 4), outline(11, 4, 4)
    good = scorer(200).score(study, label, network).effective_samples
    network.proposal = (-4.0, 0.2)
    poor = scorer(200).score(study, label, network)
    assert 50 < good <= 200 and 1 <= poor.effective_samples < 5
    assert poor.nats < quadrature(11, 16)


def test_a_score_repeats_and_a_seed_changes_it_a_little():
    network, study, label = OneNumber.example(), torch.rand(1, 1, 4, 4), outline(7, 4, 4)
    first = scorer(50).score(study, label, network)
    torch.rand(3)
    assert scorer(50, window_batch=1, decode_batch=1).score(study, label, network).nats == pytest.approx(first.nats, abs=1e-6)
    assert scorer(50, seed=1).score(study, label, network).nats != first.nats


def test_a_likely_outline_ranks_above_an_unlikely_one():
    """Draws of this model are all foreground or none: so does a rater who draws everything stand, and a torn one below."""
    network, study = OneNumber.example(), torch.rand(1, 1, 4, 4)
    everything, torn = (scorer(100).rank(study, outline(count, 4, 4), network, draws=10) for count in (16, 8))
    own = scorer(100)._outlines(study, network, 10)
    full = sum(int(label.sum() == 16) for label in own)
    assert 0 < full < 10
    assert everything.below == (10 - full) + 0.5 * full
    assert torn.below == 0 and torn.draws == 10


def test_voxels_outside_the_region_do_not_count():
    network, size = OneNumber.example(), (4, 4)
    study, label = torch.rand(1, 1, *size), outline(11, *size)
    study[..., 2:, :] = 0.0
    study[..., :2, :] = 1.0
    found = scorer(2000, region_channel=0).score(study, label, network)
    assert found.nats == pytest.approx(quadrature(8, 8), abs=0.05)


@pytest.mark.parametrize(
    ("study", "label", "message"),
    [
        (torch.rand(2, 1, 4, 4), outline(3, 4, 4), "batch of 2"),
        (torch.rand(1, 1, 4, 4), outline(3, 4, 5), "does not lie"),
        (torch.rand(1, 1, 4, 4), outline(3, 4, 4) * 2, "3 voxels"),
        (torch.rand(1, 1, 4, 4), outline(3, 4, 4) * 0.5, "3 voxels"),
        (torch.rand(1, 1, 4, 4), -outline(3, 4, 4), "3 voxels"),
    ],
)
def test_what_is_no_outline_of_the_study_is_refused(study, label, message):
    with pytest.raises(ValueError, match=message):
        scorer(4).score(study, label, OneNumber.example())


def test_a_network_in_training_mode_is_refused():
    with pytest.raises(ValueError, match="evaluation mode"):
        scorer(4).score(torch.rand(1, 1, 4, 4), outline(3, 4, 4), OneNumber())


def test_the_likelihood_of_a_label_map_needs_exclusive_classes_samples_and_draws():
    with pytest.raises(ValueError, match="sigmoid"):
        scorer(4, link="sigmoid")
    with pytest.raises(ValueError, match="at least one sample"):
        scorer(0)
    with pytest.raises(ValueError, match="no draws"):
        scorer(4).rank(torch.rand(1, 1, 4, 4), outline(3, 4, 4), OneNumber.example(), draws=0)
