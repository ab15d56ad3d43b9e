"""What draws by a latent promise beyond the contract."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from caveat.networks.backbones.residual_unet import ResidualUNet
from caveat.networks.draws.draw import first_draws
from caveat.networks.draws.place import Place
from caveat.networks.draws.sampler import Source
from caveat.networks.latent.latent_combiner import LatentCombiner
from caveat.networks.latent.latent_gaussian import LatentGaussian
from caveat.networks.latent.latent_sampler import LatentSampler
from caveat.networks.losses.reconstruction import Reconstruction
from caveat.networks.samplers.image_vae import ImageVAE
from caveat.networks.samplers.probabilistic_unet import ProbabilisticUNet

KINDS = [ProbabilisticUNet, ImageVAE]


def sampler_of(kind: type[LatentSampler], dimensions: int = 2, in_channels: int = 1, classes: int = 2) -> LatentSampler:
    torch.manual_seed(3)
    backbone = ResidualUNet(dimensions, in_channels, classes, channels=(8, 6), units=(1, 1), dropout=0.5)
    options = {"translator_channels": (8, 6)} if kind is ImageVAE else {}
    return kind(backbone, in_channels, latent=4, encoder_channels=(4, 6), **options).eval()


def place(*box: tuple[int, int], study: int) -> Place:
    return Place(tuple(first for first, _ in box), tuple(extent for _, extent in box), (study,) * len(box))


@torch.no_grad()
def draws_of(sampler: LatentSampler, study: torch.Tensor, count: int, context: LatentGaussian | None = None) -> torch.Tensor:
    """Of a study in one window. Returns: (draws, classes, *spatial)."""
    places = [Place((0,) * (study.ndim - 2), tuple(study.shape[2:]), tuple(study.shape[2:]))]
    context = sampler.begin(study) if context is None else context
    return sampler.decode(sampler.encode(study, places, context), first_draws(count), places, context)[:, 0]


def labels(*size: int, classes: int = 2, seed: int = 1) -> torch.Tensor:
    return torch.randint(0, classes, (1, 1, *size), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("kind", KINDS)
class TestBoth:
    def test_what_varies_is_the_rater(self, kind):
        assert kind.source is Source.RATER and kind.capacity is None

    def test_one_latent_serves_every_window(self, kind):
        """Away from a window's border nothing but rounding is left, though windows of their own would be read differently."""
        sampler, study, far = sampler_of(kind), torch.rand(1, 1, 64, 64), 20
        study[..., :32, :] += 3.0
        whole, context = draws_of(sampler, study, 3), sampler.begin(study)
        for row in (0, 16):
            window, where = study[..., row : row + 48, 0:48], [place((row, 48), (0, 48), study=64)]
            with torch.no_grad():
                found = sampler.decode(sampler.encode(window, where, context), first_draws(3), where, context)[:, 0]
            inside = (..., slice(far, 48 - far), slice(far, 48 - far))
            expected = whole[..., row + far : row + 48 - far, far : 48 - far]
            torch.testing.assert_close(found[inside], expected, atol=1e-5, rtol=1e-5)

    def test_forward_is_the_draw_of_no_noise(self, kind):
        sampler, study = sampler_of(kind), torch.rand(1, 1, 16, 16)
        prior = sampler.prior(study)
        certain = LatentGaussian(prior.mean, torch.full_like(prior.mean, -100.0))
        with torch.no_grad():
            torch.testing.assert_close(sampler(study)[0], draws_of(sampler, study, 1, certain)[0])

    def test_latents_have_the_moments_of_the_prior(self, kind):
        sampler, study = sampler_of(kind), torch.rand(1, 1, 16, 16)
        prior = sampler.begin(study)
        latents, deviation = sampler.latents(first_draws(2000), prior), prior.log_deviation.exp()[0]
        assert latents.shape == (2000, 1, 4)
        assert ((latents.mean((0, 1)) - prior.mean[0]).abs() < 5 * deviation / 2000**0.5).all()
        torch.testing.assert_close(latents[:, 0].std(0), deviation, rtol=0.08, atol=0)
        assert (latents[:, 0].T.corrcoef() - torch.eye(4)).abs().max() < 5 / 2000**0.5

    @pytest.mark.parametrize("dimensions", [2, 3])
    def test_studies_of_two_channels_and_three_classes(self, kind, dimensions):
        sampler = sampler_of(kind, dimensions, in_channels=2, classes=3)
        size = (8, 4, 6)[:dimensions]
        study, label = torch.rand(1, 2, *size), labels(*size, classes=3)
        assert draws_of(sampler, study, 5).shape == (5, 3, *size)
        assert Reconstruction.unpack(sampler.explain(study, label)).logits.shape == (1, 3, *size)

    def test_the_posterior_sees_the_label_and_the_image(self, kind):
        sampler, study = sampler_of(kind, classes=3), torch.rand(2, 1, 8, 8)
        label = torch.cat([labels(8, 8, classes=3, seed=seed) for seed in (1, 2)])
        mean = sampler.posterior(study, label).mean
        assert not torch.allclose(mean, sampler.posterior(study, label.flip(0)).mean)
        assert not torch.allclose(mean, sampler.posterior(study.flip(0), label).mean)
        torch.testing.assert_close(mean[:1], sampler.posterior(study[:1], label[:1].float()).mean)

    def test_a_posterior_in_place_of_the_prior_makes_draws_of_that_rater(self, kind):
        sampler, study, label = sampler_of(kind), torch.rand(1, 1, 8, 8), labels(8, 8)
        mean, log_deviation = sampler.posterior(study, label)
        certain = LatentGaussian(mean, torch.full_like(log_deviation, -100.0))
        expected = sampler.reconstruct(study, label).logits
        torch.testing.assert_close(draws_of(sampler, study, 2, certain), expected.expand(2, -1, -1, -1))

    def test_divergences_are_those_of_posterior_and_prior(self, kind):
        sampler, study, label = sampler_of(kind), torch.rand(2, 1, 8, 8), labels(8, 8).repeat(2, 1, 1, 1)
        expected = sampler.posterior(study, label).divergence(sampler.prior(study))
        torch.testing.assert_close(sampler.reconstruct(study, label).divergence, expected)
        torch.testing.assert_close(Reconstruction.unpack(sampler.explain(study, label)).divergence, expected)

    def test_explanations_are_random_and_reconstructions_are_not(self, kind):
        sampler, study, label = sampler_of(kind), torch.rand(1, 1, 8, 8), labels(8, 8)
        assert not torch.equal(sampler.explain(study, label), sampler.explain(study, label))
        assert torch.equal(sampler.reconstruct(study, label).logits, sampler.reconstruct(study, label).logits)

    def test_every_weight_learns(self, kind):
        sampler, study, label = sampler_of(kind).train(), torch.rand(4, 1, 8, 8), labels(8, 8).repeat(4, 1, 1, 1)
        Reconstruction.unpack(sampler.explain(study, label)).elbo(label).sum().backward()
        untouched = [name for name, weight in sampler.named_parameters() if weight.grad is None or not weight.grad.any()]
        assert untouched == []

    def test_training_mode_is_refused(self, kind):
        sampler, study = sampler_of(kind).train(), torch.rand(1, 1, 8, 8)
        for refused in (lambda: sampler.begin(study), lambda: sampler.encode(study, [], None)):
            with pytest.raises(ValueError, match="evaluation mode"):
                refused()

    def test_the_tile_is_part_of_the_settings(self, kind):
        assert sampler_of(kind).settings == {"tile": 192}


