"""Trained on raters of two minds, the samplers' draws are both minds, and latents have them in the raters' proportion.

Three in ten draw a disc small, seven draw it large, and the image does not say which. Training is MONAI's, as in a bundle.
"""

from __future__ import annotations

from functools import cache

import pytest
import torch
from monai.apps.utils import get_logger
from monai.engines import SupervisedTrainer
from monai.engines.utils import PrepareBatchExtraInput
from monai.handlers import LrScheduleHandler

from caveat.inference.engine.inferer import SamplingInferer
from caveat.inference.likelihood.rater_likelihood import RaterLikelihood
from caveat.inference.reducers.moments import Moments
from caveat.inference.training.autocast_inferer import AutocastInferer
from caveat.networks.backbones.residual_unet import ResidualUNet
from caveat.networks.draws.draw import first_draws
from caveat.networks.draws.place import Place
from caveat.networks.draws.sampler import Sampler
from caveat.networks.losses.best_of_many import BestOfMany
from caveat.networks.losses.elbo import Elbo
from caveat.networks.samplers.image_vae import ImageVAE
from caveat.networks.samplers.multi_head import MultiHead
from caveat.networks.samplers.probabilistic_unet import ProbabilisticUNet

SIZE, STEPS, RATERS = (8, 8), 200, 20
PLACE = Place((0, 0), SIZE, SIZE)


def disc(radius: float) -> torch.Tensor:
    rows, columns = torch.meshgrid(torch.arange(8) - 3.5, torch.arange(8) - 3.5, indexing="ij")
    return torch.hypot(rows, columns) < radius


SMALL, LARGE = disc(2.0), disc(4.0)  # 12 and 52 pixels


def images(count: int) -> torch.Tensor:
    return (SMALL.float() + 0.5 * LARGE.float()) + 0.1 * torch.randn(count, 1, *SIZE)


def batches() -> list[dict[str, torch.Tensor]]:
    """Each of twenty raters' drawings of as many images: six small, fourteen large."""
    label = torch.where(torch.arange(RATERS)[:, None, None, None] < 6, SMALL, LARGE).long()
    return [{"image": images(RATERS), "label": label} for _ in range(STEPS)]


@cache
def trained(kind: type[Sampler]) -> Sampler:
    torch.manual_seed(0)
    backbone = ResidualUNet(2, 1, 2, channels=(8, 8), units=(1, 1), dropout=0.0)
    if kind is MultiHead:
        network, method, loss, extra = MultiHead(backbone, heads=4), "all_heads", BestOfMany(2), ()
    else:
        options = {"translator_channels": (8, 8)} if kind is ImageVAE else {}
        network = kind(backbone, in_channels=1, latent=2, encoder_channels=(8, 8), **options)
        method, loss, extra = "explain", Elbo(), ("label",)
    optimizer = torch.optim.Adam(network.parameters(), fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.02, total_steps=STEPS)
    get_logger("ignite.engine.engine.SupervisedTrainer").setLevel("ERROR")
    SupervisedTrainer(
        device=torch.device("cpu"),
        max_epochs=1,
        train_data_loader=batches(),
        network=network,
        optimizer=optimizer,
        loss_function=loss,
        inferer=AutocastInferer(dtype=None, method=method),
        prepare_batch=PrepareBatchExtraInput(extra),
        train_handlers=[LrScheduleHandler(schedule, print_lr=False, epoch_level=False)],
        decollate=False,
    ).run()
    return network.eval()


def shares(network: Sampler, draws: int) -> tuple[float, float]:
    """How many draws of a new image are the small disc, and how many the large one, within 3 pixels of 64."""
    torch.manual_seed(9)
    study = images(1)
    with torch.no_grad():
        context = network.begin(study)
        logits = network.decode(network.encode(study, [PLACE], context), first_draws(draws), [PLACE], context)
    outlines = logits[:, 0].argmax(dim=1)
    return tuple(float(((outlines != disc).sum(dim=(1, 2)) <= 3).float().mean()) for disc in (SMALL, LARGE))


@pytest.mark.parametrize("kind", [ProbabilisticUNet, ImageVAE])
def test_the_draws_of_a_latent_are_both_minds_in_their_proportion(kind):
    small, large = shares(trained(kind), 400)
    assert small == pytest.approx(0.3, abs=0.1) and large == pytest.approx(0.7, abs=0.12)


def test_the_heads_are_both_minds():
    small, large = shares(trained(MultiHead), 4)
    assert small >= 0.25 and large >= 0.25 and small + large == 1


def test_a_reconstruction_knows_which_mind_it_was_shown():
    network = trained(ProbabilisticUNet)
    torch.manual_seed(9)
    for label in (SMALL, LARGE):
        logits = network.reconstruct(images(1), label[None, None].long()).logits
        assert int((logits[0].argmax(dim=0) != label).sum()) <= 3


def test_a_rater_of_the_majority_is_the_likelier_and_one_of_neither_mind_is_not_likely():
    """In nats: log 0.7 and log 0.3, less what single pixels cost."""
    torch.manual_seed(9)
    scorer = RaterLikelihood(SamplingInferer(SIZE, ["background", "disc"], [Moments()], draws=4, decode_batch=200), 200)
    study, network = images(1), trained(ProbabilisticUNet)
    small, large, square = (
        scorer.score(study, label[None, None].long(), network).nats for label in (SMALL, LARGE, torch.ones(SIZE).triu())
    )
    assert -2.5 < small < large < 0 and square < -20
