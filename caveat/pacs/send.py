"""The objects of a run, into an archive."""

from __future__ import annotations

from pathlib import Path

from ..exit_status import RunFailed
from ..reasons import StudyRefused
from ..transforms.output.study_seal import StudySeal
from .archive import Archive


def objects_of(run: Path) -> list[Path]:
    """The DICOM objects of a run's studies, as they were written: what somebody changed or put beside them is not sent.

    Raises:
        StudyRefused: WRONG_USAGE for a folder that is no run.
        RunFailed: files of a study are not what its seal says.
    """
    if not (run / "run.json").is_file():
        raise StudyRefused("WRONG_USAGE", "this folder is not the output of caveat predict")
    found = []
    for folder in sorted(path for path in run.iterdir() if path.is_dir() and not path.name.startswith(".")):
        seal = StudySeal.read(folder)
        names = sorted(name for name in seal.files if name.endswith(".dcm")) if seal else []
        if names and seal and not seal.holds(folder):
            raise RunFailed("files of a study have been changed since they were written; nothing is sent")
        found += [folder / name for name in names]
    return found


def send(run: Path, archive: Archive) -> int:
    """Push a run's objects. A second time changes nothing: an object's identifier is made of its content.

    Returns:
        how many were sent.
    """
    return archive.store(objects_of(run))
