"""Degraded copies of a data list's images, with their labels and landmarks, in a folder of their own."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import Image

from caveat.reasons import StudyRefused

from ...transforms.corruptions.corruption import LabelledImage, all_corruptions
from ...transforms.files.nifti_maps import write_nifti
from ...transforms.image.study_image import Stated, StudyImage
from ...transforms.landmarks.points_table import read_all_points, refuse_other_axes, write_points
from ...transforms.study.inspect_study import inspect_study
from ...transforms.study.search import is_known
from ...transforms.study.study_name import StudyNames, anonymous_name
from ..answers.study_evaluator import refusal_behind
from ..stored.stored_study import StoredStudy
from ..stored.truths import on_grid

LIST = "list.json"
DEPTHS = (np.uint8, np.uint16, np.int16)
"""Of pictures in whole numbers, the smallest that holds one first."""
PICTURE_LENGTHS = 1000
"""Lengths in pictures whose spacing is not known are such parts of the shorter side."""


@dataclass(frozen=True)
class Degradation:
    """What is done to an image. Args: corruption: name of one. strength: in its unit."""

    corruption: str
    strength: float


@dataclass(frozen=True)
class Drawn:
    """What was drawn on an image.

    Args:
        labels: files of label maps by what they are called here: a number per rater, and "region".
        rows: rater and name of each point. points: (rows, axes), in elements. Both empty where there is no table.
    """

    labels: Mapping[str, Path]
    rows: Sequence[tuple[str, str]] = ()
    points: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))


def write_degraded(
    entries: Sequence[tuple[Mapping[str, Any], Degradation | None]],
    dataset_dir: Path,
    folder: Path,
    points_dir: Path | None = None,
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Write images, labels and tables of points below `folder`; None copies an image byte by byte.

    Names are kept where they are unique, but for those of DICOM, which may be a patient's: they are numbers.

    One that cannot be read, or whose label cannot, is refused as `caveat predict` refuses it, and the others are written.

    Args:
        entries: of a data list, with what is done to each.
        dataset_dir: what their paths are relative to.
        folder: gets `images`, `labels`, and `points` where there are any.
        points_dir: what the paths of tables of points are relative to; None for `dataset_dir`.

    Returns:
        the entries with paths relative to `folder`, the new sha256, `spacing_mm` of a picture where it is known, and
        `degradation` {corruption, strength} if any; and {unit, code, found} of each that is refused: INPUT_CHANGED, NO_TRUTH,
        LABEL_OFF_GRID, POINTS_INCOMPLETE, MISSING_SPACING, FOLDED_IMAGE, and whatever keeps an image from being read.
    """
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    names, written, refused = StudyNames(), [], []
    for number, (entry, done) in enumerate(entries, start=1):
        try:
            known = (dataset_dir / entry["image"]).is_file() and is_known(dataset_dir / entry["image"])
            name = names.of(Path(entry["image"] if known else anonymous_name(number)))
            drawn = _drawn(entry, dataset_dir, points_dir or dataset_dir)
            written.append(_write_entry(entry, done, drawn, dataset_dir / entry["image"], folder, name))
        except Exception as error:  # whatever one image raises, the next ones are degraded
            refusal = refusal_behind(error)
            refused.append({"unit": entry["unit"], "code": refusal.code, "found": refusal.found})
    return written, refused


def write_list(parts: Mapping[str, Sequence[Mapping[str, Any]]], folder: Path) -> Path:
    """The list of a folder of degraded images, beside them. Returns: its path."""
    (folder / LIST).write_text(json.dumps(parts, indent=1) + "\n", encoding="utf-8")
    return folder / LIST


def degrade(image: LabelledImage, done: Degradation, sha256: str) -> LabelledImage:
    """The same image, corruption and strength always give the same result. Args: sha256: of the file."""
    random = seeded(f"{done.corruption} {done.strength:g} {sha256}")
    return all_corruptions()[done.corruption](image, done.strength, random)


def seeded(text: str) -> np.random.RandomState:
    """Random numbers that are a function of a text (numpy has frozen the streams of this generator)."""
    return np.random.RandomState(np.frombuffer(hashlib.sha256(text.encode()).digest(), dtype="<u4"))


def dimensions_of(entries: Sequence[Mapping[str, Any]], dataset_dir: Path) -> int:
    """Spatial axes of the first image that can be read: 2 for a picture. Raises: StudyRefused: NO_INPUT_FOUND."""
    for entry in entries:
        with contextlib.suppress(StudyRefused):  # it is refused, and counted, where it is degraded
            return inspect_study(dataset_dir / entry["image"]).image.voxels.ndim - 1
    raise StudyRefused("NO_INPUT_FOUND", f"none of {len(entries)} images of this part can be read")


def _drawn(entry: Mapping[str, Any], dataset_dir: Path, points_dir: Path) -> Drawn:
    """Raises: StudyRefused: NO_TRUTH, POINTS_INCOMPLETE."""
    labels = entry.get("label") or []
    paths = {str(number): path for number, path in enumerate([labels] if isinstance(labels, str) else labels, start=1)}
    paths |= {"region": entry["region"]} if entry.get("region") else {}
    points = read_all_points(points_dir / entry["points"]) if entry.get("points") else ()
    return Drawn({key: dataset_dir / path for key, path in paths.items()}, *points)


