"""What the chest bundle sees of a film, and that other pictures get no class."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from monai.bundle import ConfigParser
from phantoms import fundus, lung_crop, nuclei, write_cephalogram
from PIL import Image
from result_schema import read_valid

from caveat.bundle_folders import choose_configs
from caveat.run_bundle import run_bundle
from caveat.transforms.study.discover import find_studies

BUNDLE = Path(__file__).resolve().parents[2] / "bundles" / "chest_radiograph"


def preprocessing_of(*overlays: str):
    parser = ConfigParser()
    parser.read_config([str(BUNDLE / "configs" / f"{name}.yaml") for name in ("inference", *overlays)])
    parser.read_meta(str(BUNDLE / "configs" / "metadata.json"))
    parser["bundle_root"] = str(BUNDLE)
    return parser.get_parsed_content("preprocessing")


def film() -> np.ndarray:
    """A bright middle between two dark fields, with grain: 16 bits."""
    rows, columns = np.indices((256, 256)) / 255
    lungs = np.exp(-(((columns - 0.3) / 0.13) ** 2) - ((rows - 0.5) / 0.3) ** 2)
    lungs += np.exp(-(((columns - 0.7) / 0.13) ** 2) - ((rows - 0.5) / 0.3) ** 2)
    grain = np.random.default_rng(0).normal(0, 0.01, lungs.shape)
    return (20_000 + 20_000 * np.clip(1 - 0.8 * lungs + grain, 0, 1.2)).astype(np.uint16)


def seen(preprocessing, folder: Path, pixels: np.ndarray) -> np.ndarray:
    Image.fromarray(pixels).save(folder / "one.png")
    return np.asarray(preprocessing({"image": folder / "one.png"})["image"])


def test_the_network_sees_neither_exposure_nor_border(tmp_path):
    preprocessing, pixels = preprocessing_of(), film()
    image = seen(preprocessing, tmp_path, pixels)
    assert image.shape == (3, 256, 256)
    darker = (65_535 * (pixels / 65_535) ** 2).astype(np.uint16)
    assert np.abs(seen(preprocessing, tmp_path, darker) - image).mean() < 0.02, "ranks are what is seen"
    framed = pixels.copy()
    framed[:20], framed[:, -20:] = 0, 65_535
    np.testing.assert_array_equal(seen(preprocessing, tmp_path, framed), image, err_msg="32 of 256 pixels are cut off")


def test_the_network_of_whole_films_sees_both(tmp_path):
    preprocessing, pixels = preprocessing_of("whole_film"), film()
    image = seen(preprocessing, tmp_path, pixels)
    assert image.shape == (3, 256, 256)
    darker = (65_535 * (pixels / 65_535) ** 2).astype(np.uint16)
    assert np.abs(seen(preprocessing, tmp_path, darker) - image).mean() > 0.1
    framed = pixels.copy()
    framed[:20] = 0
    assert np.abs(seen(preprocessing, tmp_path, framed) - image).max() > 0.5


@pytest.fixture(scope="module")
def of_other_kinds(tmp_path_factory) -> Path:
    """Results of pictures that are no chest films."""
    folder, out = (tmp_path_factory.mktemp(name) for name in ("images", "out"))
    colour, *_ = fundus()
    pictures = {
        "colour": colour,
        "fundus": colour.mean(axis=-1).astype(np.uint8),
        "nuclei": nuclei()[0],
        "ct": np.clip((lung_crop((0.8, 0.8, 2.5))[0][:, :, 2] + 1000) / 6, 0, 255).astype(np.uint8),
        "grain": np.random.default_rng(0).integers(0, 255, (300, 300)).astype(np.uint8),
    }
    for name, pixels in pictures.items():
        Image.fromarray(pixels).save(folder / f"{name}.png")
    write_cephalogram(folder / "skull.png", seed=1)
    given = {"datalist": find_studies(folder), "output_dir": out / "run", "device": "$torch.device('cpu')"}
    run_bundle(BUNDLE, choose_configs(BUNDLE, "single"), given)
    return out / "run"


@pytest.mark.parametrize(
    ("name", "code"),
    [("colour", "WRONG_CHANNELS"), *((name, "NOT_THIS_KIND") for name in ("fundus", "nuclei", "ct", "grain", "skull"))],
)
def test_another_kind_of_picture_gets_no_class(of_other_kinds, name, code):
    result = read_valid(of_other_kinds / name / "result.json")
    assert (result["status"], [reason["code"] for reason in result["reasons"]]) == ("REFUSED", [code])


def test_a_result_says_class_set_and_doubt(tmp_path):
    """Without the limits of the kind, which a phantom is beyond."""
    bundle = shutil.copytree(BUNDLE, tmp_path / "bundle", ignore=shutil.ignore_patterns("kind_*.json"))
    (tmp_path / "images").mkdir()
    Image.fromarray(film()).save(tmp_path / "images" / "one.png")
    given = {"datalist": find_studies(tmp_path / "images"), "output_dir": tmp_path / "run", "device": "$torch.device('cpu')"}
    run_bundle(bundle, choose_configs(bundle, None), given)
    result = read_valid(tmp_path / "run" / "one" / "result.json")
    (answer,) = result["answers"]
    assert sum(answer["value"]) == pytest.approx(1, abs=1e-5) and answer["draws"]["n"] == 25
    assert answer["mutual_information"] > 0 and "KIND_NOT_CHECKED" in result["flags"]
    assert 0 < result["study_scores"]["evidence_disagreement"] < 1
    assert {path.name for path in (tmp_path / "run" / "one").glob("*.tif")} == {
        "evidence.tif",
        "evidence_sd.tif",
        "evidence_share.tif",
    }
    report = (tmp_path / "run" / "one" / "report.html").read_text(encoding="utf-8")
    assert "speaks loudest for pneumonia" in report and "pneumonia" in answer["statement"]
