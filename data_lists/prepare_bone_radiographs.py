"""Simulate radiographs of 25 CTs with their labels, and write the fixed split of the bodies.

Run before any training: `python data_lists/prepare_bone_radiographs.py`. The split, `bone_bodies.json` beside this file, is
fixed; running again writes it once more. Images, labels and a list for each fold go into `prepared/bone_radiographs/`: photon
noise is drawn from rates that differ in the last bit between processors, so the lists of images (with their sha256) are not
part of the repository, and paths in them start from `prepared`.

A body is the unit, all its views stay together. sts_025 is left out: streaks of another limb become bars of bone across the
open beam. Of the other 24 four are kept from every network, one from each of the four largest parts of the body; 20 are dealt
into five folds of four, stratified by part. In fold k the bodies of fold k are tested; of the other 16 one drawn from each fold
stops the training and fits the temperature, and 12 train: drawn, not following from the order of folds, so that no fold has a
part to play that another has not.

Per body eight views within 14 degrees of anterior-posterior, posterior-anterior and either side: a limb cut by the box of its
CT gives false wedges in oblique views. Of the images 80 % stand in a collimator's frame, a quarter of these blackened as by a
display shutter, and 20 % end within the field. A limb's cut edge is never open beam: the field lies where rays cross at least
80 % of the box.

Labels: open beam where the ray runs less than 1 mm through the body, bone where it runs 3 mm or more through bone (above 200
HU, closed and filled; 300 HU in the two bodies with contrast agent, specks of which pass for bone), else soft tissue. Beside
each label (`*_label.png`, class numbers) lies a soft one (`*_soft.png`, shares of open beam, soft tissue and bone as red, green
and blue).
"""

from __future__ import annotations

import hashlib
import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from data_list_entry import DATA, describe, write_list
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian

from caveat.transforms.projection.attenuation import BEAMS, densities, transmission
from caveat.transforms.projection.bone_mask import bone_mask
from caveat.transforms.projection.collimator import open_field
from caveat.transforms.projection.cone_beam import ConeBeam
from caveat.transforms.projection.detector import Exposure, expose, grey_values
from caveat.transforms.projection.labels import hard_labels, soft_labels
from caveat.transforms.projection.line_integrals import line_integrals

HERE = Path(__file__).resolve().parent
PREPARED = HERE.parent / "prepared"
SOURCE, SET = "ct_for_projection", "bone_radiographs"
SEED = 20261130
FOLDS = 5
PARTS = {
    "arm": ["sts_008", "sts_037", "sts_019"],
    "leg": ["sts_010", "sts_035", "sts_049"],
    "knee": ["sts_013", "sts_017", "sts_028", "sts_042", "sts_047", "sts_051"],
    "thigh": ["sts_009", "sts_039"],
    "hip": ["sts_007", "sts_015", "sts_020", "sts_029", "sts_036", "sts_040", "sts_044"],
    "trunk": ["lidc_0314_chest", "ov_2043_abdomen", "crlm_1004_abdomen"],
}
KEPT_FROM = ("leg", "knee", "hip", "trunk")
WITH_CONTRAST = ("ov_2043_abdomen", "crlm_1004_abdomen")
VIEWS = (0, 10, -10, 180, 90, 80, 100, 270)
STRESSED = (0, 4)
"""Numbers of the views that are degraded by `caveat stress`: one from the front, one from the side."""
LONGEST = 200
"""Pixels of the detector's longer side."""
OPEN_SHARE = 0.8
"""Of the longest path through the CT's box: the field holds no ray with a shorter one."""


@dataclass(frozen=True)
class Body:
    """One CT: materials and masks on its grid, (z, y, x), and the size of its cubic voxels."""

    soft: np.ndarray
    bone: np.ndarray
    bones: np.ndarray
    inside: np.ndarray
    spacing_mm: float

    @property
    def size_mm(self) -> np.ndarray:
        """Of the box, (x, y, z)."""
        return np.array(self.soft.shape[::-1]) * self.spacing_mm


