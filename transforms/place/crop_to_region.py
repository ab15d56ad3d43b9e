"""One box of a volume is measured: the bundle's own crop around a point, a box that the user states, or the whole."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import Any

import numpy as np
from monai.config import KeysCollection
from monai.transforms import Crop, Cropd
from nibabel.orientations import io_orientation

from caveat.reasons import StudyRefused

from ..checks.geometry import spacing_of
from ..checks.intensity import refuse_constant
from ..image.region import Region
from .region_file import read_region

NEARLY = 1e-3
"""Voxels, and mm, that are rounding."""
POINT = "point"
"""Of a study: where to look in it."""


class CropToRegiond(Cropd):
    """Crop to the region that is measured, and refuse what is no such region: a whole head where a crop is expected.

    A transform before any that looks at intensities, so that a crop gives the same numbers whatever surrounds it. Its inverse
    puts the crop back into the whole grid, zero outside. All lengths are mm in the image's own world, by world axis: right-left,
    back-front, down-up (RAS, as in NIfTI).

    A voxel belongs to a box if its centre does. On an oblique image the box keeps its centre and its sides and is turned with
    the image's axes, since the crop is on the image's own grid. A region from a file gives the box around it along those axes:
    a mask on the image's grid gives the voxels from its first to its last. A box around a point, or around the middle of a
    region's box, is cut where the image ends, flagged ROI_CUT_AT_BORDER. Where a box or a point was stated, `meta` of what
    comes out holds `crop`: `source` ("box" or "point") and `box_mm`, the faces of the voxels taken, which stated as a box give
    the same crop again. A study may state a point of its own, `point` beside its images, in the place of this one.

    Args:
        keys: (channels, x, y, z) MetaTensors on one grid, in any orientation; the first that is there is measured.
        size_mm: of the crop around a point.
        smallest_mm: that a region may have.
        largest_mm: that a region may have.
        box: lower and upper face along each world axis: x0, x1, y0, y1, z0, z1; or the path of a region (see `read_region`).
        point: x, y, z; or the path of a region, whose middle it is.
        label: number of the region in its file, None where the file holds one alone.
        allow_missing_keys: skip keys that an entry does not have.

    Raises:
        ValueError: numbers that are no box or no point, or both of them.
        StudyRefused: FIELD_OF_VIEW_MISMATCH, ROI_OUTSIDE_IMAGE; CONSTANT_IMAGE for a region of one value; LABEL_OFF_GRID;
            REGION_OTHER_FRAME, and what `read_region` refuses; AMBIGUOUS_REGION for the middle of several parts.
    """

    identity = "caveat.CropToRegiond/1"

    not_identity = ("box", "point", "label")
    """Of the constructor's parameters: they say where to look, not how."""

    def __init__(
        self,
        keys: KeysCollection,
        size_mm: Sequence[float],
        smallest_mm: Sequence[float],
        largest_mm: Sequence[float],
        box: Sequence[float] | str | Path | None = None,
        point: Sequence[float] | str | Path | None = None,
        label: int | None = None,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, Crop(), allow_missing_keys)
        self.size_mm = _numbers(size_mm, 3)
        self.smallest_mm = _numbers(smallest_mm, 3)
        self.largest_mm = _numbers(largest_mm, 3)
        self.box = box if box is None or isinstance(box, str | Path) else _numbers(box, 6)
        self.point = point if point is None or isinstance(point, str | Path) else _numbers(point, 3)
        self.label = label
        upside_down = isinstance(self.box, tuple) and not all(np.less(self.box[::2], self.box[1::2]))
        if upside_down or (self.box is not None and self.point is not None):
            raise ValueError("state one point, or one box with each lower face below its upper face")

    def __call__(self, data: Mapping[Hashable, Any], lazy: bool | None = None) -> dict[Hashable, Any]:
        """Args: data: with MetaTensors, and `point` (mm) if it states one. lazy: has no effect. Returns: the same, cropped."""
        if POINT in data:
            own = copy(self)
            own.point, own.box = _numbers(data[POINT], 3), None
            return own({key: value for key, value in data.items() if key != POINT}) | {POINT: data[POINT]}
        out = dict(data)
        keys = list(self.key_iterator(out))
        measured = out[keys[0]]
        affine, shape = measured.affine.cpu().numpy().astype(np.float64), np.array(measured.shape[1:])
        start, stop = self._wanted(affine, shape, str(measured.meta.get("frame_of_reference", "")))
        cut = bool((start < 0).any() or (stop > shape).any())
        if cut and self.box is not None:
            raise _outside(affine, shape)
        start, stop = np.maximum(start, 0), np.minimum(stop, shape)
        self._refuse_extent((stop - start) * spacing_of(affine), world_axes(affine))
        for key in keys:
            _refuse_other_grid(out[key], measured)
            out[key] = self.cropper(out[key], slices=tuple(map(slice, start.tolist(), stop.tolist())))
        image = out[keys[0]]
        refuse_constant(image.numpy())
        if self.box is not None or self.point is not None:
            image.meta["crop"] = {"source": "box" if self.box else "point", "box_mm": box_of(affine, start, stop)}
        if cut:
            image.meta["flags"] = [*image.meta.get("flags", []), "ROI_CUT_AT_BORDER"]
        return out

    def _wanted(self, affine: np.ndarray, shape: np.ndarray, frame: str) -> tuple[np.ndarray, np.ndarray]:
        """First voxel and the one behind the last, per axis of the grid, which may lie outside it."""
        spacing, axes = np.array(spacing_of(affine)), world_axes(affine)
        if self.box is not None:
            low, high = self._faces(self.box, affine, frame)
            return np.ceil(low - NEARLY).astype(int), np.floor(high + NEARLY).astype(int) + 1
        if self.point is not None:
            middle = self._middle(self.point, affine, frame)
            if (middle < -0.5).any() or (middle > shape - 0.5).any():
                raise _outside(affine, shape)
            size = np.maximum(np.rint(np.array(self.size_mm)[axes] / spacing), 1).astype(int)
            start = np.floor(middle - (size - 1) / 2 + 0.5 + NEARLY).astype(int)
            return start, start + size
        return np.zeros(3, int), shape

    def _faces(self, box: str | Path | Sequence[float], affine: np.ndarray, frame: str) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper faces of the box, in voxels of the grid."""
        if isinstance(box, str | Path):
            return _extent(self._region(box, frame), affine)
        low, high = np.array(box[::2]), np.array(box[1::2])
        middle, half = _to_voxels(affine, (low + high) / 2), ((high - low) / 2)[world_axes(affine)] / spacing_of(affine)
        return middle - half, middle + half

    def _middle(self, point: str | Path | Sequence[float], affine: np.ndarray, frame: str) -> np.ndarray:
        """The point, in voxels of the grid."""
        if isinstance(point, str | Path):
            region = self._region(point, frame)
            if region.parts > 1:
                raise StudyRefused("AMBIGUOUS_REGION", f"{region.parts} parts that do not touch, and a point between them")
            low, high = _extent(region, affine)
            return (low + high) / 2
        return _to_voxels(affine, np.array(point))

    def _region(self, path: str | Path, frame: str) -> Region:
        """Args: path: of the region. frame: of reference of the image, hashed; "" where it has none.

        Raises:
            StudyRefused: REGION_OTHER_FRAME, and what `read_region` refuses.
        """
        region = read_region(Path(path), self.label)
        if frame and region.frame_of_reference and frame != region.frame_of_reference:
            raise StudyRefused("REGION_OTHER_FRAME")
        return region

    def _refuse_extent(self, extent_mm: np.ndarray, axes: np.ndarray) -> None:
        """Args: extent_mm: per axis of the grid. axes: of the world. Raises: StudyRefused: FIELD_OF_VIEW_MISMATCH."""
        extent = np.zeros(3)
        extent[axes] = np.maximum(extent_mm, 0)
        if (extent < np.array(self.smallest_mm) - NEARLY).any() or (extent > np.array(self.largest_mm) + NEARLY).any():
            raise StudyRefused(
                "FIELD_OF_VIEW_MISMATCH",
                f"{_times(extent.tolist())} mm, where {_times(self.smallest_mm)} to {_times(self.largest_mm)} mm are measured",
            )


def box_of(affine: np.ndarray, start: np.ndarray, stop: np.ndarray) -> list[float]:
    """The box in mm that takes voxels `start` to `stop` (excluded) of a grid. Returns: x0, x1, y0, y1, z0, z1."""
    half = np.zeros(3)
    half[world_axes(affine)] = (stop - start) * spacing_of(affine) / 2
    middle = affine[:3, :3] @ ((start + stop - 1) / 2) + affine[:3, 3]
    return np.stack([middle - half, middle + half], axis=1).ravel().round(3).tolist()


def world_axes(affine: np.ndarray) -> np.ndarray:
    """The world axis that each axis of a grid runs along, or nearest to. Returns: (3,) int."""
    return io_orientation(affine)[:, 0].astype(int)


def _refuse_other_grid(label: Any, measured: Any) -> None:
    """Args: both MetaTensors (channels, x, y, z). Raises: StudyRefused: LABEL_OFF_GRID."""
    if label.shape[1:] != measured.shape[1:]:
        raise StudyRefused("LABEL_OFF_GRID", f"{_times(label.shape[1:])} where the image has {_times(measured.shape[1:])}")
    off = float((label.affine - measured.affine).abs().max())
    if off > NEARLY:
        raise StudyRefused("LABEL_OFF_GRID", f"the affine matrices differ by up to {off:.3g} mm")


def _outside(affine: np.ndarray, shape: np.ndarray) -> StudyRefused:
    """Says which box the image is, in the form in which one is stated."""
    box_mm = box_of(affine, np.zeros(3, int), shape)
    return StudyRefused("ROI_OUTSIDE_IMAGE", "the image's own box is " + ",".join(f"{number:.4g}" for number in box_mm))


def _to_voxels(affine: np.ndarray, place_mm: np.ndarray) -> np.ndarray:
    return np.linalg.solve(affine[:3, :3], place_mm - affine[:3, 3])


def _extent(region: Region, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper faces of a region, in voxels of a grid. Args: affine: (4, 4) of the grid."""
    to_grid = np.linalg.inv(affine)
    low, high = region.extent(to_grid[:3, :3])
    return low + to_grid[:3, 3], high + to_grid[:3, 3]


def _numbers(values: Sequence[float], count: int) -> tuple[float, ...]:
    numbers = tuple(float(value) for value in values)
    if len(numbers) != count or not np.isfinite(numbers).all():
        raise ValueError(f"expected {count} finite numbers, got {len(numbers)}")
    return numbers


def _times(numbers: Sequence[float]) -> str:
    return " x ".join(f"{number:.4g}" for number in numbers)
