"""What a client may ask for beside the image: the options that viewers show of a model, and what they add."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..bundle_folders import read_metadata, settings_of
from ..reasons import StudyRefused

MOST_DRAWS = 1000
"""Of one request, while which no other is answered."""
TYPES = ("uint8", "uint16", "int16", "int32", "float32")


@dataclass(frozen=True)
class Sampling:
    """Args: as of `caveat.load`, None for the bundle's own."""

    sampler: str | None = None
    draws: int | None = None
    seed: int | None = None
    level: float | None = None


@dataclass(frozen=True)
class Options:
    """One request.

    Args:
        sampling: how draws are made.
        hypothesis: number of the one that is wanted in place of the reported mask, 0 for that.
        answers_in_names: whether a segment's name says what was measured.
        point: mm (RAS). index: of a voxel; of the last click where there are several.
        extension, dtype, compress: of the label's file.
    """

    sampling: Sampling
    hypothesis: int = 0
    answers_in_names: bool = False
    point: tuple[float, ...] | None = None
    index: tuple[float, ...] | None = None
    extension: str = ""
    dtype: str = "uint8"
    compress: bool = False

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> Options:
        """Raises: StudyRefused: WRONG_USAGE, with the option's name and no word of the request."""
        draws = _number(request, "draws", int, 0, MOST_DRAWS) or None
        sampling = Sampling(
            str(_one(request, "sampler") or "") or None,
            draws,
            _number(request, "seed", int, 0, 2**31 - 1),
            _number(request, "level", float, 0.0, 1.0),
        )
        clicks = request.get("foreground") or []
        if not isinstance(clicks, Sequence) or isinstance(clicks, str):
            raise StudyRefused("WRONG_USAGE", "foreground is a list of voxels")
        dtype = str(_one(request, "result_dtype") or "uint8")
        if dtype not in TYPES:
            raise StudyRefused("WRONG_USAGE", f"result_dtype is one of {', '.join(TYPES)}")
        return cls(
            sampling,
            _number(request, "hypothesis", int, 0, 255) or 0,
            str(_one(request, "answers_in_names")).lower() in ("true", "1"),
            _place(request.get("point"), "point"),
            _place(clicks[-1], "foreground") if clicks else None,
            str(_one(request, "result_extension") or ""),
            dtype,
            bool(request.get("result_compress", False)),
        )


def shown_options(bundle: Path) -> dict[str, Any]:
    """What a viewer shows as a model's options, each at the bundle's own value; 0 draws are the bundle's number."""
    settings = settings_of(bundle)
    shown: dict[str, Any] = {"sampler": list(read_metadata(bundle).get("samplers", {})), "draws": 0, "seed": 0}
    shown |= {"level": settings["level"]} if "level" in settings else {}
    return shown | {"hypothesis": 0, "answers_in_names": False}


def _one(request: Mapping[str, Any], name: str) -> Any:
    """A value; the first of a list that a viewer sent back as it got it."""
    value = request.get(name)
    return value[0] if isinstance(value, list) and value else value


def _number(request: Mapping[str, Any], name: str, kind: Callable[[Any], Any], least: float, most: float) -> Any:
    value = _one(request, name)
    if value is None or value == "":
        return None
    try:
        number = kind(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not least <= number <= most:
        raise StudyRefused("WRONG_USAGE", f"{name} is a number from {least:g} to {most:g}")
    return number


def _place(value: Any, name: str) -> tuple[float, ...] | None:
    if value is None or value == "" or value == []:
        return None
    try:
        place = tuple(float(part) for part in (value.split(",") if isinstance(value, str) else value))
    except (TypeError, ValueError):
        place = ()
    if len(place) != 3 or not all(map(math.isfinite, place)):
        raise StudyRefused("WRONG_USAGE", f"{name} is three numbers")
    return place
