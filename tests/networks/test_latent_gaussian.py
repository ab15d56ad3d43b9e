"""The latent's Gaussian against a golden value, torch.distributions, and what no network may provoke."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence

from caveat.networks.latent.latent_gaussian import LOG_DEVIATION_BOUND, LatentGaussian


def some_gaussian(seed: int) -> LatentGaussian:
    generator = torch.Generator().manual_seed(seed)
    return LatentGaussian(torch.randn(5, 6, generator=generator), torch.randn(5, 6, generator=generator))


def of_torch(gaussian: LatentGaussian) -> Independent:
    return Independent(Normal(gaussian.mean.double(), gaussian.log_deviation.double().exp()), 1)


def test_golden_divergence():
    q = LatentGaussian(torch.ones(1, 1), torch.full((1, 1), math.log(2.0)))
    p = LatentGaussian(torch.zeros(1, 1), torch.zeros(1, 1))
    assert float(q.divergence(p)) == pytest.approx(1.306853, abs=1e-6)


def test_divergence_and_density_are_those_of_torch():
    q, p, latents = some_gaussian(0), some_gaussian(1), torch.randn(3, 5, 6)
    torch.testing.assert_close(q.divergence(p).double(), kl_divergence(of_torch(q), of_torch(p)), rtol=1e-5, atol=1e-5)
    found = q.log_density(latents)
    assert found.dtype == torch.float64
    torch.testing.assert_close(found, of_torch(q).log_prob(latents.double()))


def test_equal_gaussians_do_not_diverge_at_all():
    assert torch.equal(some_gaussian(0).divergence(some_gaussian(0)), torch.zeros(5))


def test_the_divergence_of_nearly_equal_gaussians_is_not_negative():
    """The textbook sum of float32 terms loses it in rounding: half a squared difference of 1e-5."""
    p = LatentGaussian(torch.zeros(1, 1), torch.full((1, 1), 0.3))
    q = LatentGaussian(torch.full((1, 1), 1e-5 * math.exp(0.3)), torch.full((1, 1), 0.3))
    assert float(q.divergence(p)) == pytest.approx(5e-11, rel=1e-3)


def test_latents_have_the_moments_of_the_gaussian():
    gaussian = some_gaussian(2)
    latents = gaussian.at(torch.randn(20_000, 5, 6, generator=torch.Generator().manual_seed(3)))
    deviation = gaussian.log_deviation.exp()
    assert ((latents.mean(0) - gaussian.mean).abs() < 5 * deviation / 20_000**0.5).all()
    torch.testing.assert_close(latents.std(0), deviation, rtol=0.03, atol=0)


@pytest.mark.parametrize("raw", [-1e30, -1e4, 0.0, 1e4, 1e30])
@pytest.mark.parametrize("other", [-1e30, 0.0, 1e30])
@pytest.mark.parametrize("mean", [0.0, 1e4, -1e12])
def test_the_divergence_is_finite_whatever_a_network_answers(raw, other, mean):
    parts = [torch.full((1, 6), value, requires_grad=True) for value in (mean, raw, other)]
    q, p = LatentGaussian.bounded(parts[0], parts[1]), LatentGaussian.bounded(torch.zeros(1, 6), parts[2])
    divergence = q.divergence(p)
    divergence.sum().backward()
    assert bool(divergence.isfinite().all()) and float(divergence) >= 0
    assert all(bool(part.grad.isfinite().all()) for part in parts)


def test_the_bound_leaves_moderate_deviations_as_they_are():
    raw = torch.tensor([[-1.0, 0.0, 0.5, 1e9, -1e9]])
    found = LatentGaussian.bounded(torch.zeros_like(raw), raw).log_deviation
    torch.testing.assert_close(found[:, :3], raw[:, :3], rtol=0.02, atol=0)
    torch.testing.assert_close(found[:, 3:].abs(), torch.full((1, 2), LOG_DEVIATION_BOUND))
