"""The fixed splits of the chest films: by patient, each kind of patient of each fold in its share."""

from __future__ import annotations

import json
from pathlib import Path

LISTS = Path(__file__).resolve().parents[2] / "data_lists"
PARTS = json.loads((LISTS / "chest_xray.json").read_text())
FOLDS = [json.loads((LISTS / f"chest_xray_fold{fold}.json").read_text()) for fold in range(1, 6)]
NUMBERED = json.loads((LISTS / "chest_xray_out_of_fold.json").read_text())


def units(entries: list[dict]) -> set[str]:
    return {entry["unit"] for entry in entries}


def test_a_tenth_of_the_patients_is_the_test_and_no_patient_is_on_both_sides():
    assert (len(units(PARTS["training"])), len(units(PARTS["test"]))) == (614, 68)
    assert not units(PARTS["training"]) & units(PARTS["test"])
    classes = [entry["class"] for entry in PARTS["test"]]
    assert (classes.count("pneumonia"), classes.count("no finding")) == (41, 40)
    assert len({entry["sha256"] for part in PARTS.values() for entry in part}) == 800


def test_the_film_that_is_upside_down_trains_and_tests_nothing():
    (film,) = PARTS["upside_down"]
    assert film["image"].endswith("00003490_011.jpg")
    listed = [entry for fold in FOLDS for part in fold.values() for entry in part] + PARTS["training"] + PARTS["test"]
    assert film["sha256"] not in {entry["sha256"] for entry in listed}


def test_every_patient_is_out_of_one_fold_and_the_test_in_none():
    assert sorted(unit for fold in FOLDS for unit in units(fold["out_of_fold"])) == sorted(units(PARTS["training"]))
    for number, fold in enumerate(FOLDS):
        assert units(fold["training"]) == units(PARTS["training"]) - units(fold["out_of_fold"])
        assert {entry["unit"] for entry in NUMBERED["out_of_fold"] if entry["fold"] == number} == units(fold["out_of_fold"])


def test_records_are_of_one_film_a_patient_whatever_it_shows():
    ours = NUMBERED["out_of_fold"]
    smallest = {unit: min(one["sha256"] for one in ours if one["unit"] == unit) for unit in units(ours)}
    assert {entry["unit"]: entry["sha256"] for entry in NUMBERED["one_of_each"]} == smallest
