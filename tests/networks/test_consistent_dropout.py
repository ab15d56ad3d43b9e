"""Consistent dropout: torch's own in training, one mask a draw otherwise."""

from __future__ import annotations

import math
from itertools import product

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from caveat.networks.draws.consistent_dropout import ConsistentDropout, drawing, name_layers
from caveat.networks.draws.draw import first_draws
from caveat.networks.draws.hash_noise import layer_key, uniform, uniform_on_grid
from caveat.networks.draws.place import Place


def one_layer(p: float = 0.5, elementwise: bool = False) -> nn.Sequential:
    network = nn.Sequential(nn.Identity(), ConsistentDropout(p, elementwise)).eval()
    name_layers(network)
    return network


def drawn(network: nn.Module, x: torch.Tensor, draws: list, places: list[Place]) -> torch.Tensor:
    layers = [module for module in network.modules() if isinstance(module, ConsistentDropout)]
    with drawing(layers, draws, places):
        return network(x)


def place(origin: tuple[int, ...], extent: int = 8, study: int = 64) -> Place:
    return Place(origin, (extent,) * len(origin), (study,) * len(origin))


@pytest.mark.parametrize(
    ("shape", "channelwise"), [((2, 6, 5), F.dropout1d), ((2, 6, 5, 5), F.dropout2d), ((2, 6, 5, 5, 5), F.dropout3d)]
)
@pytest.mark.parametrize("elementwise", [False, True])
def test_training_is_the_dropout_of_torch(shape: tuple[int, ...], channelwise, elementwise: bool) -> None:
    layer, x = ConsistentDropout(0.3, elementwise).train(), torch.rand(shape)
    torch.manual_seed(5)
    ours = layer(x)
    torch.manual_seed(5)
    assert torch.equal(ours, F.dropout(x, 0.3) if elementwise else channelwise(x, 0.3))


@pytest.mark.parametrize("elementwise", [False, True])
def test_evaluation_is_the_identity_unless_something_is_drawn(elementwise: bool) -> None:
    network, x = one_layer(elementwise=elementwise), torch.rand(2, 4, 8, 8)
    assert network(x) is x
    assert not torch.equal(drawn(network, x, first_draws(1), [place((0, 0))] * 2), x)
    assert network(x) is x


def test_the_context_ends_also_after_an_error() -> None:
    network = one_layer()
    with pytest.raises(RuntimeError), drawing([network[1]], first_draws(1), [place((0, 0))]):
        raise RuntimeError
    assert network[1].drawn is None


def test_a_layer_without_a_key_is_refused() -> None:
    with pytest.raises(ValueError, match="name_layers"), drawing([ConsistentDropout(0.5)], first_draws(1), []):
        pass


@pytest.mark.parametrize("p", [-0.1, 1.0, math.nan])
def test_no_probability(p: float) -> None:
    with pytest.raises(ValueError, match="p must be"):
        ConsistentDropout(p)


def test_keys_are_the_layers_names() -> None:
    network = nn.ModuleDict({"up": nn.ModuleList([ConsistentDropout(0.1), ConsistentDropout(0.2)])})
    assert [layer.key for layer in name_layers(network)] == [layer_key("up.0"), layer_key("up.1")]


