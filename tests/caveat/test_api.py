"""caveat from Python: what the command line says, and draws beside MONAI's windows."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from lesion_bundle import small_bundle
from monai.data import MetaTensor
from monai.transforms import LoadImage
from phantoms import write_lung_crop
from wrapping import STATED, network_options, unet, wrap, write_image

import caveat
from caveat.bundle_folders import ALLOW_LIST, CONFIG_HOME
from caveat.cli import main
from caveat.inference.engine.inferer import SamplingInferer
from caveat.inference.reducers.moments import Moments
from caveat.networks.samplers.dropout_network import DropoutNetwork
from caveat.networks.samplers.ensemble import Ensemble
from caveat.networks.samplers.test_time_augmentation import TestTimeAugmentation


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A wrapped bundle, an image, and what the command line makes of it in two draws."""
    place = tmp_path_factory.mktemp("api")
    torch.save(unet(dropout=0.3).state_dict(), place / "weights.pt")
    bundle = wrap(place / "mine", *network_options(place / "weights.pt", dropout=0.3), *STATED)
    write_image(place / "one.nii.gz")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CONFIG_HOME, str(place / "config"))
        asked = ["--draws", "2", "--device", "cpu", "--workers", "0"]
        assert main(["predict", str(bundle), *asked, "-i", str(place / "one.nii.gz"), "-o", str(place / "out")]) == 0
    return place


@pytest.fixture
def bundle(folder, monkeypatch) -> caveat.Bundle:
    monkeypatch.setenv(CONFIG_HOME, str(folder / "config"))
    return caveat.load(folder / "mine", draws=2, device="cpu")


def test_a_bundle_says_what_the_command_line_says(bundle, folder):
    result = bundle.measure(folder / "one.nii.gz")
    stored = json.loads((folder / "out" / "one" / "result.json").read_text())
    assert [answer["statement"] for answer in stored["answers"]] == [one.statement for one in result.answers.values()]
    np.testing.assert_allclose(result["front volume"].draws, stored["answers"][0]["draws"]["values"], rtol=1e-5)
    assert result["front volume"] == result.first and result.first.interval is None
    assert result.status == "OK" and set(result.to_dict()) <= set(stored)
    assert result.segmentation.shape[1:] == result.maps["entropy"].shape[1:] == LoadImage()(folder / "one.nii.gz").shape
    assert result.statement in result.report().replace("\n", "") or "Front" in result.report()


def test_a_volume_of_monais_own_loader_has_its_units(bundle, folder):
    image = LoadImage(ensure_channel_first=True)(folder / "one.nii.gz")
    in_memory, from_file = bundle.measure(image), bundle.measure(folder / "one.nii.gz")
    assert in_memory.first.unit == "mL" and in_memory.first.draws == from_file.first.draws
    assert in_memory.to_dict()["input"]["spacing_source"] == "the MetaTensor's affine"


def test_a_lesion_has_its_hypotheses_to_choose_from(tmp_path, monkeypatch):
    monkeypatch.setenv(ALLOW_LIST, str(tmp_path))
    image = write_lung_crop(tmp_path / "one.nii.gz", seed=1)
    result = caveat.load(small_bundle(tmp_path), device="cpu").measure(image)
    assert len(result.hypotheses) == len(result.to_dict()["hypotheses"]) > 0, "what the bundle does after the input's grid"


def test_a_study_may_state_its_own_point(bundle, folder):
    image = folder / "one.nii.gz"
    around = bundle.measure(image, point=(7, 6, 10)).to_dict()["input"]["crop"]
    assert around == {"source": "point", "box_mm": [1.5, 13.5, 0.5, 12.5, 5.0, 17.0]}
    assert "crop" not in bundle.measure(image).to_dict()["input"], "the bundle is as it was"
    with pytest.raises(caveat.StudyRefused, match="ROI_OUTSIDE_IMAGE"):
        bundle.measure(image, point=(100, 0, 0))


def test_studies_in_threads_are_those_of_one_after_the_other(bundle, folder):
    """A network holds the draw it is at: that of another thread would mask this one's study, or none."""
    alone = bundle.measure(folder / "one.nii.gz").to_dict()["answers"]
    with ThreadPoolExecutor(3) as threads:
        found = list(threads.map(bundle.measure, [folder / "one.nii.gz"] * 6))
    assert all(one.to_dict()["answers"] == alone for one in found)


