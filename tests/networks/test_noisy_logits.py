"""What draws by noise on the logits promise beyond the contract."""

from __future__ import annotations

import pytest
import torch

from caveat.networks.backbones.residual_unet import ResidualUNet
from caveat.networks.draws.draw import first_draws
from caveat.networks.draws.logit_distribution import LogitDistribution
from caveat.networks.draws.place import Place
from caveat.networks.draws.sampler import Source
from caveat.networks.samplers.gaussian_logits import GaussianLogits
from caveat.networks.samplers.low_rank_logits import LowRankLogits
from caveat.networks.samplers.noisy_logits import NoisyLogits

KINDS = [GaussianLogits, LowRankLogits]


def backbone(dimensions: int = 2, in_channels: int = 1, classes: int = 2) -> ResidualUNet:
    torch.manual_seed(3)
    return ResidualUNet(dimensions, in_channels, classes, channels=(4, 6, 8), units=(1, 1, 1), dropout=0.5)


@torch.no_grad()
def draws_of(sampler: NoisyLogits, windows: torch.Tensor, count: int) -> torch.Tensor:
    """Of windows that are studies of their own."""
    places = [Place((0,) * (windows.ndim - 2), tuple(windows.shape[2:]), tuple(windows.shape[2:]))] * len(windows)
    return sampler.decode(sampler.encode(windows, places, None), first_draws(count), places, None)


def distribution_of(sampler: NoisyLogits, windows: torch.Tensor) -> LogitDistribution:
    with torch.no_grad():
        return LogitDistribution.unpack(sampler.distribution(windows), sampler.classes)


@pytest.mark.parametrize("kind", KINDS)
class TestBoth:
    def test_forward_is_the_mean_and_the_backbone(self, kind):
        sampler, windows = kind(backbone()).eval(), torch.rand(2, 1, 16, 16)
        torch.testing.assert_close(sampler(windows), sampler.backbone(windows))
        torch.testing.assert_close(distribution_of(sampler, windows).mean, sampler(windows))

    def test_draws_have_the_moments_of_the_distribution(self, kind):
        """Of each voxel, and of two voxels together: P P^T + D."""
        sampler, windows = kind(backbone()).eval(), torch.rand(1, 1, 4, 4)
        logits = draws_of(sampler, windows, 400)[:, 0, 1].flatten(1).double()
        mean, deviation, factors = (part[0].double() for part in distribution_of(sampler, windows))
        shared = factors[:, 1].flatten(1)
        covariance = shared.T @ shared + torch.diag(deviation[1].flatten() ** 2)
        scale = covariance.diagonal().sqrt()
        assert ((logits.mean(0) - mean[1].flatten()).abs() < 5 * scale / 400**0.5).all()
        error = (logits.T.cov() - covariance) / scale.outer(scale)
        assert error.abs().max() < 5 * (2 / 400) ** 0.5

    def test_a_three_dimensional_study_of_three_classes(self, kind):
        sampler = kind(backbone(3, classes=3)).eval()
        logits = draws_of(sampler, torch.rand(2, 1, 4, 8, 4), 3)
        assert logits.shape == (3, 2, 3, 4, 8, 4) and logits.dtype == torch.float32

    def test_the_covariance_is_zero_outside_the_region(self, kind):
        sampler, windows = kind(backbone(in_channels=2), region_channel=1).eval(), torch.rand(1, 2, 8, 8)
        windows[:, 1] = (torch.arange(8) < 4).float()
        logits = draws_of(sampler, windows, 3)
        assert torch.equal(logits[..., 4:], sampler(windows)[None, ..., 4:].expand(3, -1, -1, -1, -1))
        assert (logits[0] - logits[1])[..., :4].abs().min() > 0

    def test_under_autocast_the_distribution_keeps_its_precision(self, kind):
        """Only the backbone is rounded: draws lie around the rounded mean exactly as around the true one."""
        sampler, windows = kind(backbone()).eval(), torch.rand(1, 1, 16, 16)
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            rounded = LogitDistribution.unpack(sampler.distribution(windows), 2)
            logits = draws_of(sampler, windows, 3)
        exact = distribution_of(sampler, windows)
        assert all(part.dtype == torch.float32 for part in rounded) and logits.dtype == torch.float32
        for found, expected in zip(rounded, exact, strict=True):
            torch.testing.assert_close(found, expected, atol=0.05, rtol=0.05)
        torch.testing.assert_close(logits - rounded.mean, draws_of(sampler, windows, 3) - exact.mean, atol=0.15, rtol=0.05)

    def test_weights_are_those_of_the_backbone_and_one_convolution(self, kind):
        sampler = kind(backbone())
        own = {f"backbone.{name}" for name in sampler.backbone.state_dict()} | {"covariance.weight", "covariance.bias"}
        assert set(sampler.state_dict()) == own

    def test_training_uses_dropout_and_draws_are_refused(self, kind):
        sampler, windows = kind(backbone()).train(), torch.rand(2, 1, 16, 16)
        assert not torch.equal(sampler.distribution(windows), sampler.distribution(windows))
        with pytest.raises(ValueError, match="evaluation mode"):
            sampler.encode(windows, [], None)

    def test_summary_is_that_of_the_encoder(self, kind):
        sampler, windows = kind(backbone()).eval(), torch.rand(2, 1, 16, 16)
        expected = sampler.backbone.encode(windows)[-1].mean(dim=(2, 3))
        torch.testing.assert_close(sampler.summary(sampler.encode(windows, [], None)), expected)

    def test_what_varies_is_the_rater(self, kind):
        assert kind.source is Source.RATER


