"""A preprocessing of MONAI's as one of ours: the loading is ours, what is known is taken over, what is not is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import monai.transforms

from ..reasons import StudyRefused
from .wrapped import refuse_program

OURS = ("LoadImage", "EnsureChannelFirst", "AddChannel", "AsChannelFirst", "EnsureType", "ToTensor", "CastToType")
"""What `LoadStudyd` has done already."""
INTENSITIES = (
    *("ScaleIntensity", "ScaleIntensityRange", "ScaleIntensityRangePercentiles", "NormalizeIntensity"),
    *("ClipIntensityPercentiles", "ThresholdIntensity"),
)
SPATIAL = ("Spacing", "Resize", "SpatialPad", "DivisiblePad", "CropForeground")
INTERPOLATED = ("Spacing", "Resize")
ORIENTATION = "Orientation"
READER = ("image_only", "allow_missing_keys", "meta_keys", "meta_key_postfix", "ensure_channel_first", "dtype", "data_type")
"""Parameters that say how files were read, or of which type numbers are."""


def taken_over(transforms: Sequence[Mapping[str, Any]], volumes: bool) -> tuple[list[Any], str | None]:
    """Our list of steps, and the orientation where one is stated.

    Args:
        transforms: entries of a `Compose`, literals.
        volumes: whether volumes are measured.

    Raises:
        StudyRefused: SOURCE_NOT_WRAPPED: a transform that is not known, or none.
    """
    if not isinstance(transforms, list) or not all(isinstance(transform, Mapping) for transform in transforms):
        raise StudyRefused("SOURCE_NOT_WRAPPED", "its preprocessing is no list of transforms")
    steps: list[Any] = ["@load", "@as_loaded"]
    orientation = None
    rest = []
    for transform in transforms:
        kind = _kind(str(transform.get("_target_", "")))
        if kind == ORIENTATION:
            orientation = str(transform.get("axcodes", ""))
            if not re.fullmatch("[LRAPSI]{3}", orientation):
                raise StudyRefused("SOURCE_NOT_WRAPPED", "the orientation of the preprocessing is not three letters, such as RAS")
        elif kind not in OURS:
            rest.append(_step(kind, transform))
    if volumes:
        steps += (["@orient"] if orientation else []) + ["@crop"]
    return steps + rest, orientation


def _step(kind: str, transform: Mapping[str, Any]) -> dict[str, Any]:
    known = kind in INTENSITIES or kind in SPATIAL
    if not known or not hasattr(monai.transforms, f"{kind}d"):
        raise StudyRefused(
            "SOURCE_NOT_WRAPPED", f"the preprocessing has a {kind or 'transform without a name'}, which is not known here"
        )
    stated = {key: value for key, value in transform.items() if key != "_target_"}
    refuse_program(stated, f"the preprocessing's {kind}", "SOURCE_NOT_WRAPPED")
    more = {key: value for key, value in stated.items() if key not in ("keys", "mode", *READER)}
    if kind in INTENSITIES:
        return {"_target_": f"{kind}d", "keys": "image", **more}
    step = {"_target_": f"{kind}d", "keys": ["image", "label"], **more, "allow_missing_keys": True}
    mode = transform.get("mode")
    if kind in INTERPOLATED:
        first = mode[0] if isinstance(mode, list) else mode
        step["mode"] = [
            first or ("bilinear" if kind == "Spacing" else "area"),
            "nearest" if kind == "Spacing" else "nearest-exact",
        ]
    elif mode is not None:
        step["mode"] = mode
    return step


def _kind(target: str) -> str:
    """The name of a dictionary transform without its ending. Raises: StudyRefused: SOURCE_NOT_WRAPPED: it is none of MONAI's."""
    path, _, name = target.rpartition(".")
    if path and not path.startswith("monai."):
        raise StudyRefused("SOURCE_NOT_WRAPPED", "the preprocessing has a transform of its own code, which is not run")
    return re.sub(r"(d|D|Dict)$", "", name)
