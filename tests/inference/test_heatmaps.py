"""Places, covariances and the loss of heatmaps, against Gaussians whose parameters are known."""

from __future__ import annotations

import math

import pytest
import torch

from caveat.inference.engine.heatmaps import covariances_of, decode, heatmaps_of, positions_of
from caveat.networks.losses.heatmap_cross_entropy import HeatmapCrossEntropy
from caveat.transforms.landmarks.gaussian_heatmaps import gaussian_heatmaps

COVARIANCE = torch.tensor([[2.5, 0.8], [0.8, 1.5]])


def gaussian_logits(middle=(20.3, 30.6), size=(48, 64), covariance=COVARIANCE) -> torch.Tensor:
    rows, columns = torch.meshgrid(*(torch.arange(n, dtype=torch.float32) for n in size), indexing="ij")
    away = torch.stack([rows - middle[0], columns - middle[1]], dim=-1)
    return -0.5 * torch.einsum("...i,ij,...j->...", away, covariance.inverse(), away)[None]


def test_place_and_covariance_of_a_gaussian_are_its_own():
    heatmaps = heatmaps_of(gaussian_logits() + 5)
    assert float(heatmaps.sum()) == pytest.approx(1, abs=1e-6)
    torch.testing.assert_close(positions_of(heatmaps), torch.tensor([[20.3, 30.6]]), atol=0.05, rtol=0)
    torch.testing.assert_close(covariances_of(heatmaps)[0], COVARIANCE, atol=0.01, rtol=0)


def test_a_volume_works_as_a_picture_does():
    heatmaps = gaussian_heatmaps(torch.tensor([[7.25, 9.5, 6.0]]), (16, 20, 12), sigma=1.2)
    torch.testing.assert_close(positions_of(heatmaps), torch.tensor([[7.25, 9.5, 6.0]]), atol=0.01, rtol=0)
    torch.testing.assert_close(covariances_of(heatmaps)[0], 1.44 * torch.eye(3), atol=0.02, rtol=0)


def test_what_lies_elsewhere_neither_moves_the_place_nor_widens_the_covariance():
    near, far = (gaussian_heatmaps(torch.tensor([[20.0, column]]), (40, 60), 1.5) for column in (10.0, 50.0))
    mixed = 0.6 * near + 0.3 * far + 0.1 / (40 * 60)
    torch.testing.assert_close(positions_of(mixed), torch.tensor([[20.0, 10.0]]), atol=1e-3, rtol=0)
    # 1.5^2 of the Gaussian, and 14 of the even rest: (13^2 - 1) / 12 of the window's 13 elements a side, of their share.
    rest = 0.1 * 13 * 13 / (40 * 60)
    expected = (0.6 * 2.25 + rest * 14) / (0.6 + rest)
    torch.testing.assert_close(covariances_of(mixed)[0], expected * torch.eye(2), atol=0.02, rtol=0)


def test_places_can_be_trained():
    logits = gaussian_logits().requires_grad_()
    decode(logits).sum().backward()
    assert torch.isfinite(logits.grad).all() and float(logits.grad.abs().sum()) > 0


def test_the_loss_is_the_targets_entropy_where_the_answer_is_right():
    target = gaussian_heatmaps(torch.tensor([[10.0, 12.5]]), (24, 28), sigma=2.0)[None]
    right = target.clamp_min(1e-30).log()
    loss = HeatmapCrossEntropy()
    # Of a Gaussian in the plane: ln(2 pi e sigma^2).
    assert float(loss(right, target)) == pytest.approx(math.log(2 * math.pi * math.e * 4), abs=1e-3)
    assert float(loss(right.roll(1, dims=-1), target)) > float(loss(right, target))
    assert float(loss(torch.zeros_like(target), target)) == pytest.approx(math.log(24 * 28), abs=1e-5)


def test_a_landmark_that_is_not_there_is_left_out_of_the_loss():
    targets = gaussian_heatmaps(torch.tensor([[10.0, 12.5], [-50.0, 0.0]]), (24, 28), sigma=2.0)[None]
    logits = torch.randn(1, 2, 24, 28, generator=torch.Generator().manual_seed(0))
    loss = HeatmapCrossEntropy()
    assert float(loss(logits, targets)) == pytest.approx(float(loss(logits[:, :1], targets[:, :1])), abs=1e-6)
    assert float(loss(logits[:, 1:], targets[:, 1:])) == 0
