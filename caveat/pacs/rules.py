"""Which series are measured by which bundle: a file of rules."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..bundle_folders import find_bundle, settings_of
from ..reasons import StudyRefused
from .archive import Series

KEYS = {"modality", "description", "bundle", "smallest"}


@dataclass(frozen=True)
class Rule:
    """One rule.

    Args:
        modality: of the series. bundle: name or path, as of `caveat predict`.
        description: a regular expression that is found in the series' description, in any case; it never stands in a message.
        smallest: objects that a series must have, so that a localizer of three images is passed over.
    """

    modality: str
    bundle: str
    description: str = ""
    smallest: int = 1

    def fits(self, series: Series) -> bool:
        """Whether a series is meant."""
        found = re.search(self.description, series.description, re.IGNORECASE)
        return series.modality == self.modality and found is not None and series.instances >= self.smallest


def read_rules(path: Path) -> list[Rule]:
    """A list of rules in YAML; the first that fits a series is taken.

    Raises:
        StudyRefused: WRONG_USAGE, BUNDLE_NOT_FOUND, BUNDLE_NOT_TRUSTED.
    """
    try:
        stated = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, RecursionError, yaml.YAMLError) as error:
        raise StudyRefused("WRONG_USAGE", f"the rules cannot be read ({type(error).__name__})") from None
    if not isinstance(stated, list) or not stated:
        raise StudyRefused("WRONG_USAGE", "rules are a list, each with a modality and a bundle")
    return [_rule(number, one) for number, one in enumerate(stated, start=1)]


def _rule(number: int, stated: Any) -> Rule:
    if not isinstance(stated, dict) or set(stated) - KEYS or not {"modality", "bundle"} <= set(stated):
        raise StudyRefused("WRONG_USAGE", f"rule {number} needs a modality and a bundle, and may have description and smallest")
    words = [stated[key] for key in ("modality", "bundle", "description") if key in stated]
    if not all(isinstance(word, str) for word in words) or type(stated.get("smallest", 1)) is not int:
        raise StudyRefused("WRONG_USAGE", f"rule {number}: modality, bundle and description are text, smallest is a number")
    try:
        re.compile(stated.get("description", ""))
    except re.error:
        raise StudyRefused("WRONG_USAGE", f"rule {number}: the description is no regular expression") from None
    if "dicom" not in settings_of(find_bundle(stated["bundle"])):
        raise StudyRefused("WRONG_USAGE", f"rule {number}: this bundle does not read DICOM")
    return Rule(**stated)
