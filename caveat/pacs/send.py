"""The objects of a run, into an archive."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..exit_status import RunFailed
from ..transforms.output.listed_studies import listed_run
from ..transforms.output.study_seal import NAME as SEAL
from ..transforms.output.study_seal import StudySeal, file_sha256
from .archive import Archive


def objects_of(run: Path) -> list[Path]:
    """The DICOM objects of a run's studies, as they were written: all of them, and nothing that somebody put beside them.

    Raises:
        StudyRefused: WRONG_USAGE for a folder that is no run.
        RunFailed: a study is not done, or its files are not what its seal says, or of another run.
    """
    listed, found = listed_run(run), []
    missing = [study for study in listed.studies if not os.path.lexists(run / study["name"])]
    if missing and not any("files" in study for study in missing):
        raise RunFailed(f"{len(missing)} of {len(listed.studies)} studies are not done: resume the run; nothing is sent")
    for study in listed.studies:
        folder = run / study["name"]
        seal = StudySeal.read(folder)
        if seal is None or not _is_of(seal, study, listed.identity, folder):
            raise RunFailed("files of a study are gone, or changed since they were written, or of another run; nothing is sent")
        found += [folder / name for name in sorted(seal.files) if name.endswith(".dcm")]
    return found


def _is_of(seal: StudySeal, study: Mapping[str, Any], run: str, folder: Path) -> bool:
    """Whether a study's folder is as this run wrote it. Args: study: as run.json lists it. run: its identity."""
    try:
        sealed = file_sha256(folder / SEAL)
    except OSError:
        return False
    of_the_run = (seal.number, seal.run) == (study["number"], run) and sealed == study.get("files", sealed)
    return of_the_run and seal.holds(folder)


def send(run: Path, archive: Archive) -> int:
    """Push a run's objects. A second time changes nothing: an object's identifier is made of its content.

    Returns:
        how many were sent.
    """
    return archive.store(objects_of(run))
