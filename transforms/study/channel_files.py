"""Files that are channels of one image: four sequences of MR, one file each."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import PurePath

from .search import Found

BESIDE = "_.- "
"""What stands between a channel's word and the rest of a name."""


def channel_groups(found: Sequence[Found], words: Sequence[str]) -> list[tuple[PurePath, list[Found]]]:
    """The files of each image, in the order of its channels.

    A channel's file has that channel's word in its name, and no other's: case1_flair.nii.gz and case1_t1.nii.gz of one folder are
    two channels of case1, and case_flair_1.nii.gz is of another image than case_1_t1.nii.gz. A file of no channel, of several,
    or one of two for the same channel stands alone; an image that lacks a channel has fewer. All these are refused when they are
    read, for the number of their channels.

    Args:
        found: files that are not DICOM. words: one a channel, such as "flair", "t1"; none where a file is an image.

    Returns:
        what the image is named after, and its files; of a file that stands alone its place.
    """
    groups: dict[tuple[PurePath, int], dict[int, list[Found]]] = defaultdict(lambda: defaultdict(list))
    alone: list[Found] = []
    for one in found:
        channels = [(number, at) for number, word in enumerate(words) if (at := _pattern(word).search(one.place.name))]
        if len(channels) == 1:
            ((channel, at),) = channels
            groups[_without(one.place, words[channel]), at.start()][channel].append(one)
        else:
            alone.append(one)
    images, taken = [], Counter(place for place, _ in groups)
    for (place, _), files in groups.items():
        if taken[place] > 1 or any(len(same) > 1 for same in files.values()):  # two images that could not be told apart
            alone += [one for same in files.values() for one in same]
        else:
            images.append((place, [files[channel][0] for channel in sorted(files)]))
    return images + [(one.place, [one]) for one in alone]


def _pattern(word: str) -> re.Pattern[str]:
    """The word between separators, whatever its letters' case: "t1" is not in "t1ce"."""
    return re.compile(rf"(?:^|[{re.escape(BESIDE)}]){re.escape(word)}(?=$|[{re.escape(BESIDE)}])", re.IGNORECASE)


def _without(place: PurePath, word: str) -> PurePath:
    """The place without the word and the separator before it; of flair.nii.gz alone that of its folder, with the extension."""
    left = _pattern(word).sub("", place.name, count=1)
    if left[:1] in ("", "."):
        return place.with_name(f"{place.parent.name or 'image'}{left}")
    return place.with_name(left.lstrip(BESIDE))
