"""Answers as measurements of a structured report: value, unit, what is promised of it, and what is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.sr.codedict import Code

from .codes import own_code, unit_code

if TYPE_CHECKING:
    import highdicom as hd

UPPER_RANGE = Code("371886008", "SCT", "+, range of upper measurement uncertainty")
LOWER_RANGE = Code("371885007", "SCT", "-, range of lower measurement uncertainty")
FAILURE = Code("114006", "DCM", "Measurement failure")
DEVIATION = Code("386136009", "SCT", "Standard Deviation")
NO_UNIT = Code("1", "UCUM", "no units")
COMMENT = Code("121106", "DCM", "Comment")
OF_DRAWS = own_code("draws", "Spread of the draws, not calibrated")
ON_INPUT_GRID = own_code("input-grid", "Value of the mask on the grid of the images")
PROMISED = {
    "promise": own_code("promise", "What the interval promises"),
    "truth": own_code("truth", "Whose truth is promised"),
    "unit": own_code("unit", "Unit of exchangeability"),
    "record": own_code("record", "sha256 of the calibration record"),
    "score": own_code("score", "Conformity score"),
    "sides": own_code("sides", "Sides that are promised"),
}
COUNTED = {
    "level": own_code("level", "Level of the interval"),
    "n": own_code("n", "Units of the calibration"),
    "proven": own_code("proven", "Coverage proven at worst"),
}
DIGITS = 6
"""Significant digits, as of result.json."""


def numbers_of(answer: Mapping[str, Any], quantity: Code) -> list[hd.sr.Measurement]:
    """A measurement among `answers`.

    Its interval stands in it as the ranges of uncertainty above and below the value, and beside it as bounds, for which the
    standard has no code. Where nothing is promised there are none: the spread of the draws is a number of its own, under its own
    name. What was not found has a qualifier in place of a value.

    Args:
        answer: of a result with six digits. quantity: what is measured.
    """
    unit = unit_code(answer["unit"])
    if answer["value"] is None:
        return [number(quantity, 0, unit, qualifier=FAILURE)]  # whose 0 is taken out by `without_value`
    regions = [region for region in (answer["region"], answer["simultaneous_region"]) if region]
    main = number(quantity, answer["value"], unit)
    if regions:
        main[0].ContentSequence = _items(_ranges(answer["value"], regions[0], unit))
    found = [main, *(bound for region in regions for bound in _bounds(region, unit))]
    if answer["value_on_input_grid"] is not None:
        found.append(number(ON_INPUT_GRID, answer["value_on_input_grid"], unit))
    deviation = answer["draws"]["sd"]
    return found if deviation is None else [*found, number(quantity, deviation, unit, derivation=DEVIATION, method=OF_DRAWS)]


def number(name: Code, value: float, unit: Code, **more: Any) -> hd.sr.Measurement:
    """One number. Args: more: of `highdicom.sr.Measurement`."""
    import highdicom as hd

    return hd.sr.Measurement(name=name, value=float(f"{value:.{DIGITS}g}"), unit=unit, **more)


def details_of(region: Mapping[str, Any]) -> Any:
    """What a region says of its record, as content items of a number. Args: region: of an answer."""
    import highdicom as hd

    has = hd.sr.RelationshipTypeValues.HAS_PROPERTIES
    words = [hd.sr.TextContentItem(code, str(region[key]), has) for key, code in PROMISED.items() if region.get(key)]
    numbers = [
        hd.sr.NumContentItem(code, region[key], NO_UNIT, relationship_type=has)
        for key, code in COUNTED.items()
        if region.get(key) is not None
    ]
    return _items([*words, *numbers])


def comment(text: str) -> Any:
    """A sentence, as a content item of a group."""
    import highdicom as hd

    return hd.sr.TextContentItem(COMMENT, text, hd.sr.RelationshipTypeValues.CONTAINS)


def _items(items: Any) -> Any:
    import highdicom as hd

    return hd.sr.ContentSequence(list(items))


def without_value(item: Dataset) -> None:
    """Take the value out of every number below an item that has a qualifier in its place: highdicom makes none without one."""
    for inner in item.get("ContentSequence", ()):
        if "NumericValueQualifierCodeSequence" in inner:
            inner.MeasuredValueSequence = Items([])
        without_value(inner)


def _ranges(value: float, region: Mapping[str, Any], unit: Code) -> Iterator[Any]:
    """Distances from the value to the bounds; none to a side that is not promised, nor to a bound on the value's other side."""
    import highdicom as hd

    for code, sign, end in ((UPPER_RANGE, 1, region["upper"]), (LOWER_RANGE, -1, region["lower"])):
        if end is not None and sign * (end - value) >= 0:
            distance = float(f"{sign * (end - value):.{DIGITS}g}")
            yield hd.sr.NumContentItem(code, distance, unit, relationship_type=hd.sr.RelationshipTypeValues.HAS_PROPERTIES)


def _bounds(region: Mapping[str, Any], unit: Code) -> Iterator[hd.sr.Measurement]:
    several = region["promise"] == "simultaneous"
    for end, said in (("lower", "Lower"), ("upper", "Upper")):
        if region[end] is not None:
            name = f"{end}-bound-all" if several else f"{end}-bound"
            meaning = f"{said} bound of the {100 * region['level']:g} % interval{', all at once' if several else ''}"
            found = number(own_code(name, meaning), region[end], unit)
            found[0].ContentSequence = details_of(region)
            yield found
