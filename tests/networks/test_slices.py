"""A sampler of slices draws volumes: one draw over all slices, as the slices alone would be drawn."""

from __future__ import annotations

import pytest
import torch

from caveat.networks.backbones.residual_unet import ResidualUNet
from caveat.networks.draw import first_draws
from caveat.networks.losses.elbo import Elbo
from caveat.networks.losses.label_cross_entropy import LabelCrossEntropy
from caveat.networks.place import Place
from caveat.networks.reconstruction import Reconstruction
from caveat.networks.samplers.dropout import DropoutSampler
from caveat.networks.samplers.gaussian_logits import GaussianLogits
from caveat.networks.samplers.latent_slices import LatentSlices
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


def test_a_volume_has_one_latent_of_all_its_slices():
    sampler, study = latent(), torch.rand(1, 1, *SIZE)
    slices = LatentSlices(sampler).eval()
    alone = sampler.prior(study[0].movedim(-1, 0))
    found = slices.begin(study)
    torch.testing.assert_close(found.mean[0], alone.mean.mean(dim=0))
    torch.testing.assert_close(found.log_deviation[0], alone.log_deviation.mean(dim=0))
    z = sampler.latents(first_draws(2), found)[:, 0]
    volumes = draw(slices, study)
    for index, number in ((0, 0), (1, 2)):
        expected = sampler.logits(study[..., number], z[index : index + 1])
        torch.testing.assert_close(volumes[index, 0, ..., number], expected[0])


def test_one_slice_is_trained_as_the_sampler_itself():
    """And three share their latent: equal slices get equal logits, whatever the latent is."""
    sampler = latent()
    slices = LatentSlices(sampler)
    study, label = torch.rand(2, 1, 8, 12), torch.randint(-1, 2, (2, 1, 8, 12))
    torch.manual_seed(1)
    expected = sampler.explain(study, label)
    torch.manual_seed(1)
    torch.testing.assert_close(slices.explain(study[..., None], label[..., None])[..., 0], expected)
    three = Reconstruction.unpack(slices.explain(study[..., None].repeat(1, 1, 1, 1, 3), label[..., None].repeat(1, 1, 1, 1, 3)))
    torch.testing.assert_close(three.logits[..., 0], three.logits[..., 2])
    torch.testing.assert_close(three.divergence, Reconstruction.unpack(expected).divergence)


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
