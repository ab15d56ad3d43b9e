"""Where the one segment of a DICOM segmentation lies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from caveat.reasons import StudyRefused

from ..checks.limits import refuse_large_volume
from ..lps import LPS_TO_RAS
from ..region import Region
from .frame import Frame, frames_of
from .instance import Instance
from .space import frame_of_reference, smallest_step

SYNTAXES = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, RLELossless)
"""In which segmentations come; a codestream of another kind may declare more pixels than the header does."""
ORIENTATION_TOLERANCE = 1e-3


def segment_region(instance: Instance) -> Region:
    """The region of the pixels that belong to the segment; fractions from one half upwards do.

    Slices are as thick as the smallest step between two frames; one frame alone is as thick as it says. To be called where what
    pydicom raises and says is caught.

    Raises:
        StudyRefused: AMBIGUOUS_REGION, EMPTY_REGION, REGION_UNREADABLE, TOO_LARGE.
    """
    header = instance.header
    segments = sum(item.get("SegmentNumber") != 0 for item in header.get("SegmentSequence") or ())  # 0 is the background
    if segments != 1:
        raise StudyRefused("AMBIGUOUS_REGION" if segments else "EMPTY_REGION", f"{segments} segments")
    frames = frames_of(instance)
    orientation = _orientation(frames)
    rows, columns = int(header.Rows), int(header.Columns)
    refuse_large_volume((len(frames), rows, columns), 1)
    points = _points(_pixels(instance, (len(frames), rows, columns)) >= _threshold(header), frames, orientation)
    along_row, along_column = orientation
    normal = np.cross(along_row, along_column)
    between_rows, between_columns = frames[0].pixel_spacing
    height = smallest_step(np.array([frame.position for frame in frames]) @ normal) or frames[0].thickness or 0.0
    edges = np.stack([along_row * between_columns, along_column * between_rows, normal * height], axis=1)
    return Region(points * LPS_TO_RAS, LPS_TO_RAS[:, None] * edges, frame_of_reference(header))


def _orientation(frames: Sequence[Frame]) -> np.ndarray:
    """Directions of rows and of columns (LPS), the same for all frames. Returns: (2, 3). Raises: StudyRefused."""
    if any(None in (frame.orientation, frame.position, frame.pixel_spacing) for frame in frames):
        raise StudyRefused("REGION_UNREADABLE", "a frame does not say where it lies")
    every = np.array([frame.orientation for frame in frames])
    spacing = np.array([frame.pixel_spacing for frame in frames])
    alike = np.abs(every - every[0]).max() < ORIENTATION_TOLERANCE and np.allclose(spacing, spacing[0], rtol=1e-3)
    along = every[0].reshape(2, 3)
    if not alike or not np.allclose(along @ along.T, np.eye(2), atol=ORIENTATION_TOLERANCE) or not (spacing > 0).all():
        raise StudyRefused("REGION_UNREADABLE", "frames of several orientations or spacings, or of none")
    return along


def _pixels(instance: Instance, shape: tuple[int, int, int]) -> np.ndarray:
    """(frames, rows, columns), as stored. Raises: StudyRefused: REGION_UNREADABLE."""
    if instance.header.file_meta.get("TransferSyntaxUID") not in SYNTAXES:
        raise StudyRefused("REGION_UNREADABLE", "a segmentation compressed in another way than by run lengths")
    return dcmread(instance.path).pixel_array.reshape(shape)


def _threshold(header: Dataset) -> float:
    """From which stored value on a pixel belongs to the segment."""
    return float(header.get("MaximumFractionalValue") or 1) / 2 if header.get("SegmentationType") == "FRACTIONAL" else 0.5


def _points(mask: np.ndarray, frames: Sequence[Frame], orientation: np.ndarray) -> np.ndarray:
    """Middles of the first and the last pixel of each row (LPS). Args: mask: (frames, rows, columns)."""
    lines = np.argwhere(mask.any(axis=2))
    if not len(lines):
        raise StudyRefused("EMPTY_REGION", "no pixel in the segment")
    lit = mask[lines[:, 0], lines[:, 1]]
    ends = lit.argmax(axis=1), lit.shape[1] - 1 - lit[:, ::-1].argmax(axis=1)
    along_row, along_column = orientation
    between_rows, between_columns = frames[0].pixel_spacing
    start = np.array([frame.position for frame in frames])[lines[:, 0]] + lines[:, 1:] * between_rows * along_column
    return np.concatenate([start + end[:, None] * between_columns * along_row for end in ends])
