"""key.csv: which number is which file, for the owner of the results alone."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from caveat.reasons import StudyRefused

from ..files.csv_cells import csv_bytes
from ..files.whole_file import unwritable, write_whole

NAME = "key.csv"
OWNER_ALONE = 0o600


def write_key(folder: Path | str, studies: Collection[Mapping[str, Any]]) -> None:
    """Write number, folder of the result, and place below the input of each study.

    The one file that says where a study came from; nothing else does, so that results can be passed on without it.

    Args:
        folder: of the run's results, made if it is not there.
        studies: entries of `find_studies`.

    Raises:
        StudyRefused: OUTPUT_NOT_WRITABLE; OUTPUT_OCCUPIED where a key of other studies is there.
    """
    path, content = Path(folder) / NAME, key_bytes(studies)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(path) and not (path.is_file() and path.read_bytes() == content):
            raise StudyRefused("OUTPUT_OCCUPIED", f"a {NAME} of other studies")
        write_whole(path, lambda aside: _write_for_the_owner(aside, content))
    except OSError as error:
        raise unwritable(error) from None


def _write_for_the_owner(path: Path, content: bytes) -> None:
    path.touch(OWNER_ALONE)
    path.write_bytes(content)


def key_bytes(studies: Collection[Mapping[str, Any]]) -> bytes:
    """What `write_key` writes."""
    # A name that is no text in any encoding must not end the run, and stays another than every other name.
    places = [str(study["place"]).encode(errors="backslashreplace").decode() for study in studies]
    rows = [(study["number"], study["name"], place) for study, place in zip(studies, places)]
    return csv_bytes(("number", "name", "place"), rows)
