"""Which label belongs to which image: by their names."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from caveat.reasons import StudyRefused

ENDINGS = re.compile(r"(\.nii|\.nrrd|\.mha|\.mhd|\.png|\.tiff?|\.jpe?g|\.csv)?(\.gz)?$", re.IGNORECASE)
SEPARATORS = "_.- "
CHANNEL = re.compile(r"_00\d\d")
"""The number by which nnU-Net tells the channels of an image, at the end of its name; four digits alone may be a year."""
NUMBER = re.compile(r"\d+(?!\d|st|nd|rd|th)", re.IGNORECASE)
"""Of a patient or a visit; 1st and 2nd are raters."""


def stem_of(path: Path) -> str:
    """The name without its extension: "case_1" of case_1.nii.gz."""
    return ENDINGS.sub("", path.name)


def pair(images: Sequence[Path], labels: Mapping[str, Sequence[Path]]) -> list[list[Path]]:
    """The labels of each image, one a rater.

    A label belongs to the image of the same name; else to the one image whose name and its own are alike up to a separator:
    case_1_0000 and case_1, case_1 and case_1_mask. A number behind the separator is another patient's, or another visit's: case_1
    and case_1_2 are no pair. Nor are two whose folders differ in a name that images and labels both have, such as s1/a and s2/a;
    images/s1/a and labels/s1/a are one.

    Args:
        images: files, or folders of DICOM studies.
        labels: a rater's files, by rater.

    Raises:
        StudyRefused: NO_TRUTH where an image has no label of a rater, or several, or one that is another image's too.
    """
    above = _above([*images, *(file for files in labels.values() for file in files)])
    common = [_folders(images, above) & _folders(files, above) for files in labels.values()]
    found = [[_of(image, files, above, names) for files, names in zip(labels.values(), common)] for image in images]
    lacking = [number for number, own in enumerate(found, start=1) if None in own]
    if lacking:
        raise StudyRefused(
            "NO_TRUTH",
            f"{len(lacking)} of {len(images)} images have no label of their name and folder, or several; "
            f"the first is number {lacking[0]}",
        )
    used = [Counter(of_rater) for of_rater in zip(*found)]
    shared = [number for number, own in enumerate(found, start=1) if any(count[label] > 1 for count, label in zip(used, own))]
    if shared:
        raise StudyRefused(
            "NO_TRUTH", f"{len(shared)} images would share their label with another; the first is number {shared[0]}"
        )
    return [[path for path in own if path is not None] for own in found]


def _above(paths: Sequence[Path]) -> int:
    """How many folders lie above all images and labels, whose names tell none apart."""
    return len(Path(os.path.commonpath([path.parent.absolute() for path in paths])).parts) if paths else 0


def _folders(paths: Sequence[Path], above: int) -> set[str]:
    return {name for folder in {path.parent for path in paths} for name in folder.absolute().parts[above:]} - {os.pardir}


def _of(image: Path, labels: Sequence[Path], above: int, common: set[str]) -> Path | None:
    """Args: above: see `_above`. common: names of folders that images and labels both have: by them patients and visits are
    told apart."""
    name, folders = stem_of(image), _in_common(image, above, common)
    exact = [label for label in labels if stem_of(label) == name and _in_common(label, above, common) == folders]
    alike = exact or [label for label in labels if _alike(name, stem_of(label)) and _in_common(label, above, common) == folders]
    return alike[0] if len(alike) == 1 else None


def _in_common(path: Path, above: int, common: set[str]) -> list[str]:
    return [name for name in path.parent.absolute().parts[above:] if name in common]


def _alike(image: str, label: str) -> bool:
    short, long = sorted((image, label), key=len)
    behind = long[len(short) :]
    is_channel = long == image and CHANNEL.fullmatch(behind)
    return long.startswith(short) and behind[:1] in SEPARATORS and (bool(is_channel) or not NUMBER.match(behind[1:]))
