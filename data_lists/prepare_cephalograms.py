"""Write the fixed splits of the lateral cephalograms (ISBI 2014/2015 challenge), by inferred patient, and their landmarks.

Run before any training: `python data_lists/prepare_cephalograms.py`. The list is fixed; running again writes it once more.
Coordinates are not part of the repository (research only): they go into `prepared/cephalograms/`, a table an image, both
raters, in pixels of the images as they lie there (rows, columns), half the size of those that the coordinates were published for.

Images 001-150 are the challenge's training half, 151-300 its test 1. Who is whom is inferred (pairs.csv): repeats of an exposure
and further exposures of a patient are one unit, named after its first image. Of the training half 25 images are kept aside for
calibrating across the shift between the halves (`shift_calibration`), 15 stop the training, the others train. Of test 1 the
21 images that repeat an exposure or show a patient of the training half are left out: `clean_test` has 129 images of 122
patients, `calibration` and `test` halve it by patient, `stress` is one image each of 40 test patients. `official_test` is all
150 images of test 1, of which 21 leak.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from data_list_entry import DATA, describe, write_list

HERE = Path(__file__).resolve().parent
PREPARED = HERE.parent / "prepared"
SET = "cephalograms"
SEED = 20261127
TRAINING_HALF, TEST_HALF = range(1, 151), range(151, 301)
SHIFT, STOPPING, STRESS = 25, 15, 40
SPACING_MM = [0.2, 0.2]
"""Nominal, of the film: published as 0.1 mm for images of twice the size. The files state none."""


def main() -> None:
    """Write cephalograms.json beside this file, and the landmarks into `prepared/`."""
    parts = deal(read_patients(DATA / SET / "pairs.csv"))
    write_list(
        {part: [entry(image, patient) for image, patient in members] for part, members in parts.items()}, HERE / f"{SET}.json"
    )
    write_points(DATA / SET, PREPARED / SET)


def read_patients(pairs: Path) -> dict[int, int]:
    """The patient of each image, by the number of the patient's first image. Args: pairs: table of image_a, image_b."""
    patient = {image: image for image in (*TRAINING_HALF, *TEST_HALF)}
    with pairs.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            one, other = patient[int(row["image_a"])], patient[int(row["image_b"])]
            patient = {image: min(one, other) if known in (one, other) else known for image, known in patient.items()}
    return patient


def deal(patient: dict[int, int]) -> dict[str, list[tuple[int, int]]]:
    """Images of each part, each with its patient; patients in the order of a seeded shuffle. Args: patient: of each image."""
    shuffle = random.Random(SEED).shuffle
    single = [number for number in TRAINING_HALF if sum(patient[image] == patient[number] for image in TRAINING_HALF) == 1]
    shuffle(single)
    shift, stopping = sorted(single[:SHIFT]), sorted(single[SHIFT : SHIFT + STOPPING])
    training = [image for image in TRAINING_HALF if image not in (*shift, *stopping)]
    seen = {patient[image] for image in TRAINING_HALF}
    clean = [image for image in TEST_HALF if patient[image] not in seen]
    people = sorted({patient[image] for image in clean})
    shuffle(people)
    calibration, test = (set(half) for half in (people[: len(people) // 2], people[len(people) // 2 :]))
    parts = {
        "training": training,
        "early_stopping": stopping,
        "shift_calibration": shift,
        "calibration": [image for image in clean if patient[image] in calibration],
        "test": [image for image in clean if patient[image] in test],
        "clean_test": clean,
        "official_test": TEST_HALF,
        "stress": sorted(people[len(people) // 2 :][:STRESS]),  # a patient's number is that of one of the images
    }
    return {part: [(image, patient[image]) for image in images] for part, images in parts.items()}


def entry(image: int, patient: int) -> dict[str, Any]:
    """One image: its landmarks (below the folder of what was prepared), its spacing, the inferred patient as unit, its sha256."""
    described = describe(DATA / SET / "images" / f"{image:03d}.jpg", [], None, f"patient {patient:03d}")
    unit, sha256 = described.pop("unit"), described.pop("sha256")
    return described | {"points": f"{SET}/{image:03d}.csv", "spacing_mm": SPACING_MM, "unit": unit, "sha256": sha256}


def write_points(source: Path, target: Path) -> None:
    """A table an image: rater, name, axis0 (row), axis1 (column), pixels of the images as they lie in `source`.

    Args:
        source: holds landmarks.csv, in integer pixels of 0.1 mm (x, y), and landmark_names.csv.
        target: folder to write into.
    """
    names = {row["landmark"]: row["name"] for row in _rows(source / "landmark_names.csv")}
    tables: dict[str, list[Sequence[Any]]] = {}
    for row in _rows(source / "landmarks.csv"):
        cells = (row["rater"], names[row["landmark"]], *(half_size(int(row[axis])) for axis in "yx"))
        tables.setdefault(row["image"], []).append(cells)
    target.mkdir(parents=True, exist_ok=True)
    for image, rows in tables.items():
        with (target / f"{image}.csv").open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(("rater", "name", "axis0", "axis1"))
            table.writerows(rows)


def half_size(position: int) -> float:
    """A pixel of the published image in one whose pixels are means of 2 x 2: the first one's middle lies half a pixel further."""
    return (position - 0.5) / 2


def _rows(file: Path) -> Iterable[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as opened:
        yield from csv.DictReader(opened)


if __name__ == "__main__":
    main()
