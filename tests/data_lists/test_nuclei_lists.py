"""The fixed splits of the nuclei: by field of view, in each size's share."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

LISTS = Path(__file__).resolve().parents[2] / "data_lists"
PARTS = json.loads((LISTS / "nuclei.json").read_text())
FOLDS = [json.loads((LISTS / f"nuclei_fold{fold}.json").read_text()) for fold in range(1, 6)]
NUMBERED = json.loads((LISTS / "nuclei_out_of_fold.json").read_text())
OUT_OF_FOLD = NUMBERED["out_of_fold"]


def units(entries: list[dict]) -> set[str]:
    return {entry["unit"] for entry in entries}


def test_a_tenth_of_the_fields_of_view_of_each_size_is_the_test():
    sizes = Counter({entry["unit"]: entry["stratum"] for entry in PARTS["test"]}.values())
    assert sizes == {"256 x 256": 6, "696 x 520": 3, "360 x 360": 1}  # a tenth of 61, 24, 5, 3, 3, 2: largest remainders
    assert (len(units(PARTS["training"])), len(units(PARTS["test"]))) == (88, 10)
    assert not units(PARTS["training"]) & units(PARTS["test"])
    assert len({entry["sha256"] for part in PARTS.values() for entry in part}) == 225
    assert units(PARTS["one_of_test"]) == units(PARTS["test"]) and len(PARTS["one_of_test"]) == 10


def test_every_field_of_view_is_out_of_one_fold_and_the_test_in_none():
    assert [len(units(fold["out_of_fold"])) for fold in FOLDS] == [18, 18, 18, 17, 17]
    assert sorted(unit for fold in FOLDS for unit in units(fold["out_of_fold"])) == sorted(units(PARTS["training"]))
    for fold in FOLDS:
        assert units(fold["training"]) == units(PARTS["training"]) - units(fold["out_of_fold"])


def test_the_list_of_the_records_names_the_network_that_has_not_seen_a_picture():
    assert len(OUT_OF_FOLD) == 190
    for entry in OUT_OF_FOLD:
        assert entry["unit"] in units(FOLDS[entry["fold"]]["out_of_fold"])
    smallest = {unit: min(one["sha256"] for one in OUT_OF_FOLD if one["unit"] == unit) for unit in units(OUT_OF_FOLD)}
    assert {entry["unit"]: entry["sha256"] for entry in NUMBERED["one_of_each"]} == smallest