def _write_entry(
    entry: Mapping[str, Any], done: Degradation | None, drawn: Drawn, source: Path, folder: Path, name: str
) -> dict[str, Any]:
    stated = Stated(tuple(entry.get("spacing_mm", ())))
    found = inspect_study(source, stated, sha256=str(entry.get("sha256") or ""))
    image = _labelled(found.image, drawn)
    sized = found.image.spacing_mm is not None
    if done is None:
        suffix = "".join(source.suffixes[-2:]) if source.name.endswith(".nii.gz") else source.suffix
        path = _free(folder / "images" / (name + suffix))
        shutil.copyfile(source, path)
        sha256 = found.sha256  # of a DICOM study it is not that of its file
    else:
        if not sized and len(image.shape) == 3 and all_corruptions()[done.corruption].uses_spacing:
            raise StudyRefused("MISSING_SPACING", f"{done.corruption} depends on it")
        image = degrade(image, done, found.sha256)
        path = _write_image(folder / "images" / name, image, found.image.voxels, sized)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    written = {
        key: _write_label(folder / "labels" / f"{name}_{key}", label, image.affine, sized)
        for key, label in zip(drawn.labels, image.labels, strict=True)
    }
    out = dict(entry) | {"image": path, "sha256": sha256}
    if "region" in written:
        out["region"] = written.pop("region")
    if written:
        out["label"] = list(written.values())
    if drawn.rows:
        out["points"] = folder / "points" / f"{name}.csv"
        out["points"].parent.mkdir(exist_ok=True)
        write_points(out["points"], drawn.rows, image.points)
    if len(image.shape) == 2 and found.image.spacing_mm is not None:
        out["spacing_mm"] = list(found.image.spacing_mm)  # a picture that is written again carries none
    if done is not None:
        out["degradation"] = {"corruption": done.corruption, "strength": done.strength}
    return {key: _relative(value, folder) for key, value in out.items()}


def _labelled(image: StudyImage, drawn: Drawn) -> LabelledImage:
    """The image with what was drawn on it. Raises: StudyRefused: NO_TRUTH, LABEL_OFF_GRID, POINTS_INCOMPLETE."""
    shape = image.voxels.shape[1:]
    grid = StoredStudy("", {"input": {"affine": image.affine}}, {"segmentation": np.zeros(shape, np.uint8)})
    if drawn.rows:
        refuse_other_axes(drawn.points, len(shape))
    spacing = image.spacing_mm
    if spacing is None:  # of a volume it is voxels, of which nothing that depends on a size is made
        spacing = (PICTURE_LENGTHS / min(shape) if len(shape) == 2 else 1.0,) * len(shape)
    labels = tuple(on_grid(path, grid) for path in drawn.labels.values())
    return LabelledImage(image.voxels, labels, tuple(spacing), image.affine, drawn.points)


def _write_image(path: Path, image: LabelledImage, original: np.ndarray, sized: bool) -> Path:
    """Args: path: without suffix. original: the voxels before; a picture keeps its number of bits. sized: see `write_nifti`.

    Returns: the path written."""
    if len(image.shape) == 3:
        path = _free(path.with_name(path.name + ".nii.gz"))
        write_nifti(path, image.voxels[0], image.affine, sized=sized)
        return path
    path = _free(path.with_name(path.name + ".tif"))
    pixels = np.moveaxis(image.voxels, 0, -1)
    if np.array_equal(original, np.rint(original)):
        depths = [depth for depth in DEPTHS if np.iinfo(depth).min <= original.min() and original.max() <= np.iinfo(depth).max]
        if depths:  # as a camera would; what none of them holds stays float32
            pixels = np.rint(np.clip(pixels, np.iinfo(depths[0]).min, np.iinfo(depths[0]).max)).astype(depths[0])
    photometric = "rgb" if pixels.shape[-1] == 3 else "minisblack"
    pixels = np.ascontiguousarray(pixels if pixels.shape[-1] == 3 else pixels[..., 0])
    tifffile.imwrite(path, pixels, photometric=photometric, compression="zlib", metadata=None, software="", datetime=None)
    return path


def _write_label(path: Path, label: np.ndarray, affine: np.ndarray, sized: bool) -> Path:
    """Args: path: without suffix. sized: see `write_nifti`. Returns: the path written."""
    if label.ndim == 3:
        path = _free(path.with_name(path.name + ".nii.gz"))
        whole = label.astype(np.uint8)
        write_nifti(path, whole if np.array_equal(whole, label) else label.astype(np.float32), affine, sized=sized)
    else:
        path = _free(path.with_name(path.name + ".png"))
        Image.fromarray(label).save(path)
    return path


def _free(path: Path) -> Path:
    """The same place, with nothing there any more: a file of an earlier run may share its bytes with an original (hard links)."""
    path.unlink(missing_ok=True)
    return path


def _relative(value: Any, folder: Path) -> Any:
    """Paths as a list has them."""
    if isinstance(value, list):
        return [_relative(item, folder) for item in value]
    return value.relative_to(folder).as_posix() if isinstance(value, Path) else value
