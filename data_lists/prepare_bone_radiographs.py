"""Simulate radiographs of 25 CTs with their labels, and write the fixed split of the bodies.

Run before any training: `python data_lists/prepare_bone_radiographs.py [--further]`. The split, `bone_bodies.json` beside this
file, is fixed; running again writes it once more. Images, labels and a list for each fold go into `prepared/bone_radiographs/`:
photon noise is drawn from rates that differ in the last bit between processors, so the lists of images (with their sha256) are
not part of the repository, and paths in them start from `prepared`.

A body is the unit, all its views stay together. sts_025 is left out: streaks of another limb become bars of bone across the
open beam. Of the other 24 four are kept from every network, one from each of the four largest parts of the body; 20 are dealt
into five folds of four, stratified by part. In fold k the bodies of fold k are tested; of the other 16 one drawn from each fold
stops the training and fits the temperature, and 12 train: drawn, not following from the order of folds, so that no fold has a
part to play that another has not.

Per body eight views within 14 degrees of anterior-posterior, posterior-anterior and either side: a limb cut by the box of its
CT gives false wedges in oblique views. Of the images 80 % stand in a collimator's frame, a quarter of these blackened as by a
display shutter, and 20 % end within the field. A limb's cut edge is never open beam: the field lies where rays cross at least
80 % of the box. These eight are what is tested, what stops a training and what the tables count.

With `--further` there are 32 further views a body, of wider conditions (`WIDE`): turned and tilted further, nearer and farther
sources, other beams, more and less mineral and soft tissue, other exposures, parts of the body alone. All 40 views of a fold's
training bodies are its part `training_wide`; no body that is kept from every network has any. They are for a pilot
(train_wide.yaml of the bundle), in which they were no help.

Labels: open beam where the ray runs less than 1 mm through the body, bone where it runs 3 mm or more through bone (above 200
HU, closed and filled; 300 HU in the two bodies with contrast agent, specks of which pass for bone), else soft tissue. Beside
each label (`*_label.png`, class numbers) lies a soft one (`*_soft.png`, shares of open beam, soft tissue and bone as red, green
and blue).
"""

from __future__ import annotations

import argparse
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
SIDES, FURTHER = (0, 90, 180, 270), 32
"""Angles that the further views lie about, in turn, and how many there are of a body."""
STRESSED = (0, 4)
"""Numbers of the views that are degraded by `caveat stress`: one from the front, one from the side."""
LONGEST = 200
"""Pixels of the detector's longer side."""
DETECTOR_BEHIND_MM = 150.0
"""Behind the axis that the views turn about."""
OPEN_SHARE = 0.8
"""Of the longest path through the CT's box: the field holds no ray with a shorter one."""


Range = tuple[float, float]


@dataclass(frozen=True)
class Conditions:
    """Within what the conditions of a view are drawn, evenly; a range of no width takes no number of the generator.

    Args:
        turn_deg, tilt_deg: to either side.
        source_mm: from the source to the detector, which is 150 mm behind the axis.
        size: of the detector, as a share of the body's box.
        margin: share of the region by which a side of the collimator stands inside, at most.
        hardness: share of the trunk's beam in that of a limb; None leaves each its own.
        soft, mineral: factors of the mass along a ray.
        scatter, blur, photons: see `Exposure`; the photons as a power of ten.
    """

    turn_deg: float = 4
    tilt_deg: float = 8
    source_mm: Range = (1100, 1100)
    size: Range = (1.02, 1.02)
    margin: float = 0.08
    hardness: Range | None = None
    soft: Range = (1, 1)
    mineral: Range = (1, 1)
    scatter: Range = (0.05, 0.4)
    blur: Range = (0.3, 0.9)
    photons: Range = (1.8, 3.3)


SCORED = Conditions()
WIDE = Conditions(
    turn_deg=25,
    tilt_deg=20,
    source_mm=(800, 2000),
    size=(0.6, 1.1),
    margin=0.25,
    hardness=(0, 1),
    soft=(0.7, 1.3),
    mineral=(0.6, 1.4),
    scatter=(0, 0.6),
    blur=(0.2, 1.2),
    photons=(1.5, 3.6),
)


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
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--further", action="store_true", help="32 further views a body, for the pilot")
    further = parser.parse_args().further
    dealt = deal()
    write_list({part: [entry_of_body(body) for body in bodies] for part, bodies in dealt.items()}, HERE / "bone_bodies.json")
    folder = PREPARED / SET
    folder.mkdir(parents=True, exist_ok=True)
    more = {fold: further and fold != "kept_out" for fold in dealt}
    images = {body: simulate(body, folder, more[fold]) for fold, bodies in dealt.items() for body in bodies}
    for fold in range(1, FOLDS + 1):
        parts = parts_of_fold(dealt, fold) | {"kept_out": dealt["kept_out"]}
        listed = {part: [entry for body in bodies for entry in images[body][: len(VIEWS)]] for part, bodies in parts.items()}
        if further:
            listed["training_wide"] = [entry for body in parts["training"] for entry in images[body]]
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


