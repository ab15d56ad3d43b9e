"""What a bundle's answers are called in DICOM: codes of its metadata, checked when the bundle is made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydicom.sr.codedict import Code
from pydicom.sr.codedict import codes as DICTIONARY

OWN = "99CAVEAT"
"""Scheme of what the standard has no code for."""
LONGEST_MEANING = 64
UNITS = ("mm", "mm2", "mm3", "mL", "%")
"""Of a result that UCUM has; others, such as voxels, count elements and stand in braces, where it lets anything stand."""
SCHEMES = ("SCT", "DCM")
"""That codes of metadata are of, beside this program's own."""


@dataclass(frozen=True)
class ClassCodes:
    """Of a segment. Args: category, type: what it is. modifier: of the type. region: where it lies."""

    category: Code
    type: Code
    modifier: Code | None = None
    region: Code | None = None


@dataclass(frozen=True)
class BundleCodes:
    """Args: classes: by label. quantities: by the name of a measurement. region: where landmarks lie."""

    classes: Mapping[int, ClassCodes]
    quantities: Mapping[str, Code]
    region: Code | None = None

    @classmethod
    def of(cls, stated: Mapping[str, Any]) -> BundleCodes:
        """Of `dicom` in a bundle's metadata; a code is a list of value, scheme and meaning."""
        classes = {
            int(label): ClassCodes(**{part: Code(*code) for part, code in parts.items()})
            for label, parts in stated.get("classes", {}).items()
        }
        quantities = {name: Code(*code) for name, code in stated.get("measurements", {}).items()}
        return cls(classes, quantities, Code(*stated["region"]) if "region" in stated else None)

    def check(self, classes: Sequence[str], measurements: Mapping[str, Sequence[int]]) -> None:
        """Whether all that a bundle answers has its codes, and the standard knows them.

        Args:
            classes: names of the labels, label 0 first; none of a bundle that outlines nothing.
            measurements: name to the labels that it is of.

        Raises:
            ValueError: what has none; labels of one measurement that are of several types; a code that is not in the dictionary
                of the standard, or has another meaning there.
        """
        for label in range(1, len(classes)):
            if label not in self.classes:
                raise ValueError(f"class {label} has no codes")
        for name, labels in measurements.items():
            if name not in self.quantities:
                raise ValueError(f"the measurement {name!r} has no code")
            if len({self.classes[label].type for label in labels}) > 1:
                raise ValueError(f"the measurement {name!r} is of classes of several types")
        for code in self._all():
            if code.scheme_designator != OWN and code.meaning not in _meanings(code.scheme_designator).get(code.value, ()):
                raise ValueError(f"the code ({code.value}, {code.scheme_designator}, {code.meaning}) is not in the dictionary")

    def _all(self) -> Iterator[Code]:
        for one in self.classes.values():
            yield from filter(None, (one.category, one.type, one.modifier, one.region))
        yield from filter(None, (*self.quantities.values(), self.region))


@cache
def _meanings(scheme: str) -> dict[str, set[str]]:
    """What the standard calls the codes of a scheme, by their value."""
    found: dict[str, set[str]] = defaultdict(set)
    if scheme in SCHEMES:
        known = getattr(DICTIONARY, scheme)
        for code in (getattr(known, keyword) for keyword in known.dir()):
            found[code.value].add(code.meaning)
    return found


def own_code(name: str, meaning: str) -> Code:
    """A code of this program's own. Args: meaning: cut after 64 letters."""
    return Code(name, OWN, meaning[:LONGEST_MEANING])


def unit_code(unit: str) -> Code:
    """The unit of an answer in UCUM."""
    return Code(unit if unit in UNITS else f"{{{unit.replace(' ', '_')}}}", "UCUM", unit)
