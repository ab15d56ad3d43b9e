"""The fixed split of the lung nodules: by patient, one mask a rater, the same bytes each time, where the scanner saw them."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest

LISTS = Path(__file__).resolve().parents[2] / "data_lists"
PARTS = json.loads((LISTS / "lidc_nodules.json").read_text())


@pytest.fixture(scope="module")
def prepare():
    sys.path.insert(0, str(LISTS))
    try:
        spec = importlib.util.spec_from_file_location("prepare_lidc_nodules", LISTS / "prepare_lidc_nodules.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(LISTS))
    return module


def units(part: str) -> set[str]:
    return {entry["unit"] for entry in PARTS[part]}


def test_parts_have_the_sizes_that_were_fixed_and_share_no_patient():
    assert {part: len(entries) for part, entries in PARTS.items() if part in ("training", "test")} == {
        "training": 577,
        "test": 200,
    }
    assert {part: len(units(part)) for part in PARTS} == {"training": 322, "early_stopping": 40, "calibration": 68, "test": 108}
    assert len(PARTS["early_stopping"]) + len(PARTS["calibration"]) == 191
    assert len(set().union(*map(units, PARTS))) == 538


def test_patients_whose_whole_scans_are_public_are_tested_on():
    assert {f"LIDC-IDRI-000{number}" for number in (1, 3, 5)} <= units("test")


def test_every_nodule_has_a_mask_for_each_of_three_or_four_raters():
    entries = [entry for part in PARTS.values() for entry in part]
    assert len({entry["sha256"] for entry in entries}) == len({entry["image"] for entry in entries}) == 968
    assert [len(entry["label"]) for entry in entries].count(3) == 328
    for entry in entries:
        name = entry["image"].removesuffix(".nii.gz")
        assert Path(name).name.startswith(entry["unit"]) and entry["known"] == f"{name}_known.nii.gz"
        assert entry["label"] == [f"{name}_rater{number}.nii.gz" for number in range(1, entry["raters"] + 1)]
    assert sum(entry["stratum"] == "union reaches neither end" for entry in entries) == 416
    assert sum(entry["stratum"] == "union reaches neither end" for entry in PARTS["test"]) == 79


def test_the_packed_form_is_undone(prepare):
    """One slice with an outline and one that is known in rows 1 to 2, columns 0 to 1 alone; 10 HU a step from -1030."""
    codes = np.array([[[0, 1, 3], [1, 1, 1], [9, 0, 9]], [[7, 7, 7], [2, 4, 7], [5, 6, 7]]], np.uint8)
    masks = np.zeros((3, 2, 3, 3), bool)
    masks[1, 0, 2, 2] = True
    packed = {
        "id": np.array(["A_n00"]),
        "shape_zyx": np.array([[2, 3, 3]]),
        "n_readers": np.array([3]),
        "slice_off": np.array([0, 2]),
        "img_off": np.array([0, 18]),
        "mask_off": np.array([0, 7]),
        "codes_delta": np.diff(codes, axis=2, prepend=np.zeros((2, 3, 1), np.uint8)).ravel(),
        "slope": np.array([10.0, 10.0]),
        "intercept": np.array([-1030.0, -1030.0]),
        "kind": np.array([0, 1]),
        "known_y0y1x0x1": np.array([[0, 3, 0, 3], [1, 3, 0, 2]]),
        "masks_packed": np.packbits(masks),
    }
    (nodule,) = prepare.unpack(packed)
    assert nodule["image"][0].tolist() == [[-1024, -1020, -1000], [-1020, -1020, -1020], [-940, -1024, -940]]
    assert nodule["image"][1].tolist() == [[-1010, -990, -990], [-1010, -990, -990], [-980, -970, -970]], "edges repeat"
    assert nodule["known"][0].all() and nodule["known"][1].tolist() == [[0, 0, 0], [1, 1, 0], [1, 1, 0]]
    assert np.array_equal(nodule["masks"], masks)


@pytest.mark.parametrize(("direction", "corner"), [((1, 1, 1), (-16.0, -5.0, 13.0)), ((-1, -1, 1), (-8.0, 1.0, 13.0))])
def test_a_voxel_lies_where_the_scanner_saw_it(prepare, direction, corner):
    """Supine, x runs to the left and y to the back, both negative in RAS; a patient who lies prone is turned about z."""
    about = {"direction_lps_xyz": direction, "spacing_mm_zyx": (2.5, 0.5, 1.0), "origin_lps_mm": (12.0, 2.0, 3.0)}
    found = prepare.affine_of(about) @ (4, 6, 4, 1)
    assert found.tolist() == [*corner, 1.0]


def test_files_do_not_depend_on_the_time(prepare, tmp_path, monkeypatch):
    image = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    nodule = {"id": "A_n00", "image": image, "known": image > 3, "masks": np.stack([image > 9, image > 11])}
    (tmp_path / "later").mkdir()
    prepare.write_nodule(nodule, np.diag([-1.0, -1.0, 2.5, 1.0]), tmp_path)
    monkeypatch.setattr("time.time", lambda: 4e9)
    prepare.write_nodule(nodule, np.diag([-1.0, -1.0, 2.5, 1.0]), tmp_path / "later")
    names = ["A_n00.nii.gz", "A_n00_known.nii.gz", "A_n00_rater1.nii.gz", "A_n00_rater2.nii.gz"]
    assert sorted(path.name for path in tmp_path.glob("*.gz")) == names
    assert all((tmp_path / name).read_bytes() == (tmp_path / "later" / name).read_bytes() for name in names)
    read = nibabel.load(tmp_path / "A_n00.nii.gz")
    assert np.array_equal(np.asarray(read.dataobj), image.T) and read.get_data_dtype() == np.int16


def test_the_list_names_the_nodule_as_it_is_written(prepare, shared_data, tmp_path):
    """The first of the training part, from the packed set to its sha256."""
    with np.load(shared_data / "lidc_nodules" / "train.npz") as packed:
        nodule = next(prepare.unpack({name: packed[name] for name in packed.files}))
    facts = json.loads((shared_data / "lidc_nodules" / "nodules.json").read_text())
    about = next(fact for fact in facts if fact["id"] == nodule["id"])
    prepare.write_nodule(nodule, prepare.affine_of(about), tmp_path)
    listed = PARTS["training"][0]
    assert hashlib.sha256((tmp_path / Path(listed["image"]).name).read_bytes()).hexdigest() == listed["sha256"]
    voxel = np.prod(about["spacing_mm_zyx"])
    volumes = [np.asarray(nibabel.load(tmp_path / Path(label).name).dataobj).sum() * voxel for label in listed["label"]]
    assert volumes == pytest.approx(about["volume_mm3_per_reader"], abs=0.01)
