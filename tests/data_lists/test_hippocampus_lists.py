"""The fixed splits of the hippocampus scans: by subject, the folds, and the files they name."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

LISTS = Path(__file__).resolve().parents[2] / "data_lists"
PARTS = json.loads((LISTS / "hippocampus.json").read_text())
BY_FOLD = json.loads((LISTS / "hippocampus_cross_validation.json").read_text())


def units(entries: list[dict]) -> set[str]:
    return {entry["unit"] for entry in entries}


def test_no_subject_stands_in_two_parts():
    assert {part: len(units(entries)) for part, entries in PARTS.items()} == {
        "training": 70,
        "early_stopping": 6,
        "calibration": 36,
        "test": 28,
    }
    assert len(set().union(*map(units, PARTS.values()))) == 140


def test_both_sides_of_a_subject_are_one_unit():
    for entry in (entry for entries in PARTS.values() for entry in entries):
        scan = int(entry["image"].removesuffix(".nii.gz").rsplit("_", 1)[1])
        assert entry["unit"] == f"subject {(scan + 1) // 2:03d}"
        assert entry["label"] == [entry["image"].replace("images", "labels")]


def test_training_and_calibration_subjects_lie_in_one_fold_each_and_the_others_in_none():
    assert units(BY_FOLD["training"]) == units(PARTS["training"]) | units(PARTS["calibration"])
    assert [BY_FOLD[part] == PARTS[part] for part in ("early_stopping", "test")] == [True, True]
    folds = [units([entry for entry in BY_FOLD["training"] if entry["fold"] == fold]) for fold in range(5)]
    assert sum(map(len, folds)) == 106 and len(set().union(*folds)) == 106
    assert {len(fold) for fold in folds} == {21, 22}


@pytest.mark.parametrize("part", PARTS)
def test_the_files_are_those_of_the_list(part, shared_data):
    for entry in PARTS[part][:5]:
        assert hashlib.sha256((shared_data / entry["image"]).read_bytes()).hexdigest() == entry["sha256"]
