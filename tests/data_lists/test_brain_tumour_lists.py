"""The fixed splits of the brain tumours: by patient, in each source's share, never by size; files without a spacing say so."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from nibabel import aff2axcodes

from caveat.transforms.files.nifti_maps import write_nifti
from caveat.transforms.study.inspect_study import inspect_study

LISTS = Path(__file__).resolve().parents[2] / "data_lists"
PARTS = json.loads((LISTS / "brain_tumour.json").read_text())
FOLDS = [json.loads((LISTS / f"brain_tumour_fold{fold}.json").read_text()) for fold in range(1, 6)]
WITHOUT = {left: json.loads((LISTS / f"brain_tumour_without_{left}.json").read_text()) for left in ("CS", "DU", "FG", "HT")}


@pytest.fixture(scope="module")
def prepare():
    sys.path.insert(0, str(LISTS))
    try:
        spec = importlib.util.spec_from_file_location("prepare_brain_tumour", LISTS / "prepare_brain_tumour.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(LISTS))
    return module


def units(entries: list[dict]) -> set[str]:
    return {entry["unit"] for entry in entries}


def of_each(key: str, entries: list[dict]) -> Counter:
    return Counter(entry[key] for entry in entries)


def test_the_test_patients_are_a_fifth_of_each_institution_with_skull():
    assert of_each("source", PARTS["test"]) == {"CS": 3, "DU": 8, "FG": 2, "HT": 6}  # 0.2 x 14, 39, 12, 29, 1: largest remainders
    assert of_each("preparation", PARTS["test"]) == {"with skull": 19}
    assert of_each("preparation", PARTS["training"]) == {"with skull": 76, "stripped": 20}
    assert len(units(PARTS["training"]) | units(PARTS["test"])) == 115


def test_patients_whose_twins_cannot_be_told_are_in_no_list():
    names = [entry["image"] for parts in (PARTS, *FOLDS, *WITHOUT.values()) for entries in parts.values() for entry in entries]
    assert not [name for name in names if "TCIA10" in name or "TCIA13" in name]


def test_every_training_patient_is_out_of_one_fold_and_no_test_patient_is_in_any():
    assert sorted(unit for fold in FOLDS for unit in units(fold["out_of_fold"])) == sorted(units(PARTS["training"]))
    for fold in FOLDS:
        assert units(fold["training"]) == units(PARTS["training"]) - units(fold["out_of_fold"])
        assert not units(PARTS["test"]) & (units(fold["training"]) | units(fold["out_of_fold"]))


def test_folds_are_equal_to_within_one_in_both_sets_and_in_each_source():
    for key in ("preparation", "source"):
        for value in of_each(key, PARTS["training"]):
            sizes = [of_each(key, fold["out_of_fold"])[value] for fold in FOLDS]
            assert max(sizes) - min(sizes) <= 1
    assert [of_each("preparation", fold["out_of_fold"])["stripped"] for fold in FOLDS] == [4] * 5


def test_the_list_of_the_records_names_the_network_that_has_not_seen_a_patient():
    parts = json.loads((LISTS / "brain_tumour_out_of_fold.json").read_text())
    assert {part: of_each("preparation", entries) for part, entries in parts.items()} == {
        "with_skull": {"with skull": 76},
        "stripped": {"stripped": 20},
    }
    for entry in (entry for entries in parts.values() for entry in entries):
        assert entry["unit"] in units(FOLDS[entry["fold"]]["out_of_fold"])


@pytest.mark.parametrize("left", WITHOUT)
def test_an_institution_is_left_out_whole(left):
    parts = WITHOUT[left]
    assert of_each("source", parts["left_out"]) == {left: of_each("source", PARTS["training"])[left]}
    assert units(parts["training"]) == units(PARTS["training"]) - units(parts["left_out"])


def test_what_is_left_goes_to_the_largest_remainders(prepare):
    assert prepare.shares({"a": 14, "b": 39, "c": 1, "d": 12, "e": 29}, 19) == {"a": 3, "b": 8, "c": 0, "d": 2, "e": 6}


def test_a_packed_patient_is_laid_out_left_back_and_up(prepare, tmp_path):
    head = np.array([[[7, 9], [11, 13], [15, 17]], [[1, 2], [3, 4], [5, 6]]], np.uint8)
    mask = np.zeros((2, 256, 256), np.uint8)
    mask[0, 20, 41] = 1
    np.savez(tmp_path / "one.npz", flair=head, offset=[0, 10, 20], mask=np.packbits(mask, axis=2))
    image, tumour = prepare.unpack(tmp_path / "one.npz")
    assert image.shape == tumour.shape == (256, 256, 2)
    assert image[40:44, 20:26, 0].tolist() == [[7, 7, 11, 11, 15, 15]] * 2 + [[9, 9, 13, 13, 17, 17]] * 2
    assert int(image.astype(int).sum()) == 4 * int(head.sum()) and np.argwhere(tumour).tolist() == [[41, 20, 0]]
    write_nifti(tmp_path / "one.nii.gz", image, prepare.LPS, sized=False)
    read = inspect_study(tmp_path / "one.nii.gz").image
    assert aff2axcodes(read.affine) == ("L", "P", "S") and read.spacing_mm is None and read.spacing_source == ""
    assert np.array_equal(read.voxels[0], image)
