"""The split of the bodies whose radiographs are simulated, and the lists of each fold."""

from __future__ import annotations

import hashlib
import importlib
import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

LISTS = Path(__file__).resolve().parents[2] / "data_lists"
BODIES = json.loads((LISTS / "bone_bodies.json").read_text())
FOLDS = [f"fold{fold}" for fold in range(1, 6)]


@pytest.fixture
def prepare(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(LISTS), *sys.path])
    return importlib.import_module("prepare_bone_radiographs")


def test_24_bodies_stand_once_each():
    units = [entry["unit"] for part in BODIES.values() for entry in part]
    assert len(units) == len(set(units)) == 24 and "sts_025" not in units
    assert {part: len(entries) for part, entries in BODIES.items()} == {part: 4 for part in ("kept_out", *FOLDS)}


def test_folds_are_stratified_by_part_of_the_body():
    for part, count in Counter(entry["stratum"] for fold in FOLDS for entry in BODIES[fold]).items():
        found = [sum(entry["stratum"] == part for entry in BODIES[fold]) for fold in FOLDS]
        assert max(found) - min(found) <= 1 and sum(found) == count


def test_the_committed_split_is_the_seeded_one(prepare):
    assert prepare.deal() == {part: [entry["unit"] for entry in entries] for part, entries in BODIES.items()}


def test_no_fold_sees_what_it_is_tested_on(prepare):
    dealt, kept = prepare.deal(), {entry["unit"] for entry in BODIES["kept_out"]}
    for fold in range(1, 6):
        parts = {part: set(bodies) for part, bodies in prepare.parts_of_fold(dealt, fold).items()}
        assert [len(parts[part]) for part in ("training", "early_stopping", "test")] == [12, 4, 4]
        assert len(set().union(*parts.values())) == 20 and not kept & set().union(*parts.values())


def test_the_files_are_those_of_the_list(shared_data):
    for entry in BODIES["kept_out"]:
        assert hashlib.sha256((shared_data / entry["image"]).read_bytes()).hexdigest() == entry["sha256"]


def test_a_fixed_condition_takes_no_number_so_that_scored_views_stay_as_they_were(prepare):
    used, fresh = (np.random.default_rng(0) for _ in range(2))
    assert prepare.drawn((1.02, 1.02), used) == 1.02
    assert prepare.beam_of("knee", prepare.SCORED, used) == {40: 0.35, 60: 0.4, 80: 0.25, 100: 0}
    assert prepare.beam_of("trunk", prepare.SCORED, used) == {40: 0, 60: 0.2, 80: 0.45, 100: 0.35}
    assert used.random() == fresh.random()


def test_the_conditions_of_the_further_views_hold_those_of_the_scored_ones(prepare):
    for name in ("source_mm", "soft", "mineral", "scatter", "blur", "photons", "size"):
        (low, high), (least, most) = getattr(prepare.SCORED, name), getattr(prepare.WIDE, name)
        assert least <= low <= high <= most, name
    beam = prepare.beam_of("knee", prepare.WIDE, np.random.default_rng(0))
    assert sum(beam.values()) == pytest.approx(1) and min(beam.values()) > 0
