"""From folders of images and masks to the entries of a data list."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from caveat.reasons import StudyRefused

from ..transforms.study.discover import find_studies
from ..transforms.study.inspect_study import inspect_study
from ..transforms.study.search import begins_like_dicom, is_unpacked, search
from .pairs import pair


def images_in(folder: Path, channels: Sequence[str] = ()) -> list[Path | list[Path]]:
    """A file, a folder of one DICOM study, the files of one that shares its folder, or a file a channel; in the order of their
    places.

    Args:
        channels: see `find_studies`.

    Raises:
        StudyRefused: UNREADABLE_FOLDER, NO_INPUT_FOUND; WRONG_USAGE for what lies in an archive.
    """
    images = [_place(study["image"]) for study in find_studies(folder, channels=channels)]
    _refuse_unpacked([_first(image) for image in images])
    return images


def labels_in(folder: Path) -> list[Path]:
    """The files of one rater. Raises: StudyRefused: UNREADABLE_FOLDER; WRONG_USAGE for what lies in an archive."""
    labels = [found.path for found in search(folder) if not found.is_dicom]
    _refuse_unpacked(labels)
    return labels


def _refuse_unpacked(paths: Sequence[Path]) -> None:
    """A list must not name files of a folder that is gone when the command ends."""
    if any(is_unpacked(path) for path in paths):
        raise StudyRefused("WRONG_USAGE", "a list names files that stay where they are: unpack archives first")


def points_in(folder: Path) -> list[Path]:
    """Tables of landmarks, in the order of their places."""
    return sorted(folder.rglob("*.csv"))


def entries_of(
    images: Sequence[Path | list[Path]],
    raters: Sequence[Sequence[Path]],
    units: Sequence[str],
    root: Path,
    points: Sequence[Path] | None = None,
) -> list[dict[str, Any]]:
    """An entry for each image, with the labels of all raters, and the table that holds all raters' landmarks.

    Args:
        images: see `images_in`. raters: files of each. units: of each image. root: what the entries' paths start from.
        points: tables of landmarks.

    Raises:
        StudyRefused: NO_TRUTH; whatever an image is refused with, as the list would be of no use.
    """
    names = [_first(image) for image in images]
    labels = pair(names, {str(number): files for number, files in enumerate(raters)})
    tables = pair(names, {} if points is None else {"points": points})
    entries = []
    for image, own, table, unit in zip(images, labels, tables, units, strict=True):
        stated: dict[str, Any] = {"image": _relative(image, root)}
        stated |= {"label": [_relative(label, root) for label in own]} if own else {}
        stated |= {"points": _relative(table[0], root)} if table else {}
        entries.append(stated | {"unit": unit, "sha256": inspect_study(image).sha256})
    return entries


def name_of(image: Path | list[Path], folder: Path) -> str:
    """An image's name below its folder: what a unit is found in."""
    return Path(os.path.relpath(_first(image), folder)).as_posix()


def _place(image: str | list[str]) -> Path | list[Path]:
    if isinstance(image, str):
        return Path(image)
    files = [Path(path) for path in image]
    folder = files[0].parent
    if not begins_like_dicom(files[0]):
        return files
    alone = {path.parent for path in files} == {folder} and {one.path for one in search(folder)} == set(files)
    return folder if alone else files


def _first(image: Path | list[Path]) -> Path:
    """What an image is named after: DICOM files say nothing by their names, of channels the first counts."""
    if isinstance(image, Path):
        return image
    return image[0].parent if begins_like_dicom(image[0]) else image[0]


def _relative(path: Path | list[Path], root: Path) -> Any:
    return Path(os.path.relpath(path, root)).as_posix() if isinstance(path, Path) else [_relative(one, root) for one in path]
