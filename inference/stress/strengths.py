"""How strong each corruption is: fixed in a file before the first run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

import yaml

from caveat.reasons import StudyRefused

from ...transforms.corruptions.corruption import all_corruptions
from .degraded import Degradation

KINDS = {2: "picture", 3: "volume"}
"""Sections of the file by the number of spatial axes."""


def read_strengths(bundle: Path, dimensions: int) -> dict[str, list[float]]:
    """The bundle's configs/stress.yaml, else those that hold for every bundle.

    Args:
        bundle: its folder.
        dimensions: spatial axes of its images.

    Returns:
        strengths by corruption, ascending.

    Raises:
        StudyRefused: WRONG_USAGE for a corruption that does not exist, or a strength that it does not have.
    """
    own = bundle / "configs" / "stress.yaml"
    text = own.read_text(encoding="utf-8") if own.is_file() else (files(__package__) / "strengths.yaml").read_text("utf-8")
    return checked(yaml.safe_load(text).get(KINDS[dimensions], {}))


def checked(strengths: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    """Ascending. Raises: StudyRefused: WRONG_USAGE."""
    unknown = [name for name in strengths if name not in all_corruptions()]
    if unknown:
        raise StudyRefused("WRONG_USAGE", f"no such corruption; there are {', '.join(all_corruptions())}")
    if not all(levels and all(is_strength(name, level) for level in levels) for name, levels in strengths.items()):
        raise StudyRefused("WRONG_USAGE", "strengths must be above zero; those of a turn may be below")
    return {name: sorted(map(float, levels)) for name, levels in strengths.items()}


def is_strength(corruption: str, strength: float) -> bool:
    """Whether a corruption of this name exists and can be so strong: above 0, or below it where the corruption is signed."""
    kind = all_corruptions().get(corruption)
    return kind is not None and math.isfinite(strength) and (strength > 0 or (kind.signed and strength < 0))


def chosen_degradations(
    strengths: Mapping[str, Sequence[float]], corruption: str, levels: Sequence[float] | None = None
) -> list[Degradation]:
    """What a run does, in order.

    Args:
        strengths: of the file.
        corruption: the name of one, or "all" for those in the file.
        levels: other strengths than the file's, for one corruption.

    Raises:
        StudyRefused: WRONG_USAGE.
    """
    if corruption == "all":
        if levels is not None:
            raise StudyRefused("WRONG_USAGE", "--levels needs one --corruption: strengths have units of their own")
        wanted = dict(strengths)
    else:
        wanted = {corruption: levels if levels is not None else strengths.get(corruption, [])}
        if not wanted[corruption] and corruption in all_corruptions():
            raise StudyRefused("WRONG_USAGE", "the file of strengths has none for this corruption: give --levels")
    return [Degradation(name, strength) for name, found in checked(wanted).items() for strength in found]
