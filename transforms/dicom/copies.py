"""Files that are in a study twice: of one object, byte for byte."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from .header_values import text
from .instance import Instance


def without_copies(instances: Iterable[Instance]) -> list[Instance]:
    """One of each, in the order given, which knows of its copies; files of one size and identifier are compared."""
    alike: dict[tuple[str, int], list[Instance]] = defaultdict(list)
    for instance in instances:
        alike[text(instance.header, "SOPInstanceUID"), instance.path.stat().st_size].append(instance)
    return [one for found in alike.values() for one in (found if len(found) == 1 else _distinct(found))]


def _distinct(instances: Iterable[Instance]) -> list[Instance]:
    first: dict[str, Instance] = {}
    for instance in instances:
        digest = _sha256(instance.path)
        known = first.get(digest)
        first[digest] = instance if known is None else replace(known, copies=(*known.copies, instance.source))
    return list(first.values())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
