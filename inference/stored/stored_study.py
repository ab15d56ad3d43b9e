"""A study as `caveat predict` stored it: `result.json` and the maps, read back without a network."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import nibabel
import numpy as np
import tifffile
from nibabel.spatialimages import SpatialImage
from PIL import Image, UnidentifiedImageError

from caveat.reasons import StudyRefused

from ...transforms.checks.limits import DEFLATE_RATIO
from ...transforms.files.stored_result import with_answers
from ..engine.labels import THRESHOLD, overlapping_classes, refuse_overlapping_classes

MAP_SUFFIXES = (".nii.gz", ".tif", ".png")
CERTAIN = ("segmentation", "region", "objects", "probability", "lowest_probability")
"""Maps that are not of uncertainty."""
NOT_MAPS = ("preview", "samples", "hypotheses")
"""Pictures for the eye, and stacks of draws that would fill the memory."""
PICTURES = ("PNG", "GIF", "BMP", "JPEG", "PPM", "TIFF")
"""Whatever the file is called: Pillow would hand a PostScript file to another program, which runs it."""
WHITE = (255, 65535)
"""Of 8 and of 16 bits: what most painted masks have beside 0."""


@dataclass(frozen=True)
class StoredStudy:
    """One study's folder.

    Args:
        name: of the folder.
        result: `result.json`.
        maps: name to array on the input's own grid, as stored: (*spatial), or (classes, *spatial) for more than two classes.
            "segmentation" holds labels, "region" what was measured.
        overlapping: of classes that may overlap, where each is: bool (classes, *spatial), the first of them class 1. None where
            the labels say it.
    """

    name: str
    result: Mapping[str, Any] = field(default_factory=dict)
    maps: Mapping[str, np.ndarray] = field(default_factory=dict)
    overlapping: np.ndarray | None = None

    def mask_of(self, index: int) -> np.ndarray:
        """Where one class is: bool (*spatial). Raises: StudyRefused: OVERLAPPING_CLASSES, and no probability was stored."""
        if self.overlapping is not None:
            return self.overlapping[index - 1]
        refuse_overlapping_classes(self.result)
        return self.labels == index

    @property
    def mask(self) -> np.ndarray:
        """The reported structure: bool (*spatial), every label but the background."""
        return self.labels > 0

    @property
    def labels(self) -> np.ndarray:
        """The reported segmentation (*spatial). Raises: StudyRefused: NOT_PREDICTED where the bundle writes none."""
        if "segmentation" not in self.maps:
            raise StudyRefused("NOT_PREDICTED", "the study was stored without a segmentation")
        return self.maps["segmentation"]

    @property
    def uncertainty_maps(self) -> dict[str, np.ndarray]:
        """Maps of uncertainty by name, larger is less certain: all but the segmentation, the region and the probability."""
        return {name: array for name, array in self.maps.items() if name not in CERTAIN}


def read_results(predictions: Path) -> dict[Path, dict[str, Any]]:
    """Every finished study folder below `predictions`.

    Returns:
        folder to its `result.json`, sorted by name.

    Raises:
        StudyRefused: CORRUPT where one cannot be read: a study left out in silence would be a selection.
    """
    files = sorted(predictions.glob("*/result.json"))
    shown = [file for file in files if not file.parent.name.startswith(".")]
    return {file.parent: _result_of(file) for file in shown}


def _result_of(file: Path) -> dict[str, Any]:
    try:
        if file.is_file():  # a pipe would never answer
            result = with_answers(json.loads(file.read_text(encoding="utf-8")))
            known = isinstance(result.get("input", {}).get("sha256", ""), str)  # by which the study's seal is found
            if known and (result["status"] == "REFUSED" or isinstance(result["bundle"], dict)):
                return result
    except (OSError, LookupError, ValueError, TypeError, AttributeError, RecursionError):
        pass
    raise StudyRefused("CORRUPT", "a result.json in the folder of the predictions")


def read_study(folder: Path, result: Mapping[str, Any], names: Collection[str] | None = None) -> StoredStudy:
    """A study with its maps.

    Args:
        result: its `result.json`, read already.
        names: of the maps that are wanted; None for all. Classes that may overlap are read off their probability all the same.
    """
    files, overlap = map_files(folder), bool(overlapping_classes(result))
    wanted = files if names is None else {*names, *(["probability"] * overlap)}
    maps = {name: read_map(path)[0] for name, path in files.items() if name in wanted}
    overlapping = maps["probability"][1:] >= THRESHOLD if overlap and "probability" in maps else None
    return StoredStudy(folder.name, result, maps, overlapping)


def map_files(folder: Path) -> dict[str, Path]:
    """Map files of a study folder by the map's name."""
    found = {}
    for path in sorted(folder.iterdir()):
        suffix = next((suffix for suffix in MAP_SUFFIXES if path.name.endswith(suffix)), None)
        if suffix and path.name.removesuffix(suffix) not in NOT_MAPS:
            found[path.name.removesuffix(suffix)] = path
    return found


def read_map(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Read a stored map or a label.

    Args:
        path: NIfTI, TIFF, or a PNG of labels.

    Returns:
        the array as stored, so that labels keep their numbers, a picture in black and white as 0 and 1; of a NIfTI with a fourth
        axis that one first, as MONAI has channels; the affine (4, 4) of a NIfTI, None for a picture.

    Raises:
        StudyRefused: CORRUPT: it cannot be read, or is a picture of a kind that is not known.
    """
    try:
        return _read_map(path)
    except StudyRefused:
        raise
    except Exception:  # what is damaged makes libraries raise anything, with a path in its text
        raise StudyRefused("CORRUPT", "a map or a label that cannot be read") from None


def _read_map(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    if path.name.endswith((".nii", ".nii.gz")):
        image = cast(SpatialImage, nibabel.load(path))  # of NIfTI, 1 or 2
        room = path.stat().st_size * (DEFLATE_RATIO if path.suffix == ".gz" else 1)
        if math.prod(map(int, image.shape)) * image.get_data_dtype().itemsize > room:
            raise StudyRefused("CORRUPT", "a map or a label whose header declares more than the file can hold")
        array = np.asarray(image.dataobj)
        return np.moveaxis(array, 3, 0) if array.ndim == 4 else array, image.affine
    if path.suffix in (".tif", ".tiff"):
        return black_and_white(tifffile.imread(path)), None
    try:
        array = np.asarray(Image.open(path, formats=PICTURES))
    except UnidentifiedImageError:
        raise StudyRefused("CORRUPT", "a map or a label that is named like a picture, and is none") from None
    return black_and_white(array), None


def black_and_white(array: np.ndarray) -> np.ndarray:
    """A picture in two colours as 0 and 1, any other as it is."""
    white = array.max(initial=0) if array.dtype.kind in "ui" else 0
    two = array.dtype == bool or (white in WHITE and np.isin(array, (0, white)).all())
    return (array > 0).astype(np.uint8) if two else array
