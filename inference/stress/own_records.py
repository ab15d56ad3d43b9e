"""Each study's own records: one set may hold studies of several, such as images with and without a known spacing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..calibration.identity import differences, identity_of_target
from ..calibration.record import Record
from ..calibration.rows import Row
from ..evaluation.methods import Method
from ..metrics.interval_coverage import coverage_band


def own_records(names: Sequence[str], result: Mapping[str, Any], records: Sequence[Record]) -> dict[str, Record]:
    """The records that are valid for these components of a result, by their promise. Args: result: empty where it was refused."""
    about = [record for record in records if result and record.names == tuple(names)]
    identity = identity_of_target(result, result["bundle"], names) if about else {}
    return {record.promise: record for record in about if not differences(record.identity, identity)}


def by_record(pairs: Iterable[tuple[Record, Row]]) -> list[tuple[Record, list[Row]]]:
    """Each record with its own studies, both in the order of the studies."""
    groups: dict[int, tuple[Record, list[Row]]] = {}
    for record, row in pairs:
        groups.setdefault(id(record), (record, []))[1].append(row)
    return list(groups.values())


def band_of(pairs: Sequence[tuple[Record, Row]], level: float, confidence: float) -> list[float]:
    """Smallest and largest share of the studies whose truth lies in its region, if these were like those of the calibration.

    Args:
        pairs: studies that have regions of the level, one a unit. Of a marginal promise the band is of each component alone.
    """
    parts = [part for record, rows in by_record(pairs) for part in Method(record).parts(rows, level)]
    return [covered / len(pairs) for covered in coverage_band(parts, confidence)] if parts else []
