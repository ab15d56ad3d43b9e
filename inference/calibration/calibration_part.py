"""The part of a data list that a record is made of: unseen by the weights, whole, and known by its sha256."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from caveat.reasons import StudyRefused

from ...transforms.study.data_list import read_list
from ..stored.list_part import read_entries
from .seen import Seen, has_seen

SEEN_PARTS = ("training", "early_stopping")
"""Parts of a data list that weights, temperature or settings were made with."""
HELD_OUT_PARTS = ("calibration", "test")
"""Parts of a data list that records are made of, and checked on."""
MUST_BE_MENDED = (
    *("NOT_PREDICTED", "NO_TRUTH", "LABEL_OFF_GRID", "LABEL_WITHOUT_CLASS", "NON_FINITE_DRAWS"),
    *("POINTS_INCOMPLETE", "NO_PIXEL_SPACING", "SPACING_CONFLICT", "STATED_SPACING_MISMATCH"),
)
"""Without such a unit the rest would be a selection, no longer exchangeable with new studies. Other units without a case are left
out: a study that is refused, or in which nothing is found, never gets an interval."""


def refuse_seen(data_list: Path, split: str, seen: Collection[str]) -> None:
    """Refuse units and images that the weights, their temperature or their settings were made with.

    Raises:
        StudyRefused: UNITS_SEEN_IN_TRAINING, WRONG_USAGE.
    """
    entries = read_entries(data_list, split)
    parts = read_list(data_list)
    others = [entry for part in SEEN_PARTS if part in parts for entry in read_entries(data_list, part)]
    units = {entry["unit"] for entry in others} & {entry["unit"] for entry in entries}
    images = ({entry["sha256"] for entry in others} | set(seen)) & {entry["sha256"] for entry in entries}
    if units or images:
        raise StudyRefused("UNITS_SEEN_IN_TRAINING", f"{len(units)} units and {len(images)} images of the part {split}")


def refuse_held_out(data_list: Path, parts: Sequence[str]) -> None:
    """Refuse parts for a gate's reference that hold what calibrates or tests: it would find those more alike than new studies.

    Raises:
        StudyRefused: WRONG_USAGE.
    """
    entries = [entry for part in parts for entry in read_entries(data_list, part)]
    there = read_list(data_list)
    others = [entry for part in HELD_OUT_PARTS if part in there for entry in read_entries(data_list, part)]
    units, images = ({one[key] for one in entries} & {one[key] for one in others} for key in ("unit", "sha256"))
    if units or images:
        raise StudyRefused(
            "WRONG_USAGE",
            f"{len(units)} units and {len(images)} images of {', '.join(parts)} lie in what calibrates or tests: "
            "make it of images that trained the networks or stopped their training",
        )


def refuse_own_fold(data_list: Path, split: str, networks: int, seen: Seen) -> None:
    """Refuse a part that is to be calibrated on out of fold, where a unit was seen by the network of its own fold.

    Args:
        networks: K. seen: by the bundle's networks; a bundle that does not say so has no such record.

    Raises:
        StudyRefused: UNITS_SEEN_IN_TRAINING, also for a unit in two folds or in a part that all networks have seen; WRONG_USAGE
            where an entry names no fold from 0 to K - 1, or it is not known what the networks have seen.
    """
    entries = read_entries(data_list, split)
    folds: dict[str, set[int]] = {}
    for number, entry in enumerate(entries, start=1):
        fold = entry.get("fold")
        if type(fold) is not int or not 0 <= fold < networks:
            counted = "; a list whose folds count from 1 (caveat list, once): take 1 off each" if fold == networks else ""
            raise StudyRefused("WRONG_USAGE", f"entry {number} of the part {split} has no fold from 0 to {networks - 1}{counted}")
        folds.setdefault(entry["unit"], set()).add(fold)
    if not any(networks_of for networks_of in seen.values()):
        raise StudyRefused("WRONG_USAGE", "the bundle's seen.json does not say which network has seen which image")
    parts = [part for part in SEEN_PARTS if part in read_list(data_list) and part != split]
    elsewhere = {entry["unit"] for part in parts for entry in read_entries(data_list, part)} & set(folds)
    torn = {unit for unit, numbers in folds.items() if len(numbers) > 1}
    images = [entry for entry in entries if has_seen(seen, entry["sha256"], entry["fold"])]
    if elsewhere or torn or images:
        found = f"{len(torn)} units lie in two folds, {len(elsewhere)} in a part that every network has seen"
        raise StudyRefused("UNITS_SEEN_IN_TRAINING", f"{found}, {len(images)} images were seen by the network of their own fold")


def refuse_broken(left_out: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a part that lacks units which ought to be there. Raises: StudyRefused: one of `MUST_BE_MENDED`."""
    broken = [row for row in left_out if row["code"] in MUST_BE_MENDED]
    if broken:
        raise StudyRefused(broken[0]["code"], f"{len(broken)} of the part's images; the first: {broken[0]['found']}")


def source_of(data_list: Path, split: str, left_out: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What a record's provenance says of the part: list, its sha256, part, how many images were left out and why."""
    return {
        "list": data_list.name,
        "list_sha256": hashlib.sha256(data_list.read_bytes()).hexdigest(),
        "split": split,
        "left_out": dict(sorted(Counter(row["code"] for row in left_out).items())),
    }
