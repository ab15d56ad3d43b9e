"""A crop put into a larger field, through the bundle's own preprocessing and back: volumes and masks are those of the crop."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import decollate_batch, list_data_collate
from monai.transforms import Compose, FlattenSubKeysd
from phantoms import ellipsoid, oblique_affine, write_nifti
from torch import nn

from caveat.inference.answers.report_on_input_grid import ReportOnInputGridd
from caveat.inference.calibration.identity import identity_of
from caveat.inference.engine.inferer import SamplingInferer
from caveat.inference.reducers.extent import Extent
from caveat.inference.reducers.hypotheses import Hypotheses
from caveat.inference.reducers.information import Information
from caveat.inference.reducers.moments import Moments
from caveat.inference.targets.volume import Volume
from caveat.networks.samplers.ensemble import Ensemble
from caveat.transforms.output.study_folder import WriteStudyd
from caveat.transforms.place.crop_to_region import box_of
from caveat.transforms.writers.maps import MapsWriter
from caveat.transforms.writers.preview import PreviewWriter
from caveat.transforms.writers.report_html import ReportHtmlWriter
from caveat.transforms.writers.result_json import ResultJsonWriter
from caveat.transforms.writers.segmentation import SegmentationWriter

CONFIG = Path(__file__).resolve().parents[2] / "bundles" / "hippocampus_volume" / "configs" / "inference.yaml"
CLASSES = ["background", "anterior", "posterior"]
BEFORE, AFTER = (20, 32, 21), (27, 9, 15)
AFFINES = {
    "upright": np.array([[1.0, 0, 0, -20], [0, 1, 0, 7], [0, 0, 1, -33], [0, 0, 0, 1]]),
    "flipped": np.diag([-1.0, 1.0, -1.0, 1.0]),
    "permuted": np.array([[0, 0, 1.0, 4], [-1, 0, 0, 9], [0, 1, 0, -7], [0, 0, 0, 1]]),
    "anisotropic": np.diag([0.9, 0.9, 1.25, 1.0]),
    "oblique": oblique_affine((1.1, 0.9, 1.0)),
}


class Levels(nn.Module):
    """Bright voxels are class 1, brighter ones class 2: a network whose answer is known."""

    def __init__(self, shift: float) -> None:
        super().__init__()
        self.shift = shift

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        smooth = nn.functional.avg_pool3d(windows, 3, stride=1, padding=1, count_include_pad=False)
        return torch.cat([torch.zeros_like(smooth), 4 * (smooth - 0.4 - self.shift), 8 * (smooth - 1.1)], dim=1)


def preprocessing(**where) -> Compose:
    """That of the bundle, with its box and its point."""
    config = ConfigParser()
    config.read_config(CONFIG)
    config.read_meta(CONFIG.with_name("metadata.json"))
    config.update(where)
    return config.get_parsed_content("preprocessing")


def measure(path: Path, **where) -> dict:
    """A study as `caveat predict` measures it, with a network whose answer is known."""
    measurements = [Volume("hippocampus volume", "Hippocampus", (1, 2)), Volume("anterior volume", "Anterior", (1,))]
    steps = preprocessing(**where)
    study = list_data_collate([steps({"image": str(path), "name": "study", "number": 1})])
    reducers = [Moments(), Information(), Extent(measurements), Hypotheses(limit=2)]
    inferer = SamplingInferer((-1, -1, -1), CLASSES, reducers)
    study["pred"] = inferer(study["image"], Ensemble([Levels(0.0), Levels(0.1)]))
    flat = FlattenSubKeysd("pred", prefix="pred")(decollate_batch(study)[0])
    return ReportOnInputGridd(steps, "image", measurements)(flat)


def crop_and_field(folder: Path, crop: np.ndarray, affine: np.ndarray) -> tuple[Path, Path, tuple[slice, ...]]:
    """Two files: the crop, and a larger image that holds it among brighter voxels. Returns: and where it lies there."""
    random = np.random.default_rng(1)
    shape = np.add(np.add(BEFORE, crop.shape), AFTER)
    inner = tuple(slice(first, first + size) for first, size in zip(BEFORE, crop.shape, strict=True))
    field = random.integers(0, 4 * int(crop.max()), shape).astype(crop.dtype)
    field[inner] = crop
    outer = affine.copy()
    outer[:3, 3] -= affine[:3, :3] @ np.array(BEFORE)
    return (
        write_nifti(folder / "a.nii.gz", voxels=crop, affine=affine),
        write_nifti(folder / "b.nii.gz", voxels=field, affine=outer),
        inner,
    )


def box_around(shape: tuple[int, ...], affine: np.ndarray) -> list[float]:
    return box_of(affine, np.zeros(3, int), np.array(shape))


def check_equal(crop: dict, field: dict, inner: tuple[slice, ...]) -> None:
    """Measurements, draws, masks and maps are the crop's, and background all round."""
    assert crop["result"]["status"] == "OK"
    assert field["result"]["answers"] == crop["result"]["answers"]
    assert field["result"]["study_scores"] == crop["result"]["study_scores"]
    around = torch.ones(field["input"].shape[1:], dtype=torch.bool)
    around[inner] = False
    for name in ("segmentation", "hypotheses"):
        assert torch.equal(torch.as_tensor(field[name][(slice(None), *inner)]), torch.as_tensor(crop[name])), name
        assert not field[name][:, around].any(), name
    for name in ("probability", "entropy", "mutual_information"):
        torch.testing.assert_close(field[name][(slice(None), *inner)].as_tensor(), crop[name].as_tensor(), rtol=0, atol=1e-5)
    assert (field["probability"][0][around] == 1).all() and not field["probability"][1:, around].any()
    assert torch.equal(field["region"][0] == 0, around)
    assert "region" not in crop and "input" not in crop["result"]


