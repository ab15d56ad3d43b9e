"""Which files are studies: a folder searched through, or a data list."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from caveat.reasons import StudyRefused

from .checks.file_kind import FOREIGN_EXTENSIONS, is_foreign_image
from .data_list import read_part
from .reader import HEAD_BYTES, all_readers
from .study_name import StudyNames, anonymous_name

DATA_ROOT = "../shared/data"
"""Where a data list's paths start from, unless CAVEAT_DATA says otherwise."""


def find_studies(path: str | Path, anonymous: bool = False) -> list[dict[str, Any]]:
    """The studies of a file or a folder, in the order of their paths.

    Every regular file that is named like an image or begins like one is a study, even where it can only be refused; what is
    neither (notes, tables), hidden or a link is passed over. Subfolders that may not be read are studies too, to be refused:
    none is lost in silence.

    Args:
        path: a file, or a folder that is searched through.
        anonymous: number the studies instead of naming them after their files.

    Returns:
        Entries {"image": path, "name": of the result's folder, "number": from 1}.

    Raises:
        StudyRefused: UNREADABLE_FOLDER, NO_INPUT_FOUND.
    """
    path = Path(path)
    if not os.path.exists(path):  # False, where Path.exists raises
        raise StudyRefused("UNREADABLE_FOLDER")
    if not path.is_dir():
        return _entries([{"image": str(path)}], anonymous)
    unreadable: list[Path] = []
    found: list[Path] = []
    for folder, folders, files in os.walk(path, onerror=lambda error: unreadable.append(Path(error.filename))):
        folders[:] = [name for name in folders if not _is_hidden(name)]
        found += [Path(folder, name) for name in files if not _is_hidden(name) and _is_study(Path(folder, name))]
    if path in unreadable:
        raise StudyRefused("UNREADABLE_FOLDER")
    if not found and not unreadable:
        raise StudyRefused("NO_INPUT_FOUND")
    ordered = sorted([*found, *unreadable], key=lambda file: file.relative_to(path).parts)
    return _entries([{"image": str(file)} for file in ordered], anonymous)


def studies_from_list(
    list_file: str | Path, part: str, data_root: str | Path | None = None, anonymous: bool = False
) -> list[dict[str, Any]]:
    """The studies of one part of a data list, in its order.

    Args:
        list_file: JSON in MONAI's form, {part: [{"image": path, "sha256": ..., ...}, ...], ...}.
        part: such as "test".
        data_root: folder that the list's paths start from; by default that in the environment's CAVEAT_DATA, else ../shared/data.
        anonymous: number the studies instead of naming them after their files.

    Returns:
        Entries as of `find_studies`, with "sha256" where the list has it: `LoadStudyd` refuses a file that is another one.

    Raises:
        StudyRefused: WRONG_USAGE where the list cannot be read or has no such part, NO_INPUT_FOUND where the part is empty.
    """
    root = Path(data_root if data_root is not None else os.environ.get("CAVEAT_DATA", DATA_ROOT))
    listed = read_part(Path(list_file), part, ("image",))
    if not listed:
        raise StudyRefused("NO_INPUT_FOUND", "this part of the list is empty")
    studies = []
    for entry in listed:
        sha256 = {"sha256": str(entry["sha256"])} if entry.get("sha256") else {}
        studies.append({"image": str(root / entry["image"])} | sha256)
    return _entries(studies, anonymous)


def _entries(studies: Iterable[dict[str, Any]], anonymous: bool) -> list[dict[str, Any]]:
    """Add name and number."""
    names = StudyNames()
    return [
        {**study, "name": anonymous_name(number) if anonymous else names.of(Path(study["image"])), "number": number}
        for number, study in enumerate(studies, start=1)
    ]


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _is_study(file: Path) -> bool:
    """Whether a file is named like an image, or begins like one.

    Links may lead out of the folder or back into it; devices and FIFOs may never answer.
    """
    if file.is_symlink() or not file.is_file():
        return False
    if file.name.lower().endswith((*FOREIGN_EXTENSIONS, *(ending for reader in all_readers() for ending in reader.extensions))):
        return True
    try:
        with file.open("rb") as opened:
            head = opened.read(HEAD_BYTES)
    except OSError:  # it is not named like an image either, so no study is lost
        return False
    return is_foreign_image(head) or any(reader.recognises(head) for reader in all_readers())
