"""Which units and images made a record: coverage counted on them would be no check of it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from typing import Any

from caveat.reasons import StudyRefused

from .record import Record
from .rows import Row


def describe_units(rows: Sequence[Row], units: Collection[str], salt: str) -> dict[str, Any]:
    """What a record's provenance says of its units.

    Names are hashed, since they may say who a patient is. The salt, which stands on the record too, keeps the same patient from
    being recognised on two records; it does not keep a name from being tried that can be guessed, such as a short number.

    Args:
        rows: every study that could have been chosen.
        units: that were calibrated on, those the gate leaves out among them.
        salt: sha256 of the data list.

    Returns:
        salt; unit_hashes and images_sha256, sorted; the images are all studies of the units, since one tells of the others.
    """
    return {
        "salt": salt,
        "unit_hashes": sorted({unit_hash(unit, salt) for unit in units}),
        "images_sha256": sorted({case.sha256 for case, *_ in rows if case.unit in units}),
    }


def unit_hash(unit: str, salt: str) -> str:
    """sha256 of salt and name."""
    return hashlib.sha256(f"{salt}:{unit}".encode()).hexdigest()


def is_made_of(record: Record, rows: Sequence[Row]) -> bool:
    """Whether these are the record's units, each by an image of it. Args: rows: one a unit, also those the gate leaves out."""
    made = record.provenance["made_of"]
    same_units = sorted(unit_hash(case.unit, made["salt"]) for case, *_ in rows) == made["unit_hashes"]
    return same_units and {case.sha256 for case, *_ in rows} <= set(made["images_sha256"])


def refuse_calibration_units(record: Record, rows: Sequence[Row]) -> None:
    """Refuse to check a record on what it was made of. Raises: StudyRefused: UNITS_SEEN_IN_CALIBRATION."""
    made = record.provenance["made_of"]
    units = {case.unit for case, *_ in rows if unit_hash(case.unit, made["salt"]) in made["unit_hashes"]}
    images = {case.sha256 for case, *_ in rows} & set(made["images_sha256"])
    if units or images:
        raise StudyRefused("UNITS_SEEN_IN_CALIBRATION", f"{len(units)} units and {len(images)} images made the record")
