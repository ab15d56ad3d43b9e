"""Slices that each say to be a series of their own, as some scanners write them: one series by all else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from .header_values import comparable, numbers, text
from .instance import Instance
from .radiograph import is_projection

FEWEST = 3
"""Slices: two series of one slice each are no rare pair."""
COMMON = (
    "FrameOfReferenceUID",
    "SeriesNumber",
    "Modality",
    "SOPClassUID",
    "SeriesDescription",
    "ProtocolName",
    "Rows",
    "Columns",
)
"""What they agree in; the first two they must state."""


def with_single_slices_joined(series: Mapping[str, Sequence[Instance]]) -> tuple[dict[str, list[Instance]], set[str]]:
    """Series by their identifiers, and those which were made of series of one slice each."""
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for uid, members in series.items():
        key = _common(members[0]) if len(members) == 1 else ()
        if key:
            alike[key].append(uid)
    whole = {uid: list(members) for uid, members in series.items()}
    joined = set()
    for uids in alike.values():
        if len(uids) >= FEWEST:
            first = min(uids)
            whole[first] = [member for uid in uids for member in whole.pop(uid)]
            joined.add(first)
    return whole, joined


def _common(instance: Instance) -> tuple[str, ...]:
    """What a slice must share with others; () of an image that is no slice, or does not say enough."""
    header = instance.header
    is_slice = numbers(header, "NumberOfFrames") in ((), (1.0,)) and not is_projection(header)
    found = tuple(comparable(header, keyword) for keyword in COMMON)
    if not is_slice or not all(found[:2]) or "LOCALIZER" in text(header, "ImageType"):
        return ()
    return found
