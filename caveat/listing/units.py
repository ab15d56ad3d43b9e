"""What is exchangeable: which images are of one patient."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from caveat.reasons import StudyRefused


def units_by_pattern(names: Sequence[str], pattern: str) -> list[str]:
    """The part of each name that the pattern finds: its group, or all that it matches.

    Args:
        names: of the images below their folder.
        pattern: a regular expression, such as "(sub-[0-9]+)".

    Raises:
        StudyRefused: WRONG_USAGE where it is none, or finds nothing in a name.
    """
    try:
        found = [re.search(pattern, name) for name in names]
    except re.error as error:
        raise StudyRefused("WRONG_USAGE", f"--unit is no regular expression: {error}") from None
    units = [match[1 if match.re.groups else 0] if match else "" for match in found]
    missed = [number for number, unit in enumerate(units, start=1) if not unit]
    if missed:
        raise StudyRefused(
            "WRONG_USAGE", f"--unit finds nothing in {len(missed)} of {len(names)} names; the first is number {missed[0]}"
        )
    return units


def units_by_table(names: Sequence[str], table: Path) -> list[str]:
    """The unit of each name in a table with the columns image and unit.

    Raises:
        StudyRefused: WRONG_USAGE where it cannot be read, lacks a column or an image, or states two units of one.
    """
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            rows = [(row["image"], row["unit"].strip()) for row in csv.DictReader(file)]
    except (OSError, UnicodeDecodeError, KeyError, AttributeError, csv.Error):  # the fourth of a row that is cut short
        raise StudyRefused("WRONG_USAGE", "--units is no CSV table with the columns image and unit") from None
    stated = dict(rows)
    if twice := len({*rows}) - len(stated):
        raise StudyRefused("WRONG_USAGE", f"--units has two units for {twice} of the images")
    missing = sum(not stated.get(name) for name in names)
    if missing:
        raise StudyRefused("WRONG_USAGE", f"--units has no unit for {missing} of {len(names)} images")
    return [stated[name] for name in names]
