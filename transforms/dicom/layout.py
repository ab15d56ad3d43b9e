"""Where the slices of a series lie: their order, and the one grid that they make, or the reason why they make none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from caveat.reasons import StudyRefused

from ..checks.geometry import LARGEST_SPACING_MM, SMALLEST_SPACING_MM
from ..image.lps import LPS_TO_RAS
from ..image.study_image import Stated
from .duplicates import without_copies
from .frame import Frame
from .slice_line import fitted_step, planes_of, rounding_along
from .stated_counts import slices_stated

ORTHONORMAL_TOLERANCE = 0.001
LARGEST_SHEAR_MM = 0.5
"""Sideways, from the first slice to the last; also of one slice from the line through all."""
OVERLAP, GAPPED = 1.5, 0.67
"""Thickness of a slice over the distance between slices."""
TO_RAS = np.diag([*LPS_TO_RAS, 1.0])
DECIMALS = 9
"""Of the affine: what a fit adds beyond them is noise."""


@dataclass(frozen=True)
class Layout:
    """The grid of a volume.

    Args:
        frames: in the order of their planes, one each.
        planes: which plane of the volume each frame is, ascending from 0; not consecutive where slices are missing.
        shape: columns, rows, planes.
        affine: (4, 4) float64, (column, row, plane) to mm, RAS. Its third column leans where the gantry was tilted.
        leans: whether it does.
        flags: reason codes.
    """

    frames: tuple[Frame, ...]
    planes: tuple[int, ...]
    shape: tuple[int, int, int]
    affine: np.ndarray
    leans: bool
    flags: tuple[str, ...]

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Between columns, between rows, between planes along their normal."""
        axes = self.affine[:3, :3]
        columns, rows = np.linalg.norm(axes[:, :2], axis=0)
        planes = abs(np.linalg.det(axes)) / (columns * rows)
        return (round(float(columns), DECIMALS), round(float(rows), DECIMALS), round(float(planes), DECIMALS))


def lay_out(frames: Sequence[Frame], stated: Stated) -> Layout:
    """Order slices by where they lie; nothing else in a header is asked, neither number nor thickness nor slice location.

    Args:
        frames: of one stack (`stacks.py`), at least one.
        stated: whether gaps and tilt are allowed.

    Raises:
        StudyRefused: MISSING_PIXEL_SPACING, MISSING_ORIENTATION, MISSING_POSITION, BAD_SPACING, BAD_ORIENTATION, SINGLE_SLICE,
            DUPLICATE_POSITION, AMBIGUOUS_TEMPORAL, SLICE_GAP, VARIABLE_SPACING, GANTRY_TILT, MISALIGNED_SLICES; and whatever
            keeps the pixels of two slices at one place from being compared.
    """
    _refuse_missing(frames)
    spacing, directions = _pixel_spacing(frames), _directions(frames)
    if len(frames) == 1:
        raise StudyRefused("SINGLE_SLICE")
    positions = np.array([frame.position for frame in frames])
    order = np.argsort(positions @ directions[:, 2], kind="stable")
    frames, positions = [frames[index] for index in order], positions[order]
    kept = without_copies(frames, positions @ directions[:, 2], positions)
    dropped = len(frames) - len(kept)
    frames, positions = [frames[index] for index in kept], positions[kept]
    if len(frames) == 1:
        raise StudyRefused("SINGLE_SLICE", f"{dropped + 1} copies of it")
    planes = planes_of(positions @ directions[:, 2], stated.allow_gaps, rounding_along(directions[:, 2]))
    start, step = _stack_line(positions, planes, directions)
    leans = _leans(step, directions, int(planes[-1]))
    if leans and not stated.allow_tilt:
        sideways = step - directions[:, 2] * (step @ directions[:, 2])
        degrees = np.degrees(np.arctan2(np.linalg.norm(sideways), step @ directions[:, 2]))
        raise StudyRefused("GANTRY_TILT", f"{degrees:.3g} degrees over {len(frames)} slices")
    if not leans:  # what is left sideways is rounding: the middle of the volume stays where it is
        straight = directions[:, 2] * (step @ directions[:, 2])
        start, step = start + planes.mean() * (step - straight), straight
    affine = np.eye(4)
    affine[:3] = np.column_stack([directions[:, 0] * spacing[1], directions[:, 1] * spacing[0], step, start])
    header = frames[0].instance.header
    layout = Layout(
        frames=tuple(frames),
        planes=tuple(int(plane) for plane in planes),
        shape=(int(header.Columns), int(header.Rows), int(planes[-1]) + 1),
        affine=TO_RAS @ np.round(affine, DECIMALS) + 0.0,  # without negative zeros
        leans=leans,
        flags=_flags(frames, planes, dropped, float(step @ directions[:, 2])),
    )
    if layout.spacing_mm[2] > LARGEST_SPACING_MM:
        raise StudyRefused("BAD_SPACING", f"{layout.spacing_mm[2]:.3g} mm between slices")
    return layout