def simulate(name: str, folder: Path, further: bool) -> list[dict[str, Any]]:
    """Write all views of a body. Args: further: than those that are scored. Returns: their entries, the scored ones first."""
    body = read_body(name)
    views = [(around, SCORED) for around in VIEWS]
    views += [(SIDES[number % len(SIDES)], WIDE) for number in range(FURTHER if further else 0)]
    entries = []
    for number, (around, conditions) in enumerate(views):
        generator = np.random.default_rng([SEED, *name.encode(), number])
        entries.append(simulate_view(name, body, around, conditions, folder / f"{name}_{number}", generator))
    return entries


def simulate_view(
    name: str, body: Body, around: float, conditions: Conditions, stem: Path, generator: np.random.Generator
) -> dict[str, Any]:
    """Write one radiograph and its labels. Args: stem: of the files. Returns: the entry."""
    view, field = place(body, around, conditions, generator)
    paths = {key: line_integrals(getattr(body, key), body.spacing_mm, view) for key in ("soft", "bone", "bones", "inside")}
    soft = drawn(conditions.soft, generator) * paths["soft"] / 10  # g/cm3 times mm: g/cm2
    bone = drawn(conditions.mineral, generator) * paths["bone"] / 10
    primary = transmission(soft, bone, beam_of(part_of(name), conditions, generator))
    grey, bits = develop(primary, field, view, conditions, generator)
    write_radiograph(grey, bits, generator.random() < 0.5, view, stem)
    labels = hard_labels(paths["inside"], paths["bones"], field)
    Image.fromarray(labels).save(f"{stem}_label.png")
    soft = soft_labels(paths["inside"], paths["bones"], field)
    Image.fromarray(np.rint(255 * np.moveaxis(soft, 0, -1)).astype(np.uint8)).save(f"{stem}_soft.png")
    described = describe(Path(f"{stem}.dcm"), [Path(f"{stem}_label.png")], None, name, data_root=PREPARED)
    sha256 = hashlib.sha256(described["sha256"].encode()).hexdigest()  # a DICOM study's is of the sha256 of its files
    return described | {"stratum": part_of(name), "sha256": sha256}


def drawn(limits: Range, generator: np.random.Generator) -> float:
    """A number of a range, see `Conditions`."""
    low, high = limits
    return low if low == high else float(generator.uniform(low, high))


def beam_of(part: str, conditions: Conditions, generator: np.random.Generator) -> dict[int, float]:
    """Share of the energy by keV. Args: part: of the body."""
    hard = float(part == "trunk") if conditions.hardness is None else drawn(conditions.hardness, generator)
    limb, trunk = BEAMS["limb"], BEAMS["trunk"]
    return {kev: (1 - hard) * limb.get(kev, 0) + hard * trunk.get(kev, 0) for kev in sorted({*limb, *trunk})}


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


def place(body: Body, around: float, conditions: Conditions, generator: np.random.Generator) -> tuple[ConeBeam, np.ndarray]:
    """A view and its open field, bool of the detector's shape. Args: around: degrees that the view lies about."""
    turn, most = conditions.turn_deg, conditions.tilt_deg
    rotation, tilt = around + generator.uniform(-turn, turn), generator.uniform(-most, most)
    source = drawn(conditions.source_mm, generator)
    view = ConeBeam(rotation, tilt, (LONGEST, LONGEST), 1.0, source - DETECTOR_BEHIND_MM, source)
    across = body.size_mm[0] if abs(np.cos(np.radians(rotation))) > 0.7 else body.size_mm[1]
    size = drawn(conditions.size, generator)
    view = replace(view, pitch_mm=size * view.magnification * max(across, body.size_mm[2]) / LONGEST)
    path = view.path_in_box(body.size_mm)
    within = path > OPEN_SHARE * path.max()
    if generator.random() < 0.2:
        return within_field(view, within)
    return view, open_field(within, generator.uniform(-3, 3), generator.uniform(0, conditions.margin, 4))


def within_field(view: ConeBeam, within: np.ndarray) -> tuple[ConeBeam, np.ndarray]:
    """The same view on a smaller detector, which ends inside a region: no collimator is seen. The region is centred."""
    rows, columns = (2 * within.any(axis=axis).sum() // 2 for axis in (1, 0))
    pitch = view.pitch_mm * max(rows, columns) / LONGEST
    shape = tuple(int(count * view.pitch_mm / pitch) for count in (rows, columns))
    return replace(view, shape=shape, pitch_mm=pitch), np.ones(shape, bool)


def develop(
    primary: np.ndarray, field: np.ndarray, view: ConeBeam, conditions: Conditions, generator: np.random.Generator
) -> tuple[np.ndarray, int]:
    """Grey values of one exposure, and their bits; behind the collimator sometimes black, as a display shutter leaves it."""
    exposure = Exposure(
        scatter_to_primary=drawn(conditions.scatter, generator),
        blur=drawn(conditions.blur, generator),
        photons=10 ** drawn(conditions.photons, generator),
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