def test_noise_of_single_voxels_averages_out_over_a_volume():
    """The negative control: with the same deviation of every voxel, the volume of independent voxels hardly varies."""
    spreads = {}
    for kind in KINDS:
        sampler = kind(backbone()).eval()
        with torch.no_grad():
            for weight in (sampler.backbone.head.weight, sampler.backbone.head.bias, sampler.covariance.weight):
                weight.zero_()
            bias = sampler.covariance.bias.unflatten(0, (1 + sampler.rank, 2))
            bias[0], bias[1:] = (1.0, 0.0) if sampler.rank == 0 else (-20.0, 0.0)
            if sampler.rank:
                bias[1, 1] = 1.8  # about the standard deviation of the difference of two such logits
        labels = draws_of(sampler, torch.rand(1, 1, 32, 32), 60).argmax(dim=2)
        spreads[kind] = float(labels.flatten(1).sum(1).double().std())
    assert spreads[GaussianLogits] == pytest.approx(32 / 2, rel=0.3)  # 1024 voxels, each 0 or 1 by itself
    assert spreads[LowRankLogits] == pytest.approx(1024 / 2, rel=0.1)  # all of them or none


def test_a_packed_distribution_unpacks():
    parts = LogitDistribution(torch.rand(2, 3, 4, 5), torch.rand(2, 3, 4, 5), torch.rand(2, 7, 3, 4, 5))
    for found, expected in zip(LogitDistribution.unpack(parts.pack(), 3), parts, strict=True):
        assert torch.equal(found, expected)


@pytest.mark.parametrize("channels", [3, 5, 8])
def test_other_tensors_are_no_distribution(channels):
    with pytest.raises(ValueError, match=f"{channels} channels are no distribution"):
        LogitDistribution.unpack(torch.zeros(1, channels, 2), 3)


def test_antithetic_logits_average_to_the_mean():
    torch.manual_seed(0)
    parts = LogitDistribution(torch.rand(2, 3, 4), torch.rand(2, 3, 4), torch.rand(2, 5, 3, 4))
    logits = parts.antithetic_logits(6)
    torch.testing.assert_close(logits.mean(0), parts.mean)
    assert torch.pdist(logits.flatten(1)).min() > 0.1


@pytest.mark.parametrize("rank", [0, -1])
def test_low_rank_has_a_rank(rank):
    with pytest.raises(ValueError, match="GaussianLogits"):
        LowRankLogits(backbone(), rank=rank)
