"""Files that are in a study twice: of one object, byte for byte but for the group that says how the file was written."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from .header_values import text
from .instance import Instance, data_set_of


def without_copies(instances: Iterable[Instance]) -> list[Instance]:
    """One of each, in the order given, which knows of its copies; files of one identifier are compared."""
    alike: dict[str, list[Instance]] = defaultdict(list)
    for instance in instances:
        alike[text(instance.header, "SOPInstanceUID")].append(instance)
    return [one for found in alike.values() for one in (found if len(found) == 1 else _distinct(found))]


def _distinct(instances: Iterable[Instance]) -> list[Instance]:
    first: dict[bytes, Instance] = {}
    for instance in instances:
        digest = _digest(instance)
        known = first.get(digest)
        first[digest] = instance if known is None else replace(known, copies=(*known.copies, instance.source))
    return list(first.values())


def _digest(instance: Instance) -> bytes:
    """Of the data set and the way it is encoded in."""
    syntax, start = data_set_of(instance.path)
    with instance.path.open("rb") as file:
        file.seek(start)
        digest = hashlib.file_digest(file, "sha256")
    digest.update(syntax.encode())
    return digest.digest()
