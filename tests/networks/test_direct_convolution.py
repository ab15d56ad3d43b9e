"""The faster way of a convolution gives the answer of torch's own."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from caveat.networks.backbones.direct_convolution import DirectConvolution


@pytest.mark.parametrize(
    "options",
    [
        {"kernel_size": 3, "padding": 1},
        {"kernel_size": 3, "padding": "same", "dilation": 2},
        {"kernel_size": (3, 1, 5), "padding": (1, 0, 2), "stride": (2, 1, 1), "bias": False},
        {"kernel_size": 3, "padding": 1, "padding_mode": "reflect", "groups": 2},
        {"kernel_size": 1},
    ],
    ids=str,
)
@pytest.mark.parametrize("windows", [1, 2])
def test_convolutions_are_those_of_torch(windows, options):
    torch.manual_seed(0)
    layer, batch = nn.Conv3d(4, 6, **options), torch.randn(windows, 4, 9, 10, 8)
    with torch.no_grad():
        expected = layer(batch)
        with DirectConvolution():
            found = layer(batch)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-6)


def test_a_small_window_alone_runs_in_onednn():
    layer, window = nn.Conv3d(4, 6, 3, padding=1), torch.randn(1, 4, 9, 10, 8)
    with torch.no_grad(), torch.profiler.profile() as profile, DirectConvolution():
        layer(window)
    assert any("mkldnn_convolution" in event.name for event in profile.events())


@pytest.mark.parametrize(
    "options",
    [
        {"kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1},
        {"kernel_size": 2, "stride": 2, "bias": False},
        {"kernel_size": 3, "padding": 1, "groups": 2, "dilation": 2},
    ],
    ids=str,
)
@pytest.mark.parametrize("channels", [2, 6])
@pytest.mark.parametrize("windows", [1, 2])
def test_transposed_convolutions_are_those_of_torch(windows, channels, options):
    torch.manual_seed(0)
    layer, batch = nn.ConvTranspose3d(4, channels, **options), torch.randn(windows, 4, 5, 6, 4)
    with torch.no_grad():
        expected = layer(batch)
        with DirectConvolution():
            found = layer(batch)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("channels, calls", [(3, 4), (16, 1)])
def test_windows_pass_one_by_one_where_a_transposed_convolution_answers_with_few_channels(channels, calls):
    layer, windows = nn.ConvTranspose3d(8, channels, 3, 2, 1, 1), torch.randn(4, 8, 6, 6, 6)
    with torch.no_grad(), torch.profiler.profile() as profile, DirectConvolution():
        layer(windows)
    assert sum(event.name == "aten::conv_transpose3d" for event in profile.events()) == calls
