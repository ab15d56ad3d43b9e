"""List the fluorescence nuclei, and their fixed splits by field of view.

Run before any training: `python data_lists/list_nuclei.py`; running again writes the lists once more, byte for byte. The set is
used where it lies (CAVEAT_DATA), with its `index.csv`.

Files of one field of view are neighbouring tiles, and share a `group`, which is the unit. nuclei.json: a tenth of the groups are
`test`, of each image size its share, by a seeded shuffle, never by what they show (`one_of_test`: one image of each, as below);
the others are `training`. nuclei_fold1.json
to nuclei_fold5.json divide those again, `training` and `out_of_fold`, the groups of each size dealt out in turn: network k trains
without fold k + 1, and the five are the ensemble. nuclei_out_of_fold.json has the same groups, each with the number of the
network that has not seen it; `one_of_each` has one image a group, the one of the smallest sha256: what records are
made of.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from data_list_entry import DATA, describe, write_list
from prepare_brain_tumour import shares

HERE = Path(__file__).resolve().parent
SET = "nuclei"
SEED = 20261130
TEST_SHARE, FOLDS = 10, 5
"""One group in so many is for the test; a network a fold ships."""

Group = list[dict[str, Any]]
"""The entries of one field of view."""


def main() -> None:
    """Write the lists beside this file."""
    test, folds = deal(entries())
    training = [entry for fold in folds for entry in fold]
    write_list({"training": training, "test": test, "one_of_test": one_of_each(test)}, HERE / f"{SET}.json")
    for number, fold in enumerate(folds, start=1):
        kept = [entry for other in folds if other is not fold for entry in other]
        write_list({"training": kept, "out_of_fold": fold}, HERE / f"{SET}_fold{number}.json")
    numbered = [entry | {"fold": number} for number, fold in enumerate(folds) for entry in fold]
    write_list({"out_of_fold": numbered, "one_of_each": one_of_each(numbered)}, HERE / f"{SET}_out_of_fold.json")


def one_of_each(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One image of each group, by a number that says nothing of what it shows."""
    ordered = sorted(entries, key=lambda entry: entry["sha256"], reverse=True)
    return list({entry["unit"]: entry for entry in ordered}.values())


def entries() -> list[dict[str, Any]]:
    """Every image of the set: its instances as label, the group as unit, its size in pixels as stratum."""
    with (DATA / SET / "index.csv").open(encoding="utf-8", newline="") as file:
        return [entry(row) for row in sorted(csv.DictReader(file), key=lambda row: row["id"])]


def entry(row: dict[str, str]) -> dict[str, Any]:
    """One image. Args: row: of the set's index."""
    image, label = (DATA / SET / part / f"{row['id']}.png" for part in ("images", "labels"))
    described = describe(image, [label], None, f"group {int(row['group']):02d}")
    unit, sha256 = described.pop("unit"), described.pop("sha256")
    return described | {"stratum": f"{row['width']} x {row['height']}", "unit": unit, "sha256": sha256}


def deal(images: Iterable[dict[str, Any]]) -> tuple[Group, list[Group]]:
    """Args: images: entries, each with `unit` and `stratum`. Returns: the test's, and the folds of the others."""
    groups: dict[str, Group] = {}
    for image in images:
        groups.setdefault(image["unit"], []).append(image)
    by_size: dict[str, list[Group]] = {}
    for unit in sorted(groups):
        by_size.setdefault(groups[unit][0]["stratum"], []).append(groups[unit])
    shuffle = random.Random(SEED).shuffle
    for size in sorted(by_size):
        shuffle(by_size[size])
    wanted = shares({size: len(of) for size, of in by_size.items()}, round(len(groups) / TEST_SHARE))
    test = [image for size in sorted(by_size) for group in by_size[size][: wanted[size]] for image in group]
    folds: list[Group] = [[] for _ in range(FOLDS)]
    rest = [group for size in sorted(by_size) for group in by_size[size][wanted[size] :]]
    for turn, group in enumerate(rest):
        folds[turn % FOLDS] += group
    return test, folds


if __name__ == "__main__":
    main()
