"""The backbone: one answer for encode and decode together, and most of the work before the draws."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from caveat.networks.backbones.residual_unet import ResidualUNet


@pytest.mark.parametrize("dimensions,size", [(2, (32, 48)), (3, (16, 8, 24))])
def test_encode_and_decode_are_forward(dimensions, size):
    torch.manual_seed(0)
    network = ResidualUNet(dimensions, 3, 2, channels=(4, 6, 8), units=(1, 1, 2)).eval()
    windows = torch.randn(2, 3, *size)
    with torch.no_grad():
        answer = network(windows)
        copies = network.decode(network.encode(windows), copies=3)
    assert answer.shape == (2, 2, *size)
    torch.testing.assert_close(copies, answer.repeat(3, *[1] * (dimensions + 1)), atol=1e-6, rtol=1e-5)


def test_a_window_off_the_stride_is_an_error():
    with pytest.raises(ValueError, match="stride 8"):
        ResidualUNet(2, 1, 2)(torch.zeros(1, 1, 36, 32))


def test_as_shipped_it_is_small_and_encoding_is_most_of_the_work():
    network = ResidualUNet(2, 4, 2).eval()
    assert sum(parameter.numel() for parameter in network.parameters()) <= 1_000_000
    windows = torch.zeros(1, 4, 64, 64)
    with torch.no_grad():
        with FlopCounterMode(display=False) as encoding:
            features = network.encode(windows)
        with FlopCounterMode(display=False) as decoding:
            network.decode(features)
    assert encoding.get_total_flops() > 3 * decoding.get_total_flops()


def test_nothing_random_lies_before_decode():
    network = ResidualUNet(2, 1, 2, channels=(4, 6), units=(1, 1), dropout=0.5)
    network.train()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eval()
    windows = torch.randn(1, 1, 16, 16)
    with torch.no_grad():
        first, second = network.encode(windows), network.encode(windows)
        assert all(torch.equal(a, b) for a, b in zip(first, second))
        assert not torch.equal(network.decode(first), network.decode(first))


def test_weights_have_the_same_names_wherever_dropout_sits():
    names = [
        ResidualUNet(2, 1, 2, channels=(4, 6, 8), units=(1, 1, 1), dropout=p).state_dict().keys() for p in (0.2, (0, 0.5), [0, 0])
    ]
    assert names[0] == names[1] == names[2]


@pytest.mark.parametrize(("dropout", "differs"), [((0.0, 0.5), True), ((0.5, 0.0), True), ((0.0, 0.0), False)])
def test_dropout_sits_in_the_levels_that_are_named(dropout, differs):
    torch.manual_seed(0)
    network = ResidualUNet(2, 1, 2, channels=(8, 8, 8), units=(1, 1, 1), dropout=dropout)
    assert [layer.p for layer in network.dropout] == list(dropout)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eval()
    windows = torch.randn(1, 1, 8, 8)
    with torch.no_grad():
        assert torch.equal(network(windows), network(windows)) != differs


def test_a_dropout_for_every_level_or_for_none():
    with pytest.raises(ValueError, match="3 decoder levels, but 2"):
        ResidualUNet(2, 1, 2, dropout=(0.1, 0.2))


def test_the_head_sees_the_features_of_decode():
    network = ResidualUNet(2, 1, 2, channels=(4, 6), units=(1, 1)).eval()
    with torch.no_grad():
        encoded = network.encode(torch.rand(2, 1, 8, 8))
        fine = network.decode_features(encoded, copies=3)
        assert fine.shape == (6, 4, 8, 8)
        assert torch.equal(network.head(fine), network.decode(encoded, copies=3))
