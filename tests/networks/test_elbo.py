"""The evidence lower bound against sums by hand."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from caveat.networks.losses.elbo import Elbo
from caveat.networks.losses.reconstruction import Reconstruction


def a_reconstruction() -> tuple[Reconstruction, torch.Tensor]:
    """Two studies of 3 by 2 voxels and three classes, with labels."""
    torch.manual_seed(1)
    return Reconstruction(torch.randn(2, 3, 3, 2), torch.tensor([0.7, 12.0])), torch.randint(0, 3, (2, 1, 3, 2))


def test_a_packed_reconstruction_unpacks():
    reconstruction, _ = a_reconstruction()
    packed = reconstruction.pack()
    assert packed.shape == (2, 4, 3, 2)
    for found, expected in zip(Reconstruction.unpack(packed), reconstruction, strict=True):
        assert torch.equal(found, expected)


def test_the_bound_is_a_sum_over_voxels_less_the_divergence():
    reconstruction, label = a_reconstruction()
    fit = F.cross_entropy(reconstruction.logits, label[:, 0], reduction="none").sum(dim=(1, 2))
    torch.testing.assert_close(reconstruction.elbo(label), -fit - torch.tensor([0.7, 12.0]))


@pytest.mark.parametrize("beta", [0.0, 1.0, 10.0])
def test_the_loss_divides_both_terms_by_the_voxels(beta):
    reconstruction, label = a_reconstruction()
    expected = F.cross_entropy(reconstruction.logits, label[:, 0]) + beta * (0.7 + 12.0) / 2 / 6
    torch.testing.assert_close(Elbo(beta)(reconstruction.pack(), label.float()), expected)


def test_the_gradient_reaches_the_divergence_once():
    """Packed at every voxel, it must not count once a voxel."""
    reconstruction, label = a_reconstruction()
    divergence = reconstruction.divergence.requires_grad_()
    Elbo(3.0)(Reconstruction(reconstruction.logits, divergence).pack(), label).backward()
    torch.testing.assert_close(divergence.grad, torch.full((2,), 3.0 / 2 / 6))


@pytest.mark.parametrize("beta", [-1.0, float("nan")])
def test_beta_is_not_negative(beta):
    with pytest.raises(ValueError, match="beta"):
        Elbo(beta)
