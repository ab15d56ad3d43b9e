"""The engine: windows as MONAI's, one draw over the whole study, statistics independent of how it is cut."""

from __future__ import annotations

import json
import math

import nibabel
import numpy as np
import pytest
import torch
from border_free import BorderFreeDropout, Plain
from monai.data import MetaTensor
from monai.inferers import sliding_window_inference
from monai.transforms import LoadImaged
from torch import nn

from caveat.inference.engine import block as block_module
from caveat.inference.engine import inferer as inferer_module
from caveat.inference.engine.inferer import SamplingInferer, in_order_of_needs
from caveat.inference.engine.labels import labels_of
from caveat.inference.engine.windows import plan_windows
from caveat.inference.reducers.agreement import Agreement
from caveat.inference.reducers.extent import Extent
from caveat.inference.reducers.hypotheses import Hypotheses
from caveat.inference.reducers.information import Information
from caveat.inference.reducers.kept_draws import KeptDraws
from caveat.inference.reducers.moments import Moments
from caveat.inference.targets.area import Area
from caveat.inference.targets.volume import Volume
from caveat.networks.backbones.residual_unet import ResidualUNet
from caveat.networks.draws.draw import Draw
from caveat.networks.draws.place import Place
from caveat.networks.samplers.ensemble import Ensemble
from caveat.reasons import StudyRefused


def study(*size: int, channels: int = 1, seed: int = 0) -> torch.Tensor:
    return torch.randn(1, channels, *size, generator=torch.Generator().manual_seed(seed))


def inferer(roi, reducers=None, **options) -> SamplingInferer:
    reducers = [Moments(), KeptDraws()] if reducers is None else reducers
    return SamplingInferer(roi, ["background", "object"], reducers, **options)


WINDOWS = [
    pytest.param((33, 41), (16, 16), 0.25, "gaussian", 4, id="2-D"),
    pytest.param((33, 41), (16, 16), 0.0, "constant", 1, id="2-D no overlap"),
    pytest.param((40, 24), (16, 8), 0.75, "gaussian", 3, id="2-D anisotropic"),
    pytest.param((9, 41), (16, 16), 0.5, "gaussian", 4, id="smaller than the window"),
    pytest.param((9, 7), (16, 32), 0.5, "constant", 4, id="smaller on both axes"),
    pytest.param((32, 32), (32, 32), 0.5, "gaussian", 4, id="one window"),
    pytest.param((20, 17, 23), (8, 12, 16), 0.5, "gaussian", 5, id="3-D anisotropic"),
    pytest.param((20, 7, 23), (8, 8, 8), 0.25, "constant", 2, id="3-D smaller on one axis"),
    pytest.param((20, 17, 9), (8, 8, -1), 0.25, "gaussian", 2, id="3-D whole last axis"),
]


