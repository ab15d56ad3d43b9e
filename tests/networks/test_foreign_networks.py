"""Networks of other people as members and under test-time augmentation: modes, encoders of their own, TorchScript."""

from __future__ import annotations

import pytest
import torch
from monai.networks import nets
from torch import nn
from torch.nn import functional as F

from caveat.inference.engine.inferer import SamplingInferer
from caveat.inference.reducers.moments import Moments
from caveat.networks.draws.draw import Draw, first_draws
from caveat.networks.draws.place import Place
from caveat.networks.draws.sampler import Sampler
from caveat.networks.samplers.dropout_network import DropoutNetwork
from caveat.networks.samplers.ensemble import Ensemble
from caveat.networks.samplers.slice_by_slice import OnSlices
from caveat.networks.samplers.test_time_augmentation import TestTimeAugmentation
from caveat.reasons import StudyRefused

PLACE = Place((0, 0), (16, 16), (16, 16))
WRAPPED = {
    "Ensemble": lambda network: Ensemble([network]),
    "TestTimeAugmentation": lambda network: TestTimeAugmentation(network, 2),
}


@pytest.fixture(params=WRAPPED)
def wrap(request: pytest.FixtureRequest):
    return WRAPPED[request.param]


def unet(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nets.UNet(2, 1, 2, channels=(4, 8), strides=(2,), num_res_units=1, norm="batch", dropout=0.3)


def measure(sampler: Sampler) -> torch.Tensor:
    torch.manual_seed(1)
    return SamplingInferer((16, 16), ["background", "object"], [Moments()])(torch.rand(1, 1, 24, 24), sampler)["pred"]


def test_each_module_gets_its_own_mode_back(wrap):
    """A wrapper is made in training mode around a network in evaluation mode: its flag says nothing of the network's."""
    network = unet().eval()
    sampler = wrap(network)
    assert sampler.training
    first = measure(sampler)
    assert sampler.training and not any(module.training for module in network.modules())
    assert torch.equal(first, measure(sampler))


def test_a_networks_own_encode_means_nothing_to_us(wrap):
    network = nets.SegResNet(2, init_filters=8, in_channels=1, out_channels=2, dropout_prob=0.2).eval()
    sampler = wrap(network).eval()
    windows = torch.rand(2, 1, 16, 16)
    torch.testing.assert_close(sampler.summary(sampler.encode(windows, [PLACE] * 2, None)), windows.mean(dim=(2, 3)))
    assert measure(sampler).shape == (1, 2, 24, 24)


@pytest.mark.parametrize("finish", [lambda traced: traced, torch.jit.freeze], ids=["traced", "frozen"])
def test_a_trace_in_evaluation_mode_is_taken(wrap, finish):
    network = unet().eval()
    traced = finish(torch.jit.trace(network, torch.rand(1, 1, 16, 16)))
    torch.testing.assert_close(measure(wrap(traced)), measure(wrap(network)), atol=1e-5, rtol=0)


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_a_trace_in_training_mode_draws_by_itself_and_is_refused(wrap):
    traced = torch.jit.trace(unet().train(), torch.rand(2, 1, 16, 16), check_trace=False)
    with pytest.raises(ValueError, match="UNet draws by itself"):
        measure(wrap(traced))


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_a_trace_that_moves_its_batch_statistics_is_refused(wrap):
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2)).train()
    with pytest.raises(ValueError, match="Sequential changes 1.running_mean"):
        measure(wrap(torch.jit.trace(network, torch.rand(2, 1, 16, 16))))


def test_functional_dropout_that_is_always_on_is_refused(wrap):
    class Forgetful(nn.Conv2d):
        def forward(self, windows: torch.Tensor) -> torch.Tensor:
            return F.dropout(super().forward(windows), 0.5)

    with pytest.raises(ValueError, match="Forgetful draws by itself"):
        measure(wrap(Forgetful(1, 2, 1)))


@pytest.mark.parametrize(
    "network,reason",
    [
        (nets.SegResNetDS2(2, 8, 1, 2, blocks_down=(1, 2, 2)), "SegResNetDS2 answers with a tuple"),
        (nn.Conv2d(1, 2, 1, stride=2), r"Conv2d answers windows of \(16, 16\) with a tensor of \(1, 2, 8, 8\)"),
        (nn.Conv2d(3, 2, 1), r"Conv2d does not run on windows of 1 x \(16, 16\)"),
    ],
    ids=["several answers", "another grid", "other channels"],
)
def test_what_is_no_segmentation_network_for_such_windows_is_refused_by_name(wrap, network, reason):
    with pytest.raises(ValueError, match=reason):
        measure(wrap(network))


def test_each_member_is_tried_on_one_window_once():
    calls = []

    class Counted(nn.Conv2d):
        def forward(self, windows: torch.Tensor) -> torch.Tensor:
            calls.append(len(windows))
            return super().forward(windows)

    sampler, windows = Ensemble([Counted(1, 2, 1), Counted(1, 2, 1)]).eval(), torch.rand(3, 1, 16, 16)
    for _ in range(2):
        sampler.decode(sampler.encode(windows, [PLACE] * 3, None), [Draw(1), Draw(1)], [PLACE] * 3, None)
    assert calls == [1, 1, 3, 3, 3, 3]


@pytest.mark.parametrize("script", [torch.jit.script, lambda network: torch.jit.trace(network, torch.rand(1, 1, 16, 16))])
def test_torchscript_has_no_layers_to_replace_and_the_adapter_says_so(script):
    with pytest.raises(StudyRefused, match="TORCHSCRIPT_LAYERS: UNet is TorchScript"):
        DropoutNetwork(script(unet().eval()))


def test_contrast_and_brightness_change_with_every_draw_but_the_first():
    sampler = TestTimeAugmentation(nn.Conv2d(1, 2, 1), 2, flip_axes=[0], intensity=0.1)
    study = torch.rand(1, 1, 16, 12, generator=torch.Generator().manual_seed(0))
    seen = [inverse(view) for view, inverse in (sampler.view(study, draw) for draw in first_draws(4, seed=3))]
    assert torch.equal(seen[0], study) and sampler.capacity is None
    for one in seen[1:]:
        slope, shift = torch.linalg.lstsq(torch.stack([study.flatten(), torch.ones(study.numel())], 1), one.flatten()).solution
        torch.testing.assert_close(one, slope * study + shift, atol=1e-4, rtol=0)  # a straight line, and back in its place
        assert 0.01 < (one - study).abs().max() < 0.5
    again, _ = sampler.view(study, Draw(2, seed=3))
    assert torch.equal(again, sampler.view(study, Draw(2, seed=3))[0]) and not torch.equal(seen[2], seen[3])
    assert not torch.equal(again, sampler.view(study, Draw(2, seed=4))[0])
    assert sampler.settings["intensity"] == 0.1


def test_a_network_of_slices_is_one_of_volumes():
    network, volume = unet().eval(), torch.rand(2, 1, 16, 16, 3)
    with torch.no_grad():
        found = OnSlices(network)(volume)
        expected = torch.stack([network(volume[..., number]) for number in range(3)], dim=-1)
    torch.testing.assert_close(found, expected)
