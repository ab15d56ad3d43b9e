"""Write the fixed splits of the hippocampus scans (Medical Segmentation Decathlon, Task04), by subject.

Run once, before any training: `python data_lists/prepare_hippocampus.py`. Scans 2k-1 and 2k are the two hippocampi of one
subject, the unit; both stay on one side of every split. hippocampus.json holds 70 training, 6 early stopping, 36
calibration and 28 test subjects, dealt by a seeded shuffle.

hippocampus_cross_validation.json is what the bundle is made of: training and calibration subjects together are dealt into
five folds (`fold`, from 0, is the number of the network that has not seen the subject). The early stopping subjects are in no
fold, so that no network is stopped on subjects that its record is made of.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from data_list_entry import DATA, describe, write_list

HERE = Path(__file__).resolve().parent
SEED = 20261123
SUBJECTS = {"training": 70, "early_stopping": 6, "calibration": 36, "test": 28}
FOLDS = 5


def main() -> None:
    """Write both lists beside this file."""
    parts = deal(sorted({subject(scan) for scan in scans()}))
    write_list({part: entries(members) for part, members in parts.items()}, HERE / "hippocampus.json")
    dealt = enumerate(parts["training"] + parts["calibration"])
    by_fold = [one | {"fold": place % FOLDS} for place, member in dealt for one in entries([member])]
    others = {part: entries(parts[part]) for part in ("early_stopping", "test")}
    write_list({"training": by_fold, **others}, HERE / "hippocampus_cross_validation.json")


def deal(subjects: list[int]) -> dict[str, list[int]]:
    """Subjects of each part, in the order of a seeded shuffle."""
    if len(subjects) != sum(SUBJECTS.values()):
        raise ValueError(f"the split was fixed for {sum(SUBJECTS.values())} subjects, here are {len(subjects)}")
    random.Random(SEED).shuffle(subjects)
    parts, first = {}, 0
    for part, count in SUBJECTS.items():
        parts[part] = subjects[first : first + count]
        first += count
    return parts


def scans() -> list[int]:
    """Numbers of the scans that are there, sorted."""
    return sorted(int(path.name.removesuffix(".nii.gz").rsplit("_", 1)[1]) for path in (DATA / "hippocampus/images").iterdir())


def subject(scan: int) -> int:
    """The subject of a scan."""
    return (scan + 1) // 2


def entries(subjects: Sequence[int]) -> list[dict[str, Any]]:
    """All scans of the subjects, subject by subject."""
    found = [scan for member in subjects for scan in scans() if subject(scan) == member]
    return [entry(scan) for scan in found]


def entry(scan: int) -> dict[str, Any]:
    """One scan: image, the rater's mask (one path, not a list of raters), the subject as unit, sha256 of the image."""
    folder, name = DATA / "hippocampus", f"hippocampus_{scan:03d}.nii.gz"
    return describe(folder / "images" / name, [folder / "labels" / name], None, f"subject {subject(scan):03d}")


if __name__ == "__main__":
    main()
