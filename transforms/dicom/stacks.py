"""Slices of one series that can lie in one volume: the same direction, matrix, pixel size, space and kind of object."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from caveat.reasons import StudyRefused

from .frame import Frame
from .header_values import text

COSINE_TOLERANCE = 0.001
RELATIVE_SPACING_TOLERANCE = 0.001
SCOUT_DEGREES = 10.0
"""A single slice that lies this far off the others' direction is a scout; a smaller angle is a fault."""


@dataclass(frozen=True)
class Signature:
    """What all slices of a volume have in common."""

    localizer: bool
    matrix: tuple[int, int]
    spacing: tuple[float, float] | None
    orientation: tuple[float, ...] | None
    frame_of_reference: str
    sop_class: str

    @classmethod
    def of(cls, frame: Frame) -> Signature:
        """That of one slice."""
        header = frame.instance.header
        return cls(
            "LOCALIZER" in text(header, "ImageType").split("\\"),
            (header.Rows, header.Columns),
            frame.pixel_spacing,
            frame.orientation,
            str(header.get("FrameOfReferenceUID") or ""),
            frame.instance.sop_class,
        )

    def difference(self, other: Signature) -> str:
        """The reason code of the first thing that differs, "" where nothing does."""
        if self.matrix != other.matrix:
            return "MIXED_MATRIX"
        if not _alike(self.spacing, other.spacing, RELATIVE_SPACING_TOLERANCE, 0):
            return "MIXED_SPACING" if self.spacing and other.spacing else "MISSING_PIXEL_SPACING"
        if not _alike(self.orientation, other.orientation, 0, COSINE_TOLERANCE):
            return "MIXED_ORIENTATION" if self.orientation and other.orientation else "MISSING_ORIENTATION"
        if self.frame_of_reference != other.frame_of_reference:
            return "MIXED_FRAME_OF_REFERENCE"
        return "MIXED_SOP_CLASS" if self.sop_class != other.sop_class else ""


def main_stack(frames: Sequence[Frame]) -> tuple[tuple[Frame, ...], StudyRefused | None, bool]:
    """The largest stack of a series, and whether what is left makes the series one that cannot be read.

    Localizers are left out, as is a single slice that lies in another direction than the rest. Any other slice that does not
    fit might belong to the volume.

    Args:
        frames: at least one.

    Returns:
        The stack, what is wrong, and whether an image was left out that might be a slice: one that is not called a localizer, or
        lies as the slices do.
    """
    stacks = _split(frames)
    scans = [signature for signature in stacks if not signature.localizer] or list(stacks)
    main = max(scans, key=lambda signature: len(stacks[signature]))
    others = [one for one in scans if one is not main and not (len(stacks[one]) == 1 and _is_scout(one, main))]
    if not others:
        doubtful = len(scans) > 1 or any(one.localizer and not main.difference(one) for one in stacks if one is not main)
        return tuple(stacks[main]), None, doubtful
    differing = sum(len(stacks[one]) for one in others)
    refusal = StudyRefused(main.difference(others[0]) or "MIXED_MATRIX", f"{differing} of {len(frames)} slices differ")
    return tuple(stacks[main]), refusal, False


def _split(frames: Sequence[Frame]) -> dict[Signature, list[Frame]]:
    """Each slice joins the first stack that it fits within the tolerances."""
    stacks: dict[Signature, list[Frame]] = {}
    for frame in frames:
        own = Signature.of(frame)
        for signature, members in stacks.items():
            if signature.localizer == own.localizer and not signature.difference(own):
                members.append(frame)
                break
        else:
            stacks[own] = [frame]
    return stacks


def _alike(first: tuple[float, ...] | None, second: tuple[float, ...] | None, relative: float, absolute: float) -> bool:
    if first is None or second is None or first == second:
        return first == second
    return all(
        math.isclose(one, other, rel_tol=relative, abs_tol=absolute) or math.isnan(one) and math.isnan(other)
        for one, other in zip(first, second, strict=True)
    )


def _is_scout(one: Signature, main: Signature) -> bool:
    if one.orientation is None or main.orientation is None:
        return False
    normals = [np.cross(*np.reshape(orientation, (2, 3))) for orientation in (one.orientation, main.orientation)]
    return bool(abs(np.dot(*normals)) < math.cos(math.radians(SCOUT_DEGREES)))