def main() -> None:
    """Write bone_bodies.json beside this file, and images, labels and lists into `prepared/`."""
    dealt = deal()
    write_list({part: [entry_of_body(body) for body in bodies] for part, bodies in dealt.items()}, HERE / "bone_bodies.json")
    folder = PREPARED / SET
    folder.mkdir(parents=True, exist_ok=True)
    images = {body: simulate(body, folder) for bodies in dealt.values() for body in bodies}
    for fold in range(1, FOLDS + 1):
        parts = parts_of_fold(dealt, fold) | {"kept_out": dealt["kept_out"]}
        listed = {part: [entry for body in bodies for entry in images[body]] for part, bodies in parts.items()}
        listed["stress"] = [images[body][view] for body in dealt["kept_out"] for view in STRESSED]
        write_list(listed, PREPARED / f"{SET}_fold{fold}.json")


def deal() -> dict[str, list[str]]:
    """Bodies of each fold and those that no network sees, by a seeded shuffle within each part of the body."""
    shuffle = random.Random(SEED).shuffle
    kept, rest = [], []
    for part, bodies in PARTS.items():
        shuffled = list(bodies)
        shuffle(shuffled)
        first = int(part in KEPT_FROM)
        kept += shuffled[:first]
        rest += shuffled[first:]
    return {"kept_out": kept} | {f"fold{fold + 1}": rest[fold::FOLDS] for fold in range(FOLDS)}


def parts_of_fold(dealt: Mapping[str, list[str]], fold: int) -> dict[str, list[str]]:
    """What trains, stops and tests the network of a fold. Args: dealt: of `deal`; fold: from 1."""
    draw = random.Random(SEED + fold)
    others = [dealt[f"fold{number}"] for number in range(1, FOLDS + 1) if number != fold]
    stopping = [draw.choice(bodies) for bodies in others]
    training = [body for bodies in others for body in bodies if body not in stopping]
    return {"training": training, "early_stopping": stopping, "test": dealt[f"fold{fold}"]}


def entry_of_body(body: str) -> dict[str, Any]:
    """A CT of the split, its part of the body as stratum."""
    return describe(DATA / SOURCE / f"{body}.nii.gz", [], None, body) | {"stratum": part_of(body)}


def part_of(body: str) -> str:
    """Name of the part of the body."""
    return next(part for part, bodies in PARTS.items() if body in bodies)


def simulate(name: str, folder: Path) -> list[dict[str, Any]]:
    """Write all views of a body. Returns: their entries."""
    body, beam = read_body(name), BEAMS["trunk" if part_of(name) == "trunk" else "limb"]
    entries = []
    for number, around in enumerate(VIEWS):
        generator = np.random.default_rng([SEED, *name.encode(), number])
        view, field = place(body, around, generator)
        paths = {key: line_integrals(getattr(body, key), body.spacing_mm, view) for key in ("soft", "bone", "bones", "inside")}
        primary = transmission(paths["soft"] / 10, paths["bone"] / 10, beam)  # g/cm3 times mm
        grey, bits = develop(primary, field, view, generator)
        stem = folder / f"{name}_{number}"
        write_radiograph(grey, bits, generator.random() < 0.5, view, stem)
        labels = hard_labels(paths["inside"], paths["bones"], field)
        Image.fromarray(labels).save(f"{stem}_label.png")
        soft = soft_labels(paths["inside"], paths["bones"], field)
        Image.fromarray(np.rint(255 * np.moveaxis(soft, 0, -1)).astype(np.uint8)).save(f"{stem}_soft.png")
        described = describe(Path(f"{stem}.dcm"), [Path(f"{stem}_label.png")], None, name, data_root=PREPARED)
        sha256 = hashlib.sha256(described["sha256"].encode()).hexdigest()  # a DICOM study's is of the sha256 of its files
        entries.append(described | {"stratum": part_of(name), "sha256": sha256})
    return entries


def read_body(name: str) -> Body:
    """Read one CT and its body mask. Source: the README beside them: LPS after reorientation, cubic voxels."""
    image, mask = (nibabel.load(DATA / SOURCE / f"{name}{end}.nii.gz") for end in ("", "_body"))
    hounsfield, inside = (to_lps(item) for item in (image, mask))
    inside = inside > 0
    bones = bone_mask(hounsfield, inside, 300 if name in WITH_CONTRAST else 200)
    return Body(*densities(hounsfield, inside), bones, inside, float(image.header.get_zooms()[0]))


