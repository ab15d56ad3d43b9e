"""Records of 0.1 become those of today, and nothing else is converted."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from convert_records import convert_folder, hash_of_version_1
from monai.bundle import ConfigParser

from caveat.inference.calibration.record_file import seal, unseal

BUNDLES = Path(__file__).resolve().parents[2] / "bundles"


def preprocessing_of(bundle: str):
    config = ConfigParser()
    config.read_config(BUNDLES / bundle / "configs" / "inference.yaml")
    config.read_meta(BUNDLES / bundle / "configs" / "metadata.json")
    return config.get_parsed_content("preprocessing")


@pytest.fixture
def of_version_1(tmp_path):
    """The hippocampus bundle with records as 0.1 made them."""
    bundle = shutil.copytree(
        BUNDLES / "hippocampus_volume", tmp_path / "hippocampus_volume", ignore=shutil.ignore_patterns("*.pt")
    )
    old, place = hash_of_version_1(preprocessing_of("hippocampus_volume")), bundle / "calibration"
    features = json.loads((place / "features.json").read_text()) | {"preprocessing_sha256": old}
    (place / "features.json").write_text(json.dumps(features, sort_keys=True) + "\n")
    reference = hashlib.sha256((place / "features.json").read_bytes()).hexdigest()
    for path in place.glob("ensemble*.json"):
        facts = unseal(json.loads(path.read_text()))
        del facts["identity"]["clip_windows"]
        facts["identity"] |= {"preprocessing_sha256": old, "feature_reference": reference}
        path.write_text(json.dumps(seal(facts), indent=1) + "\n")
    return bundle


def test_the_command_gives_the_shipped_files(of_version_1):
    converted = convert_folder(of_version_1, of_version_1 / "calibration")
    assert len(converted) == 5
    for path, text in converted.items():
        assert json.loads(text) == json.loads((BUNDLES / "hippocampus_volume" / "calibration" / path.name).read_text())


def test_records_of_another_preprocessing_and_converted_ones_are_left_alone(of_version_1):
    with pytest.raises(ValueError, match="another preprocessing, or is converted already"):
        convert_folder(BUNDLES / "hippocampus_volume", BUNDLES / "hippocampus_volume" / "calibration")
    config = of_version_1 / "configs" / "inference.yaml"
    config.write_text(config.read_text().replace("pixdim: [1.0, 1.0, 1.0]", "pixdim: [1.0, 1.0, 1.2]"))
    with pytest.raises(ValueError, match="features.json belongs to another preprocessing"):
        convert_folder(of_version_1, of_version_1 / "calibration")


def test_a_record_whose_windows_were_filled_up_is_not_converted_to_one_of_clipped_windows(of_version_1):
    path = of_version_1 / "calibration" / "ensemble_5_draws_hippocampus_volume.json"
    facts = unseal(json.loads(path.read_text()))
    facts["identity"]["roi_size"] = [64, 64, 64]
    path.write_text(json.dumps(seal(facts)))
    with pytest.raises(ValueError, match="were filled up in 0.1"):
        convert_folder(of_version_1, of_version_1 / "calibration")
