"""A preprocessing of MONAI's as one of ours: the loading is ours, what is known is taken over, what is not is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import monai.transforms

from ..reasons import StudyRefused
from .literals import is_off
from .wrapped import refuse_program

OURS = (
    *("LoadImage", "EnsureChannelFirst", "AddChannel", "AsChannelFirst", "EnsureType", "ToTensor", "CastToType"),
    *("ToDevice", "SelectItems"),
)
"""What `LoadStudyd` has done already, or is ours to do."""
INTENSITIES = (
    *("ScaleIntensity", "ScaleIntensityRange", "ScaleIntensityRangePercentiles", "NormalizeIntensity"),
    *("ClipIntensityPercentiles", "ThresholdIntensity"),
)
SPATIAL = ("Spacing", "Resize", "SpatialPad", "DivisiblePad", "CropForeground")
INTERPOLATED = ("Spacing", "Resize")
ORIENTATION = "Orientation"
READER = ("image_only", "allow_missing_keys", "meta_keys", "meta_key_postfix", "ensure_channel_first", "dtype", "data_type")
"""Parameters that say how files were read, or of which type numbers are."""
UNREAD = ("keys", "source_key", *READER)
"""What is not looked at: the key of the image is ours, and many name it by a program."""
COLUMNS_FIRST = {"_target_": "Transposed", "keys": ["image", "label"], "indices": [0, 2, 1], "allow_missing_keys": True}
"""MONAI reads a picture as (columns, rows), we as (rows, columns)."""


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
    rest: list[Any] = []
    for transform in transforms:
        if is_off(transform):
            continue
        kind = _kind(str(transform.get("_target_", "")))
        if kind == ORIENTATION:
            if any(_by_axis(step) for step in rest):
                raise StudyRefused(
                    "SOURCE_NOT_WRAPPED", "the preprocessing orients the image after a step with numbers for each of its axes"
                )
            orientation = str(transform.get("axcodes", ""))
            if not re.fullmatch("[LRAPSI]{3}", orientation):
                raise StudyRefused("SOURCE_NOT_WRAPPED", "the orientation of the preprocessing is not three letters, such as RAS")
        elif kind not in OURS:
            rest.append(_step(kind, transform))
    if volumes:
        steps += (["@orient"] if orientation else []) + ["@crop"]
    elif not any(transform.get("reverse_indexing") is False for transform in transforms):
        steps.append(COLUMNS_FIRST)
    return steps + rest, orientation


def _by_axis(step: Mapping[str, Any]) -> bool:
    """Whether a parameter has another number for one axis than for another."""
    lists = [value for key, value in step.items() if isinstance(value, list) and key not in ("keys", "mode")]
    return any(one != value[0] for value in lists for one in value)


def _step(kind: str, transform: Mapping[str, Any]) -> dict[str, Any]:
    known = kind in INTENSITIES or kind in SPATIAL
    if not known or not hasattr(monai.transforms, f"{kind}d"):
        raise StudyRefused(
            "SOURCE_NOT_WRAPPED", f"the preprocessing has a {kind or 'transform without a name'}, which is not known here"
        )
    stated = {key: value for key, value in transform.items() if key != "_target_"}
    refuse_program(stated, f"the preprocessing's {kind}", "SOURCE_NOT_WRAPPED")
    said = {key: of_one_key(value) for key, value in stated.items() if key not in UNREAD}
    mode = said.pop("mode", None)
    if kind in INTENSITIES:
        return _tried({"_target_": f"{kind}d", "keys": "image", **said})
    step = {"_target_": f"{kind}d", "keys": ["image", "label"], **said, "allow_missing_keys": True}
    if kind in INTERPOLATED:
        nearest = "nearest" if kind == "Spacing" else "nearest-exact"
        step["mode"] = [mode or ("bilinear" if kind == "Spacing" else "area"), nearest]
    elif mode is not None:
        step["mode"] = mode
    if kind == "CropForeground":
        step["source_key"] = "image"
    return _tried(step)


def of_one_key(value: Any) -> Any:
    """A parameter may be a list with an entry a key; here the image is the only one."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _tried(step: dict[str, Any]) -> dict[str, Any]:
    """Make it once. Raises: StudyRefused: SOURCE_NOT_WRAPPED: this version of MONAI does not take its parameters."""
    name = step["_target_"]
    try:
        getattr(monai.transforms, name)(**{key: value for key, value in step.items() if key != "_target_"})
    except Exception as error:  # whatever a constructor says of parameters that strangers chose
        raise StudyRefused("SOURCE_NOT_WRAPPED", f"the preprocessing's {name}: {error}") from error
    return step


def _kind(target: str) -> str:
    """The name of a dictionary transform without its ending. Raises: StudyRefused: SOURCE_NOT_WRAPPED: it is none of MONAI's."""
    path, _, name = target.rpartition(".")
    if path and not path.startswith("monai."):
        raise StudyRefused("SOURCE_NOT_WRAPPED", "the preprocessing has a transform of its own code, which is not run")
    return re.sub(r"(d|D|Dict)$", "", name)
