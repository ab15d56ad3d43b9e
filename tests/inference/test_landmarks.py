"""Landmarks from draws to the input's grid: definitions over the whole stack, units, edges, and the engine from end to end."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from monai.data import MetaTensor, decollate_batch, list_data_collate
from monai.transforms import Compose, CopyItemsd, DivisiblePadd, FlattenSubKeysd, Resized

from caveat.inference.answers.points_on_input_grid import PointsOnInputGridd
from caveat.inference.engine.block import Block
from caveat.inference.engine.inferer import SamplingInferer
from caveat.inference.engine.study_grid import GridElement, StudyGrid
from caveat.inference.reducers.landmarks import Landmarks
from caveat.inference.reducers.moments import Moments
from caveat.networks.backbones.residual_unet import ResidualUNet
from caveat.networks.draws.draw import first_draws
from caveat.networks.samplers.dropout import DropoutSampler
from caveat.networks.samplers.ensemble import Ensemble
from caveat.transforms.landmarks.gaussian_heatmaps import gaussian_heatmaps

NAMES = ["Sella", "Nasion"]
DRAWS = torch.tensor([[[10.0, 12.0], [20.0, 30.5]], [[13.0, 12.0], [20.0, 30.5]], [[10.0, 16.0], [20.0, 30.5]]])
"""Positions (draws, landmarks, axes): the second landmark does not move."""


def logits_at(positions: torch.Tensor, size=(40, 48), sigma=1.5) -> torch.Tensor:
    return gaussian_heatmaps(positions, size, sigma).clamp_min(1e-30).log()


def reduce(values: torch.Tensor) -> list[dict]:
    reducer = Landmarks(NAMES)
    reducer.begin(StudyGrid(tuple(values.shape[2:]), values.shape[1], len(values), GridElement(1.0, "pixels")))
    reducer.update(Block(0, values), first_draws(len(values)), values)
    return reducer.finish({}).answers


def test_covariances_are_of_the_draws_of_the_heatmaps_and_their_sum():
    moving, still = reduce(torch.stack([logits_at(draw) for draw in DRAWS]))
    expected = np.cov(DRAWS[:, 0].numpy().T)  # divided by K - 1
    np.testing.assert_allclose(moving["draws"]["covariance"], expected, atol=0.02)
    np.testing.assert_allclose(moving["heatmap_covariance"], 2.25 * np.eye(2), atol=0.02)
    np.testing.assert_allclose(moving["total_covariance"], expected + 2.25 * np.eye(2), atol=0.04)
    np.testing.assert_allclose(moving["value"], [11, 40 / 3], atol=0.01)
    np.testing.assert_allclose(still["total_covariance"], 2.25 * np.eye(2), atol=0.02)
    assert moving["draws"]["n"] == 3 and np.shape(moving["draws"]["values"]) == (3, 2)


def test_the_mean_distance_to_the_mean_is_a_length_and_no_variance():
    moving, still = reduce(torch.stack([logits_at(draw) for draw in DRAWS]))
    mean = DRAWS[:, 0].mean(0)
    assert moving["mean_distance_to_mean"] == pytest.approx(float((DRAWS[:, 0] - mean).norm(dim=1).mean()), abs=0.01)
    assert still["mean_distance_to_mean"] == pytest.approx(0, abs=1e-5)


def test_one_draw_has_no_spread():
    (entry, _) = reduce(logits_at(DRAWS[0])[None])
    assert entry["draws"]["covariance"] is None and entry["mean_distance_to_mean"] is None
    assert entry["total_covariance"] == entry["heatmap_covariance"]
    # The maximum of a Gaussian that sums to 1 is 1 / (2 pi sigma^2).
    assert entry["heatmap_activation"] == pytest.approx(1 / (2 * np.pi * 2.25), rel=0.01)


def test_channels_and_names_must_be_as_many():
    with pytest.raises(ValueError, match="3 channels"):
        Landmarks(NAMES).begin(StudyGrid((8, 8), 3, 1, GridElement(1.0, "pixels")))


def finished(values: torch.Tensor, spacing: float | None, size=(100, 130)) -> dict:
    """The result for an image of `size` seen by the network at 40 x 52, padded to 48 x 64."""
    affine = torch.diag(torch.tensor([spacing or 1.0, spacing or 1.0, 1.0, 1.0], dtype=torch.float64))
    meta = {"spacing_source": "stated by the user" if spacing else "", "flags": [] if spacing else ["NO_PIXEL_SPACING"]}
    image = MetaTensor(torch.zeros(1, *size), affine=affine, meta=meta)
    transform = Compose([CopyItemsd("image", names="input"), Resized("image", (40, 52)), DivisiblePadd("image", k=16)])
    facts = {"answers": reduce(values), "study_scores": {}, "sampling": {}}
    data = transform({"image": image}) | {"pred_pred": values.mean(0), "pred_result": json.dumps(facts)}
    return PointsOnInputGridd("image")(data)


def on_network_grid(index: torch.Tensor) -> torch.Tensor:
    """Input elements are 2.5 times smaller; the padding puts 4 and 6 elements in front."""
    return (index + 0.5) / 2.5 - 0.5 + torch.tensor([4.0, 6.0])


@pytest.mark.parametrize("spacing,unit", [(0.2, "mm"), (None, "pixels")])
def test_points_return_to_the_input_in_its_unit(spacing, unit):
    truth = torch.tensor([[40.0, 70.5], [61.25, 20.0]])
    logits = torch.stack([logits_at(on_network_grid(truth + shift), size=(48, 64)) for shift in (-2.5, 2.5)])
    out = finished(logits, spacing)
    scale = spacing or 1.0
    entry = out["result"]["answers"][0]
    np.testing.assert_allclose(entry["index_on_input_grid"], [40.0, 70.5], atol=0.03)
    np.testing.assert_allclose(entry["value"], scale * truth[0].numpy(), atol=0.03)
    np.testing.assert_allclose(entry["draws"]["covariance"], scale**2 * np.full((2, 2), 12.5), atol=0.1)
    np.testing.assert_allclose(entry["heatmap_covariance"], scale**2 * 6.25 * 2.25 * np.eye(2), atol=0.1)
    assert entry["mean_distance_to_mean"] == pytest.approx(scale * 2.5 * np.sqrt(2), rel=0.01)
    assert entry["unit"] == unit and not entry["outside_image"] and "not calibrated" in entry["statement"]
    scores = out["result"]["study_scores"]
    assert scores["mean_distance_to_mean"] == pytest.approx(scale * 2.5 * np.sqrt(2), rel=0.01)
    assert out["result"]["flags"] == ([] if spacing else ["NO_PIXEL_SPACING"])
    assert "pred_result" not in out


@pytest.mark.parametrize("row,outside", [(-1.0, True), (1.5, True), (3.0, False), (96.0, False), (98.0, True), (104.0, True)])
def test_a_landmark_that_the_image_does_not_show_is_said_to_be_outside(row, outside):
    truth = torch.tensor([[row, 70.0], [50.0, 50.0]])
    result = finished(logits_at(on_network_grid(truth), size=(48, 64))[None], 0.2)["result"]
    first, second = result["answers"]
    assert first["outside_image"] is outside and not second["outside_image"]
    assert ("LANDMARK_OUTSIDE_IMAGE" in result["flags"]) is outside
    assert ("This is not a position." in first["statement"]) is outside
    assert result["status"] == "OK"


@pytest.mark.parametrize("sampler", ["ensemble", "dropout"])
def test_the_engine_runs_a_heatmap_network_to_points(sampler):
    torch.manual_seed(0)
    backbones = [ResidualUNet(2, 1, 2, (4, 6, 8), (1, 1, 1), dropout=0.4) for _ in range(3)]
    network = Ensemble(backbones) if sampler == "ensemble" else DropoutSampler(backbones[0])
    image = torch.rand(1, 60, 44, generator=torch.Generator().manual_seed(1))
    meta = {"spacing_source": "stated by the user"}
    study = {"image": MetaTensor(image, affine=torch.diag(torch.tensor([0.2, 0.2, 1, 1])), meta=meta)}
    before = Compose([CopyItemsd("image", names="input"), DivisiblePadd("image", k=4)])
    batch = list_data_collate([before(study)])
    inferer = SamplingInferer([-1, -1], NAMES, [Moments(), Landmarks(NAMES)], draws=3, link="identity")
    batch["pred"] = inferer(batch["image"], network)
    after = Compose([FlattenSubKeysd("pred", prefix="pred"), PointsOnInputGridd("image")])
    (out,) = [after(one) for one in decollate_batch(batch)]
    assert [point["name"] for point in out["result"]["answers"]] == NAMES
    assert all(len(point["draws"]["values"]) == 3 for point in out["result"]["answers"])
    assert out["result"]["answers"][0]["mean_distance_to_mean"] > 0
    json.dumps(out["result"], allow_nan=False)
