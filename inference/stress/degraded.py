"""Degraded copies of a data list's images, with their labels, in a folder of their own."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import Image

from caveat.reasons import StudyRefused

from ...transforms.corruption import LabelledImage, all_corruptions
from ...transforms.inspect_study import inspect_study
from ...transforms.reader import StudyImage
from ...transforms.study_name import StudyNames
from ...transforms.writers.nifti_maps import write_nifti
from ..stored_study import StoredStudy
from ..study_evaluator import refusal_behind
from ..truths import on_grid

LIST = "list.json"
PICTURE_LENGTHS = 1000
"""Lengths in pictures are such parts of the shorter side: how large their pixels are is not known."""


@dataclass(frozen=True)
class Degradation:
    """What is done to an image. Args: corruption: name of one. strength: in its unit."""

    corruption: str
    strength: float


def write_degraded(
    entries: Sequence[tuple[Mapping[str, Any], Degradation | None]], dataset_dir: Path, folder: Path
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Write images and labels below `folder`, names kept where they are unique; None copies an image byte by byte.

    One that cannot be read, or whose label cannot, is refused as `caveat predict` refuses it, and the others are written.

    Args:
        entries: of a data list, with what is done to each.
        dataset_dir: what their paths are relative to.
        folder: gets `images` and `labels`.

    Returns:
        the entries with paths relative to `folder`, the new sha256, and `degradation` {corruption, strength} if any; and
        {unit, code, found} of each that is refused: INPUT_CHANGED, NO_TRUTH, LABEL_OFF_GRID, MISSING_SPACING, and whatever
        keeps an image from being read.
    """
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    names, written, refused = StudyNames(), [], []
    for entry, done in entries:
        try:
            written.append(_write_entry(entry, done, dataset_dir, folder, names.of(Path(entry["image"]))))
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


def _write_entry(
    entry: Mapping[str, Any], done: Degradation | None, dataset_dir: Path, folder: Path, name: str
) -> dict[str, Any]:
    source = dataset_dir / entry["image"]
    found = inspect_study(source, sha256=str(entry.get("sha256") or ""))
    labels = _label_paths(entry)
    image = _labelled(found.image, [dataset_dir / path for path in labels.values()])
    if done is None:
        suffix = "".join(source.suffixes[-2:]) if source.name.endswith(".nii.gz") else source.suffix
        path = folder / "images" / (name + suffix)
        shutil.copyfile(source, path)
    else:
        image = degrade(image, done, found.sha256)
        path = _write_image(folder / "images" / name, image, found.image.voxels)
    written = {
        key: _write_label(folder / "labels" / f"{name}_{key}", label, image.affine) for key, label in zip(labels, image.labels)
    }
    out = dict(entry) | {"image": path, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    if "region" in written:
        out["region"] = written.pop("region")
    if written:
        out["label"] = list(written.values())
    if done is not None:
        out["degradation"] = {"corruption": done.corruption, "strength": done.strength}
    return {key: _relative(value, folder) for key, value in out.items()}


def _label_paths(entry: Mapping[str, Any]) -> dict[str, str]:
    """Paths of an entry's label maps by what they are called here: one per rater, and the region."""
    labels = entry.get("label") or []
    paths = {str(number): path for number, path in enumerate([labels] if isinstance(labels, str) else labels, start=1)}
    return paths | ({"region": entry["region"]} if entry.get("region") else {})


def _labelled(image: StudyImage, labels: Sequence[Path]) -> LabelledImage:
    """The image with its label maps. Raises: StudyRefused: NO_TRUTH, LABEL_OFF_GRID."""
    shape = image.voxels.shape[1:]
    grid = StoredStudy("", {"input": {"affine": image.affine}}, {"segmentation": np.zeros(shape, np.uint8)})
    is_picture = len(shape) == 2
    spacing = [PICTURE_LENGTHS / min(shape)] * 2 if is_picture else image.spacing_mm
    if spacing is None:
        raise StudyRefused("MISSING_SPACING", "strengths are in mm")
    return LabelledImage(image.voxels, tuple(on_grid(path, grid) for path in labels), tuple(spacing), image.affine)


def _write_image(path: Path, image: LabelledImage, original: np.ndarray) -> Path:
    """Args: path: without suffix. original: the voxels before; a picture keeps its number of bits. Returns: the path written."""
    if len(image.shape) == 3:
        path = path.with_name(path.name + ".nii.gz")
        write_nifti(path, image.voxels[0], image.affine)
        return path
    path = path.with_name(path.name + ".tif")
    pixels = np.moveaxis(image.voxels, 0, -1)
    if np.array_equal(original, np.rint(original)):
        depth = np.uint8 if original.max() <= 255 else np.uint16
        pixels = np.rint(np.clip(pixels, 0, np.iinfo(depth).max)).astype(depth)  # as a camera would
    shown = {"photometric": "rgb" if pixels.shape[-1] == 3 else "minisblack", "compression": "zlib"}
    pixels = np.ascontiguousarray(pixels if pixels.shape[-1] == 3 else pixels[..., 0])
    tifffile.imwrite(path, pixels, **shown, metadata=None, software="", datetime=None)
    return path


def _write_label(path: Path, label: np.ndarray, affine: np.ndarray) -> Path:
    """Args: path: without suffix. Returns: the path written."""
    if label.ndim == 3:
        path = path.with_name(path.name + ".nii.gz")
        whole = label.astype(np.uint8)
        write_nifti(path, whole if np.array_equal(whole, label) else label.astype(np.float32), affine)
    else:
        path = path.with_name(path.name + ".png")
        Image.fromarray(label).save(path)
    return path


def _relative(value: Any, folder: Path) -> Any:
    """Paths as a list has them."""
    if isinstance(value, list):
        return [_relative(item, folder) for item in value]
    return value.relative_to(folder).as_posix() if isinstance(value, Path) else value