def to_lps(image: nibabel.Nifti1Image) -> np.ndarray:
    """Voxels as float32 (z, y, x), ascending to the left, the back and the head."""
    orientation = nibabel.orientations.ornt_transform(
        nibabel.io_orientation(image.affine), nibabel.orientations.axcodes2ornt("LPS")
    )
    return np.ascontiguousarray(nibabel.apply_orientation(np.asarray(image.dataobj, np.float32), orientation).T)


def place(body: Body, around: float, generator: np.random.Generator) -> tuple[ConeBeam, np.ndarray]:
    """A view and its open field, bool of the detector's shape. Args: around: degrees that the view lies about."""
    rotation, tilt = around + generator.uniform(-4, 4), generator.uniform(-8, 8)
    view = ConeBeam(rotation, tilt, (LONGEST, LONGEST), pitch_mm=1.0)
    across = body.size_mm[0] if abs(np.cos(np.radians(rotation))) > 0.7 else body.size_mm[1]
    view = replace(view, pitch_mm=1.02 * view.magnification * max(across, body.size_mm[2]) / LONGEST)
    path = view.path_in_box(body.size_mm)
    within = path > OPEN_SHARE * path.max()
    if generator.random() < 0.2:
        return within_field(view, within)
    return view, open_field(within, generator.uniform(-3, 3), generator.uniform(0, 0.08, 4))


def within_field(view: ConeBeam, within: np.ndarray) -> tuple[ConeBeam, np.ndarray]:
    """The same view on a smaller detector, which ends inside a region: no collimator is seen. The region is centred."""
    rows, columns = (2 * within.any(axis=axis).sum() // 2 for axis in (1, 0))
    pitch = view.pitch_mm * max(rows, columns) / LONGEST
    shape = tuple(int(count * view.pitch_mm / pitch) for count in (rows, columns))
    return replace(view, shape=shape, pitch_mm=pitch), np.ones(shape, bool)


def develop(primary: np.ndarray, field: np.ndarray, view: ConeBeam, generator: np.random.Generator) -> tuple[np.ndarray, int]:
    """Grey values of one exposure, and their bits; behind the collimator sometimes black, as a display shutter leaves it."""
    exposure = Exposure(
        scatter_to_primary=generator.uniform(0.05, 0.4),
        blur=generator.uniform(0.3, 0.9),
        photons=10 ** generator.uniform(1.8, 3.3),
    )
    energy = expose(primary, field, view.pitch_mm / view.magnification, exposure, generator)
    bits = int(generator.integers(8, 16))
    grey = grey_values(energy, field, bits, (generator.uniform(0, 1), generator.uniform(99.5, 100)))
    if generator.random() < 0.25:
        grey[~field] = 0
    return grey, bits


def write_radiograph(grey: np.ndarray, bits: int, inverted: bool, view: ConeBeam, stem: Path) -> None:
    """A DX object. Args: grey: (rows, columns), bone bright. inverted: store MONOCHROME1."""
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.SOPClassUID = DigitalXRayImageStorageForPresentation
    for keyword, word in {"StudyInstanceUID": "study", "SeriesInstanceUID": "series", "SOPInstanceUID": "image"}.items():
        setattr(header, keyword, f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, f'{SET}/{stem.name}/{word}').int}")
    header.Modality, header.PatientID, header.ImageType = "DX", stem.name, ["DERIVED", "PRIMARY"]
    header.PresentationIntentType, header.PixelIntensityRelationship = "FOR PRESENTATION", "LOG"
    header.SamplesPerPixel, header.PixelRepresentation = 1, 0
    header.PhotometricInterpretation = "MONOCHROME1" if inverted else "MONOCHROME2"
    header.PresentationLUTShape = "INVERSE" if inverted else "IDENTITY"
    header.Rows, header.Columns = grey.shape
    header.BitsAllocated, header.BitsStored, header.HighBit = 16, bits, bits - 1
    header.ImagerPixelSpacing = [f"{view.pitch_mm:.6f}"] * 2
    header.PixelData = (2**bits - 1 - grey if inverted else grey).astype("<u2").tobytes()
    header.save_as(f"{stem}.dcm", enforce_file_format=True)


if __name__ == "__main__":
    main()
