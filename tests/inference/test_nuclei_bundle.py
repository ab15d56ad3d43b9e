"""What the nuclei bundle makes of pictures: nuclei are counted, everything else is refused, empty or flagged."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from monai.bundle import ConfigParser
from phantoms import fundus, nuclei
from PIL import Image

from caveat.inference.calibration.record import read_records
from caveat.reasons import StudyRefused
from caveat.run_bundle import run_bundle
from caveat.transforms.study.discover import find_studies

(BUNDLE,) = (Path(__file__).resolve().parents[2] / "bundles").glob("*nuclei_count")
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
    if not (BUNDLE / "models" / "model.pt").is_file():
        pytest.skip("the bundle has no weights yet")
    folder = tmp_path_factory.mktemp("nuclei")
    random = np.random.default_rng(0)
    save(folder / "few.png", nuclei()[0])
    save(folder / "grain.png", np.clip(random.normal(20, 2, (200, 216)), 0, 255).astype(np.uint8))
    save(folder / "crowd.png", nuclei(600, 600, 2000, 5.6)[0])
    writers = [{"_target_": "caveat.transforms.writers.result_json.ResultJsonWriter"}]
    overrides = {"datalist": find_studies(folder), "output_dir": folder / "out", "writers": writers}
    run_bundle(BUNDLE, [CONFIGS / "inference.yaml", CONFIGS / "single.yaml"], overrides)
    return {path.parent.name: json.loads(path.read_text(encoding="utf-8")) for path in (folder / "out").glob("*/result.json")}


def test_nuclei_are_counted(told):
    nuclei_, total, mean = told["few"]["answers"]
    assert 22 <= nuclei_["value"] <= 26 and nuclei_["unit"] == "nuclei" and nuclei_["value"] == len(told["few"]["lesions"])
    assert total["unit"] == mean["unit"] == "pixels", "there is no spacing"
    assert total["value"] == pytest.approx((nuclei()[1] > 0).sum(), rel=0.15)
    assert mean["value"] == pytest.approx(total["value"] / nuclei_["value"], rel=1e-4)


def test_grain_without_nuclei_gets_no_interval(told):
    """Its count is wrong, and the gate of every record withholds the interval."""
    gates = [record.gate for record in read_records(BUNDLE / "calibration")]
    assert len(gates) == 3 and not any(gate.judge(told["grain"]["study_scores"]).accepted for gate in gates)


def test_two_thousand_that_touch_are_many(told):
    assert 1000 < told["crowd"]["answers"][0]["value"] < 3000
