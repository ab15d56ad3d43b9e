"""Write the lung nodules of LIDC-IDRI that three or four raters outlined as NIfTI, and their fixed split by patient.

Run before any training: `python data_lists/prepare_lidc_nodules.py`. The list is fixed; running again writes it and the files
once more, byte for byte. The set is packed, so the files go into `prepared/lidc_nodules/`, and the list's paths start from
`prepared` (CAVEAT_DATA=prepared). A nodule is a crop of a chest CT in Hounsfield units, clipped below at -1024: scanners pad
with less. Beside it lie one mask a rater, and one of the voxels that are known: beyond the slices that a rater drew on, the
source has a smaller box alone, and what surrounds it repeats its edge.

Patients of the set's own training and test parts stay where they are. Its 108 validation patients are divided by a seeded
shuffle: 40 stop the training and serve choices, 68 calibrate. Raters are anonymous and exchangeable, and not the same from
patient to patient.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from data_list_entry import DATA, describe, write_list

from caveat.transforms.files.nifti_maps import write_nifti

HERE = Path(__file__).resolve().parent
PREPARED = HERE.parent / "prepared"
SET = "lidc_nodules"
SEED = 20261128
STOPPING = 40
SMALLEST_HU = -1024
REACHES, REACHES_NOT = "union reaches an end of the crop", "union reaches neither end"
CONTEXT = 1
"""Kind of a slice on which no rater drew, of which the source has a box alone."""


def main() -> None:
    """Write the files, and lidc_nodules.json beside this one."""
    facts = {nodule["id"]: nodule for nodule in json.loads((DATA / SET / "nodules.json").read_text(encoding="utf-8"))}
    part_of = deal([nodule["patient"] for nodule in facts.values() if nodule["split"] == "val"])
    parts: dict[str, list[dict[str, Any]]] = {part: [] for part in ("training", "early_stopping", "calibration", "test")}
    folder = PREPARED / SET
    folder.mkdir(parents=True, exist_ok=True)
    for split, part in (("train", "training"), ("val", None), ("test", "test")):
        with np.load(DATA / SET / f"{split}.npz") as packed:
            for nodule in unpack({name: packed[name] for name in packed.files}):
                about = facts[nodule["id"]]
                write_nodule(nodule, affine_of(about), folder)
                parts[part or part_of[about["patient"]]].append(entry(about, folder))
    write_list(parts, HERE / f"{SET}.json")


def deal(patients: list[str]) -> dict[str, str]:
    """The part of each validation patient. Args: patients: of all their nodules."""
    shuffled = sorted(set(patients))
    random.Random(SEED).shuffle(shuffled)
    return {patient: "early_stopping" if rank < STOPPING else "calibration" for rank, patient in enumerate(shuffled)}


def unpack(packed: Mapping[str, np.ndarray]) -> Iterator[dict[str, Any]]:
    """The nodules of one packed file.

    Yields:
        `id`; `image`: int16 (z, y, x), Hounsfield units; `known`: bool, the same shape; `masks`: bool (raters, z, y, x).
    """
    for index, name in enumerate(packed["id"]):
        shape = tuple(map(int, packed["shape_zyx"][index]))
        slices = slice(*packed["slice_off"][index : index + 2])
        code = _part(packed, "codes_delta", "img_off", index).reshape(shape).cumsum(axis=2, dtype=np.uint8)
        image = code * packed["slope"][slices, None, None] + packed["intercept"][slices, None, None]
        image = np.maximum(np.rint(image), SMALLEST_HU).astype(np.int16)
        known = known_voxels(packed["kind"][slices], packed["known_y0y1x0x1"][slices], shape)
        masks = (int(packed["n_readers"][index]), *shape)
        bits = np.unpackbits(_part(packed, "masks_packed", "mask_off", index), count=int(np.prod(masks)))
        yield {"id": str(name), "image": repeat_edges(image, known), "known": known, "masks": bits.reshape(masks).astype(bool)}


def known_voxels(kinds: np.ndarray, boxes: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Where the source has an image. Args: kinds: of each slice. boxes: y0, y1, x0, x1 of each. Returns: bool of `shape`."""
    known = np.ones(shape, bool)
    for number in np.flatnonzero(kinds == CONTEXT):
        top, bottom, left, right = boxes[number]
        known[number] = False
        known[number, top:bottom, left:right] = True
    return known


def repeat_edges(image: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Give unknown voxels the nearest known value of their row and column. Args: both (z, y, x); known: a box in each slice."""
    filled = image.copy()
    for number in np.flatnonzero(~known.all(axis=(1, 2))):
        spans = [np.flatnonzero(known[number].any(axis=axis)) for axis in (1, 0)]
        box = image[number, spans[0][0] : spans[0][-1] + 1, spans[1][0] : spans[1][-1] + 1]
        around = [(span[0], size - 1 - span[-1]) for span, size in zip(spans, image.shape[1:], strict=True)]
        filled[number] = np.pad(box, around, mode="edge")
    return filled


def affine_of(nodule: Mapping[str, Any]) -> np.ndarray:
    """Voxel (x, y, z) to mm, RAS: the facts are in LPS, whose first two axes run the other way. Returns: (4, 4)."""
    affine = np.diag([*np.multiply(nodule["direction_lps_xyz"], nodule["spacing_mm_zyx"][::-1]), 1.0])
    affine[:3, 3] = nodule["origin_lps_mm"]
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine


def write_nodule(nodule: Mapping[str, Any], affine: np.ndarray, folder: Path) -> None:
    """One file for the image, one a rater, one of what is known. Args: nodule: of `unpack`."""
    volumes = {"": nodule["image"], "_known": nodule["known"]}
    volumes |= {f"_rater{number}": mask for number, mask in enumerate(nodule["masks"], start=1)}
    for name, volume in volumes.items():
        stored = volume.astype(np.int16 if volume.dtype == np.int16 else np.uint8)
        write_nifti(folder / f"{nodule['id']}{name}.nii.gz", np.ascontiguousarray(stored.T), affine)


def entry(nodule: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """One nodule: a mask a rater, the patient as unit, sha256 of the image; the stratum says whether some rater drew on the first
    or the last slice, where the crop's depth gives the volume away."""
    raters = [folder / f"{nodule['id']}_rater{number + 1}.nii.gz" for number in range(nodule["n_readers"])]
    described = describe(folder / f"{nodule['id']}.nii.gz", raters, None, nodule["patient"], data_root=PREPARED)
    unit, sha256 = described.pop("unit"), described.pop("sha256")
    stratum = REACHES if any(nodule["union_touches"]) else REACHES_NOT
    about = {"known": f"{SET}/{nodule['id']}_known.nii.gz", "raters": len(raters), "stratum": stratum}
    return described | about | {"unit": unit, "sha256": sha256}


def _part(packed: Mapping[str, np.ndarray], values: str, offsets: str, index: int) -> np.ndarray:
    return packed[values][slice(*packed[offsets][index : index + 2])]


if __name__ == "__main__":
    main()
