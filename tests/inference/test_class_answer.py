"""A class is an answer like others: its probability in every draw, its doubt, a set of classes that may hold both or none."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from monai.visualize import GradCAM
from torch import nn

from caveat.inference.calibration.calibrate import fit_record
from caveat.inference.calibration.case import Case, case_of
from caveat.inference.calibration.kinds.answer_kind import kind_of
from caveat.inference.calibration.record import Record
from caveat.inference.calibration.scores.improbability import Improbability
from caveat.inference.calibration.settings import Calibration
from caveat.inference.engine.block import Block
from caveat.inference.engine.study_grid import GridElement, StudyGrid
from caveat.inference.reducers.classes import Classes
from caveat.inference.reducers.evidence import Evidence, evidence_of, strongest
from caveat.inference.stored.class_truths import ClassTruths
from caveat.inference.stored.stored_study import StoredStudy
from caveat.inference.stress.kinds import scored_of
from caveat.inference.targets.class_label import ClassLabel
from caveat.inference.targets.class_statement import class_statement
from caveat.networks.backbones.efficientnet_lite import EfficientNetLite0
from caveat.networks.draws.draw import first_draws
from caveat.reasons import StudyRefused

NAMES = ("no finding", "pneumonia")
TRUTH = "as the reports say"
PROMISE = {"level": 0.9, "truth": TRUTH, "n": 614, "unit": "patient", "networks": 5, "proven": 0.79}


def reduced(reducer, values: torch.Tensor):
    reducer.begin(StudyGrid(tuple(values.shape[2:]), values.shape[1], len(values), GridElement(1.0, "pixels", (1.0, 1.0))))
    reducer.update(Block(0, values), first_draws(len(values)), values)
    return reducer.finish({})


def test_a_draws_probability_is_the_softmax_of_its_mean_evidence():
    values = torch.zeros(2, 2, 4, 6)
    values[0, 1, 0, 0] = 24 * math.log(3.0)  # its mean over 24 places is log 3
    found = reduced(Classes("finding", "Film", NAMES), values)
    (answer,) = found.answers
    assert answer["draws"]["values"] == [pytest.approx([0.25, 0.75]), pytest.approx([0.5, 0.5])]
    assert answer["value"] == pytest.approx([0.375, 0.625])
    entropy = -(0.375 * math.log(0.375) + 0.625 * math.log(0.625))
    expected = (math.log(2) - (0.25 * math.log(0.25) + 0.75 * math.log(0.75))) / 2
    assert (answer["entropy"], answer["expected_entropy"]) == (pytest.approx(entropy), pytest.approx(expected))
    assert answer["mutual_information"] == found.study_scores["class_mutual_information"] == pytest.approx(entropy - expected)
    assert answer["statement"] == "Film: pneumonia, probability 0.63 (2 draws from 0.50 to 0.75, not calibrated)"


def test_classes_that_are_not_as_many_as_the_channels_are_an_error():
    with pytest.raises(ValueError, match="3 channels"):
        reduced(Classes("finding", "Film", NAMES), torch.zeros(1, 3, 4, 4))


def test_the_share_of_draws_says_where_they_agree():
    values = torch.zeros(4, 2, 10, 10)
    values[:, 1, 2, :] = 5.0  # a tenth of the image, in three draws of four
    values[3] = 0
    values[3, 1, 7, :] = 5.0
    maps = reduced(Evidence(), values).maps
    assert maps["evidence_share"][0, 2].tolist() == [0.75] * 10 and maps["evidence_share"][0, 7].tolist() == [0.25] * 10
    assert maps["evidence"][0, 2, 0] == pytest.approx(3.75)
    assert maps["evidence_sd"][0, 2, 0] == pytest.approx(math.sqrt((3 * 1.25**2 + 3.75**2) / 4))
    assert reduced(Evidence(), values).study_scores["evidence_disagreement"] == pytest.approx(0.25)


def test_the_evidence_is_gradcam_before_its_rectifier():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network, film = EfficientNetLite0(2).eval(), torch.randn(1, 3, 96, 96)

    class Pooled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.backbone = network

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            every = network(x)
            return (every[:, 1:] - every[:, :1]).mean(dim=(2, 3))

    identity = GradCAM(Pooled(), target_layers="backbone.last", postprocessing=lambda x: x, upsampler=lambda size: lambda x: x)
    # The rectifier of the last features lies behind the layer that is named: they are compared where nothing is cut off.
    with torch.no_grad():
        network.last.bias += 3.0
        network.head.weight[1] = network.head.weight[0] + network.head.weight[1].abs()
        ours = evidence_of(network.head(torch.relu(network.decode_features(network.encode(film))))[0])
    theirs = torch.as_tensor(identity(film, class_idx=0))[0, 0]
    ours = (ours - (network.head.bias[1] - network.head.bias[0])).clamp(min=0)
    assert ours.max() > 0
    torch.testing.assert_close(theirs / theirs.max(), ours / ours.max(), atol=1e-4, rtol=1e-3)


def test_the_strongest_tenth_is_a_tenth():
    assert int(strongest(torch.randperm(200).reshape(10, 20).float()).sum()) == 20


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ([1], f"90 % set: pneumonia alone {TRUTH}"),
        ([0, 1], f"90 % set: no finding or pneumonia, it cannot tell which; {TRUTH}"),
        ([], f"90 % set: none of the classes, the image is unlike those of either; {TRUTH}"),
    ],
)
def test_a_set_says_in_words_what_it_holds(held, words):
    said = class_statement("Film", NAMES, [0.2, 0.8], [[0.1, 0.9], [0.3, 0.7]], {"classes": held, **PROMISE})
    assert said == f"Film: pneumonia, probability 0.80 ({words}, cross-validated on 614 patients, proven for 79 %)"


def record_of(probabilities: list[float]) -> Record:
    """Of units whose own network gives the true class these probabilities."""
    rows = [
        (Case("", str(unit), str(unit), (1 - p, p), ((1 - p, p),) * 5, truth=1, fold=unit % 5),)
        for unit, p in enumerate(probabilities)
    ]
    settings = Calibration(
        ClassTruths(NAMES), [ClassLabel("finding", NAMES)], Improbability(), "patient", networks=5, levels=(0.8,)
    )
    return fit_record(("finding",), rows, settings, Improbability())


@pytest.mark.parametrize(("p", "held"), [(0.99, (1,)), (0.5, (0, 1)), (0.02, (0,))])
def test_a_set_holds_what_is_not_too_improbable(p, held):
    record = record_of([0.3 + 0.006 * unit for unit in range(100)])  # the 81st of 100 from the most probable has 0.414
    case = Case("", "", "", (1 - p, p), ((1 - p, p),) * 5)
    (region,) = record.regions((case,), 0.8) or []
    assert region.held == held


def test_a_set_may_hold_no_class():
    record = record_of([0.995] * 100)
    (region,) = record.regions((Case("", "", "", (0.5, 0.5), ((0.5, 0.5),) * 5),), 0.8) or []
    assert region.held == () and region.to_json() == {"kind": "classes", "classes": []} and not region.is_empty


def test_a_case_of_a_class_has_the_probabilities_of_each_network():
    (answer,) = reduced(Classes("finding", "Film", NAMES), torch.randn(10, 2, 4, 4)).answers
    case = case_of(answer, {"study_scores": {}, "answers": [answer]})
    of_second = case.of_network(1, 5)
    assert of_second.value == pytest.approx(tuple(torch.tensor(answer["draws"]["values"])[[1, 6]].mean(dim=0).tolist()))
    assert (
        kind_of(answer)
        .sentence(answer, "unlike the calibration studies in blur")
        .endswith("not calibrated: unlike the calibration studies in blur)")
    )


def test_a_class_that_the_bundle_does_not_know_is_no_truth(tmp_path):
    truths = ClassTruths(NAMES)
    assert ClassLabel("finding", NAMES).of_truth(truths.read({"class": "pneumonia"}, tmp_path, StoredStudy(""))[0]) == 1
    for entry in ({}, {"class": "mass"}):
        with pytest.raises(StudyRefused, match="NO_TRUTH"):
            truths.read(entry, tmp_path, StoredStudy(""))


def test_under_stress_the_error_is_whether_the_likeliest_class_is_wrong():
    (scored,) = scored_of([ClassLabel("finding", NAMES)])
    case = Case("", "", "", (0.4, 0.6), ((0.4, 0.6),), truth=0)
    assert scored.errors((case,), None) == {"error": 1.0}
    assert scored.errors((replace(case, truth=1),), None) == {"error": 0.0}
