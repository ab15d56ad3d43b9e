"""The losses of noisy logits against sums by hand, quadrature, and what they are to teach."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from caveat.networks.draws.logit_distribution import LogitDistribution
from caveat.networks.losses.joint_likelihood import JointLikelihood
from caveat.networks.losses.voxelwise_likelihood import VoxelwiseLikelihood

LOSSES = [VoxelwiseLikelihood, JointLikelihood]


def a_distribution(rank: int = 2, scale: float = 1.0) -> tuple[LogitDistribution, torch.Tensor]:
    """Two studies of 3 by 2 voxels and three classes, with labels."""
    torch.manual_seed(1)
    mean, deviation, factors = torch.randn(2, 3, 3, 2), torch.rand(2, 3, 3, 2), torch.randn(2, rank, 3, 3, 2)
    return LogitDistribution(mean * scale, deviation * scale, factors * scale), torch.randint(0, 3, (2, 1, 3, 2))


def probabilities(distribution: LogitDistribution, label: torch.Tensor, samples: int) -> np.ndarray:
    """Of the labels under the loss's own samples, (samples, studies, voxels), voxel by voxel in float64."""
    torch.manual_seed(5)
    logits = distribution.antithetic_logits(samples).double().flatten(3).numpy()
    labels = label.flatten(1).numpy()
    found = np.empty((samples, *labels.shape))
    for sample, study, voxel in np.ndindex(found.shape):
        exponentials = np.exp(logits[sample, study, :, voxel])
        found[sample, study, voxel] = exponentials[labels[study, voxel]] / exponentials.sum()
    return found


def loss_of(loss: torch.nn.Module, distribution: LogitDistribution, label: torch.Tensor) -> torch.Tensor:
    torch.manual_seed(5)
    return loss(distribution.pack(), label)


def test_voxelwise_averages_each_voxel():
    distribution, label = a_distribution(rank=0)
    expected = -np.log(probabilities(distribution, label, 4).mean(axis=0)).mean()
    assert float(loss_of(VoxelwiseLikelihood(3, 4), distribution, label)) == pytest.approx(expected, rel=1e-5)


def test_joint_averages_whole_labels():
    distribution, label = a_distribution()
    expected = -np.log(probabilities(distribution, label, 4).prod(axis=2).mean(axis=0)).mean() / 6
    assert float(loss_of(JointLikelihood(3, 4), distribution, label)) == pytest.approx(expected, rel=1e-5)


def test_the_relaxation_is_a_share_of_every_samples_own_likelihood():
    distribution, label = a_distribution()
    of_samples = probabilities(distribution, label, 4).prod(axis=2)
    expected = (-0.9 * np.log(of_samples.mean(axis=0)) - 0.1 * np.log(of_samples).mean(axis=0)).mean() / 6
    assert float(loss_of(JointLikelihood(3, 4, relaxation=0.1), distribution, label)) == pytest.approx(expected, rel=1e-5)
    for relaxation in (-0.1, 1.0):
        with pytest.raises(ValueError, match="relaxation"):
            JointLikelihood(3, 4, relaxation=relaxation)


@pytest.mark.parametrize("kind", LOSSES)
def test_without_covariance_it_is_the_cross_entropy(kind):
    distribution, label = a_distribution()
    certain = LogitDistribution(distribution.mean, *(torch.zeros_like(part) for part in distribution[1:]))
    expected = F.cross_entropy(distribution.mean, label[:, 0])
    torch.testing.assert_close(loss_of(kind(3, 4), certain, label.float()), expected)


def test_one_voxel_alone_is_the_integral_of_its_probability():
    """Two classes: the difference of the logits is Gaussian, and Gauss-Hermite quadrature knows the answer."""
    mean, deviation, factor = 0.7, (0.5, 1.2), (0.3, -0.9)
    variance = sum(d**2 for d in deviation) + (factor[1] - factor[0]) ** 2
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    expected = -math.log((weights / (1 + np.exp(-(mean + variance**0.5 * nodes)))).sum() / weights.sum())
    parts = (torch.tensor(part).reshape(1, -1, 1) for part in ((0.0, mean), deviation, factor))
    distribution, label = LogitDistribution(*parts), torch.ones(1, 1, 1)
    distribution = distribution._replace(factors=distribution.factors[:, None])
    for kind in LOSSES:
        assert float(loss_of(kind(2, 100_000), distribution, label)) == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize("scale", [1e-6, 1e4])