@pytest.mark.parametrize("size,roi,overlap,blending,batch", WINDOWS)
def test_one_network_equals_sliding_window_inference(size, roi, overlap, blending, batch):
    torch.manual_seed(1)
    convolution = nn.Conv2d if len(size) == 2 else nn.Conv3d
    network = nn.Sequential(convolution(1, 4, 3, padding=1), nn.ReLU(), convolution(4, 2, 3, padding=1)).eval()
    image = study(*size)
    with torch.no_grad():
        expected = sliding_window_inference(image, roi, batch, network, overlap, blending)
        ours = inferer(roi, [Moments()], overlap=overlap, blending=blending, window_batch=batch, link="identity")(
            image, Plain(network)
        )
    torch.testing.assert_close(ours["pred"], expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("elementwise", [False, True], ids=["channel dropout", "element-wise dropout"])
@pytest.mark.parametrize("size,roi", [((32, 48), (16, 16)), ((12, 16, 20), (8, 8, 12))], ids=["2-D", "3-D"])
def test_a_windowed_draw_equals_the_draw_on_the_full_image(elementwise, size, roi):
    sampler = BorderFreeDropout(len(size), elementwise)
    image = study(*size)
    draws = [Draw(index, seed=3) for index in range(4)]
    with torch.no_grad():
        full = sampler.decode(image, draws, [Place((0,) * len(size), size, size)], None)[:, 0]
        windowed = inferer(roi, draws=4, seed=3, overlap=0.5, link="identity")(image, sampler)["samples"][0]
    assert full.std(dim=0).max() > 0.05
    torch.testing.assert_close(windowed, full.half(), atol=2e-3, rtol=1e-3)
    mean = inferer(roi, [Moments()], draws=4, seed=3, overlap=0.5, link="identity")(image, sampler)["pred"][0]
    torch.testing.assert_close(mean, full.mean(dim=0), atol=1e-5, rtol=0)


@pytest.mark.parametrize("elementwise", [False, True], ids=["channel dropout", "element-wise dropout"])
def test_the_spread_of_the_area_does_not_depend_on_the_windows(elementwise, monkeypatch):
    sampler = BorderFreeDropout(2, elementwise)
    image = study(48, 64)

    def spread(**options) -> float:
        answer = inferer((16, 16), [Moments(), Extent([Area("area", "Object", (1,))])], draws=12, **options)(image, sampler)
        return json.loads(answer["result"])["answers"][0]["draws"]["sd"]

    reference = spread(overlap=0.0)
    assert reference > 0
    assert spread(overlap=0.75) == pytest.approx(reference, rel=1e-3)
    assert spread(overlap=0.5, window_batch=1) == pytest.approx(reference, rel=1e-3)
    assert spread(overlap=0.5, window_batch=8, decode_batch=64) == pytest.approx(reference, rel=1e-3)

    def reversed_slabs(*arguments, **options):
        plan = plan_windows(*arguments, **options)
        return type(plan)(plan.size, plan.padding, tuple(slab[::-1] for slab in plan.slabs), plan.importance)

    monkeypatch.setattr(inferer_module, "plan_windows", reversed_slabs)
    assert spread(overlap=0.5) == pytest.approx(reference, rel=1e-3)


def test_chunks_of_draws_do_not_change_the_answer():
    sampler, image = BorderFreeDropout(2, elementwise=False), study(40, 40)
    many = [Moments(), Information(), Agreement(), Extent([Area("area", "Object", (1,))])]
    whole = inferer((16, 16), many, draws=7)(image, sampler)
    facts = json.loads(whole["result"])
    assert facts["sampling"]["chunk"] == 7
    tiny = inferer((16, 16), many, draws=7)
    tiny._chunk = lambda size, draws: 3
    cut = tiny(image, sampler)
    for name in ("pred", "variance", "entropy", "mutual_information"):
        torch.testing.assert_close(cut[name], whole[name], atol=1e-6, rtol=0)
    assert json.loads(cut["result"])["answers"] == facts["answers"]
    assert json.loads(cut["result"])["study_scores"] == facts["study_scores"]


def test_labels_of_a_block_are_found_once(monkeypatch):
    asked = []
    monkeypatch.setattr(block_module, "labels_of", lambda *given, **named: asked.append(1) or labels_of(*given, **named))
    many = [Moments(), Extent([Area("area", "Object", (1,))]), Agreement(), Hypotheses()]
    inferer((16, 16), many, draws=3)(study(16, 16), BorderFreeDropout(2, elementwise=False))
    assert len(asked) == 1


def test_large_blocks_are_handed_on_in_parts(monkeypatch):
    sampler, image = BorderFreeDropout(2, elementwise=False), study(40, 40)
    many = [Moments(), Information(), Extent([Area("area", "Object", (1,))])]
    whole = inferer((16, 16), many, draws=3)(image, sampler)
    monkeypatch.setattr(inferer_module, "_BLOCK_BYTES", 4 * 3 * 2 * 40 * 2)  # two rows
    parts = inferer((16, 16), many, draws=3)(image, sampler)
    for name in ("pred", "variance", "entropy"):
        torch.testing.assert_close(parts[name], whole[name], atol=1e-6, rtol=0)
    assert json.loads(parts["result"])["answers"] == json.loads(whole["result"])["answers"]


def test_the_chunk_follows_from_shape_window_and_budget_alone():
    small = inferer((16, 16), [Moments()], budget_mib=1)
    bytes_a_draw = 2 * 4 * 2 * 16 * 1000
    assert small._chunk((1000, 1000), 64) == 2**20 // bytes_a_draw
    assert small._chunk((10**6, 10**6), 64) == 1
    whole_axis = inferer((-1, 16), [Moments()], budget_mib=1)
    assert whole_axis._chunk((100, 100), 64) == 2**20 // (4 * 2 * 100 * 100)


def test_drawing_leaves_the_network_as_it_was_and_repeats():
    sampler, image = BorderFreeDropout(2, elementwise=False), study(32, 32)
    before = {name: value.clone() for name, value in sampler.state_dict().items()}
    sampler.train()
    run = inferer((16, 16), draws=5, seed=1)
    first, second = run(image, sampler), run(image, sampler)
    assert sampler.training
    assert all(torch.equal(value, before[name]) for name, value in sampler.state_dict().items())
    assert torch.equal(first["samples"], second["samples"]) and first["result"] == second["result"]
    other = inferer((16, 16), draws=5, seed=2)(image, sampler)
    assert not torch.equal(first["samples"], other["samples"])


def test_outside_the_region_everything_is_background():
    sampler = Plain(nn.Conv2d(2, 2, 1))
    image = study(20, 20, channels=2)
    image[0, 1] = 0
    image[0, 1, 5:15, 4:] = 1
    answer = inferer((16, 16), [Moments(), Extent([Area("area", "Object", (1,))])], region_channel=1)(image, sampler)
    outside = image[0, 1] == 0
    assert torch.all(answer["pred"][0, 1][outside] == 0) and torch.all(answer["pred"][0, 0][outside] == 1)
    assert 0 < json.loads(answer["result"])["answers"][0]["value"] <= 160


def test_the_answer_names_units_from_the_affine():
    image = study(16, 16)
    network = Plain(nn.Conv2d(1, 2, 1))
    network.network.weight.data.zero_()
    network.network.bias.data = torch.tensor([0.0, 1.0])
    known = MetaTensor(
        image, affine=torch.diag(torch.tensor([0.5, 0.25, 1.0, 1.0])), meta={"spacing_source": "stated by the user"}
    )
    entry = json.loads(inferer((16, 16), [Moments(), Extent([Area("area", "Object", (1,))])])(known, network)["result"])[
        "answers"
    ][0]
    assert (entry["unit"], entry["value"]) == ("mm2", 256 * 0.125)
    entry = json.loads(inferer((16, 16), [Moments(), Extent([Area("area", "Object", (1,))])])(image, network)["result"])[
        "answers"
    ][0]
    assert (entry["unit"], entry["value"]) == ("pixels", 256)


@pytest.mark.parametrize(
    "change,message",
    [
        ({"draws": 2}, "2 draws asked for"),
        ({"overlap": 1.0}, "overlap"),
        ({"link": "tanh"}, "link"),
        ({"engine": "steam"}, "engine must be one of torch, openvino"),
        ({"class_names": ["a", "b", "c"]}, "3"),
        ({"class_names": ["background"]}, "softmax of one class is 1 everywhere"),
    ],
)
def test_wrong_settings_are_errors(change, message):
    settings = {"roi_size": (16, 16), "class_names": ["background", "object"], "reducers": [Moments()]} | change
    with pytest.raises(ValueError, match=message):
        SamplingInferer(**settings)(study(20, 20), Plain(nn.Conv2d(1, 2, 1)))


def test_a_batch_of_two_studies_and_a_plain_network_are_errors():
    with pytest.raises(ValueError, match="batch of 2"):
        inferer((16, 16))(torch.zeros(2, 1, 16, 16), Plain(nn.Conv2d(1, 2, 1)))
    with pytest.raises(ValueError, match="expected a sampler"):
        inferer((16, 16))(torch.zeros(1, 1, 16, 16), nn.Conv2d(1, 2, 1))


def test_an_answer_that_is_not_finite_is_refused():
    network = nn.Conv2d(1, 2, 1)
    network.bias.data[0] = np.nan
    with pytest.raises(StudyRefused, match="NON_FINITE_OUTPUT"):
        inferer((16, 16))(study(16, 16), Plain(network))


def test_reducers_run_after_those_they_need():
    assert [reducer.name for reducer in in_order_of_needs([Information(), Moments()])] == ["Moments", "Information"]
    with pytest.raises(ValueError, match="need others"):
        in_order_of_needs([Information()])


def test_memory_of_the_loop_holds_rows_not_studies():
    """Rows leave as soon as no later window touches them."""
    seen = []

    class Rows(Moments):
        def update(self, block, draws, values):
            seen.append((block.start, block.stop))
            super().update(block, draws, values)

    inferer((16, 16), [type("Moments", (Rows,), {})()], overlap=0.5)(study(64, 16), Plain(nn.Conv2d(1, 2, 1)))
    assert seen == [(0, 8), (8, 16), (16, 24), (24, 32), (32, 40), (40, 48), (48, 64)]


def test_temperature_divides_the_logits_of_every_draw():
    network, image = Plain(nn.Conv2d(1, 2, 1)), study(16, 16)
    logits = network(image)
    answer = inferer((16, 16), temperature=2.5)(image, network)
    assert torch.allclose(answer["pred"], (logits / 2.5).softmax(1), atol=1e-6)
    assert json.loads(answer["result"])["sampling"]["temperature"] == 2.5


def test_the_answer_names_grid_spacing_and_pooled_features():
    image, network = study(16, 24), BorderFreeDropout(2, elementwise=False)
    facts = json.loads(inferer((16, 8), draws=3)(image, network)["result"])
    assert facts["sampling"]["grid_spacing_mm"] is None
    again = json.loads(inferer((16, 8), draws=5, seed=9)(image, network)["result"])
    assert facts["features"] == again["features"] and all(map(math.isfinite, facts["features"])) and facts["features"]
    known = MetaTensor(image, affine=torch.diag(torch.tensor([0.5, 2.0, 1.0, 1.0])), meta={"spacing_source": "the file"})
    assert json.loads(inferer((16, 8), draws=1)(known, network)["result"])["sampling"]["grid_spacing_mm"] == [0.5, 2.0]


@pytest.mark.parametrize("chunk", [1, 3, 7])
def test_a_sampler_looks_at_the_whole_study_once_however_many_chunks(chunk):
    looked = []

    class Looking(BorderFreeDropout):
        def begin(self, study):
            looked.append(tuple(study.shape))

    run = inferer((16, 16), [Moments()], draws=7)
    run._chunk = lambda size, draws: chunk
    run(study(20, 16), Looking(2, elementwise=False))
    assert looked == [(1, 1, 20, 16)]


def test_a_reducer_of_whole_studies_gets_each_chunk_in_one_block():
    seen = []

    class Whole(Moments):
        whole_study = True

        def update(self, block, draws, values):
            seen.append((block.start, block.stop, len(draws), tuple(values.shape)))
            super().update(block, draws, values)

    image, sampler = study(40, 16), BorderFreeDropout(2, elementwise=False)
    run = inferer((16, 16), [type("Moments", (Whole,), {})()], draws=3, overlap=0.5)
    run._chunk = lambda size, draws: 2
    whole = run(image, sampler)["pred"]
    assert seen == [(0, 40, 2, (2, 2, 40, 16)), (0, 40, 1, (1, 2, 40, 16))]
    torch.testing.assert_close(whole, inferer((16, 16), [Moments()], draws=3, overlap=0.5)(image, sampler)["pred"])


@pytest.mark.parametrize("size,roi", [((9, 13), (16, 16)), ((9, 40), (16, 16)), ((9, 13, 11), (64, 64, 64))])
def test_a_clipped_window_sees_the_study_and_no_zeros_around_it(size, roi):
    torch.manual_seed(0)
    network = Plain((nn.Conv2d if len(size) == 2 else nn.Conv3d)(1, 2, 3, padding=1, padding_mode="replicate")).eval()
    image = study(*size)
    whole = [extent if window > extent else window for window, extent in zip(roi, size)]
    clipped = inferer(roi, [Moments()], clip_windows=True)(image, network)
    expected = inferer(whole, [Moments()], clip_windows=True)(image, network)
    assert torch.equal(clipped["pred"], expected["pred"])
    assert not torch.allclose(clipped["pred"], inferer(roi, [Moments()])(image, network)["pred"], atol=1e-3)
    flags = [json.loads(answer["result"])["flags"] for answer in (clipped, expected)]
    assert flags == [["WINDOW_CLIPPED"], []]


@pytest.mark.parametrize("source,unit", [("", "voxels"), ("NIfTI header", "mm3"), (None, None)])
def test_a_volume_of_another_loader_is_refused_where_its_unit_would_be_guessed(tmp_path, source, unit):
    affine = np.diag([0.5, 0.5, 2.0, 1.0]) if source != "" else np.eye(4)
    nibabel.save(nibabel.Nifti1Image(np.random.default_rng(0).random((8, 8, 8), np.float32), affine), tmp_path / "a.nii.gz")
    image = LoadImaged("image", ensure_channel_first=True)({"image": tmp_path / "a.nii.gz"})["image"][None]
    run = inferer((8, 8, 8), [Moments(), Extent([Volume("volume", "Object", (0, 1))])])
    if source is None:
        with pytest.raises(StudyRefused, match="SPACING_WITHOUT_SOURCE"):
            run(image, Plain(nn.Conv3d(1, 2, 1)))
        return
    image.meta["spacing_source"] = source
    entry = json.loads(run(image, Plain(nn.Conv3d(1, 2, 1)))["result"])["answers"][0]
    assert (entry["unit"], entry["value"]) == (("mL", 512 * 0.5 / 1000) if unit == "mm3" else (unit, 512))


def test_a_picture_of_another_loader_is_measured_in_pixels():
    image = MetaTensor(study(16, 16))
    entry = json.loads(
        inferer((16, 16), [Moments(), Extent([Area("area", "Object", (0, 1))])])(image, Plain(nn.Conv2d(1, 2, 1)))["result"]
    )["answers"][0]
    assert (entry["unit"], entry["value"]) == ("pixels", 256)


def test_logits_in_bfloat16_are_blended_and_linked_in_float32():
    class Low(nn.Module):
        def forward(self, windows):
            return torch.cat([windows, -windows], dim=1).bfloat16()

    image = study(24, 24)
    answer = inferer((16, 16), [Moments(), KeptDraws()], overlap=0.5)(image, Plain(Low()))
    rounded = image.bfloat16().float()
    assert answer["pred"].dtype == torch.float32
    torch.testing.assert_close(answer["pred"], torch.cat([rounded, -rounded], dim=1).softmax(dim=1), atol=1e-6, rtol=0)


@pytest.mark.parametrize("roi", [(16, 16), (16, 16, 16)])
def test_an_engine_is_another_way_to_the_same_answer(roi):
    """Of volumes, small convolutions are computed in another way where torch does it."""
    torch.manual_seed(0)
    network = Ensemble([ResidualUNet(len(roi), 1, 2, channels=(4, 6), units=(1, 1)) for _ in range(2)]).eval()
    image = study(*(32, 24, 16)[: len(roi)])
    ours = inferer(roi, engine="openvino")
    first, again, expected = ours(image, network), ours(image, network), inferer(roi)(image, network)
    assert torch.equal(first["pred"], again["pred"])
    torch.testing.assert_close(first["pred"], expected["pred"], atol=1e-5, rtol=0)
    torch.testing.assert_close(first["samples"], expected["samples"], atol=1e-3, rtol=0)  # kept in half precision
    facts, others = (json.loads(answer["result"]) for answer in (first, expected))
    assert (facts["sampling"].pop("engine"), others["sampling"].pop("engine")) == ("openvino", "torch")
    assert facts["sampling"] == others["sampling"]
    assert facts["features"] == pytest.approx(others["features"], abs=1e-5)


def test_an_engine_in_half_precision_is_near():
    torch.manual_seed(0)
    network = Ensemble([ResidualUNet(3, 1, 2, channels=(4, 6), units=(1, 1)) for _ in range(2)]).eval()
    image = study(16, 16, 16)
    half = inferer((16, 16, 16), engine="openvino", precision="bfloat16")(image, network)
    torch.testing.assert_close(half["pred"], inferer((16, 16, 16))(image, network)["pred"], atol=0.03, rtol=0)
