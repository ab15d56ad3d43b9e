"""The adapter: which networks it takes, what it changes in them, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from monai.networks import nets
from monai.networks.layers.drop_path import DropPath
from torch import nn
from torch.nn import functional as F

from caveat.networks.draws.consistent_dropout import ConsistentDropout
from caveat.networks.draws.draw import first_draws
from caveat.networks.draws.place import Place
from caveat.networks.samplers.dropout_network import DropoutNetwork

TAKEN: dict[str, tuple[Callable[[int], nn.Module], int, int]] = {
    # name: (make, layers, align)
    "UNet": (lambda d: nets.UNet(d, 1, 2, channels=(4, 8, 16), strides=(2, 2), num_res_units=2, dropout=0.2), 9, 4),
    "BasicUNet": (lambda d: nets.BasicUNet(d, 1, 2, features=(4, 4, 8, 8, 8, 4), dropout=0.2), 18, 16),
    "SegResNet": (lambda d: nets.SegResNet(d, init_filters=8, in_channels=1, out_channels=2, dropout_prob=0.2), 1, 1),
    "DynUNet": (
        lambda d: nets.DynUNet(
            d, 1, 2, kernel_size=[3] * 4, strides=[1, 2, 2, 2], upsample_kernel_size=[2] * 3, filters=[4, 8, 8, 8], dropout=0.2
        ),
        17,
        8,
    ),
    "VNet": (lambda d: nets.VNet(d, 1, 2, dropout_prob_down=0.2, dropout_prob_up=(0.2, 0.2), dropout_dim=d), 8, 1),
    "AttentionUnet": (lambda d: nets.AttentionUnet(d, 1, 2, channels=(4, 8, 16), strides=(2, 2), dropout=0.2), 8, 4),
}


def places(dimensions: int) -> list[Place]:
    size, study = (32, 16, 16)[:dimensions], (64, 32, 32)[:dimensions]
    return [Place((0,) * dimensions, size, study), Place((32, 16, 0)[:dimensions], size, study)]


@pytest.fixture(params=[2, 3], ids=["2-D", "3-D"])
def dimensions(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture(params=TAKEN)
def taken(request: pytest.FixtureRequest, dimensions: int) -> tuple[nn.Module, int, int]:
    make, layers, align = TAKEN[request.param]
    torch.manual_seed(0)
    return make(dimensions), layers, align


@torch.no_grad()
def test_networks_of_monai(taken: tuple[nn.Module, int, int], dimensions: int) -> None:
    """Draws differ, repeat and leave no trace; with dropout off the network answers as before."""
    network, layers, align = taken
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    windows, where, draws = torch.rand(2, 1, *places(dimensions)[0].size), places(dimensions), first_draws(2)
    expected = network.eval()(windows)
    sampler = DropoutNetwork(network)
    assert torch.equal(sampler(windows), expected)
    assert (len(sampler.layers), sampler.align) == (layers, align)
    logits = sampler.decode(sampler.encode(windows, where, None), draws, where, None)
    assert logits.shape == (2, *expected.shape)
    assert (logits[0] - logits[1]).abs().max() > 1e-2
    assert torch.equal(logits, sampler.decode(windows, draws, where, None))
    assert not any(isinstance(module, nn.modules.dropout._DropoutNd) and module.p > 0 for module in network.modules())
    after = network.state_dict()
    assert list(after) == list(state) and all(torch.equal(after[name], state[name]) for name in state)
    network.load_state_dict(state)


def test_a_layer_on_the_logits_that_also_works_elsewhere_stays() -> None:
    shared = nn.Dropout2d(0.5)
    sampler = DropoutNetwork(nn.Sequential(nn.Conv2d(1, 4, 1), shared, nn.Conv2d(4, 2, 1), shared))
    assert sampler.taken_out == () and len(sampler.layers) == 1


def test_dropout_on_the_logits_is_taken_out(dimensions: int) -> None:
    sampler = DropoutNetwork(TAKEN["DynUNet"][0](dimensions))
    assert sampler.taken_out == ("output_block.conv.adn.D",)
    assert DropoutNetwork(nets.HighResNet(dimensions, 1, 2, dropout_prob=0.2)).taken_out == ("blocks.11.adn.D",)
    assert type(sampler.network.output_block.conv.adn.D) is nn.Identity
    assert DropoutNetwork(TAKEN["UNet"][0](dimensions)).taken_out == ()


def test_the_kind_of_dropout_is_kept() -> None:
    network = nn.Sequential(
        nn.Conv2d(1, 4, 1), nn.Dropout(0.1), nn.Dropout2d(0.2), nn.Dropout3d(0.3), nn.Dropout1d(0.4), nn.Conv2d(4, 2, 1)
    )
    layers = DropoutNetwork(network).layers
    assert [(layer.p, layer.elementwise) for layer in layers] == [(0.1, True), (0.2, False), (0.3, False), (0.4, False)]


def test_a_layer_used_twice_stays_one_layer() -> None:
    shared = nn.Dropout2d(0.5)
    sampler = DropoutNetwork(nn.Sequential(nn.Conv2d(1, 4, 1), shared, nn.Conv2d(4, 4, 1), shared, nn.Conv2d(4, 2, 1)))
    assert len(sampler.layers) == 1 and sampler.network[1] is sampler.network[3]


def test_batch_normalisation_never_leaves_evaluation_mode() -> None:
    sampler = DropoutNetwork(TAKEN["VNet"][0](2))
    nn.ModuleList([sampler]).train()
    assert not any(module.training for module in sampler.modules())
    sampler.network.train()
    with pytest.raises(ValueError, match="evaluation mode"):
        sampler.decode(torch.rand(2, 1, 32, 32), first_draws(1), places(2), None)


def test_consistent_layers_that_are_there_already_are_used() -> None:
    sampler = DropoutNetwork(nn.Sequential(nn.Conv2d(1, 4, 1), ConsistentDropout(0.5), nn.Conv2d(4, 2, 1)))
    assert len(sampler.layers) == 1


class TestAlignment:
    def network(self) -> nn.Module:
        down, up = nn.Conv2d(1, 4, (2, 3), stride=(2, 3)), nn.ConvTranspose2d(4, 2, (2, 3), stride=(2, 3))
        return nn.Sequential(down, nn.Dropout(0.5), up)

    def test_is_a_multiple_of_the_strides_of_all_axes(self) -> None:
        assert DropoutNetwork(self.network(), probe_size=48).align == 6

    def test_may_be_given(self) -> None:
        assert DropoutNetwork(self.network(), probe_size=48, align=12).align == 12
        with pytest.raises(ValueError, match="multiple of 6"):
            DropoutNetwork(self.network(), probe_size=48, align=4)

    @pytest.mark.parametrize("place", [Place((3, 0), (12, 12), (24, 24)), Place((0, 0), (12, 9), (24, 24))])
    def test_windows_off_it_are_refused(self, place: Place) -> None:
        sampler = DropoutNetwork(self.network(), probe_size=48)
        with pytest.raises(ValueError, match="multiples of 6"):
            sampler.decode(torch.rand(1, 1, *place.size), first_draws(1), [place], None)


class Wrapped(nn.Module):
    """A convolution, what is tried, a convolution."""

    def __init__(self, tried: nn.Module | Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.before, self.after = nn.Conv2d(1, 8, 4, 4), nn.ConvTranspose2d(8, 2, 4, 4)
        self.tried = tried

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.after(self.tried(self.before(x)))


class Attention(nn.Module):
    """Attention over tokens, with dropout in one of four places."""

    def __init__(self, inside: float = 0.0, weights: float = 0.0, tokens: float = 0.0, channels_last: float = 0.0) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, dropout=inside, batch_first=True)
        self.weights, self.tokens, self.channels_last = nn.Dropout(weights), nn.Dropout(tokens), nn.Dropout(channels_last)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens = self.tokens(x.flatten(2).transpose(1, 2))  # (B, tokens, channels)
        mixed, _ = self.attention(tokens, tokens, tokens, need_weights=False)
        similar = self.weights((tokens @ tokens.transpose(1, 2)).softmax(-1).unsqueeze(1))  # (B, 1, tokens, tokens)
        answer = (mixed + similar.squeeze(1) @ tokens).transpose(1, 2).reshape(x.shape)
        return self.channels_last(answer.movedim(1, -1)).movedim(-1, 1)


class FunctionalDropout(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.dropout(x, 0.5, self.training)


class AlwaysRandom(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.randn_like(x)


class TwoAnswers(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.dropout = nn.Conv2d(1, 2, 1), nn.Dropout(0.5)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        return [self.convolution(self.dropout(x))] * 2


REFUSED = {
    "AlphaDropout": (lambda: Wrapped(nn.AlphaDropout(0.1)), r"tried \(AlphaDropout\)"),
    "FeatureAlphaDropout": (lambda: Wrapped(nn.FeatureAlphaDropout(0.1)), r"tried \(FeatureAlphaDropout\)"),
    "DropPath": (lambda: Wrapped(DropPath(0.1)), r"tried \(DropPath\)"),
    "RReLU": (lambda: Wrapped(nn.RReLU()), r"tried \(RReLU\)"),
    "functional dropout": (lambda: Wrapped(FunctionalDropout()), r"tried \(FunctionalDropout\)"),
    "noise in evaluation mode": (lambda: Wrapped(AlwaysRandom()), r"tried \(AlwaysRandom\)"),
    "dropout inside attention": (lambda: Wrapped(Attention(inside=0.1)), r"tried\.attention \(MultiheadAttention\)"),
    "dropout on attention weights": (lambda: Wrapped(Attention(weights=0.1)), r"tried\.weights masks"),
    "dropout on tokens": (lambda: Wrapped(Attention(tokens=0.1)), r"tried\.tokens masks"),
    "dropout on channels-last tokens": (lambda: Wrapped(Attention(channels_last=0.1)), r"tried\.channels_last masks"),
    "no dropout": (lambda: Wrapped(nn.Identity()), "every draw would be the same"),
    "dropout with p = 0": (lambda: Wrapped(nn.Dropout(0.0)), "every draw would be the same"),
    "dropout on the logits alone": (lambda: nn.Sequential(nn.Conv2d(1, 2, 1), nn.Dropout(0.5)), "every draw would be the same"),
    "two answers": (TwoAnswers, "TwoAnswers answers with a list"),
    "a smaller answer": (
        lambda: nn.Sequential(nn.Conv2d(1, 2, 2, 2), nn.Dropout(0.5)),
        r"answered with a tensor of \(2, 2, 32, 32\)",
    ),
    "no convolution": (lambda: nn.Sequential(nn.Dropout(0.5), nn.ReLU()), "no convolution"),
    "p = 1": (lambda: Wrapped(nn.Dropout(1.0)), "p must be"),
    "SegResNetDS": (lambda: nets.SegResNetDS(2, init_filters=8, in_channels=1, out_channels=2), "no dropout"),
    "BasicUNetPlusPlus": (
        lambda: nets.BasicUNetPlusPlus(2, 1, 2, features=(4, 4, 8, 8, 8, 4), dropout=0.2),
        "answers with a list",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_by_name(case: str) -> None:
    make, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        DropoutNetwork(make())


def test_attention_without_dropout_is_taken() -> None:
    network = nn.Sequential(Wrapped(Attention()), nn.Dropout2d(0.5), nn.Conv2d(2, 2, 1))
    assert len(DropoutNetwork(network).layers) == 1


def test_a_network_that_does_not_run_on_the_probe_is_refused_with_its_own_words() -> None:
    with pytest.raises(ValueError, match=r"UNet does not run on windows of 1 x \(6, 6\)"):
        DropoutNetwork(TAKEN["UNet"][0](2), probe_size=6)


def test_nothing_is_computed_in_the_probe() -> None:
    """The network may be large and the probe too: only shapes travel."""
    network = nn.Sequential(nn.Conv3d(1, 64, 3, padding=1), nn.Dropout3d(0.1), nn.Conv3d(64, 2, 3, padding=1))
    assert DropoutNetwork(network, probe_size=1024).align == 1


@pytest.mark.parametrize("strides, elements", [((2, 2), 8), ((1, 2), 32)])
def test_as_many_draws_share_a_pass_as_the_largest_feature_map_allows(strides: tuple[int, int], elements: int) -> None:
    """Two times sixteen channels where the skip joins, at half the resolution of the windows in both axes, or at the whole."""
    network = nets.UNet(2, 1, 2, channels=(16, 8, 8), strides=strides, num_res_units=1, norm="batch", dropout=0.5)
    assert DropoutNetwork(network, probe_size=32).voxel_bytes == 4 * elements
