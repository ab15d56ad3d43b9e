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
    """Series by their identifiers, and those which were made of several.

    Single slices make one series, or belong to the one series of several slices that they agree with: its end slice may have
    been given another identifier.
    """
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for uid, members in series.items():
        alike[_common(members[0])].append(uid)
    alike.pop((), None)
    whole, joined = {uid: list(members) for uid, members in series.items()}, set()
    for uids in alike.values():
        longer = [uid for uid in uids if len(series[uid]) > 1]
        if len(longer) == 1 < len(uids) or not longer and len(uids) >= FEWEST:
            first = (longer or sorted(uids))[0]
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