def test_channel_mask_by_hand() -> None:
    """Draw-major: windows of one draw share its mask, and what is kept is scaled."""
    p, draws, places = 0.3, first_draws(3, seed=4), [place((0, 0)), place((8, 16))]
    x = torch.rand(6, 16, 8, 8) + 1
    y = drawn(one_layer(p), x, draws, places)
    for number, draw in enumerate(draws):
        for window in range(2):
            for channel in range(16):
                kept = float(uniform(draw.key, layer_key("1"), channel)) >= p
                expected = x[2 * number + window, channel] / (1 - p) if kept else torch.zeros(8, 8)
                torch.testing.assert_close(y[2 * number + window, channel], expected)


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_element_mask_by_hand(dimensions: int) -> None:
    """Each element's fate is that of its global feature coordinate: here a feature is two voxels wide."""
    p, draws = 0.4, first_draws(2)
    places = [place((16,) * dimensions), place((8,) + (0,) * (dimensions - 1))]
    x = torch.ones(4, 3, *[4] * dimensions)
    y = drawn(one_layer(p, elementwise=True), x, draws, places)
    for (number, draw), (window, where), channel in product(enumerate(draws), enumerate(places), range(3)):
        for feature in product(range(4), repeat=dimensions):
            coordinate = [origin // 2 + offset for origin, offset in zip(where.origin, feature, strict=True)]
            numbers = uniform_on_grid((draw.key, layer_key("1"), channel), [torch.tensor(index) for index in coordinate])
            kept = float(numbers) >= p
            assert float(y[(2 * number + window, channel, *feature)]) == pytest.approx(1 / (1 - p) if kept else 0.0)


@pytest.mark.parametrize("elementwise", [False, True])
def test_a_layer_that_is_called_twice_masks_anew(elementwise: bool) -> None:
    """As torch's does: a network may own one dropout layer and call it on every level."""
    network, x, where = one_layer(elementwise=elementwise), torch.ones(1, 64, 4, 4), [place((0, 0))]
    with drawing([network[1]], first_draws(1), where):
        first, second = network(x), network(x)
    with drawing([network[1]], first_draws(1), where):
        again = [network(x), network(x)]
    assert not torch.equal(first, second)
    assert torch.equal(first, again[0]) and torch.equal(second, again[1])


def test_element_masks_agree_where_windows_overlap() -> None:
    network, draws = one_layer(elementwise=True), first_draws(2)
    whole = drawn(network, torch.ones(2, 3, 64, 64), draws, [place((0, 0), extent=64)])
    window = drawn(network, torch.ones(2, 3, 24, 24), draws, [place((40, 8), extent=24)])
    assert torch.equal(window, whole[:, :, 40:64, 8:32])


@pytest.mark.parametrize("where", [Place((3, 0), (8, 8), (64, 64)), Place((0, 0), (6, 8), (64, 64))])
def test_windows_off_the_feature_grid_are_refused(where: Place) -> None:
    with pytest.raises(ValueError, match="study's grid"):
        drawn(one_layer(elementwise=True), torch.ones(1, 1, 4, 4), first_draws(1), [where])


@pytest.mark.parametrize("elementwise", [False, True])
@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_rate_is_p_and_the_mean_is_kept(elementwise: bool, p: float) -> None:
    draws = first_draws(2000)
    y = drawn(one_layer(p, elementwise), torch.ones(2000, 8, 2), draws, [Place((0,), (2,), (2,))])
    independent = y.numel() if elementwise else y[..., 0].numel()
    assert abs(float((y == 0).double().mean()) - p) < 4 * math.sqrt(p * (1 - p) / independent)
    assert abs(float(y.double().mean()) - 1) < 4 * math.sqrt(p / (1 - p) / independent)


@pytest.mark.parametrize("elementwise", [False, True])
def test_layers_draws_and_seeds_have_masks_of_their_own(elementwise: bool) -> None:
    network = nn.ModuleList([ConsistentDropout(0.5, elementwise), ConsistentDropout(0.5, elementwise)]).eval()
    name_layers(network)
    x, where = torch.ones(1, 64, 4, 4), [place((0, 0))]
    masks = [drawn(layer, x, [draw], where) for layer in network for seed in (0, 1) for draw in first_draws(2, seed)]
    assert all(not torch.equal(one, other) for number, one in enumerate(masks) for other in masks[:number])


@pytest.mark.parametrize("elementwise", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_type_and_layout_change_nothing(elementwise: bool, dtype: torch.dtype) -> None:
    network, x, where = one_layer(0.25, elementwise), torch.rand(2, 8, 8, 8).to(dtype), [place((8, 8))]
    y = drawn(network, x, first_draws(2), where)
    assert y.dtype == dtype
    assert torch.equal(y, drawn(network, x.to(memory_format=torch.channels_last), first_draws(2), where))
    assert torch.equal(y == 0, drawn(network, x.float(), first_draws(2), where) == 0)
