"""The fixed splits of the cephalograms: by inferred patient, nothing of the training half in the clean test, no coordinates."""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import json
import sys
from pathlib import Path

import pytest

LISTS = Path(__file__).resolve().parents[2] / "data_lists"
PARTS = json.loads((LISTS / "cephalograms.json").read_text())


@pytest.fixture(scope="module")
def prepare():
    sys.path.insert(0, str(LISTS))
    try:
        spec = importlib.util.spec_from_file_location("prepare_cephalograms", LISTS / "prepare_cephalograms.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(LISTS))
    return module


def units(part: str) -> set[str]:
    return {entry["unit"] for entry in PARTS[part]}


def images(part: str) -> set[int]:
    return {int(Path(entry["image"]).stem) for entry in PARTS[part]}


def test_parts_have_the_sizes_that_were_fixed():
    assert {part: (len(entries), len(units(part))) for part, entries in PARTS.items()} == {
        "training": (110, 109),  # 044 and 045 are one patient
        "early_stopping": (15, 15),
        "shift_calibration": (25, 25),
        "calibration": (66, 61),
        "test": (63, 61),
        "clean_test": (129, 122),
        "official_test": (150, 143),
        "stress": (40, 40),
    }


def test_no_patient_stands_on_two_sides():
    sides = ("training", "early_stopping", "shift_calibration", "calibration", "test")
    assert len(set().union(*map(units, sides))) == sum(len(units(part)) for part in sides)
    assert images("training") | images("early_stopping") | images("shift_calibration") == set(range(1, 151))
    assert images("calibration") | images("test") == images("clean_test") and images("stress") <= images("test")
    assert images("official_test") == set(range(151, 301))


def test_the_clean_test_repeats_nothing_of_the_training_half(shared_data):
    with (shared_data / "cephalograms" / "pairs.csv").open(newline="") as file:
        pairs = [(int(row["image_a"]), int(row["image_b"])) for row in csv.DictReader(file)]
    leaks = {other for one, other in pairs if one <= 150 < other}
    assert len(leaks) == 21 and images("clean_test") == set(range(151, 301)) - leaks
    unit_of = {int(Path(entry["image"]).stem): entry["unit"] for part in PARTS.values() for entry in part}
    assert all(unit_of[one] == unit_of[other] for one, other in pairs)


def test_patients_are_joined_through_a_chain_of_pairs(prepare, tmp_path):
    (tmp_path / "pairs.csv").write_text("image_a,image_b\n010,200\n005,200\n")
    patient = prepare.read_patients(tmp_path / "pairs.csv")
    assert {patient[5], patient[10], patient[200]} == {5} and patient[11] == 11


def test_coordinates_are_written_beside_the_repository_in_pixels_of_the_half_size_image(prepare, tmp_path):
    """Pixels 2 and 3 of the published image are averaged into pixel 1, whose middle is at 2.5."""
    (tmp_path / "landmark_names.csv").write_text("landmark,name\n1,Sella\n")
    (tmp_path / "landmarks.csv").write_text("image,rater,landmark,x,y\n007,senior,1,2,11\n007,junior,1,3,10\n")
    prepare.write_points(tmp_path, tmp_path / "out")
    table = (tmp_path / "out" / "007.csv").read_text()
    assert table == "rater,name,axis0,axis1\nsenior,Sella,5.25,0.75\njunior,Sella,4.75,1.25\n"


def test_the_list_holds_names_spacing_and_sums_alone():
    entries = [entry for part in PARTS.values() for entry in part]
    assert {key for entry in entries for key in entry} == {"image", "points", "spacing_mm", "unit", "sha256"}
    assert all(entry["spacing_mm"] == [0.2, 0.2] for entry in entries)
    assert "/prepared/" in (LISTS.parent / ".gitignore").read_text().split()


def test_the_files_are_those_of_the_list(shared_data):
    for part in PARTS.values():
        for entry in part[:3]:
            assert hashlib.sha256((shared_data / entry["image"]).read_bytes()).hexdigest() == entry["sha256"]
