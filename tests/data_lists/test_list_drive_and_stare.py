"""Lists of DRIVE and STARE, from made-up folders in their published layouts."""

from __future__ import annotations

import hashlib
import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from phantoms import fundus
from PIL import Image

from caveat.transforms.study.discover import studies_from_list
from caveat.transforms.study.load_study import LoadStudyd

DATA_LISTS = Path(__file__).resolve().parents[2] / "data_lists"
PARTS = ["training", "early_stopping", "calibration", "test"]
PHOTOGRAPH, VESSELS, FIELD = (Image.fromarray(array) for array in fundus(40, 44))


@pytest.fixture
def module(monkeypatch):
    monkeypatch.syspath_prepend(str(DATA_LISTS))
    yield importlib.import_module
    for name in ("list_drive", "list_stare", "data_list_entry"):
        sys.modules.pop(name, None)


def save(image, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


@pytest.fixture
def drive(tmp_path):
    folder = tmp_path / "DRIVE"
    for half, numbers in (("training", range(21, 41)), ("test", range(1, 21))):
        for number in numbers:
            save(PHOTOGRAPH, folder / half / "images" / f"{number:02d}_{half}.tif")
            save(VESSELS, folder / half / "1st_manual" / f"{number:02d}_manual1.gif")
            save(FIELD, folder / half / "mask" / f"{number:02d}_{half}_mask.gif")
            if half == "test":
                save(VESSELS, folder / half / "2nd_manual" / f"{number:02d}_manual2.gif")
    return folder


@pytest.fixture
def stare(tmp_path, module):
    folder = tmp_path / "STARE"
    for number in module("list_stare").LABELLED:
        save(PHOTOGRAPH, folder / "stare-images" / f"im{number:04d}.ppm")
        for observer in ("ah", "vk"):
            save(VESSELS.convert("L"), folder / f"labels-{observer}" / f"im{number:04d}.{observer}.ppm")
    return folder


def test_drive(drive, tmp_path, module):
    parts = module("list_drive").list_drive(drive, tmp_path)
    assert list(parts) == PARTS
    assert [len(parts[part]) for part in PARTS] == [16, 4, 0, 20]
    first = parts["test"][0]
    assert first == {
        "image": "DRIVE/test/images/01_test.tif",
        "label": ["DRIVE/test/1st_manual/01_manual1.gif", "DRIVE/test/2nd_manual/01_manual2.gif"],
        "region": "DRIVE/test/mask/01_test_mask.gif",
        "unit": "photograph 01",
        "sha256": hashlib.sha256((drive / "test/images/01_test.tif").read_bytes()).hexdigest(),
    }
    assert parts["training"][0]["label"] == ["DRIVE/training/1st_manual/21_manual1.gif"]
    units = [entry["unit"] for part in PARTS for entry in parts[part]]
    assert len(set(units)) == 40


def test_drive_without_the_labels_of_its_test_half(drive, tmp_path, module):
    for folder in ("1st_manual", "2nd_manual"):
        for path in (drive / "test" / folder).iterdir():
            path.unlink()
    parts = module("list_drive").list_drive(drive, tmp_path)
    assert "label" not in parts["test"][0]
    assert "label" in parts["training"][0]


def test_stare(stare, tmp_path, module):
    parts = module("list_stare").list_stare(stare, tmp_path)
    assert [len(parts[part]) for part in PARTS] == [0, 0, 0, 20]
    assert parts["test"][5]["label"] == ["STARE/labels-ah/im0044.ah.ppm", "STARE/labels-vk/im0044.vk.ppm"]
    assert parts["test"][5]["unit"] == "photograph 0044"


@pytest.mark.parametrize("name", ["drive", "stare"])
def test_a_written_list_is_read_and_its_files_too(name, request, tmp_path, module, monkeypatch):
    folder = request.getfixturevalue(name)
    monkeypatch.setenv("CAVEAT_DATA", str(tmp_path))
    path = tmp_path / "list.json"
    module(f"list_{name}").main([str(folder), str(path)])
    study = studies_from_list(path, "test")[0]
    entry = json.loads(path.read_text())["test"][0]
    study |= {"label": tmp_path / entry["label"][0]}
    out = LoadStudyd(keys=["image", "label"], channels=3)(study)
    np.testing.assert_array_equal(out["image"], np.moveaxis(np.asarray(PHOTOGRAPH), -1, 0))
    np.testing.assert_array_equal(np.asarray(out["label"][0]) > 0, np.asarray(VESSELS))


def test_what_is_missing_or_compressed_is_said(drive, stare, tmp_path, module):
    (drive / "test" / "images" / "07_test.tif").unlink()
    with pytest.raises(FileNotFoundError, match="07_test"):
        module("list_drive").list_drive(drive, tmp_path)
    photograph = stare / "stare-images" / "im0002.ppm"
    photograph.rename(photograph.with_suffix(".ppm.gz"))
    with pytest.raises(FileNotFoundError, match="unzip"):
        module("list_stare").list_stare(stare, tmp_path)
