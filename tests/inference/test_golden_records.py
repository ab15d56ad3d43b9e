"""Shipped records promise what they promised when they were made, and belong to the bundle as it is.

golden_records.json was written by the code that made the records (most when measurements and landmarks had two kinds of record):
made-up cases, and every end and semi-axis that it gave.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from monai.bundle import ConfigParser

from caveat.inference.calibration.case import Case
from caveat.inference.calibration.identity import fingerprint
from caveat.inference.calibration.record import read_records
from caveat.inference.gate.reference import Reference

BUNDLES = Path(__file__).resolve().parents[2] / "bundles"
GOLDEN = json.loads(Path(__file__).with_name("golden_records.json").read_text())
OF_LANDMARKS = [name for name, stored in GOLDEN.items() if isinstance(stored, dict)]
OF_MEASUREMENTS = [name for name in GOLDEN if name not in OF_LANDMARKS]


def path_of(name: str) -> Path:
    bundle, file = name.split("/")
    return BUNDLES / bundle / "calibration" / file


@pytest.mark.parametrize("name", OF_MEASUREMENTS)
def test_intervals_are_those_of_before(name):
    (record,) = read_records(path_of(name))
    for stored in GOLDEN[name]:
        case = Case("", "", "", stored["value"], tuple(stored["draws"]), dict.fromkeys(record.score.study_scores, 0.5))
        for level, ends in stored["intervals"].items():
            regions = record.regions((case,), float(level))
            assert (regions and [regions[0].lower, regions[0].upper]) == ends


@pytest.mark.parametrize("name", OF_LANDMARKS)
def test_regions_are_those_of_before(name):
    (record,) = read_records(path_of(name))
    stored = GOLDEN[name]
    row = tuple(
        Case("", "", "", tuple(place), (), name=name, covariance=tuple(map(tuple, covariance)))
        for name, place, covariance in zip(record.names, stored["positions"], stored["covariances"], strict=True)
    )
    for level, outlines in stored["regions"].items():
        regions = record.regions(row, float(level))
        assert [regions[index].to_json() for index in (0, 8, len(row) - 1)] == outlines


@pytest.mark.parametrize("bundle", sorted({name.split("/")[0] for name in GOLDEN}))
def test_records_belong_to_the_bundle_as_it_is(bundle):
    config = ConfigParser()
    config.read_config(BUNDLES / bundle / "configs" / "inference.yaml")
    config.read_meta(BUNDLES / bundle / "configs" / "metadata.json")
    own = fingerprint(config.get_parsed_content("preprocessing"))
    features = BUNDLES / bundle / "calibration" / "features.json"
    reference = Reference.read(features) if features.is_file() else None
    assert reference is None or reference.preprocessing_sha256 == own
    for record in read_records(BUNDLES / bundle / "calibration"):
        assert record.identity["preprocessing_sha256"] == own
        assert record.identity.get("feature_reference") == (reference and reference.sha256)