def test_the_prior_of_the_probabilistic_unet_is_of_the_whole_study():
    sampler, study = sampler_of(ProbabilisticUNet), torch.rand(1, 1, 16, 16)
    changed = study.clone()
    changed[..., 12:, 12:] += 1.0
    assert not torch.allclose(sampler.begin(study).mean, sampler.begin(changed).mean)


def test_the_prior_of_the_image_vae_knows_no_image():
    sampler = sampler_of(ImageVAE)
    for study in (torch.rand(3, 1, 8, 8), torch.full((3, 1, 16, 8), 1e6)):
        for part in sampler.prior(study):
            assert torch.equal(part, torch.zeros(3, 4))


@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_latent_as_bias_is_the_tiled_latent_concatenated(dimensions):
    torch.manual_seed(0)
    combiner = LatentCombiner(dimensions, channels=5, latent=3, layers=2)
    features, latents, size = torch.randn(2, 5, *[4] * dimensions), torch.randn(6, 2, 3), [4] * dimensions
    latent_kernel = combiner.latent.weight.reshape(5, 3, *[1] * dimensions)
    kernel = torch.cat([combiner.features.weight, latent_kernel], dim=1)
    convolve = {2: F.conv2d, 3: F.conv3d}[dimensions]
    with torch.no_grad():
        found = combiner(combiner.project(features), latents).unflatten(0, (6, 2))
        for draw in range(6):
            tiled = latents[draw].reshape(2, 3, *[1] * dimensions).expand(-1, -1, *size)
            first = convolve(torch.cat([features, tiled], dim=1), kernel, combiner.features.bias).relu()
            torch.testing.assert_close(found[draw], combiner.further[0](first).relu())


def test_a_latent_enters_by_a_layer():
    with pytest.raises(ValueError, match="at least one layer"):
        LatentCombiner(2, channels=5, latent=3, layers=0)


@pytest.mark.parametrize(("dimensions", "size"), [(2, (96, 96)), (3, (24, 24, 24))])
def test_sixteen_draws_cost_less_than_three_predictions(dimensions, size):
    """In multiplications, counted; the backbone of our bundles, and the prior's pass over the study in both."""
    sampler = ProbabilisticUNet(ResidualUNet(dimensions, 1, 2), in_channels=1).eval()
    cost = {}
    for draws in (1, 16):
        with FlopCounterMode(display=False) as counter:
            draws_of(sampler, torch.rand(1, 1, *size), draws)
        cost[draws] = counter.get_total_flops()
    assert cost[1] < cost[16] < 1.5 * cost[1]
