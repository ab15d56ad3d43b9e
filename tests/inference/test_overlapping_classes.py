"""Classes that stand for themselves (link sigmoid): a phantom of nested structures, an organ with a lesion inside."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from border_free import Plain
from monai.data import MetaTensor
from monai.transforms import Compose, FlattenSubKeysd, Identityd
from torch import nn

from caveat.inference.answers.order_hypotheses import OrderHypothesesd
from caveat.inference.answers.report_on_input_grid import ReportOnInputGridd
from caveat.inference.engine.inferer import SamplingInferer
from caveat.inference.reducers.agreement import Agreement
from caveat.inference.reducers.extent import Extent
from caveat.inference.reducers.hypotheses import Hypotheses
from caveat.inference.reducers.information import Information
from caveat.inference.reducers.kept_draws import KeptDraws
from caveat.inference.reducers.lesions import Lesions
from caveat.inference.reducers.moments import Moments
from caveat.inference.stored.stored_study import StoredStudy
from caveat.inference.stored.truths import MaskTruths
from caveat.inference.targets.area import Area
from caveat.networks.samplers.ensemble import Ensemble
from caveat.reasons import StudyRefused

NAMES = ["background", "organ", "lesion"]
AREAS = [Area("organ", "Organ", (1,)), Area("lesion", "Lesion", (2,))]


class Scaled(nn.Module):
    """The study's own channels as logits."""

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        return windows * self.scale


def nested() -> torch.Tensor:
    """Logits of an organ of 64 pixels and of a lesion of 32 inside it, which the lesion's is above. Returns: (1, 2, 16, 16)."""
    logits = torch.full((1, 2, 16, 16), -4.0)
    logits[0, 0, 4:12, 4:12] = 2.0
    logits[0, 1, 4:8, 4:12] = 3.0
    return logits


def run(network=None, reducers=None, names=NAMES, study=None, **options):
    reducers = reducers or [Moments(), Extent(AREAS), Information(), Agreement(), Hypotheses(), KeptDraws()]
    inferer = SamplingInferer((16, 16), names, reducers, link="sigmoid", **options)
    return inferer(nested() if study is None else study, network or Plain(Scaled()))


def test_each_structure_is_measured_whole_whatever_lies_inside_it():
    entries = json.loads(run()["result"])["answers"]
    assert [(entry["value"], entry["draws"]["values"]) for entry in entries] == [(64, [64]), (32, [32])]


def test_the_label_map_shows_the_inner_of_nested_classes_and_the_background_where_none_is():
    labels = run()["hypotheses"][0, 0]
    assert [(labels == index).sum().item() for index in range(3)] == [256 - 64, 32, 32]


def test_probabilities_are_each_class_own_and_the_background_is_what_the_likeliest_leaves():
    pred = run()["pred"][0]
    torch.testing.assert_close(pred[1:], nested()[0].sigmoid())
    torch.testing.assert_close(pred[0], 1 - nested()[0].sigmoid().amax(dim=0))


def test_entropies_are_per_class_of_whether_an_element_belongs_to_it():
    members = Ensemble([Scaled(1.0), Scaled(0.5)]).eval()
    answer = run(members)
    probability = torch.stack([nested()[0].sigmoid(), (nested()[0] / 2).sigmoid()])  # (draws, classes, *spatial)

    def binary(p: torch.Tensor) -> torch.Tensor:
        return -(p * p.log() + (1 - p) * (1 - p).log())

    assert answer["entropy"].shape == (1, 3, 16, 16)
    torch.testing.assert_close(answer["entropy"][0, 1:], binary(probability.mean(dim=0)), atol=1e-5, rtol=0)
    torch.testing.assert_close(answer["expected_entropy"][0, 1:], binary(probability).mean(dim=0), atol=1e-5, rtol=0)
    torch.testing.assert_close(answer["variance"][0, 1:], probability.var(dim=0, correction=0), atol=1e-6, rtol=0)
    within = (probability * (1 - probability)).mean(dim=0)
    torch.testing.assert_close(answer["variance_within"][0, 1:], within, atol=1e-6, rtol=0)
    assert answer["entropy"].max() <= math.log(2) + 1e-6


