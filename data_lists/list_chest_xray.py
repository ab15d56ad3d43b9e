"""List the chest films, and their fixed splits by patient.

Run before any training: `python data_lists/list_chest_xray.py`; running again writes the lists once more, byte for byte. The set
is used where it lies (CAVEAT_DATA), with its `nih_labels.csv`, whose folds are by patient.

chest_xray.json: a tenth of the patients are `test`, of each fold and each kind of patient (pneumonia, no finding, both) its
share, by a seeded shuffle; the others are `training` (`one_of_test`: one film of each patient, as below). chest_xray_fold1.json
to chest_xray_fold5.json divide those by the set's own folds, `training` and `out_of_fold`: network k trains without fold k, and
the five are the ensemble. chest_xray_out_of_fold.json has the same films, each with the number, from 0, of the network that has
not seen it; `one_of_each` has one film a patient, the one of the smallest sha256: what records are made of.

One film is upside down, and is in no part but `upside_down` of chest_xray.json.
"""

from __future__ import annotations

import csv
import random
from pathlib import PurePosixPath
from typing import Any

from data_list_entry import DATA, describe, write_list
from list_nuclei import HERE, one_of_each
from prepare_brain_tumour import shares

SET = "chest_xray"
SEED = 20261130
TEST_SHARE, FOLDS = 10, 5
"""One patient in so many is for the test; a network a fold ships."""
UPSIDE_DOWN = "00003490_011.jpg"

Films = list[dict[str, Any]]


def main() -> None:
    """Write the lists beside this file."""
    films = entries()
    upside_down = [film for film in films if film["image"].endswith(UPSIDE_DOWN)]
    test_units = chosen([film for film in films if film not in upside_down])
    usable = [film for film in films if film not in upside_down]
    test = [film for film in usable if film["unit"] in test_units]
    training = [film for film in usable if film["unit"] not in test_units]
    parts = {"training": training, "test": test, "one_of_test": one_of_each(test), "upside_down": upside_down}
    write_list({part: [without_fold(film) for film in of] for part, of in parts.items()}, HERE / f"{SET}.json")
    for fold in range(FOLDS):
        own = [without_fold(film) for film in training if film["fold"] == fold]
        others = [without_fold(film) for film in training if film["fold"] != fold]
        write_list({"training": others, "out_of_fold": own}, HERE / f"{SET}_fold{fold + 1}.json")
    write_list({"out_of_fold": training, "one_of_each": one_of_each(training)}, HERE / f"{SET}_out_of_fold.json")


def entries() -> Films:
    """Every film of the set: its class, also as stratum, its patient as unit, the set's fold."""
    with (DATA / SET / "nih_labels.csv").open(encoding="utf-8", newline="") as file:
        return [entry(row) for row in sorted(csv.DictReader(file), key=lambda row: row["file"])]


def entry(row: dict[str, str]) -> dict[str, Any]:
    """One film. Args: row: of the set's table."""
    described = describe(DATA / SET / "images" / PurePosixPath(row["file"]).name, [], None, f"patient {row['patient']}")
    unit, sha256 = described.pop("unit"), described.pop("sha256")
    name = row["label"].replace("_", " ")
    return described | {"class": name, "stratum": name, "unit": unit, "fold": int(row["fold"]), "sha256": sha256}


def without_fold(film: dict[str, Any]) -> dict[str, Any]:
    """Where a fold says nothing."""
    return {key: value for key, value in film.items() if key != "fold"}


def chosen(films: Films) -> set[str]:
    """Patients of the test. Args: films: of all patients."""
    kinds: dict[str, tuple[int, str]] = {}
    for film in films:
        fold, classes = kinds.get(film["unit"], (film["fold"], film["class"]))
        kinds[film["unit"]] = (fold, classes if classes == film["class"] else "both")
    groups: dict[tuple[int, str], list[str]] = {}
    for unit in sorted(kinds):
        groups.setdefault(kinds[unit], []).append(unit)
    wanted = shares({kind: len(units) for kind, units in groups.items()}, round(len(kinds) / TEST_SHARE))
    shuffle = random.Random(SEED).shuffle
    test: set[str] = set()
    for kind in sorted(groups):
        shuffle(groups[kind])
        test |= set(groups[kind][: wanted[kind]])
    return test


if __name__ == "__main__":
    main()
