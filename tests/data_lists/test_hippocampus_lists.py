"""The fixed splits of the hippocampus scans: by subject, nested folds, and the files they name."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

LISTS = Path(__file__).resolve().parents[2] / "data_lists"
PARTS = json.loads((LISTS / "hippocampus.json").read_text())
FOLDS = [json.loads((LISTS / f"hippocampus_fold{fold}.json").read_text()) for fold in range(1, 6)]


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


def test_every_training_subject_is_out_of_one_fold():
    assert sorted(name for fold in FOLDS for name in units(fold["out_of_fold"])) == sorted(units(PARTS["training"]))
    for fold in FOLDS:
        assert units(fold["training"]) | units(fold["out_of_fold"]) == units(PARTS["training"])
        assert not units(fold["training"]) & units(fold["out_of_fold"])
        assert fold["early_stopping"] == PARTS["early_stopping"]


@pytest.mark.parametrize("part", PARTS)
def test_the_files_are_those_of_the_list(part, shared_data):
    for entry in PARTS[part][:5]:
        assert hashlib.sha256((shared_data / entry["image"]).read_bytes()).hexdigest() == entry["sha256"]
