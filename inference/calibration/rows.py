"""Rows: the cases of a study's components, side by side, and which studies of a unit count."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from .case import Case

Row = tuple[Case, ...]
"""One study: a case for each component of what is promised, in their order; one for a measurement by itself."""


def rows_of(by_name: Mapping[str, Sequence[Case]], names: Sequence[str]) -> list[Row]:
    """The rows of some components. Args: by_name: the same studies in the same order for each."""
    return list(zip(*(by_name[name] for name in names), strict=True))


def one_per_unit(rows: Sequence[Row], seed: int) -> tuple[list[Row], list[Row]]:
    """One study of each unit: scans of one patient are not exchangeable with those of others, and pooling them overstates n.

    Args:
        rows: in the order of the list.
        seed: of the choice, which is a hash of seed and unit: no image and no value enters it.

    Returns:
        the chosen ones, and the rest as a second line, both in the order of the list.
    """
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[0].unit, []).append(row)
    chosen = {group[_draw(seed, unit) % len(group)][0].sha256 for unit, group in groups.items()}
    return [row for row in rows if row[0].sha256 in chosen], [row for row in rows if row[0].sha256 not in chosen]


def first_line(rows: Sequence[Row], seed: int) -> tuple[list[Row], list[Row]]:
    """What calibration and every count of coverage look at: one study of each unit, of those in which all of it was found.

    What is not counted is left out before the choice, so that a unit is served by another of its studies, on both sides of the
    promise alike.

    Returns:
        as `one_per_unit`; studies in which a component is not counted are in neither line.
    """
    return one_per_unit([row for row in rows if all(case.counted for case in row)], seed)


def _draw(seed: int, unit: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}:{unit}".encode()).digest()[:8])
