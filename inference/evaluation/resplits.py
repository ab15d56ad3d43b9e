"""Many random divisions of the unseen units into calibration and evaluation: is one split's coverage typical?

The divisions share units, so they are no independent repeats: mean and range are described, nothing is tested.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from caveat.reasons import StudyRefused

from ..calibration.record import Record
from ..calibration.rows import Row
from ..calibration.sides import excess_of
from ..calibration.split_stratum import SplitStratum
from ..gate.gate import Check, Gate, fit_gate
from .settings import Coverage

Measured = list[tuple[int, tuple[float, ...]]]
"""Of each part of a study: the number of its stratum, and its excess at each end."""


def resplits(record: Record, pool: Sequence[Row], others: Sequence[Row], settings: Coverage) -> list[dict[str, Any]]:
    """Calibrate anew on as many random units and look at the others, with the record's score, sides, strata, promise and checks.

    Args:
        pool: one study of each calibration unit. others: of each evaluated unit. With truths; no network has seen any of them.

    Returns:
        entries {level, gate, divisions, n, evaluated, mean, lowest, highest}: coverage over the divisions, where each component
        counts by itself the mean over them. With `gate` it is fitted anew each time and both sides hold only what it accepts;
        divisions in which it cannot be fitted are not counted.
    """
    sides = [[(row, found) for row in side if (found := measured(record, row)) is not None] for side in (pool, others)]
    n, rows, units = len(sides[0]), [row for side in sides for row, _ in side], [found for side in sides for _, found in side]
    shares: dict[tuple[float, bool], list[float]] = {}
    for gated, kept, checked in divisions(record.gate, rows, n, settings.resplits, settings.seed):
        for level, share in coverages(record, [units[i] for i in kept], [units[i] for i in checked], settings.levels):
            shares.setdefault((level, gated), []).append(share)
    return [
        {"level": level, "gate": gated, "divisions": len(found), "n": n, "evaluated": len(rows) - n}
        | {"mean": float(np.mean(found)), "lowest": min(found), "highest": max(found)}
        for (level, gated), found in sorted(shares.items())
    ]


def measured(record: Record, row: Row) -> Measured | None:
    """What a division needs of a study; None where it lacks a score that says its stratum or its excess."""
    try:
        return [(record.stratum_of(part, own), excess_of(record.score, own)) for part, own in record.parts(row)]
    except StudyRefused:
        return None


def divisions(
    gate: Gate | None, rows: Sequence[Row], n: int, count: int, seed: int
) -> Iterator[tuple[bool, list[int], list[int]]]:
    """Random divisions of some units, each once as it is and, where there is a gate, once with what that accepts, fitted anew.

    Args:
        n: units of the first side. count: divisions. seed: of their choice.

    Yields:
        whether the gate was asked; places in `rows` of both sides. A division in which no gate can be fitted, since too many of
        its units lack a score, has none.
    """
    rng = np.random.default_rng(seed)
    for _ in range(count):
        order = rng.permutation(len(rows)).tolist()
        yield False, order[:n], order[n:]
        if gate is not None:
            try:
                yield True, *accepted(gate, rows, order[:n], order[n:])
            except StudyRefused:
                continue


def accepted(gate: Gate, rows: Sequence[Row], kept: list[int], checked: list[int]) -> tuple[list[int], list[int]]:
    """What a gate with the same checks, fitted on the kept units, leaves of both sides.

    Args:
        kept, checked: places in `rows`.

    Raises:
        StudyRefused: GATE_SCORE_MISSING.
    """
    checks = [Check(limit.name, limit.direction) for limit in gate.limits]
    scores = [rows[index][0].scores for index in kept]
    fitted = fit_gate(scores, checks, gate.false_alarm_rate)
    inside = [index for index, keep in zip(kept, fitted.inside(scores), strict=True) if keep]
    return inside, [index for index in checked if fitted.judge(rows[index][0].scores).accepted]


def coverages(
    record: Record, kept: Sequence[Measured], checked: Sequence[Measured], levels: Sequence[float]
) -> Iterator[tuple[float, float]]:
    """Share of the checked units' truths that lie inside regions made of the kept ones, at each level at which there are any."""
    inside: dict[float, list[bool]] = {}
    for part, of_part in enumerate(record.strata):
        for number, stratum in enumerate(of_part):
            own, others = ([one[part][1] for one in side if one[part][0] == number] for side in (kept, checked))
            anew = SplitStratum.of(stratum.up_to, own, record.sides)
            for level in levels:
                if not anew.why_not(level, record.sides, record.unit):
                    reach = anew.quantiles(level, record.sides)[: record.score.ends]
                    held = [all(excess <= most for excess, most in zip(one, reach, strict=True)) for one in others]
                    inside.setdefault(level, []).extend(held)
    yield from ((level, float(np.mean(held))) for level, held in inside.items() if held)
