"""The backbone of slices: one answer for encode and decode together, small, nothing random before the decoder."""

from __future__ import annotations

import pytest
import torch

from caveat.networks.backbones.half_resolution_unet import HalfResolutionUNet
from caveat.networks.draws.draw import first_draws
from caveat.networks.draws.place import Place
from caveat.networks.samplers.dropout import DropoutSampler
from caveat.networks.samplers.sampler_ensemble import SamplerEnsemble
from caveat.networks.samplers.slice_by_slice import SliceBySlice


def small(dropout: float = 0.1) -> HalfResolutionUNet:
    torch.manual_seed(0)
    return HalfResolutionUNet(3, 2, channels=(4, 6, 8), dropout=dropout).eval()


def test_encode_and_decode_are_forward():
    windows = torch.randn(2, 3, 16, 24)
    network = small()
    with torch.no_grad():
        answer = network(windows)
        copies = network.decode(network.encode(windows), copies=3)
    assert answer.shape == (2, 2, 16, 24)
    torch.testing.assert_close(copies, answer.repeat(3, 1, 1, 1), atol=1e-6, rtol=1e-5)


def test_as_shipped_it_has_at_most_0_7_million_parameters():
    assert sum(parameter.numel() for parameter in HalfResolutionUNet(3, 2).parameters()) <= 700_000


def test_a_structure_is_rare_before_training():
    with torch.no_grad():
        share = small()(torch.zeros(1, 3, 16, 16)).softmax(dim=1)[:, 1].mean()
    assert 0.02 < float(share) < 0.3  # exp(-2) / (1 + exp(-2)) = 0.12


def test_a_window_off_the_stride_is_an_error():
    with pytest.raises(ValueError, match="stride 8"):
        small()(torch.zeros(1, 3, 20, 16))


def test_one_level_is_no_u_net():
    with pytest.raises(ValueError, match="two levels"):
        HalfResolutionUNet(1, 2, channels=(4,))


def test_dropout_draws_of_a_volume_differ_and_the_deterministic_pass_is_no_draw():
    sampler = SliceBySlice(DropoutSampler(small(0.5))).eval()
    windows, place = torch.randn(1, 3, 16, 16, 2), Place((0, 0, 0), (16, 16, 2), (16, 16, 2))
    with torch.no_grad():
        draws = sampler.decode(sampler.encode(windows, [place], None), first_draws(2, 0), [place], None)
        again = sampler.decode(sampler.encode(windows, [place], None), first_draws(2, 0), [place], None)
        mean = sampler(windows)
    assert draws.shape == (2, 1, 2, 16, 16, 2) and torch.equal(draws, again)
    assert not torch.allclose(draws[0], draws[1]) and not torch.allclose(draws[0], mean)


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning", "ignore::DeprecationWarning")
def test_an_ensemble_of_slices_compiles_to_torchscript():
    """Pixels are channels before the first convolution, and a window has an axis more than that convolution."""
    ensemble = SamplerEnsemble([SliceBySlice(DropoutSampler(small())) for _ in range(2)]).eval()
    window = torch.randn(1, 3, 16, 32, 4)
    with torch.no_grad():
        torch.testing.assert_close(torch.jit.script(ensemble)(window), ensemble(window), atol=1e-5, rtol=1e-4)
