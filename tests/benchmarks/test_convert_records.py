"""Shipped records promise what they promised when they were made, and belong to the bundle as it is."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from convert_records import convert_folder, hash_of_version_1
from monai.bundle import ConfigParser

from caveat.inference.calibration.case import Case
from caveat.inference.calibration.identity import fingerprint
from caveat.inference.calibration.record import read_records
from caveat.inference.calibration.record_file import seal, unseal
from caveat.inference.gate.reference import Reference

BUNDLES = Path(__file__).resolve().parents[2] / "bundles"
PROMISED = {
    "cephalometric_landmarks/ensemble_5_draws_disc_marginal.json": "bd76379d250c2439",
    "cephalometric_landmarks/ensemble_5_draws_disc_simultaneous.json": "a0c627567c7136f5",
    "cephalometric_landmarks/ensemble_5_draws_ellipse_marginal.json": "1f324f89d57badab",
    "cephalometric_landmarks/ensemble_5_draws_ellipse_simultaneous.json": "b69007e92c4f000d",
    "cephalometric_landmarks/ensemble_5_draws_pooled_covariance.json": "da6fad4402f2a263",
    "hippocampus_volume/ensemble_5_draws_anterior_volume.json": "8bea6d60d0f3dfd9",
    "hippocampus_volume/ensemble_5_draws_hippocampus_volume.json": "0a075a931c80467a",
    "hippocampus_volume/ensemble_5_draws_posterior_volume.json": "1a61532c2ac581d1",
    "lung_lesions/latentslices_16_draws_mean_volume_of_the_raters.json": "6122ab2db640826d",
    "lung_lesions/latentslices_16_draws_volume_by_one_rater.json": "4f6f00256f7906bc",
}
"""Of everything in a record but identity, whose truth it is and checksum, as caveat 0.1 made it: first digits of the sha256."""


def path_of(name: str) -> Path:
    bundle, file = name.split("/")
    return BUNDLES / bundle / "calibration" / file


def preprocessing_of(bundle: str):
    config = ConfigParser()
    config.read_config(BUNDLES / bundle / "configs" / "inference.yaml")
    config.read_meta(BUNDLES / bundle / "configs" / "metadata.json")
    return config.get_parsed_content("preprocessing")


@pytest.mark.parametrize("name", PROMISED)
def test_a_converted_record_promises_what_it_promised(name):
    facts = unseal(json.loads(path_of(name).read_text(encoding="utf-8")))
    del facts["identity"]
    facts["provenance"].pop("truth", None)  # words that 0.1 did not have
    assert hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest().startswith(PROMISED[name])


def test_its_interval_is_the_one_that_version_1_gave():
    record = read_records(path_of("hippocampus_volume/ensemble_5_draws_hippocampus_volume.json"))[0]
    case = Case("", "", "", 3.051, (3.0, 3.1, 3.02, 3.07, 3.05))
    assert record.interval(case, 0.9) == pytest.approx((2.678799859796705, 3.423200140203295), abs=1e-12)


@pytest.mark.parametrize("bundle", sorted({name.split("/")[0] for name in PROMISED}))
def test_records_belong_to_the_bundle_as_it_is(bundle):
    own = fingerprint(preprocessing_of(bundle))
    reference = Reference.read(BUNDLES / bundle / "calibration" / "features.json")
    assert reference.preprocessing_sha256 == own
    for name in (name for name in PROMISED if name.startswith(bundle)):
        identity = json.loads(path_of(name).read_text(encoding="utf-8"))["identity"]
        assert identity["preprocessing_sha256"] == own
        assert identity.get("feature_reference", reference.sha256) == reference.sha256


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
    assert len(converted) == 4
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
