"""The way back to the input's own grid: geometry, the value measured there, and nothing found."""

from __future__ import annotations

import json

import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Compose, CropForegroundd, Resized

from caveat.inference.answers.report_on_input_grid import ReportOnInputGridd, touches_border
from caveat.inference.targets.area import Area
from caveat.inference.targets.odd_shapes import OddShapes

MAPS = ("entropy", "expected_entropy", "mutual_information", "variance")


def study(
    foreground: torch.Tensor, size: int = 60, network: int = 60, absent: tuple[str, ...] = (), none: tuple[str, ...] = ()
) -> dict:
    """A picture whose network grid is `network` pixels wide, with a foreground probability on that grid.

    Args:
        absent: names of further measurements, of structures that nothing was found of. none: of such whose 0 is an answer.
    """
    image = MetaTensor(torch.rand(1, size, size), meta={"flags": ["NO_PIXEL_SPACING"]})
    preprocessing = Compose(
        [CropForegroundd("image", "image", select_fn=lambda x: x >= 0), Resized("image", (network, network), mode="bilinear")]
    )
    data = preprocessing({"image": image}) | {"input": image}
    probability = torch.stack([1 - foreground, foreground, torch.zeros_like(foreground)])
    value = float((foreground > 0.5).sum()) * (size / network) ** 2
    entry = {
        "kind": "measurement",
        "name": "area",
        "unit": "pixels",
        "value": value or None,
        "value_on_input_grid": None,
        "draws": {},
        "region": None,
        "statement": "x",
    }
    data |= {f"pred_{name}": torch.zeros(1, network, network) for name in MAPS}
    data |= {"pred_pred": probability, "pred_hypotheses": (foreground > 0.5).to(torch.uint8)[None]}
    entries = [entry, *(entry | {"name": name, "value": None} for name in absent)]
    entries += [entry | {"name": name, "value": 0.0} for name in none]
    lesions = [{"centre": [network / 2 - 0.5, 0.0]}]
    result = {"answers": entries, "lesions": lesions, "study_scores": {}, "sampling": {}}
    data["pred_result"] = json.dumps(result)
    measurements = [
        Area("area", "Object", (1,)),
        *(Area(name, name, (2,)) for name in absent),
        *(OddShapes(name, name, (1,)) for name in none),
    ]
    return ReportOnInputGridd(preprocessing, "image", measurements)(data)


def square(network: int, first: int, last: int) -> torch.Tensor:
    foreground = torch.zeros(network, network)
    foreground[first:last, first : last - 1] = 0.9
    return foreground


def test_a_mask_keeps_its_place_and_its_area():
    report = study(square(120, 40, 80), size=60, network=120)
    rows, columns = torch.nonzero(report["segmentation"][0], as_tuple=True)
    assert (rows.min(), rows.max()) == (20, 39) and columns.min() == 20
    assert report["segmentation"].shape == (1, 60, 60) and report["probability"].shape == (3, 60, 60)
    entry = report["result"]["answers"][0]
    assert entry["value"] == pytest.approx(40 * 39 / 4)
    assert entry["value_on_input_grid"] == pytest.approx(entry["value"], rel=0.03)
    assert report["hypotheses"].dtype == torch.uint8 and report["hypotheses"].shape == (1, 60, 60)


def test_a_piece_lies_where_it_lies_on_the_input():
    report = study(square(120, 40, 80), size=60, network=120)
    assert report["result"]["lesions"][0]["centre"] == pytest.approx([29.5, -0.25])


@pytest.mark.parametrize("network", [61, 90, 119])
def test_nothing_moves_by_part_of_a_pixel(network):
    """A soft disc on the network grid comes back with its centre of mass where it was; so do its labels."""
    position = (torch.arange(network) + 0.5) * 60 / network - 0.5
    spot = torch.sigmoid(16 - ((position[:, None] - 24) ** 2 + (position[None] - 33.5) ** 2).sqrt())
    report = study(spot, size=60, network=network)
    for name, weights in (("probability", report["probability"][1]), ("hypotheses", report["hypotheses"][0].float())):
        grid = torch.arange(60.0)
        centre = tuple(float(weights.sum(axis) @ grid / weights.sum()) for axis in (1, 0))
        assert centre == pytest.approx((24, 33.5), abs=0.1), name


def test_a_structure_below_the_grid_is_flagged():
    """Four pixels of a network grid four times as fine are nothing on the input's own."""
    foreground = torch.zeros(240, 240)
    foreground[100:240:8, ::2] = 0.6
    report = study(foreground, size=60, network=240)
    assert "GRID_MATTERS" in report["result"]["flags"] and "NO_PIXEL_SPACING" in report["result"]["flags"]
    assert "GRID_MATTERS" not in study(square(60, 20, 40))["result"]["flags"]


def test_nothing_found_is_no_measurement_of_zero():
    result = study(torch.zeros(60, 60))["result"]
    assert result["status"] == "NOTHING_FOUND" and result["reasons"][0]["code"] == "NOTHING_FOUND"
    assert "not a measurement of zero" in result["answers"][0]["statement"]
    assert study(square(60, 20, 40))["result"]["status"] == "OK"


def test_none_of_nothing_is_no_answer():
    result = study(torch.zeros(60, 60), none=("odd shapes",))["result"]
    assert result["status"] == "NOTHING_FOUND" and [entry["value"] for entry in result["answers"]] == [None, None]
    found = study(square(60, 20, 40), none=("odd shapes",))["result"]
    assert found["status"] == "OK" and found["answers"][1]["value"] == found["answers"][1]["value_on_input_grid"] == 0.0
    assert "NOTHING_FOUND" not in found["flags"]


def test_a_part_that_was_not_found_is_flagged_where_another_was():
    assert "NOTHING_FOUND" not in study(square(60, 20, 40))["result"]["flags"]
    result = study(square(60, 20, 40), absent=("head",))["result"]
    assert result["status"] == "OK" and "NOTHING_FOUND" in result["flags"]
    assert "NOTHING_FOUND" not in study(torch.zeros(60, 60), absent=("head",))["result"]["flags"]


def test_a_structure_that_may_go_on_beyond_the_border_is_flagged():
    labels = torch.zeros(8, 9, 10, dtype=torch.uint8)
    assert not touches_border(labels)
    labels[1:7, 1:8, 1:9] = 2
    assert not touches_border(labels)
    region = torch.zeros(1, 8, 9, 10, dtype=torch.uint8)
    region[:, :7] = 1
    assert touches_border(labels, region)
    for axis in range(3):
        cut = labels.clone()
        cut.select(axis, labels.shape[axis] - 1)[3, 3] = 1
        assert touches_border(cut)
    assert not touches_border(torch.ones(8, 9, dtype=torch.uint8))
