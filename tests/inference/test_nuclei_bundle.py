"""What the nuclei bundle makes of pictures: nuclei are counted, everything else is refused, empty or flagged."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from monai.bundle import ConfigParser
from phantoms import fundus, head, nuclei
from PIL import Image

from caveat.inference.calibration.case import case_of
from caveat.inference.calibration.record import read_records
from caveat.reasons import StudyRefused
from caveat.run_bundle import run_bundle
from caveat.transforms.study.discover import find_studies


def dark() -> np.ndarray:
    """Ground with uneven light and grain, and no nucleus."""
    light = 12 + 20 * np.exp(-(((np.indices((200, 216)) - 90) / 80) ** 2).sum(axis=0))
    return np.clip(light + np.random.default_rng(0).normal(0, 1, light.shape), 0, 255).astype(np.uint8)


def grain() -> np.ndarray:
    return np.clip(np.random.default_rng(0).normal(20, 2, (200, 216)), 0, 255).astype(np.uint8)


BUNDLE = Path(__file__).resolve().parents[2] / "bundles" / "nuclei_count"
CONFIGS = BUNDLE / "configs"


@pytest.fixture(scope="module")
def preprocessing():
    parser = ConfigParser()
    parser.read_config(str(CONFIGS / "inference.yaml"))
    parser.read_meta(str(CONFIGS / "metadata.json"))
    return parser.get_parsed_content("preprocessing")


def save(path: Path, pixels: np.ndarray) -> Path:
    Image.fromarray(pixels).save(path)
    return path


def test_grey_values_and_their_root_are_what_the_network_sees(preprocessing, tmp_path):
    pixels, _ = nuclei()
    image = preprocessing({"image": save(tmp_path / "one.png", pixels)})["image"]
    assert image.shape == (2, 200, 216) and (float(image.min()), float(image.max())) == (0.0, 1.0)
    np.testing.assert_allclose(image[1], np.sqrt(image[0]), atol=1e-3)
    brighter = preprocessing({"image": save(tmp_path / "brighter.png", pixels.astype(np.uint16) * 200)})["image"]
    np.testing.assert_allclose(brighter[0], image[0], atol=1e-4, err_msg="exposure does not matter")


@pytest.mark.parametrize(
    ("pixels", "code"),
    [
        pytest.param(255 - nuclei()[0], "NOT_THIS_KIND", id="inverted, or another stain in transmitted light"),
        pytest.param(fundus()[0], "WRONG_CHANNELS", id="a colour photograph"),
        pytest.param(np.full((64, 64), 7, np.uint8), "CONSTANT_IMAGE", id="one value"),
        pytest.param(grain(), "NOT_THIS_KIND", id="grain without a nucleus"),
    ],
)
def test_other_pictures_are_refused(preprocessing, tmp_path, pixels, code):
    with pytest.raises(RuntimeError) as caught:
        preprocessing({"image": save(tmp_path / "one.png", pixels)})
    cause: BaseException | None = caught.value
    while cause is not None and not isinstance(cause, StudyRefused):
        cause = cause.__cause__
    assert cause.code == code


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> dict[str, dict]:
    """What one network's deterministic pass says of phantoms."""
    folder = tmp_path_factory.mktemp("nuclei")
    save(folder / "few.png", nuclei()[0])
    save(folder / "crowd.png", nuclei(600, 600, 2000, 5.6)[0])
    save(folder / "dark.png", dark())
    save(folder / "slice.png", np.clip(head()[0][:, :, 13], 0, 255).astype(np.uint8))
    writers = [{"_target_": "caveat.transforms.writers.result_json.ResultJsonWriter"}]
    overrides = {"datalist": find_studies(folder), "output_dir": folder / "out", "writers": writers}
    run_bundle(BUNDLE, [CONFIGS / "inference.yaml", CONFIGS / "single.yaml"], overrides)
    return {path.parent.name: json.loads(path.read_text(encoding="utf-8")) for path in (folder / "out").glob("*/result.json")}


def test_nuclei_are_counted(told):
    nuclei_, total, mean, odd = told["few"]["answers"]
    assert 22 <= nuclei_["value"] <= 26 and nuclei_["unit"] == "nuclei" and nuclei_["value"] == len(told["few"]["lesions"])
    assert total["unit"] == mean["unit"] == "pixels", "there is no spacing"
    assert total["value"] == pytest.approx((nuclei()[1] > 0).sum(), rel=0.15)
    assert mean["value"] == pytest.approx(total["value"] / nuclei_["value"], rel=1e-4)
    assert odd["value"] <= 2 and f"Nuclei: {nuclei_['value']:g} nuclei (" in nuclei_["statement"]


@pytest.mark.parametrize("name", ["dark", "slice"])
def test_ground_alone_and_a_slice_of_a_head_are_no_count(told, name):
    """Nothing is found, or the gate withholds the interval, or it is so odd that the interval holds next to none."""
    (record,) = [record for record in read_records(BUNDLE / "calibration") if record.names == ("nuclei",)]
    result = told[name]
    if result["status"] == "NOTHING_FOUND" or not record.gate.judge(result["study_scores"]).accepted:
        return
    count = case_of(result["answers"][0], result)
    every = replace(
        count, draws=count.draws * record.networks, beside={key: draws * record.networks for key, draws in count.beside.items()}
    )
    (region,) = record.regions((every,), 0.9)
    assert region.lower <= 0.2 * count.number, "one network's deterministic pass stands for all of them"


def test_two_thousand_that_touch_are_many(told):
    assert 1000 < told["crowd"]["answers"][0]["value"] < 3000
