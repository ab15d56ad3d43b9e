"""Many random divisions of the unseen units into calibration and evaluation: is one split's coverage typical?

The divisions share units, so they are no independent repeats: mean and range are described, nothing is tested.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from caveat.reasons import StudyRefused

from ..calibration.case import Case
from ..calibration.record import Record
from ..calibration.size_class import SizeClass
from ..calibration.unit_case import UnitCase
from ..gate.gate import Check, Gate, fit_gate
from .settings import IntervalEvaluation


def resplits(record: Record, pool: Sequence[Case], n: int, settings: IntervalEvaluation) -> list[dict[str, Any]]:
    """Calibrate anew on n random units and look at the others, with the record's score, sides, size classes and checks.

    Args:
        pool: one case a unit, with truths; none of them seen in training.
        n: calibration units of each division.

    Returns:
        entries {level, gate, divisions, n, evaluated, mean, lowest, highest}: coverage over the divisions. With `gate` it is
        fitted anew each time and both sides hold only what it accepts; divisions in which it cannot be fitted are not counted.
    """
    excess = np.array([record.score.excess(case, case.truth) for case in pool])
    classes = [record.class_of(case).up_to for case in pool]
    found: dict[tuple[float, bool], list[float]] = {}
    for gated, kept, checked in divisions(record.gate, pool, n, settings.resplits, settings.seed):
        for level in settings.levels:
            share = coverage_of(record, excess, classes, kept, checked, level)
            if share is not None:
                found.setdefault((level, gated), []).append(share)
    return spans(found, n, len(pool))


def divisions(
    gate: Gate | None, pool: Sequence[UnitCase], n: int, count: int, seed: int
) -> Iterator[tuple[bool, list[int], list[int]]]:
    """Random divisions of a pool, each once as it is and, where there is a gate, once with what that accepts, fitted anew.

    Args:
        n: units of the first side. count: divisions. seed: of their choice.

    Yields:
        whether the gate was asked; places in the pool of both sides. A division in which no gate can be fitted, since too many of
        its units lack a score, has none.
    """
    rng = np.random.default_rng(seed)
    for _ in range(count):
        order = rng.permutation(len(pool)).tolist()
        yield False, order[:n], order[n:]
        if gate is not None:
            try:
                yield True, *accepted(gate, pool, order[:n], order[n:])
            except StudyRefused:
                continue


def spans(found: Mapping[tuple[float, bool], Sequence[float]], n: int, pool: int) -> list[dict[str, Any]]:
    """Mean and range of the coverages found, by level and whether gated. Args: n: of each division. pool: units in all."""
    return [
        {"level": level, "gate": gated, "divisions": len(shares), "n": n, "evaluated": pool - n}
        | {"mean": float(np.mean(shares)), "lowest": min(shares), "highest": max(shares)}
        for (level, gated), shares in sorted(found.items())
    ]


def accepted(gate: Gate, pool: Sequence[UnitCase], kept: list[int], checked: list[int]) -> tuple[list[int], list[int]]:
    """What a gate with the same checks, fitted on the kept units, leaves of both sides.

    Args:
        kept, checked: places in `pool`.

    Raises:
        StudyRefused: GATE_SCORE_MISSING.
    """
    checks = [Check(limit.name, limit.direction) for limit in gate.limits]
    scores = [pool[index].scores for index in kept]
    fitted = fit_gate(scores, checks, gate.false_alarm_rate)
    inside = [index for index, keep in zip(kept, fitted.inside(scores), strict=True) if keep]
    return inside, [index for index in checked if fitted.judge(pool[index].scores).accepted]


def coverage_of(
    record: Record, excess: np.ndarray, classes: Sequence[float], kept: list[int], checked: list[int], level: float
) -> float | None:
    """Share of the checked units whose truth lies inside. Args: excess: (units, 2), below and above. classes: upper limits.

    Returns:
        None where no checked unit has an interval.
    """
    inside: list[bool] = []
    for size_class in record.classes:
        own = [index for index in kept if classes[index] == size_class.up_to]
        anew = SizeClass.of(size_class.up_to, excess[own].tolist(), record.sides) if own else None
        if anew is None or anew.why_not(level, record.sides, record.unit):
            continue
        largest = anew.quantiles(level, record.sides)
        inside += [bool((excess[index] <= largest).all()) for index in checked if classes[index] == size_class.up_to]
    return float(np.mean(inside)) if inside else None