@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES.keys())
def test_a_box_in_a_larger_field_gives_what_the_crop_gives(affine, tmp_path):
    crop = ellipsoid((34, 48, 36) if affine[0, 0] else (48, 36, 34))
    alone, whole, inner = crop_and_field(tmp_path, crop, affine)
    check_equal(measure(alone), measure(whole, roi=box_around(crop.shape, affine)), inner)


def test_a_point_in_a_larger_field_gives_what_the_crop_gives(tmp_path):
    affine, shape = AFFINES["upright"], (40, 54, 40)  # the bundle's own
    alone, whole, inner = crop_and_field(tmp_path, ellipsoid(shape), affine)
    middle = affine[:3, :3] @ ((np.array(shape) - 1) / 2) + affine[:3, 3]
    field = measure(whole, point=middle.tolist())
    check_equal(measure(alone), field, inner)
    crop = field["result"]["input"]["crop"]
    assert crop["source"] == "point" and np.allclose(crop["box_mm"], box_around(shape, affine))


def test_real_scans_in_a_larger_field_give_what_they_give_alone(shared_data, tmp_path):
    for number in (89, 289):
        path = shared_data / "hippocampus" / "images" / f"hippocampus_{number:03d}.nii.gz"
        image = nib.load(path)
        voxels = np.asarray(image.dataobj).astype(np.float32)
        alone, whole, inner = crop_and_field(tmp_path, voxels, image.affine)
        check_equal(measure(alone), measure(whole, roi=box_around(voxels.shape, image.affine)), inner)


def test_the_files_of_a_cropped_study_say_where_it_was_measured(tmp_path):
    affine = AFFINES["permuted"]
    crop = ellipsoid((48, 36, 34))
    _, whole, inner = crop_and_field(tmp_path, crop, affine)
    study = measure(whole, roi=box_around(crop.shape, affine))
    writers = [SegmentationWriter(), MapsWriter(), ResultJsonWriter(), PreviewWriter(), ReportHtmlWriter()]
    WriteStudyd(tmp_path / "out", writers)(study)
    folder = tmp_path / "out" / "study"
    result = json.loads((folder / "result.json").read_text())
    assert result["classes"] == CLASSES
    assert result["input"]["shape"] == list(study["input"].shape[1:])
    assert result["input"]["crop"] == {"source": "box", "box_mm": pytest.approx(box_around(crop.shape, affine))}
    stored, memory = (identity_of(found, {}, found["answers"][0]) for found in (result, study["result"]))
    assert stored == memory and stored["crop"] == "box" and stored["classes"] == [1, 2] and stored["link"] == "softmax"
    region = np.asarray(nib.load(folder / "region.nii.gz").dataobj)
    assert region.sum() == crop.size and region[inner].all()
    probability = np.asarray(nib.load(folder / "probability.nii.gz").dataobj)
    assert np.allclose(probability.sum(axis=-1), 1, atol=1e-5)
    assert "Probability: anterior" in (folder / "report.html").read_text(encoding="utf-8")