def test_agreement_counts_every_class_whole():
    """The second member has no lesion and half the organ: pairs agree on 32 of the organ alone."""

    class Half(Scaled):
        def forward(self, windows: torch.Tensor) -> torch.Tensor:
            logits = windows.clone()
            logits[:, 1] = -4.0
            logits[:, 0, 8:] = -4.0
            return logits

    score = json.loads(run(Ensemble([Scaled(), Half()]).eval())["result"])["study_scores"]["pooled_pairwise_dice"]
    assert score == pytest.approx(2 * 32 / (64 + 32 + 32))


def test_one_class_has_one_map_and_needs_no_channel_for_the_background():
    answer = run(study=nested()[:, :1], names=["background", "organ"], reducers=[Moments(), Extent(AREAS[:1]), Information()])
    assert json.loads(answer["result"])["answers"][0]["value"] == 64
    assert answer["pred"].shape == (1, 2, 16, 16) and answer["entropy"].shape == (1, 1, 16, 16)
    two = nested()[:, :1].sigmoid()
    torch.testing.assert_close(answer["pred"], torch.cat([1 - two, two], dim=1))


def test_exactly_a_half_belongs_to_the_class_and_nothing_found_is_no_element():
    study = torch.zeros(1, 2, 16, 16)
    study[:, 1] = -1.0
    entries = json.loads(run(study=study)["result"])["answers"]
    assert [entry["value"] for entry in entries] == [256, None]


def test_outside_the_region_no_class_is_there():
    study = torch.cat([nested(), torch.zeros(1, 1, 16, 16)], dim=1)
    study[0, 2, :, 4:8] = 1.0

    class First(nn.Module):
        def forward(self, windows: torch.Tensor) -> torch.Tensor:
            return windows[:, :2]

    answer = run(Plain(First()), study=study, region_channel=2)
    assert [entry["value"] for entry in json.loads(answer["result"])["answers"]] == [32, 16]
    assert torch.all(answer["pred"][0, 0][study[0, 2] == 0] == 1)


def test_on_the_inputs_grid_too_each_structure_is_measured_whole_and_the_overlap_is_flagged():
    image = MetaTensor(nested()[0], meta={"spacing_source": ""})
    data = Compose([Identityd("image")])({"image": image, "input": image})
    answer = run(study=image[None])
    study = FlattenSubKeysd("pred", prefix="pred")(data | {"pred": {k: v[0] if k != "result" else v for k, v in answer.items()}})
    report = ReportOnInputGridd(Compose([Identityd("image")]), "image", AREAS)(study)
    result = report["result"]
    assert [entry["value_on_input_grid"] for entry in result["answers"]] == [64, 32]
    assert result["flags"] == ["CLASSES_OVERLAP"] and report["entropy"].shape == (3, 16, 16)
    assert (report["segmentation"] == 1).sum() == 32 and (report["samples"][0] == 2).sum() == 32


def test_what_cannot_be_read_off_a_label_map_is_refused():
    with pytest.raises(ValueError, match="measured one by one"):
        run(reducers=[Moments(), Extent([Area("both", "Both", (1, 2))])])
    with pytest.raises(ValueError, match="hide each other"):
        run(reducers=[Moments(), Lesions(AREAS[0])])
    with pytest.raises(ValueError, match="the sampler has 2 classes, for the link sigmoid the bundle names 1"):
        run(names=["background", "organ"])
    result = json.loads(run()["result"])
    stored = StoredStudy("", result, {"segmentation": np.zeros((16, 16), np.uint8)})
    with pytest.raises(StudyRefused, match="OVERLAPPING_CLASSES: .*name no classes"):
        MaskTruths().read({"label": "a.png"}, None, stored)
    with pytest.raises(StudyRefused, match="OVERLAPPING_CLASSES"):
        stored.mask_of(1)
    with pytest.raises(StudyRefused, match="OVERLAPPING_CLASSES"):
        OrderHypothesesd(AREAS[0])({"result": result, "hypotheses": torch.zeros(1, 16, 16)})