def test_draws_are_kept_where_asked_for(folder, monkeypatch):
    monkeypatch.setenv(CONFIG_HOME, str(folder / "config"))
    result = caveat.load(folder / "mine", draws=2, device="cpu", keep_draws=True).measure(folder / "one.nii.gz")
    assert result.draws.shape == (2, 16, 14, 12) and not torch.equal(*result.draws)
    assert result.hypotheses is None and "samples" not in result.maps


@pytest.mark.parametrize(
    "image,code",
    [
        (MetaTensor(torch.rand(3, 8, 8)), "WRONG_USAGE"),
        (MetaTensor(torch.rand(2, 24, 24, 24)), "WRONG_CHANNELS"),
        (MetaTensor(torch.zeros(1, 24, 24, 24)), "CONSTANT_IMAGE"),
        (MetaTensor(torch.full((1, 24, 24, 24), torch.nan)), "NON_FINITE_VOXELS"),
        (MetaTensor(torch.rand(1, 24, 24, 24), affine=torch.diag(torch.tensor([0.0, 1, 1, 1]))), "SINGULAR_AFFINE"),
    ],
)
def test_what_cannot_be_measured_is_refused(image, code, bundle):
    with pytest.raises(caveat.StudyRefused) as caught:
        bundle.measure(image)
    assert caught.value.code == code


def test_draws_are_those_of_the_engine_and_the_network_is_left_as_it_was():
    network, study = unet(dropout=0.3), torch.rand(2, 1, 16, 14, 12, generator=torch.Generator().manual_seed(0))
    before = {name: module for name, module in network.named_modules()}
    logits = caveat.sampling_inference(study, network, (12, 12, 12), draws=3, seed=5)
    assert logits.shape == (3, 2, 3, 16, 14, 12) and dict(network.named_modules()) == before
    inferer = SamplingInferer((12, 12, 12), ["a", "b", "c"], [Moments()], draws=3, seed=5, blending="constant")
    expected = inferer(study[1:], DropoutNetwork(unet(dropout=0.3), probe_size=12))["pred"]
    torch.testing.assert_close(logits[:, 1].softmax(dim=1).mean(dim=0), expected[0], atol=1e-5, rtol=0)


def test_draws_in_threads_are_those_of_one_after_the_other():
    """A sampler holds the draw that it is at, its modules their mode, and reducers one study's draws."""
    sampler = DropoutNetwork(unet(dropout=0.3), probe_size=12).train()
    modes = [module.training for module in sampler.modules()]
    studies = torch.rand(6, 1, 16, 14, 12, generator=torch.Generator().manual_seed(0)).split(1)
    inferer = SamplingInferer((12, 12, 12), ["a", "b", "c"], [Moments()], draws=3)

    def draws(study: torch.Tensor) -> torch.Tensor:
        return caveat.sampling_inference(study, sampler, (12, 12, 12), draws=3)

    def mean(study: torch.Tensor) -> torch.Tensor:
        return inferer(study, sampler)["pred"]

    for ask in (draws, mean):
        with ThreadPoolExecutor(3) as threads:
            found = list(threads.map(ask, studies))
        assert all(torch.equal(one, ask(study)) for one, study in zip(found, studies, strict=True))
    assert [module.training for module in sampler.modules()] == modes


def test_views_of_the_study_come_back_onto_it():
    network, study = unet(), torch.rand(1, 1, 12, 12, 12, generator=torch.Generator().manual_seed(0))
    logits = caveat.sampling_inference(MetaTensor(study), TestTimeAugmentation(network, 3, [1]), (12, 12, 12), draws=2)
    with torch.no_grad():
        torch.testing.assert_close(logits.as_tensor()[1], network(study.flip(3)).flip(3), atol=1e-5, rtol=0)
    assert isinstance(logits, MetaTensor)


@pytest.mark.parametrize("draws", [0, 2])
def test_draws_that_a_sampler_does_not_have_are_an_error(draws):
    with pytest.raises(ValueError, match="draws asked for"):
        caveat.sampling_inference(torch.rand(1, 1, 12, 12, 12), Ensemble([unet()]), (12, 12, 12), draws=draws)


def test_importing_caveat_loads_no_torch_and_its_names_are_there():
    code = (
        "import sys, caveat; print('torch' in sys.modules, set(caveat.__all__) <= set(dir(caveat)), hasattr(caveat, 'nothing'))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["False", "True", "False"]
