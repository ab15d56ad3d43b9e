"""The bone bundle with a small network of random weights: both polarities, pictures and DX, and what it refuses."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from dicom_phantoms import clean_series, radiograph, radiograph_picture
from monai.networks.nets import UNet
from PIL import Image
from pydicom import dcmwrite
from result_schema import read_valid

from caveat.networks.samplers.ensemble import Ensemble
from caveat.networks.weights.state_dicts import save_weights
from caveat.run_bundle import run_bundle
from caveat.transforms.study.discover import find_studies

SOURCE = Path(__file__).resolve().parents[2] / "bundles" / "bone_soft_tissue"
SMALL = {"channels": [4, 4, 6, 6], "num_res_units": 0}
WRITERS = [
    {"_target_": "caveat.transforms.writers.segmentation.SegmentationWriter"},
    {"_target_": "caveat.transforms.writers.maps.MapsWriter"},
    {"_target_": "caveat.transforms.writers.result_json.ResultJsonWriter"},
]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    """The bundle's configs, five small networks."""
    folder = tmp_path_factory.mktemp("bundles") / "bone_soft_tissue"
    shutil.copytree(SOURCE / "configs", folder / "configs")
    config = folder / "configs" / "inference.yaml"
    settings = yaml.safe_load(config.read_text(encoding="utf-8"))
    settings["backbone"] |= SMALL
    for part in ("models", "calibration"):
        (folder / part).mkdir()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        facts = {key: value for key, value in settings["backbone"].items() if key != "_target_"}
        networks = Ensemble([UNet(**facts) for _ in range(5)])
    settings["weights_sha256"] = save_weights(networks.state_dict(), folder / "models" / "model.pt")
    config.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    return folder


def predict(bundle: Path, source: Path, out: Path) -> list[Path]:
    """Folders of the results, one a study."""
    overrides = {"datalist": find_studies(source), "output_dir": str(out), "writers": WRITERS}
    run_bundle(bundle, [bundle / "configs" / "inference.yaml"], overrides)
    return sorted(path.parent for path in out.glob("*/result.json"))


def result_of(folder: Path) -> dict:
    return read_valid(folder / "result.json")


def test_both_polarities_and_a_picture_give_one_answer_bit_for_bit(bundle, tmp_path):
    source = tmp_path / "in"
    for number, photometric in enumerate(("MONOCHROME1", "MONOCHROME2")):
        (source / str(number)).mkdir(parents=True)
        header = radiograph(
            photometric=photometric, StudyInstanceUID=f"1.2.{number + 1}", SeriesInstanceUID=f"1.2.{number + 1}.1"
        )
        dcmwrite(source / str(number) / "image.dcm", header, enforce_file_format=True)
    Image.fromarray(radiograph_picture().astype(np.uint16)).save(source / "picture.png")
    folders = predict(bundle, source, tmp_path / "out")
    assert [result_of(folder)["status"] for folder in folders] == ["OK"] * 3
    for name in ("segmentation.png", "probability.tif", "entropy.tif"):
        assert len({(folder / name).read_bytes() for folder in folders}) == 1
    names = [entry["name"] for entry in result_of(folders[0])["answers"]]
    assert names == ["bone area", "soft tissue area", "open beam area"]


def test_areas_are_in_mm2_of_the_detector_plane_where_it_is_known(bundle, tmp_path):
    (tmp_path / "in").mkdir()
    dcmwrite(tmp_path / "in" / "dx.dcm", radiograph(ImagerPixelSpacing=[0.5, 0.5]), enforce_file_format=True)
    (folder,) = predict(bundle, tmp_path / "in", tmp_path / "out")
    result, labels = result_of(folder), np.asarray(Image.open(folder / "segmentation.png"))
    for entry in result["answers"]:
        assert entry["unit"] == "mm2"
        assert entry["value_on_input_grid"] == pytest.approx(0.25 * (labels == entry["classes"][0]).sum())
    assert "detector plane" in result["input"]["spacing_source"]


def test_what_is_no_radiograph_is_refused(bundle, tmp_path):
    source = tmp_path / "in"
    (source / "ct").mkdir(parents=True)
    for number, header in enumerate(clean_series()):
        dcmwrite(source / "ct" / f"{number}.dcm", header, enforce_file_format=True)
    colours = np.random.default_rng(0).integers(0, 255, (40, 40, 3)).astype(np.uint8)
    Image.fromarray(colours).save(source / "colour.png")
    Image.fromarray(np.full((40, 40), 7, np.uint8)).save(source / "flat.png")
    reasons = [result_of(folder)["reasons"][0]["code"] for folder in predict(bundle, source, tmp_path / "out")]
    assert sorted(reasons) == ["CONSTANT_IMAGE", "WRONG_CHANNELS", "WRONG_MODALITY"]
