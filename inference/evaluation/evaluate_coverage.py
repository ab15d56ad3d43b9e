"""From stored predictions, truths and records to everything `caveat evaluate` says of coverage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from caveat.reasons import StudyRefused

from ..calibration.read_cases import Cases
from ..calibration.record import Record
from ..calibration.regions.class_set import ClassSet
from ..calibration.regions.interval import Interval
from ..calibration.rows import Row, first_line, rows_of
from .baselines import comparisons, scored_units, with_score
from .chosen_record import calibration_cases, calibration_units, record_for
from .described import facts_of, row_of
from .figures import FIRST_LINE, figures_of, groups_of, value_figures
from .methods import Method, choice_seed
from .power import power_table
from .resplits import resplits
from .settings import Coverage
from .source import Source


def evaluate_coverage(
    source: Source, split: str, records: Sequence[Record], settings: Coverage, stated: bool = False
) -> dict[str, Any]:
    """Compute all figures of intervals or regions.

    Args:
        split: that is evaluated, such as "test".
        records: that may hold for these predictions; without one only what the studies state by themselves is looked at.
        stated: whether the user named the records, so that one which is no check of itself is an error, and not left aside.

    Returns:
        {levels, claims: by promise, confidence, plotted_level, size: see `Coverage.size`, split, seed, left_out, not_asked: names
        and promise of records that the settings do not ask for, sections: see `section`}, ready for JSON. What was found in no
        study has no section.

    Raises:
        StudyRefused: of the predictions and the list as a whole, see `read_cases`; NOT_PREDICTED where no study has a case;
            UNITS_SEEN_IN_CALIBRATION for a stated record.
    """
    evaluated = source.cases(split, settings.targets)
    if not evaluated.results:
        raise StudyRefused("NOT_PREDICTED", f"none of {len(evaluated.left_out)} images has an answer and a truth")
    seen = source.seen_among(evaluated)
    usable = () if seen else records
    calibration = calibration_cases(source, split, usable, settings)
    sections = [
        section(names, promise, kind, evaluated, calibration, usable, settings, stated)
        for names, promise, kind in settings.asked()
        if any(all(case.counted for case in row) for row in rows_of(evaluated.by_name, names))
    ]
    asked = set(settings.asked())
    return {
        "levels": list(settings.levels),
        "claims": {promise: settings.claims(promise) for promise in settings.promises},
        "confidence": settings.confidence,
        "plotted_level": settings.plotted_level,
        "size": settings.size,
        "split": split,
        "seed": settings.seed,
        "left_out": evaluated.left_out,
        "not_asked": [f"{one.title}, {one.promise}" for one in records if (one.names, one.promise, one.score.kind) not in asked],
        "sections": [{**one, "no_record": seen} for one in sections] if seen else sections,
    }


def section(
    names: tuple[str, ...],
    promise: str,
    kind: str,
    evaluated: Cases,
    calibration: Cases | None,
    records: Sequence[Record],
    settings: Coverage,
    stated: bool = False,
) -> dict[str, Any]:
    """Everything about one promise: of a measurement, of several at once, of landmarks.

    Args:
        names: of the components. kind: of the regions. calibration: cases of the part that records were made of.

    Raises:
        StudyRefused: UNITS_SEEN_IN_CALIBRATION where a stated record was made of an evaluated study or unit.

    Returns:
        {names, unit, promise, kind, record: facts or None, no_record: why there is none, units; others: further studies of them;
        nothing_found: studies in which something was not found, which are in no figure; outside: landmarks that the images of
        the units do not show; accepted; value: see `value_figures`, None of landmarks and of several measurements; figures: rows
        {method, studies, gate, of, ...}, see `figures_of`, where "gate" says whether only accepted studies are in them; power;
        baselines; resplits; rows: one a study}.
    """
    own = [record for record in records if (record.names, record.promise, record.score.kind) == (names, promise, kind)]
    record, rows, reason = record_for(names, evaluated, own, stated)
    first, rest = first_line(rows, choice_seed(record))
    raw = Method.stated(promise, settings.of_landmarks, kind == ClassSet.kind)
    ours = Method(record) if record else raw
    kept = [row for row in first if ours.accepts(row)]
    pool = calibration_units(record, calibration) if record else []
    others = baselines_of(record, pool, settings) if record else []
    one_number = kind == Interval.kind and len(names) == 1
    sides = {False: first, True: kept} if record and record.gate else {False: first}
    chosen = {case.sha256 for case, *_ in first}
    out = {
        "names": list(names),
        "unit": evaluated.units[names[0]],
        "promise": promise,
        "kind": kind,
        "record": facts_of(record) if record else None,
        "no_record": reason,
        "units": len(first),
        "others": len(rest),
        "nothing_found": len(rows) - len(first) - len(rest),
        "outside": sum(case.outside for row in first for case in row),
        "accepted": len(kept),
        "value": value_figures([(case,) for (case,) in first], ours, settings) if one_number else None,
        "figures": all_figures([ours, *others, *([raw] if record else [])], promise, first, rest, settings),
        "power": power_table(record, kept, settings) if record else [],
        "baselines": comparisons(ours, others, sides, settings) if one_number else [],
        "resplits": [],
        "rows": [row_of(row, ours, row[0].sha256 in chosen, settings) for row in rows],
    }
    if record and pool and record.networks is None:  # units that a network has seen are no pool to divide anew
        served = [row for row in first if ours.regions(row, min(settings.levels)) is not None]
        out["resplits"] = resplits(record, pool, served, settings)
    return out


def baselines_of(record: Record, pool: Sequence[Row], settings: Coverage) -> list[Method]:
    """The record with other conformity scores; none without its units. Args: pool: see `calibration_units`."""
    units = scored_units(record, pool) if pool else None
    if units is None:
        return []
    images = frozenset(row[0].sha256 for row in pool)
    scores = {name: score.fitted_to(record.identity, images) for name, score in settings.baselines.items()}
    return [Method(with_score(record, score, units), name) for name, score in scores.items()]


def all_figures(
    methods: Sequence[Method], promise: str, first: Sequence[Row], rest: Sequence[Row], settings: Coverage
) -> list[dict[str, Any]]:
    """Figures of every method, group of studies and level; "gate" says whether only accepted studies are in them.

    The groups beside the first line are looked at for the record alone: they are small. A record with a gate promises its
    level of one study a unit among those that the gate accepts, and of nothing else.
    """
    ours = methods[0]
    gated = ours.record is not None and ours.record.gate is not None
    out = []
    for group, rows in (groups_of(first, rest) if ours.record else {FIRST_LINE: list(first)}).items():
        sides = {False: rows} | ({True: [row for row in rows if ours.accepts(row)]} if gated else {})
        for method in methods if group == FIRST_LINE else methods[:1]:
            for gate, chosen in sides.items():
                about = {"method": method.name, "studies": group, "gate": gate, "of": len(rows)}
                promised = group == FIRST_LINE and gate is gated
                out += [about | figures_of(method, chosen, level, settings, promise, promised) for level in settings.levels]
    return out
