"""Networks that share a frozen trunk: each draws with its own last layer, and the published trunk is what it was."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from caveat.networks.backbones.efficientnet_lite import ConvolutionSame, EfficientNetLite0
from caveat.networks.draws.draw import first_draws
from caveat.networks.draws.place import Place
from caveat.networks.samplers.shared_trunk import SharedTrunk
from caveat.networks.weights.imagenet_trunk import EPSILON, folded


def logits_of(sampler: SharedTrunk, window: torch.Tensor, draws: int) -> torch.Tensor:
    places = [Place((0, 0), tuple(window.shape[2:]), tuple(window.shape[2:]))]
    with torch.no_grad():
        return sampler.decode(sampler.encode(window, places, None), first_draws(draws, 0), places, None)[:, 0]


def test_the_draws_of_one_network_are_its_own_among_those_of_all():
    sampler, window = SharedTrunk.example(), torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    every = logits_of(sampler, window, 6)
    for network in (0, 1):
        sampler.only = network
        torch.testing.assert_close(logits_of(sampler, window, 6)[network::2], every[network::2])
    assert not torch.allclose(every[0], every[1])


def test_a_network_without_dropout_has_one_answer():
    backbone = SharedTrunk.example().backbone
    for layer in SharedTrunk(backbone, 2).layers:
        layer.p = 0.0
    assert (SharedTrunk(backbone, 2).capacity, SharedTrunk(backbone, 2, only=1).capacity) == (2, 1)
    with pytest.raises(ValueError, match="of which 2 draws"):
        SharedTrunk(backbone, 2, only=2)
    with pytest.raises(ValueError, match="4 channels, 3 networks"):
        SharedTrunk(backbone, 3)


def test_the_logit_of_an_image_is_the_mean_of_its_evidence():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network, image = EfficientNetLite0(2).eval(), torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        pooled = network.decode_features(network.encode(image)).mean(dim=(2, 3))
        expected = pooled @ network.head.weight[:, :, 0, 0].T + network.head.bias
        evidence = network(image)
    assert evidence.shape == (1, 2, 64, 96)
    torch.testing.assert_close(evidence.mean(dim=(2, 3)), expected, atol=1e-5, rtol=1e-4)


def test_a_folded_batch_norm_computes_the_same():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        wanted = EfficientNetLite0(2).state_dict()
        published = {}
        for number, name in enumerate(one for one in wanted if wanted[one].ndim == 4 and not one.startswith("head.")):
            channels = len(wanted[name])
            published[f"{number}.conv.weight"] = torch.randn_like(wanted[name])
            for part in ("weight", "bias", "running_mean"):
                published[f"{number}.norm.{part}"] = torch.randn(channels)
            published[f"{number}.norm.running_var"] = torch.rand(channels) + 0.1
        image = torch.randn(1, 3, 16, 16)
    out = folded(published, wanted)
    assert out.keys() == {name for name in wanted if not name.startswith("head.")}
    convolution, norm = ConvolutionSame(3, 32, 3, stride=2), nn.BatchNorm2d(32, eps=EPSILON).eval()
    convolution.load_state_dict({"weight": published["0.conv.weight"], "bias": torch.zeros(32)})
    norm.load_state_dict({part: published[f"0.norm.{part}"] for part in ("weight", "bias", "running_mean", "running_var")}, False)
    mine = ConvolutionSame(3, 32, 3, stride=2)
    mine.load_state_dict({"weight": out["stem.weight"], "bias": out["stem.bias"]})
    with torch.no_grad():
        torch.testing.assert_close(mine(image), norm(convolution(image)), atol=1e-4, rtol=1e-4)
    del published["0.norm.running_mean"]
    with pytest.raises(ValueError, match="convolutions"):
        folded(published, wanted)