def test_extreme_logits_have_finite_loss_and_gradient(kind, scale):
    distribution, label = a_distribution(scale=scale)
    packed = distribution.pack().requires_grad_()
    loss = kind(3, 4)(packed, label)
    loss.backward()
    assert loss.isfinite() and packed.grad.isfinite().all()


def test_the_joint_likelihood_of_a_large_study_loses_no_digits():
    """A hundred thousand voxels: a sum of some 10^5 nats, in which single nats decide between the samples."""
    torch.manual_seed(0)
    distribution = LogitDistribution(torch.randn(1, 2, 100_000), torch.rand(1, 2, 100_000), torch.randn(1, 1, 2, 100_000))
    label = torch.randint(0, 2, (1, 1, 100_000))
    found = float(loss_of(JointLikelihood(2, 4), distribution, label))
    torch.manual_seed(5)
    logits = distribution.antithetic_logits(4).double()
    exact = logits.log_softmax(2).gather(2, label.expand(4, 1, 1, -1)).sum((2, 3)).logsumexp(0) - math.log(4)
    assert found == pytest.approx(float(-exact / 100_000), rel=1e-6)


@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize("samples", [0, 1, 5])
def test_samples_come_in_pairs(kind, samples):
    with pytest.raises(ValueError, match="even number"):
        kind(2, samples)


def test_at_first_the_mean_alone_is_trained_and_a_resumed_loss_knows_how_far_it_was():
    distribution, label = a_distribution()
    cross_entropy = float(F.cross_entropy(distribution.mean, label[:, 0]))
    loss = JointLikelihood(3, 4, warm_up=2)
    values = [float(loss_of(loss, distribution, label)) for _ in range(3)]
    assert values[:2] == pytest.approx([cross_entropy] * 2) and values[2] != pytest.approx(cross_entropy)
    resumed = JointLikelihood(3, 4, warm_up=2)
    resumed.load_state_dict(loss.state_dict())
    assert float(loss_of(resumed, distribution, label)) == values[2]


@pytest.mark.parametrize(("kind", "learns"), [(VoxelwiseLikelihood, False), (JointLikelihood, True)])
def test_the_joint_likelihood_alone_teaches_that_voxels_vary_together(kind, learns):
    """Raters who draw a structure either large or small: the rim's ten voxels are all foreground or all background."""
    torch.manual_seed(0)
    factors = (0.1 * torch.randn(1, 1, 2, 10)).requires_grad_()
    mean, raw = torch.zeros(1, 2, 10, requires_grad=True), torch.zeros(1, 2, 10, requires_grad=True)
    optimizer, loss = torch.optim.Adam([mean, raw, factors], lr=0.1), kind(2, 20)
    for step in range(150):
        label = torch.full((1, 1, 10), step % 2)
        optimizer.zero_grad()
        loss(LogitDistribution(mean, F.softplus(raw), factors).pack(), label).backward()
        optimizer.step()
    with torch.no_grad():
        logits = LogitDistribution(mean, F.softplus(raw), factors).antithetic_logits(400)
    volumes = logits.argmax(2).sum((1, 2)).double()
    assert (float(volumes.std()) > 4) == learns  # 5 where all vary together, 1.6 where each varies alone


@pytest.mark.parametrize(("relaxation", "turned"), [(0.0, True), (0.05, False)])
def test_only_the_relaxation_keeps_draws_from_turning_what_is_certainly_background(relaxation, turned):
    """A thousand voxels of background whose factor is large: to the likelihood half of the samples cost ln 2 nats in all."""
    mean = torch.stack([torch.full((1000,), 4.0), torch.full((1000,), -4.0)])[None]
    distribution = LogitDistribution(
        mean, torch.zeros(1, 2, 1000), torch.stack([torch.zeros(1000), torch.full((1000,), 20.0)])[None, None]
    )
    certain = distribution._replace(factors=torch.zeros(1, 1, 2, 1000))
    loss, label = JointLikelihood(2, 20, relaxation=relaxation), torch.zeros(1, 1, 1000)
    less = float(loss_of(loss, certain, label) - loss_of(loss, distribution, label)) * 1000
    assert (abs(less) < 2 * math.log(2)) if turned else less < -100
