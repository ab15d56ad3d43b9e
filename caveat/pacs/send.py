"""The objects of a run, into an archive."""

from __future__ import annotations

from pathlib import Path

from ..exit_status import RunFailed
from ..transforms.output.listed_studies import listed_run
from ..transforms.output.study_seal import NAME as SEAL
from ..transforms.output.study_seal import StudySeal, file_sha256
from .archive import Archive


def objects_of(run: Path) -> list[Path]:
    """The DICOM objects of a run's studies, as they were written: what somebody changed or put beside them is not sent, nor is
    the study of another run.

    Raises:
        StudyRefused: WRONG_USAGE for a folder that is no run.
        RunFailed: files of a study are not what its seal says.
    """
    found = []
    for study in listed_run(run).studies:
        folder = run / study["name"]
        seal = StudySeal.read(folder)
        if seal is None or not any(name.endswith(".dcm") for name in seal.files):
            continue
        sealed = study.get("files", file_sha256(folder / SEAL))  # of a run that came to its end
        if seal.number != study["number"] or sealed != file_sha256(folder / SEAL) or not seal.holds(folder):
            raise RunFailed("files of a study have been changed since they were written; nothing is sent")
        found += [folder / name for name in sorted(seal.files) if name.endswith(".dcm")]
    return found


def send(run: Path, archive: Archive) -> int:
    """Push a run's objects. A second time changes nothing: an object's identifier is made of its content.

    Returns:
        how many were sent.
    """
    return archive.store(objects_of(run))
