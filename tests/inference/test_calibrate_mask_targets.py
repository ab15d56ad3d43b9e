"""Targets that need the mask, from draws through `caveat calibrate` to the interval of the next study: no step knows them."""

from __future__ import annotations

import json

import numpy as np
import torch
from calibration_phantoms import AFFINE, BUNDLE, SHAPE, result_of, write_label, write_list, write_result

from caveat.cli import main
from caveat.inference.calibration.apply_records import ApplyRecordsd
from caveat.inference.engine.block import Block
from caveat.inference.engine.study_grid import StudyGrid, element_of_grid
from caveat.inference.reducers.extent import Extent
from caveat.inference.reducers.moments import Moments
from caveat.inference.targets.largest_diameter import LargestDiameter
from caveat.inference.targets.surface_area import SurfaceArea
from caveat.networks.draws.draw import first_draws

TARGETS = (SurfaceArea("surface", "Surface", (1,)), LargestDiameter("diameter", "Diameter", (1,)))
UNITS = 12
INFERENCE = """
name: phantoms
weights_sha256: w
measurements:
  - {_target_: caveat.inference.targets.surface_area.SurfaceArea, name: surface, title: Surface, classes: [1]}
  - {_target_: caveat.inference.targets.largest_diameter.LargestDiameter, name: diameter, title: Diameter, classes: [1]}
"""
CALIBRATE = """
calibration:
  _target_: caveat.inference.calibration.settings.Calibration
  truths: {_target_: caveat.inference.stored.truths.MaskTruths}
  targets: '@measurements'
  score: {_target_: caveat.inference.calibration.scores.log.Log, offset: 1.0}
  unit: subject
"""


def body(half_axes: np.ndarray) -> np.ndarray:
    """An ellipsoid in the middle. Args: half_axes: in voxels."""
    axes = np.indices(SHAPE).transpose(1, 2, 3, 0) - (np.array(SHAPE) - 1) / 2
    return (((axes / half_axes) ** 2).sum(axis=-1) <= 1).astype(np.uint8)


def measured(draws: list[np.ndarray]) -> list[dict]:
    """Answers, as the inferer's reducers make them of draws."""
    values = torch.stack([torch.stack([1 - mask, mask]) for mask in map(torch.from_numpy, draws)]).float()
    element = element_of_grid(AFFINE, {"spacing_source": "the file"}, 3)
    results = {}
    for reducer in (Moments(), Extent(TARGETS)):
        reducer.begin(StudyGrid(SHAPE, 2, len(draws), element))
        reducer.update(Block(0, values), first_draws(len(draws)), values)
        results[reducer.name] = reducer.finish(results)
    return results["Extent"].answers


def study(root, number: int) -> dict:
    """A subject: five draws around what a rater drew, measured and stored. Returns: its entry of the list."""
    random = np.random.default_rng(number)
    half_axes = random.uniform([3.5, 3, 2.5], [5, 4.5, 3.5])
    sha256, path = f"sha{number:03}", f"labels/{number}.nii.gz"
    write_label(root / "data" / path, body(half_axes))
    found = [body(half_axes * random.uniform(0.9, 1.12, 3)) for _ in range(5)]
    write_result(root / f"out/scan{number:03}", result_of(sha256, 0, 0, answers=measured(found)))
    return {"image": f"images/{number}.nii.gz", "label": [path], "unit": f"subject {number}", "sha256": sha256}


def test_a_surface_and_a_diameter_get_intervals(tmp_path, monkeypatch):
    monkeypatch.setenv("CAVEAT_BUNDLES", str(tmp_path))
    monkeypatch.setenv("CAVEAT_DATA", str(tmp_path / "data"))
    configs = tmp_path / "bundle/configs"
    configs.mkdir(parents=True)
    (configs / "metadata.json").write_text("{}")
    (configs / "inference.yaml").write_text(INFERENCE)
    (configs / "calibrate.yaml").write_text(CALIBRATE)
    *calibration, new = [study(tmp_path, number) for number in range(UNITS + 1)]
    write_list(tmp_path, calibration=calibration)
    where = [str(tmp_path / name) for name in ("bundle", "out", "list.json", "mine")]
    assert main(["calibrate", where[0], "-p", where[1], "--data", where[2], "-o", where[3]]) == 0

    stored = json.loads((tmp_path / f"out/scan{UNITS:03}/result.json").read_text())
    result = ApplyRecordsd(where[3], 0.9, BUNDLE)({"result": stored})["result"]
    widths = []
    for entry, target, unit in zip(result["answers"], TARGETS, ("mm²", "mm"), strict=True):
        interval = entry["region"]
        assert interval["n"] == UNITS and interval["lower"] < entry["value"] < interval["upper"]
        assert f" {unit} (90 % interval" in entry["statement"] and entry["name"] == target.name
        widths.append(interval["upper"] / interval["lower"])
    assert widths[0] > widths[1]  # an area is off by the square of what a length is
