"""The sentence a clinician reads, and the entry of `result.json` it stands in."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import Any

from ...transforms.files.answers import MEASUREMENT
from ...transforms.files.plural import plural

DIGITS = 4
"""Significant digits of a number, at most."""
NOTHING_FOUND = "Nothing found. This is not a measurement of zero."
UNITS_IN_WORDS = {"mm2": "mm²", "mm3": "mm³"}


def state_measurement(name: str, title: str, unit: str, value: float | None, draws: Sequence[float]) -> dict[str, Any]:
    """A measurement of `answers` without a calibrated interval.

    Args:
        name: of the measurement. title: of the structure. unit: of the value.
        value: of the reported mask; None where nothing was found.
        draws: value of every draw; the standard deviation divides by K - 1 and is None for one draw.
    """
    entry = {
        "kind": MEASUREMENT,
        "name": name,
        "title": title,
        "unit": unit,
        "value": value,
        "value_on_input_grid": None,
        "draws": summarise_draws(draws),
        "region": None,
        "simultaneous_region": None,
    }
    return entry | {"statement": statement(title, unit, value, draws)}


def summarise_draws(draws: Sequence[float]) -> dict[str, Any]:
    """Number, mean, standard deviation (K - 1) and values of the draws."""
    sd = statistics.stdev(draws) if len(draws) > 1 else None
    return {"n": len(draws), "mean": statistics.fmean(draws), "sd": sd, "values": list(draws)}


def statement(
    title: str,
    unit: str,
    value: float | None,
    draws: Sequence[float],
    interval: Mapping[str, Any] | None = None,
    withheld: str = "",
) -> str:
    """One sentence.

    Args:
        value: None where nothing was found.
        interval: level, lower, upper (either None where there is no such end), and of the record truth, n, unit, networks
            and proven, where there is one.
        withheld: why a record there is does not say so.
    """
    if value is None:
        return f"{title}: {_nothing(unit, draws)}"
    whole = _are_whole([value, *draws])
    if interval is not None:
        place = _last_place(value, interval, whole)
        said = f"{title}: {_at_place(value, place)} {UNITS_IN_WORDS.get(unit, unit)}"
        return f"{said} ({_interval_in_words(interval, place)} {interval['truth']}, {calibration_in_words(interval)})"
    shown = f"{title}: {number(value, DIGITS, whole)} {UNITS_IN_WORDS.get(unit, unit)}"
    calibrated = uncalibrated_in_words(withheld)
    if len(draws) == 1:
        return f"{shown} (one network, no draws, {calibrated})"
    least, most = (number(end, DIGITS, whole) for end in (min(draws), max(draws)))
    return f"{shown} ({len(draws)} draws from {least} to {most}, {calibrated})"


def _nothing(unit: str, draws: Sequence[float]) -> str:
    """What is said of a structure that the reported mask lacks, also where some draws hold it."""
    said = f"{NOTHING_FOUND[0].lower()}{NOTHING_FOUND[1:]}"
    holding = sum(draw > 0 for draw in draws)
    if not holding:
        return said
    largest = number(max(draws), DIGITS, _are_whole(draws))
    return f"{said} {holding} of {len(draws)} draws hold some, up to {largest} {UNITS_IN_WORDS.get(unit, unit)}."


def _are_whole(values: Sequence[float]) -> bool:
    return all(float(value).is_integer() for value in values)


def _last_place(value: float, interval: Mapping[str, Any], whole: bool) -> int:
    """Decimals that an interval supports: two digits of its shorter side. -2 is hundreds; what is counted has none below 1."""
    sides = (abs(end - value) for end in (interval["lower"], interval["upper"]) if end not in (None, value))
    shorter = min(sides, default=0.0)
    place = 1 - math.floor(math.log10(shorter)) if shorter else DIGITS
    most = DIGITS - 1 - math.floor(math.log10(abs(value))) if value else DIGITS
    return min(place, most, 0 if whole else most)


def _at_place(value: float, place: int, rounding: str = ROUND_HALF_EVEN) -> str:
    """A number as `number` shows it. Args: place: of its last digit."""
    # As it stands in result.json, of six digits: an end that a float has a hair too high is not moved a whole place.
    rounded = Decimal(f"{value:.6g}").quantize(Decimal(1).scaleb(-place), rounding)
    return f"{rounded:,f}".replace(",", "\u202f")


def _interval_in_words(interval: Mapping[str, Any], place: int) -> str:
    """ "90 % interval 3.05 to 3.61", or "90 % bound: at least 3.05": ends move outward, so that what is said stays true."""
    level, lower, upper = f"{100 * interval['level']:.6g} %", interval["lower"], interval["upper"]
    if upper is None:
        return f"{level} bound: at least {_at_place(lower, place, ROUND_FLOOR)}"
    if lower is None:
        return f"{level} bound: at most {_at_place(upper, place, ROUND_CEILING)}"
    return f"{level} interval {_at_place(lower, place, ROUND_FLOOR)} to {_at_place(upper, place, ROUND_CEILING)}"


def calibration_in_words(interval: Mapping[str, Any]) -> str:
    """ "calibrated on 34 subjects", or "cross-validated on 95 patients, proven for 74 %": rounded down, so that it stays true."""
    units = f"{interval['n']} {plural(interval['unit'])}"
    if interval.get("networks") is None:
        return f"calibrated on {units}"
    return f"cross-validated on {units}, proven for {math.floor(100 * interval['proven'] + 1e-9)} %"


def uncalibrated_in_words(withheld: str) -> str:
    """Args: withheld: why a record there is does not say so, "" where there is none."""
    return f"not calibrated: {withheld}" if withheld else "not calibrated"


def number(value: float, digits: int, whole: bool = False) -> str:
    """A number with `digits` significant digits and thin groups of thousands: 31240.2 -> "31 240".

    Args:
        whole: whether it is of what has whole numbers alone, such as a count: 15 is "15" then, and 14.5 still "14.50".
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    rounded = float(f"{value:.{digits - 1}e}")  # 999.96 becomes 1000 here, so that it is not shown as 1 000.0
    decimals = 0 if whole and float(value).is_integer() else max(0, digits - 1 - math.floor(math.log10(abs(rounded))))
    return f"{rounded:,.{decimals}f}".replace(",", "\u202f")
