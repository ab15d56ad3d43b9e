"""Labels that annotators saved in a MONAI Label datastore, and which of them may serve a promise."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from caveat.reasons import StudyRefused

from ..transforms.study.inspect_study import inspect_study
from .annotation_journal import SAVED, SERVED, SHOWN, Event, read_journal

DATASTORE = "datastore_v2.json"
FINAL = "final"
AT_RANDOM = {"random": "random", "first": "consecutive"}
"""Strategies that look at no image, and what an audit calls them: a draw, and the order of the datastore."""

AFTER_OURS = "its label was saved after a mask of ours was shown"
BY_DOUBT = "it was served because a network was unsure of it"
LEFT_OVER = "it was served after such images: what they left is no random choice"
CHOSEN = "it was not served by the strategy random or first, so nobody knows how it was chosen"


@dataclass(frozen=True)
class Annotated:
    """One image with its label.

    Args:
        name: in the datastore. image: a file, or the folder of a DICOM series. label: file.
        why_not: serve a promise; "" if it may. drawn: how the image was, "" where nobody knows.
    """

    name: str
    image: Path
    label: Path
    why_not: str
    drawn: str


def annotated(folder: Path) -> list[Annotated]:
    """The images with a final label, in the order in which these were saved; before them those of which nobody knows it.

    Args:
        folder: of the datastore, as `caveat label` served it.

    Raises:
        StudyRefused: WRONG_USAGE where it is no datastore; what an image is refused with whose mask may have been shown.
    """
    try:
        stored = json.loads((folder / DATASTORE).read_text(encoding="utf-8"))
        objects, labels = stored["objects"], folder / _plain(stored.get("labels_dir", "labels")) / FINAL
        extensions = {
            _plain(name): (_plain(one["image"].get("ext", "")), _plain(one["labels"][FINAL].get("ext", "")))
            for name, one in objects.items()
            if FINAL in one.get("labels", {})
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise StudyRefused("WRONG_USAGE", f"the folder has no {DATASTORE} that can be read") from None
    journal = read_journal(folder)
    saved = {one.image: place for place, one in enumerate(journal) if one.event == SAVED}
    by = {one.image: one.by for one in reversed(journal) if one.event == SERVED}
    found = []
    for name, (of_image, of_label) in sorted(extensions.items(), key=lambda one: (saved.get(one[0], -1), one[0])):
        image, label, drawn = folder / f"{name}{of_image}", labels / f"{name}{of_label}", AT_RANDOM.get(by.get(name, ""), "")
        found.append(Annotated(name, image, label, why_not(name, image, journal), drawn))
    return found


def _plain(name: str) -> str:
    """Raises: ValueError: a name, or the ending of one, that leads out of its folder."""
    if name and PurePath(f"a{name}").name != f"a{name}" or name == "..":
        raise ValueError("a place in another folder")
    return name


def why_not(name: str, image: Path, journal: Sequence[Event]) -> str:
    """Why a label may serve no record and no audit: the choice of the image, or what its annotator had seen; "" if it may."""
    served = [place for place, one in enumerate(journal) if one.event == SERVED and one.image == name]
    by_doubt = [place for place, one in enumerate(journal) if one.event == SERVED and one.by not in AT_RANDOM]
    if any(place in by_doubt for place in served):
        return BY_DOUBT
    if not served:
        return CHOSEN
    if by_doubt and by_doubt[0] < served[0]:
        return LEFT_OVER
    shown = [place for place, one in enumerate(journal) if one.event == SHOWN and one.image == name]
    elsewhere = [place for place, one in enumerate(journal) if one.event == SHOWN and not one.image]
    if elsewhere:  # the same image, sent by a viewer as a file
        sha256 = inspect_study(image).sha256
        shown += [place for place in elsewhere if journal[place].sha256 == sha256]
    saved = [place for place, one in enumerate(journal) if one.event == SAVED and one.image == name]
    return AFTER_OURS if shown and (not saved or min(shown) < saved[-1]) else ""
