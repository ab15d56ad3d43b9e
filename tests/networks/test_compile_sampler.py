"""What OpenVINO computes in place of torch: the same draws, and a reason where it cannot."""

from __future__ import annotations

import pytest
import torch
from monai.networks.nets import BasicUNet

from caveat.networks.backbones.half_resolution_unet import HalfResolutionUNet
from caveat.networks.backbones.residual_unet import ResidualUNet
from caveat.networks.compiled import openvino_function
from caveat.networks.compiled.compile_sampler import compile_sampler
from caveat.networks.compiled.openvino_function import OpenVINOFunction
from caveat.networks.draws.draw import first_draws
from caveat.networks.draws.place import Place
from caveat.networks.draws.sampler import Sampler
from caveat.networks.samplers.dropout import DropoutSampler
from caveat.networks.samplers.ensemble import Ensemble
from caveat.networks.samplers.sampler_ensemble import SamplerEnsemble
from caveat.networks.samplers.slice_by_slice import SliceBySlice
from caveat.networks.samplers.test_time_augmentation import TestTimeAugmentation
from caveat.reasons import StudyRefused


def ensemble() -> Ensemble:
    return Ensemble([ResidualUNet(3, 1, 3, channels=(4, 6), units=(1, 1)) for _ in range(2)])


def of_others() -> Ensemble:
    return Ensemble([BasicUNet(3, 1, 2, features=(4, 4, 8, 8, 8, 4)) for _ in range(2)])


def dropout() -> DropoutSampler:
    return DropoutSampler(ResidualUNet(3, 1, 2, channels=(4, 6, 8), units=(1, 1, 1), dropout=0.5))


def slices() -> SamplerEnsemble:
    return SamplerEnsemble([SliceBySlice(DropoutSampler(HalfResolutionUNet(1, 2, dropout=0.3))) for _ in range(2)])


SAMPLERS = {"ensemble": ensemble, "members of others": of_others, "dropout": dropout, "slices": slices}


@pytest.fixture(params=SAMPLERS)
def sampler(request) -> Sampler:
    torch.manual_seed(0)
    return SAMPLERS[request.param]().eval()


@torch.no_grad()
def draws_of(sampler: Sampler, study: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits of two draws of one window, and its summary."""
    size = tuple(study.shape[2:])
    places, context = [Place((0,) * 3, size, size)], sampler.begin(study)
    features = sampler.encode(study, places, context)
    return sampler.decode(features, first_draws(2, 0), places, context), sampler.summary(features)


def test_the_draws_and_the_gates_features_are_torchs(sampler):
    compiled = compile_sampler(sampler)
    for size in ((32, 32, 16), (32, 16, 16)):  # each shape is compiled by itself
        study = torch.randn(1, 1, *size)
        for ours, theirs in zip(draws_of(compiled, study), draws_of(sampler, study), strict=True):
            torch.testing.assert_close(ours, theirs, atol=2e-5, rtol=1e-5)


def test_the_sampler_itself_is_left_alone(sampler):
    names, kind = list(sampler.state_dict()), [type(module) for module in sampler.modules()]
    compile_sampler(sampler)
    assert list(sampler.state_dict()) == names and [type(module) for module in sampler.modules()] == kind


def test_float32_is_never_quietly_computed_in_half_precision():
    torch.manual_seed(0)
    network, windows = torch.nn.Conv3d(8, 8, 3, padding=1).eval(), torch.randn(1, 8, 16, 16, 16)
    with torch.no_grad():
        exact = network(windows)
        (found,) = OpenVINOFunction(network, "float32")(windows)
    assert (found - exact).abs().max() < 1e-5


def test_shapes_are_compiled_once_and_not_kept_for_ever(monkeypatch):
    monkeypatch.setattr(openvino_function, "SHAPES_KEPT", 2)
    function = OpenVINOFunction(torch.nn.ReLU())
    for length in (1, 2, 1, 3):
        function(torch.randn(1, length))
    assert [shape[0][1] for shape in function._compiled] == [1, 3]


def test_a_sampler_with_nothing_to_compile_is_refused():
    with pytest.raises(StudyRefused, match="TestTimeAugmentation"):
        compile_sampler(TestTimeAugmentation.example())


def test_without_openvino_the_reason_says_what_to_install(monkeypatch):
    monkeypatch.setattr(openvino_function, "find_spec", lambda name: None)
    with pytest.raises(StudyRefused, match=r"caveat\[openvino\]"):
        compile_sampler(ensemble().eval())
