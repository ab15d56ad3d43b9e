"""What a stratum keeps of its units' excesses: of all components at once, by the sides that a region has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .case import Case
from .regions.region import Value
from .rows import Row
from .scores.conformity_score import ConformityScore

Columns = Mapping[str, tuple[float, ...]]
"""Scores by side: "either", or "below", "above", or both; one a unit."""


def excess_of(score: ConformityScore, row: Row, of_networks: Row | None = None) -> tuple[float, ...]:
    """The largest excess of the row's components at each end: what a region that holds for all of them at once must reach.

    Args:
        row: with truths. of_networks: what is looked at in the place of the row's own predictions.
    """
    pairs = zip(of_networks or row, row, strict=True)
    return tuple(map(max, zip(*(score.excess(case, truth_of_case(one)) for case, one in pairs), strict=True)))


def truth_of_case(case: Case) -> Value:
    """Raises: ValueError: it is not known."""
    if case.truth is None:
        raise ValueError("the case has no truth")
    return case.truth


def scores_by_side(excesses: Sequence[Sequence[float]], sides: str) -> dict[str, tuple[float, ...]]:
    """The columns that `sides` needs, in the units' order. Args: sides: see `quantile.ONE_SIDED_SCORES`."""
    if sides == "two-sided":
        return {"either": tuple(max(ends) for ends in excesses)}
    kept = {"asymmetric": ("below", "above"), "lower": ("below",), "upper": ("above",)}[sides]
    return {name: tuple(ends[("below", "above").index(name)] for ends in excesses) for name in kept}
