"""Which images a bundle's networks have seen: its calibration/seen.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .valid_record import Withheld

Seen = Mapping[str, frozenset[int] | None]
"""sha256 of an image to the numbers of the networks that trained or stopped on it; None where any may have."""


def read_seen(bundle: Path) -> Seen:
    """What the bundle says: a list of sha256, or {sha256: [number of a network, ...]}; nothing where it says nothing.

    Args:
        bundle: its folder.
    """
    path = bundle / "calibration" / "seen.json"
    if not path.is_file():
        return {}
    stored = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(stored, list):
        return dict.fromkeys(map(str.lower, stored))
    return {sha256.lower(): frozenset(networks) for sha256, networks in stored.items()}


def withheld_as_seen(data: Mapping[str, Any], seen: Seen) -> Withheld | None:
    """Why a study gets no interval, where any of the networks may have seen it. Args: data: with `input`, see `LoadStudyd`."""
    meta = getattr(data.get("input"), "meta", {})
    if meta.get("input_sha256") not in seen:
        return None
    return Withheld("UNITS_SEEN_IN_TRAINING", "the network was made with this image, and does better on it than on new ones")


def has_seen(seen: Seen, sha256: str, network: int) -> bool:
    """Whether one network may have trained or stopped on an image."""
    networks = seen.get(sha256, frozenset())
    return networks is None or network in networks
