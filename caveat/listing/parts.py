"""Parts and folds of a data list: whole units, by a seed and nothing else."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Mapping

from caveat.reasons import StudyRefused


def in_random_order(units: Iterable[str], seed: int) -> list[str]:
    """Units by a hash of seed and name: no image, no size and no order of files enters. A name may be of no encoding."""
    return sorted(set(units), key=lambda unit: hashlib.sha256(f"{seed}:{unit}".encode(errors="surrogatepass")).digest())


def part_of_each(units: Iterable[str], shares: Mapping[str, float], seed: int) -> dict[str, str]:
    """The part that each unit falls into.

    Args:
        shares: of the units, by part; they sum to 1.

    Raises:
        StudyRefused: WRONG_USAGE where they do not, or a part would have no unit.
    """
    if any(share <= 0 for share in shares.values()) or abs(sum(shares.values()) - 1) > 1e-9:
        raise StudyRefused("WRONG_USAGE", f"shares of the parts must be above 0 and sum to 1, got {sum(shares.values()):g}")
    ordered = in_random_order(units, seed)
    ends = [round(share * len(ordered)) for share in itertools.accumulate(shares.values())]
    starts = [0, *ends[:-1]]
    empty = [part for part, start, end in zip(shares, starts, ends) if start == end]
    if empty:
        raise StudyRefused("WRONG_USAGE", f"of {len(ordered)} units none falls into the part {empty[0]}")
    return {unit: part for part, start, end in zip(shares, starts, ends) for unit in ordered[start:end]}


def fold_of_each(units: Iterable[str], folds: int, seed: int) -> dict[str, int]:
    """The fold of each unit, from 0; sizes differ by one at most. Raises: StudyRefused: WRONG_USAGE: fewer units than folds."""
    ordered = in_random_order(units, seed)
    if not 2 <= folds <= len(ordered):
        raise StudyRefused("WRONG_USAGE", f"--folds must lie between 2 and the number of units, {len(ordered)}")
    return {unit: place % folds for place, unit in enumerate(ordered)}
