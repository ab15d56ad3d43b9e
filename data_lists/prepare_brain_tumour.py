"""Write the brain tumours on FLAIR as NIfTI, and their fixed splits by patient.

Run before any training: `python data_lists/prepare_brain_tumour.py`. The lists are fixed; running again writes them and the files
once more, byte for byte. The files go into `prepared/brain_tumour/`, and the lists' paths start from `prepared`
(CAVEAT_DATA=prepared). A mask is 1 in the whole tumour.

With skull: 95 patients of the lower-grade glioma set (TCGA-LGG). Their voxels' size is not known, and their files say so: no
voxel size, unit unknown. The image is there at half the resolution of the mask, so each of its pixels is written four times.
Stripped: 24 patients of BraTS at 1 mm. The four TCIA10 and TCIA13 ones are in no list: their twins among the 95 cannot be told.

brain_tumour.json: 19 of the 95 are `test`, in each institution its share, by a seeded shuffle, never by size; the other 76 and
the 20 stripped ones are `training`. brain_tumour_fold1.json to brain_tumour_fold5.json divide those 96 again, `training` and
`out_of_fold`, each source dealt out in turn: network k trains on fold k + 1, and the five are the ensemble.
brain_tumour_without_CS.json and so on leave out an institution (`left_out`) in place of a fold. brain_tumour_out_of_fold.json has
the same 96 by preparation, each with the number of the network that has not seen it: what records are made of.
"""

from __future__ import annotations

import math
import random
import shutil
from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from data_list_entry import DATA, describe, write_list

from caveat.transforms.files.nifti_maps import write_nifti

HERE = Path(__file__).resolve().parent
PREPARED = HERE.parent / "prepared"
SET = "brain_tumour"
SEED = 20261130
TEST, FOLDS = 19, 5
INSTITUTIONS = ("CS", "DU", "FG", "HT")
"""Each of which is left out once; a fifth, EZ, has one patient."""
WITH_SKULL, STRIPPED = "with skull", "stripped"
TWINS = ("TCIA10", "TCIA13")
FRAME, HALF = 256, 128
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def main() -> None:
    """Write the files, and the lists beside this one."""
    patients = [*lower_grade(PREPARED / SET), *brats(PREPARED / SET)]
    test, folds = deal(patients)
    training = [patient for fold in folds for patient in fold]
    write_parts({"training": training, "test": test}, "")
    for number, fold in enumerate(folds, start=1):
        kept = [patient for patient in training if patient not in fold]
        write_parts({"training": kept, "out_of_fold": fold}, f"_fold{number}")
    numbered = [patient | {"fold": number} for number, fold in enumerate(folds) for patient in fold]
    by_preparation = {
        word.replace(" ", "_"): [patient for patient in numbered if patient["preparation"] == word]
        for word in (WITH_SKULL, STRIPPED)
    }
    write_parts(by_preparation, "_out_of_fold")
    for institution in INSTITUTIONS:
        left_out = [patient for patient in training if patient["source"] == institution]
        kept = [patient for patient in training if patient not in left_out]
        write_parts({"training": kept, "left_out": left_out}, f"_without_{institution}")


def write_parts(parts: Mapping[str, Iterable[dict[str, Any]]], name: str) -> None:
    """One list. Args: parts: entries of each."""
    write_list({part: list(entries) for part, entries in parts.items()}, HERE / f"{SET}{name}.json")


def deal(patients: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[list[dict[str, Any]]]]:
    """Args: patients: entries, each with `preparation` and `source`. Returns: the test patients, and the folds of the others."""
    by_source: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for patient in sorted(patients, key=lambda patient: patient["unit"]):
        by_source.setdefault((patient["preparation"], patient["source"]), []).append(patient)
    shuffle = random.Random(SEED).shuffle
    for source in sorted(by_source):
        shuffle(by_source[source])
    wanted = shares({source: len(of) for source, of in by_source.items() if source[0] == WITH_SKULL}, TEST)
    test = [patient for source in sorted(by_source) for patient in by_source[source][: wanted.get(source, 0)]]
    folds: list[list[dict[str, Any]]] = [[] for _ in range(FOLDS)]
    for preparation in (WITH_SKULL, STRIPPED):
        sources = [source for source in sorted(by_source) if source[0] == preparation]
        rest = [patient for source in sources for patient in by_source[source][wanted.get(source, 0) :]]
        for turn, patient in enumerate(rest):
            folds[turn % FOLDS].append(patient)
    return test, folds


def shares(sizes: Mapping[Any, int], wanted: int) -> dict[Any, int]:
    """Divide a number over groups by their size; what is left goes to the largest remainders. Args: sizes: of the groups."""
    exact = {group: Fraction(wanted * size, sum(sizes.values())) for group, size in sizes.items()}
    given = {group: math.floor(share) for group, share in exact.items()}
    first = sorted(exact, key=lambda group: (given[group] - exact[group], group))
    return given | {group: given[group] + 1 for group in first[: wanted - sum(given.values())]}


def lower_grade(folder: Path) -> list[dict[str, Any]]:
    """Write the patients with skull. Returns: their entries."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for file in sorted((DATA / "brain_tumour_lgg").glob("*.npz")):
        image, mask = unpack(file)
        for suffix, volume in (("", image), ("_tumour", mask)):
            write_nifti(folder / f"{file.stem}{suffix}.nii.gz", volume, LPS, sized=False)
        unit = file.stem.rpartition("_")[0]
        found.append(entry(folder / f"{file.stem}.nii.gz", unit, WITH_SKULL, unit.split("_")[1]))
    return found


def unpack(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """FLAIR and mask of one packed patient. Returns: uint8 (x, y, z), 256 x 256 slices, left, back and up."""
    with np.load(file) as packed:
        mask = np.unpackbits(packed["mask"], axis=2)
        head, (_, row, column) = packed["flair"], packed["offset"]
    image = np.zeros((len(mask), HALF, HALF), np.uint8)
    image[:, row : row + head.shape[1], column : column + head.shape[2]] = head
    return image.repeat(2, axis=1).repeat(2, axis=2).T, mask.T


def brats(folder: Path) -> list[dict[str, Any]]:
    """Write the stripped patients: the image as it is, all labels as one. Returns: entries of those that are used."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for file in sorted(file for part in ("", "_more") for file in (DATA / f"brain_tumour_brats{part}").glob("*_flair.nii.gz")):
        name = file.name.removesuffix("_flair.nii.gz")
        labels = nibabel.load(file.with_name(f"{name}_seg.nii.gz"))
        shutil.copyfile(file, folder / f"{name}.nii.gz")
        write_nifti(folder / f"{name}_tumour.nii.gz", (np.asarray(labels.dataobj) > 0).astype(np.uint8), labels.affine)
        if not any(twin in name for twin in TWINS):
            found.append(entry(folder / f"{name}.nii.gz", name.removesuffix("_1"), STRIPPED, source_of(name)))
    return found


def source_of(name: str) -> str:
    """Where a BraTS patient comes from. Args: name: of its files."""
    return next(source for source in ("2013", "CBICA", "TCIA") if source in name)


def entry(image: Path, unit: str, preparation: str, source: str) -> dict[str, Any]:
    """One patient: the mask, the patient as unit, sha256 of the image, its preparation, the institution or part of the set."""
    label = image.with_name(image.name.replace(".nii.gz", "_tumour.nii.gz"))
    described = describe(image, [label], None, unit, data_root=PREPARED)
    unit, sha256 = described.pop("unit"), described.pop("sha256")
    return described | {"preparation": preparation, "source": source, "unit": unit, "sha256": sha256}


if __name__ == "__main__":
    main()