def _refuse_missing(frames: Sequence[Frame]) -> None:
    for code, what in (
        ("MISSING_PIXEL_SPACING", "pixel_spacing"),
        ("MISSING_ORIENTATION", "orientation"),
        ("MISSING_POSITION", "position"),
    ):
        missing = sum(getattr(frame, what) is None for frame in frames)
        if missing:
            raise StudyRefused(code, f"in {missing} of {len(frames)} slices")


def _pixel_spacing(frames: Sequence[Frame]) -> np.ndarray:
    """Between rows, between columns. Returns: (2,) mm."""
    spacings = np.array([frame.pixel_spacing for frame in frames])
    fine = (spacings >= SMALLEST_SPACING_MM) & (spacings <= LARGEST_SPACING_MM)  # False for NaN
    if not fine.all():
        raise StudyRefused("BAD_SPACING", f"in {int((~fine).any(axis=1).sum())} of {len(frames)} slices")
    return np.median(spacings, axis=0)


def _directions(frames: Sequence[Frame]) -> np.ndarray:
    """Unit vectors along a row, along a column and along the normal. Returns: (3, 3), one a column, LPS."""
    cosines = np.array([frame.orientation for frame in frames]).reshape(-1, 2, 3)
    off_length = np.abs(np.linalg.norm(cosines, axis=2) - 1).max(axis=1)
    off_angle = np.abs((cosines[:, 0] * cosines[:, 1]).sum(axis=1))
    bad = np.maximum(off_length, off_angle) > ORTHONORMAL_TOLERANCE
    if bad.any():
        raise StudyRefused("BAD_ORIENTATION", f"in {int(bad.sum())} of {len(frames)} slices")
    along_row, along_column = np.median(cosines, axis=0)
    along_row = along_row / np.linalg.norm(along_row)
    along_column = along_column - along_row * (along_row @ along_column)
    along_column = along_column / np.linalg.norm(along_column)
    return np.column_stack([along_row, along_column, np.cross(along_row, along_column)])


def _stack_line(positions: np.ndarray, planes: np.ndarray, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the first plane lies, and the step to the next. Returns: (3,), (3,), mm, LPS."""
    start, step = fitted_step(positions, planes)
    off_line = positions - (start + np.outer(planes, step))
    sideways = np.linalg.norm(off_line @ directions[:, :2], axis=1)
    if sideways.max() > LARGEST_SHEAR_MM:
        count = int((sideways > LARGEST_SHEAR_MM).sum())
        raise StudyRefused("MISALIGNED_SLICES", f"{count} of {len(positions)} slices, up to {sideways.max():.3g} mm")
    return start, step


def _leans(step: np.ndarray, directions: np.ndarray, steps: int) -> bool:
    """Whether the stack as a whole lies more than half a millimetre sideways."""
    return bool(np.linalg.norm(step @ directions[:, :2]) * steps > LARGEST_SHEAR_MM)


def _flags(frames: Sequence[Frame], planes: np.ndarray, dropped: int, distance: float) -> tuple[str, ...]:
    flags = ["DUPLICATE_DROPPED"] if dropped else []
    flags += ["SPACING_UNVERIFIED"] if len(frames) == 2 else []
    flags += ["GAPS_INTERPOLATED"] if planes[-1] + 1 > len(frames) else []
    thickness = [frame.thickness for frame in frames if frame.thickness]  # 0 where a writer did not know it
    ratio = float(np.median(thickness)) / distance if thickness else 1.0
    flags += ["FEWER_SLICES"] if len(frames) < slices_stated(frames[0].instance.header) else []
    flags += ["OVERLAPPING_SLICES"] if ratio > OVERLAP else ["GAPPED_ACQUISITION"] if ratio < GAPPED else []
    return tuple(flags)
