"""Whose truth a record promises: a rater's habit is part of it, and no gate can see that it is another's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

UNSTATED = "as the labels it was calibrated on have it"
"""Where nobody said whose labels they are."""


def truth_of(provenance: Mapping[str, Any]) -> str:
    """In words that end a sentence about a number: "as the senior rater of the ISBI 2015 challenge marks it"."""
    return str(provenance.get("truth") or UNSTATED)
