"""Data lists: JSON in MONAI's form, {part: [{"image": path, "unit": ..., "sha256": ..., ...}, ...], ...}."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from caveat.reasons import StudyRefused

from ..files.one_line import one_line

SHA256 = re.compile("[0-9a-fA-F]{64}")


def read_list(list_file: Path) -> dict[str, Any]:
    """The whole list; what its parts hold is looked at by `read_part`. Raises: StudyRefused: WRONG_USAGE."""
    try:
        parts = json.loads(list_file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        raise StudyRefused("WRONG_USAGE", "the data list is not there, or is no JSON") from None
    if not isinstance(parts, dict):
        raise StudyRefused("WRONG_USAGE", "the data list has no parts: it is no JSON object")
    return parts


def read_part(list_file: Path, part: str, needed: Sequence[str]) -> list[dict[str, Any]]:
    """The entries of one part, in its order.

    Args:
        list_file: see `read_list`.
        part: such as "test".
        needed: what every entry must state, each one text: "image", "unit", "sha256".

    Returns:
        entries whose unit can stand in a table and on a terminal, without blanks around it, and whose sha256 is in lower case.

    Raises:
        StudyRefused: WRONG_USAGE where the list has no such part, or an entry, named by its number from 1, lacks what is needed.
    """
    parts = read_list(list_file)
    entries = parts.get(part)
    if not isinstance(entries, list):
        raise StudyRefused("WRONG_USAGE", f"the data list has no such part; it has {', '.join(sorted(parts)) or 'none'}")
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict):
            raise StudyRefused("WRONG_USAGE", f"entry {number} of the part {part} is no JSON object")
        for key in needed:
            if not isinstance(entry.get(key), str) or not entry[key].strip():
                raise StudyRefused("WRONG_USAGE", f"entry {number} of the part {part} has no {key}, or none that is one text")
    return [_alike_everywhere(entry) for entry in entries]


def _alike_everywhere(entry: Mapping[str, Any]) -> dict[str, Any]:
    """One patient and one image have one spelling, so that training and what checks it are not told that they share none."""
    unit, sha256 = entry.get("unit"), entry.get("sha256")
    one = {"unit": one_line(unit.strip())} if isinstance(unit, str) else {}
    return {**entry, **one, **({"sha256": sha256.lower()} if isinstance(sha256, str) and SHA256.fullmatch(sha256) else {})}


def image_of(entry: Mapping[str, Any], number: int) -> list[str]:
    """The paths of an entry's image, one a channel. Args: number: of the entry, from 1. Raises: StudyRefused: WRONG_USAGE."""
    image = entry.get("image")
    stated = image if isinstance(image, list) else [image]
    channels = [channel for channel in stated if isinstance(channel, str) and channel]
    if not channels or len(channels) < len(stated):
        raise StudyRefused("WRONG_USAGE", f"entry {number} of the list's part has no image, or one that is no path and no paths")
    return channels


def sha256_of(entry: Mapping[str, Any], number: int) -> str:
    """The sha256 that an entry states, "" for none. Args: number: of the entry, from 1. Raises: StudyRefused: WRONG_USAGE."""
    stated = entry.get("sha256") or ""
    if stated and not (isinstance(stated, str) and SHA256.fullmatch(stated)):
        raise StudyRefused("WRONG_USAGE", f"entry {number} of the list's part has a sha256 that is no 64 hexadecimal digits")
    return stated.lower()


def spacing_of(entry: Mapping[str, Any], number: int) -> list[float]:
    """The spacing that an entry states. Args: number: of the entry, from 1. Raises: StudyRefused: WRONG_USAGE."""
    stated = entry["spacing_mm"]
    lengths = stated if isinstance(stated, list) else []
    if not lengths or not all(type(length) in (int, float) and 0 < length < math.inf for length in lengths):
        raise StudyRefused("WRONG_USAGE", f"entry {number} of the list's part has a spacing_mm that is no list of lengths")
    return [float(length) for length in lengths]


def refuse_odd_truths(entry: Mapping[str, Any], number: int) -> None:
    """Refuse an entry whose truths are no paths. Args: number: of the entry, from 1. Raises: StudyRefused: WRONG_USAGE."""
    for key in ("label", "region", "points"):
        stated = entry.get(key) or ""
        several = stated if key == "label" and isinstance(stated, list) else [stated]
        if not all(isinstance(one, str) for one in several):
            raise StudyRefused("WRONG_USAGE", f"entry {number} of the list's part has a {key} that is no path")


def training_entries(
    list_file: str | Path, part: str, folders: Mapping[str, str], all_raters: bool = False, left_out_fold: int | None = None
) -> list[dict[str, Any]]:
    """What MONAI's loaders take of a part: the paths of each entry, and the sha256 of its image: `LoadStudyd` refuses another.

    Args:
        list_file: see `read_list`. part: such as "training".
        folders: what the paths of a key start from: {"image": folder, "label": folder}. These keys are taken.
        all_raters: a list of labels stays one; else the first rater's is taken.
        left_out_fold: entries that state this `fold` are left out.

    Raises:
        StudyRefused: WRONG_USAGE where the part is not there or empty, an entry lacks a key, or none states the fold.
    """
    listed = read_part(Path(list_file), part, ())
    entries = [entry for entry in listed if left_out_fold is None or entry.get("fold") != left_out_fold]
    if listed and left_out_fold is not None and len(entries) == len(listed):
        raise StudyRefused(
            "WRONG_USAGE", f"no entry of the part {part} states the fold {left_out_fold}: nothing would be left out"
        )
    if not entries:
        raise StudyRefused("WRONG_USAGE", f"the part {part} of the data list is empty")
    for number, entry in enumerate(entries, start=1):
        if missing := [key for key in folders if not isinstance(entry, dict) or not entry.get(key)]:
            raise StudyRefused("WRONG_USAGE", f"entry {number} of the part {part} has no {missing[0]}")
        if odd := [key for key in folders if not _are_paths(entry[key])]:
            raise StudyRefused("WRONG_USAGE", f"entry {number} of the part {part} has a {odd[0]} that is no path and no paths")
    return [
        {key: _paths(entry[key], folder, all_raters) for key, folder in folders.items()}
        | {key: entry[key] for key in ("sha256",) if key in entry}
        for entry in entries
    ]


def balanced_weights(list_file: str | Path, part: str, key: str) -> list[float]:
    """How often each entry of a part is drawn so that every value of one of its facts is seen equally often.

    Args:
        list_file: see `read_list`. part: such as "training". key: such as "stratum".

    Returns:
        one number an entry, in its order: one over the entries that share its value.
    """
    values = [json.dumps(entry.get(key), sort_keys=True) for entry in read_part(Path(list_file), part, ())]
    counts = Counter(values)
    return [1 / counts[value] for value in values]


def _are_paths(stated: Any) -> bool:
    return all(isinstance(path, str) for path in (stated if isinstance(stated, list) else [stated]))


def _paths(stated: str | list[str], folder: str, every: bool) -> str | list[str]:
    if isinstance(stated, str):
        return str(Path(folder, stated))
    return [str(Path(folder, path)) for path in stated] if every else str(Path(folder, stated[0]))
