"""A sampler of slices draws volumes: one draw over all slices, as the slices alone would be drawn."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from caveat.networks.backbones.residual_unet import ResidualUNet
from caveat.networks.draws.draw import first_draws
from caveat.networks.draws.place import Place
from caveat.networks.latent.latent_gaussian import LatentGaussian
from caveat.networks.losses.elbo import Elbo
from caveat.networks.losses.label_cross_entropy import LabelCrossEntropy
from caveat.networks.losses.reconstruction import Reconstruction
from caveat.networks.samplers.dropout import DropoutSampler
from caveat.networks.samplers.gaussian_logits import GaussianLogits
from caveat.networks.samplers.latent_slices import LatentSlices, _noise_of
from caveat.networks.samplers.probabilistic_unet import ProbabilisticUNet
from caveat.networks.samplers.slice_by_slice import SliceBySlice
from caveat.networks.samplers.test_time_augmentation import TestTimeAugmentation

SIZE = (8, 12, 3)
WHOLE = Place((0, 0, 0), SIZE, SIZE)


def backbone(dropout: float = 0.0) -> ResidualUNet:
    torch.manual_seed(0)
    return ResidualUNet(2, 1, 2, channels=(4, 6), units=(1, 1), dropout=dropout)


def latent() -> ProbabilisticUNet:
    return ProbabilisticUNet(backbone(), in_channels=1, latent=3, encoder_channels=(4, 4)).eval()


@torch.no_grad()
def draw(sampler, study, place=WHOLE):
    """Two draws of a study in one window."""
    context = sampler.begin(study)
    return sampler.decode(sampler.encode(study, [place], context), first_draws(2), [place], context)


@pytest.mark.parametrize("sampler", [DropoutSampler(backbone(0.5)).eval(), GaussianLogits(backbone()).eval()])
def test_each_slice_is_drawn_as_it_would_be_alone(sampler):
    """Dropout has one mask in all slices; the noise of single voxels is that of a place of its own."""
    study = torch.rand(1, 1, *SIZE)
    volumes = draw(SliceBySlice(sampler).eval(), study)
    assert volumes.shape == (2, 1, 2, *SIZE)
    for number in range(3):
        place = Place((0, 12 * number), SIZE[:2], (8, 36))
        torch.testing.assert_close(volumes[..., number], draw(sampler, study[..., number], place))


def test_equal_slices_get_the_same_mask_and_noise_of_their_own():
    study = torch.rand(1, 1, 8, 12, 1).expand(1, 1, *SIZE)
    same, own = (
        draw(SliceBySlice(sampler).eval(), study) for sampler in (DropoutSampler(backbone(0.5)), GaussianLogits(backbone()))
    )
    torch.testing.assert_close(same[..., 0], same[..., 2])
    assert (own[..., 0] - own[..., 2]).abs().min() > 0


def test_each_slice_of_a_latent_draw_is_drawn_as_it_would_be_alone():
    """The noise of a draw is the same in every slice, and a slice's latent is its own Gaussian at that noise."""
    sampler, study = latent(), torch.rand(1, 1, *SIZE)
    volumes = draw(LatentSlices(sampler).eval(), study)
    for number in range(3):
        torch.testing.assert_close(volumes[..., number], draw(sampler, study[..., number], Place((0, 0), SIZE[:2], SIZE[:2])))


def test_a_window_of_some_slices_takes_their_own_latents():
    slices, study = LatentSlices(latent()).eval(), torch.rand(1, 1, *SIZE)
    with torch.no_grad():
        context, place = slices.begin(study), Place((0, 0, 1), (8, 12, 2), SIZE)
        part = slices.decode(slices.encode(study[..., 1:], [place], context), first_draws(2), [place], context)
    torch.testing.assert_close(part, draw(slices, study)[..., 1:])


def test_the_latent_looks_at_the_middle_of_a_larger_plane():
    """A plane of another size has another mean over positions; what lies around the middle does not count."""
    slices, study = LatentSlices(latent(), plane=(8, 12)).eval(), torch.rand(1, 1, *SIZE)
    around = F.pad(study, (0, 0, 4, 4, 2, 2), value=3.0)
    for found, expected in zip(slices.begin(around).slices, slices.begin(study).slices, strict=True):
        torch.testing.assert_close(found, expected)
    assert slices.settings["latent_plane"] == [8, 12]


def test_one_slice_is_trained_as_the_sampler_itself():
    """And equal slices get equal logits, whatever their noise is."""
    sampler = latent()
    slices = LatentSlices(sampler)
    study, label = torch.rand(2, 1, 8, 12), torch.randint(-1, 2, (2, 1, 8, 12))
    torch.manual_seed(1)
    expected = sampler.explain(study, label)
    torch.manual_seed(1)
    torch.testing.assert_close(slices.explain(study[..., None], label[..., None])[..., 0], expected)
    three = Reconstruction.unpack(slices.explain(study[..., None].repeat(1, 1, 1, 1, 3), label[..., None].repeat(1, 1, 1, 1, 3)))
    torch.testing.assert_close(three.logits[..., 0], three.logits[..., 2])


def test_what_slices_say_of_their_noise_is_multiplied():
    """A slice that says 1 within 1/2, one that says nothing: precision 4 and mean 1; two that say so: 7 and 8 / 7."""
    nothing = LatentGaussian(torch.zeros(2, 1), torch.zeros(2, 1))
    says = LatentGaussian(torch.tensor([[1.0], [0.0]]), torch.tensor([[0.5], [1.0]]).log())
    both = LatentGaussian(torch.ones(2, 1), torch.full((2, 1), 0.5).log())
    for posteriors, mean, precision in ((says, 1.0, 4.0), (both, 8 / 7, 7.0)):
        found = _noise_of(posteriors, nothing, depth=2)
        assert float(found.mean) == pytest.approx(mean) and float(found.log_deviation) == pytest.approx(
            -0.5 * math.log(precision)
        )


def test_voxels_whose_label_is_not_known_do_not_count():
    """Whatever the logits say there; the divisor stays the number of all voxels."""
    logits, label = torch.randn(1, 2, 2, 3), torch.tensor([[[[0, 1, -1], [-1, -1, 1]]]])
    probability = logits.softmax(dim=1)
    expected = -(probability[0, 0, 0, 0].log() + probability[0, 1, 0, 1].log() + probability[0, 1, 1, 2].log()) / 6
    torch.testing.assert_close(LabelCrossEntropy()(logits, label), expected)
    packed = Reconstruction(logits, torch.tensor([0.6])).pack()
    torch.testing.assert_close(Elbo()(packed, label), expected + 0.1)


@pytest.mark.parametrize("sampler", [TestTimeAugmentation.example()], ids=["views"])
def test_a_sampler_that_slices_cannot_share_is_refused(sampler):
    with pytest.raises(ValueError, match="of its own"):
        SliceBySlice(sampler)
