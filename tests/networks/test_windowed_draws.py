"""A draw in windows is the draw of the whole image, for every kind of dropout and number of axes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product

import pytest
import torch
from monai.networks.nets import BasicUNet, UNet
from torch import nn

from caveat.networks.backbones.residual_unet import ResidualUNet
from caveat.networks.draws.draw import Draw, first_draws
from caveat.networks.draws.place import Place
from caveat.networks.draws.sampler import Sampler
from caveat.networks.samplers.dropout import DropoutSampler
from caveat.networks.samplers.dropout_network import DropoutNetwork
from caveat.networks.samplers.gaussian_logits import GaussianLogits
from caveat.networks.samplers.low_rank_logits import LowRankLogits


def border_free(dimensions: int, kind: type[nn.Module]) -> nn.Module:
    """Two dropout layers on a grid of two voxels a feature; nothing looks beyond its own feature."""
    convolution = {2: nn.Conv2d, 3: nn.Conv3d}[dimensions]
    back = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}[dimensions]
    torch.manual_seed(0)
    return nn.Sequential(
        convolution(1, 8, 2, stride=2), nn.ReLU(), kind(0.3), convolution(8, 8, 1), nn.ReLU(), kind(0.3), back(8, 2, 2, stride=2)
    ).eval()


def cut(size: Sequence[int], window: int, step: int) -> list[Place]:
    starts = product(*(range(0, extent - window + 1, step) for extent in size))
    return [Place(start, (window,) * len(size), tuple(size)) for start in starts]


def box(place: Place) -> tuple:
    return (..., *(slice(origin, origin + extent) for origin, extent in zip(place.origin, place.size, strict=True)))


def pieces(sampler: Sampler, study: torch.Tensor, draws: list[Draw], places: list[Place]) -> Iterator[tuple[Place, torch.Tensor]]:
    """Each window's place and logits, (draws, classes, *window)."""
    for first in range(0, len(places), 3):
        some = places[first : first + 3]
        windows = torch.cat([study[box(place)] for place in some])
        with torch.no_grad():
            logits = sampler.decode(sampler.encode(windows, some, None), draws, some, None)
        yield from zip(some, logits.unbind(1), strict=True)


def whole(sampler: Sampler, study: torch.Tensor, draws: list[Draw]) -> torch.Tensor:
    place = Place((0,) * (study.ndim - 2), tuple(study.shape[2:]), tuple(study.shape[2:]))
    return next(pieces(sampler, study, draws, [place]))[1]


@pytest.mark.parametrize(("dimensions", "window", "step"), [(2, 16, 16), (2, 16, 6), (2, 8, 2), (3, 8, 8), (3, 8, 4)])
@pytest.mark.parametrize("elementwise", [False, True])
def test_windows_of_a_border_free_network(dimensions: int, window: int, step: int, elementwise: bool) -> None:
    kind = nn.Dropout if elementwise else {2: nn.Dropout2d, 3: nn.Dropout3d}[dimensions]
    sampler = DropoutNetwork(border_free(dimensions, kind), probe_size=16)
    assert sampler.align == (2 if elementwise else 1)
    study, draws = torch.rand(1, 1, *[32 if dimensions == 2 else 16] * dimensions), first_draws(3)
    expected = whole(sampler, study, draws)
    for place, logits in pieces(sampler, study, draws, cut(study.shape[2:], window, step)):
        torch.testing.assert_close(logits, expected[box(place)], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("elementwise", [False, True])
@pytest.mark.parametrize("make", [UNet, BasicUNet])
def test_inside_the_windows_of_a_real_network(make: type[nn.Module], elementwise: bool) -> None:
    """Away from a window's border nothing but rounding is left, for networks that MONAI users train."""
    torch.manual_seed(0)
    if make is UNet:
        network, far, unit = UNet(2, 1, 2, channels=(4, 8), strides=(2,), num_res_units=1, norm="batch", dropout=0.3), 12, 2
    else:
        network, far, unit = BasicUNet(2, 1, 2, features=(4, 4, 4, 4, 4, 4), norm="batch", dropout=0.3), 144, 16
    if not elementwise:
        channelwise(network)
    sampler = DropoutNetwork(network)
    size, window = 4 * far, 3 * far
    study, draws = torch.rand(1, 1, size, size), first_draws(1)
    expected = whole(sampler, study, draws)
    inside = (..., slice(far, window - far), slice(far, window - far))
    for place, logits in pieces(sampler, study, draws, cut(study.shape[2:], window, far // unit * unit)):
        torch.testing.assert_close(logits[inside], expected[box(place)][inside], atol=1e-5, rtol=1e-5)


def channelwise(network: nn.Module) -> None:
    for module in list(network.modules()):
        for name, child in module.named_children():
            if type(child) is nn.Dropout:
                setattr(module, name, nn.Dropout2d(child.p))


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("kind", [DropoutSampler, GaussianLogits, LowRankLogits])
def test_inside_the_windows_of_our_own_backbone(kind: type[Sampler], dimensions: int) -> None:
    torch.manual_seed(0)
    sampler = kind(ResidualUNet(dimensions, 1, 2, channels=(4, 6), units=(1, 1), dropout=0.4)).eval()
    study, draws, far = torch.rand(1, 1, *[32] * dimensions), first_draws(2), 10
    expected = whole(sampler, study, draws)
    inside = (..., *[slice(far, 24 - far)] * dimensions)
    for place, logits in pieces(sampler, study, draws, cut(study.shape[2:], 24, 8)):
        torch.testing.assert_close(logits[inside], expected[box(place)][inside], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("window", [4, 8, 16, 32])
def test_the_spread_of_a_sum_does_not_depend_on_the_number_of_windows(window: int) -> None:
    """Torch's dropout loses it by the square root of their number: 64 windows of 4 voxels, an eighth of the spread is left."""
    network = border_free(2, nn.Dropout2d)
    study, draws, places = torch.rand(1, 1, 32, 32), first_draws(200), cut((32, 32), window, window)
    torch.manual_seed(0)
    plain = border_free(2, nn.Dropout2d)
    for module in plain.modules():
        module.train(isinstance(module, nn.Dropout2d))
    with torch.no_grad():
        windows = torch.cat([study[box(place)] for place in places])
        patchwork = torch.stack([plain(windows)[:, 1].sum() for _ in draws])
    sampler = DropoutNetwork(network, probe_size=16)
    ours = sum(logits[:, 1].sum(dim=(1, 2)) for _, logits in pieces(sampler, study, draws, places))
    in_one = whole(sampler, study, draws)[:, 1].sum(dim=(1, 2))
    assert float(ours.std()) == pytest.approx(float(in_one.std()), rel=1e-4)
    expected = float(in_one.std()) / math.sqrt(len(places))
    assert float(patchwork.std()) == pytest.approx(expected, rel=0.25)
