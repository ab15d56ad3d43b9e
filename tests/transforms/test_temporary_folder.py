"""What is unpacked goes with the process that unpacked it, or with the next one where that was killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from caveat.reasons import StudyRefused
from caveat.transforms.files.temporary_folder import LOCK, temporary_folder

UNPACKS = (
    "import os, signal, sys\n"
    "from caveat.transforms.files.temporary_folder import temporary_folder\n"
    "place = temporary_folder() / 'unpacked'\n"
    "place.mkdir()\n"
    "(place / 'a.png').write_text('')\n"
)


def left(folder: Path, then: str) -> list[str]:
    """A process unpacks a file into a temporary folder. Returns: names of what is in that once it has ended."""
    subprocess.run([sys.executable, "-c", UNPACKS + then], env=os.environ | {"TMPDIR": str(folder)}, check=False)
    return sorted(path.name for path in folder.iterdir())


def test_it_goes_when_the_process_ends(tmp_path):
    assert left(tmp_path, "") == []
    assert left(tmp_path, "sys.exit(1)") == []


def test_what_a_killed_process_left_goes_with_the_next_one(tmp_path):
    (killed,) = left(tmp_path, "os.kill(os.getpid(), signal.SIGKILL)")
    assert list((tmp_path / killed).rglob("a.png"))
    assert left(tmp_path, "") == []


def test_what_is_in_use_or_somebody_elses_stays(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    temporary_folder.cache_clear()
    mine = temporary_folder()
    own = tmp_path / "caveat-results"  # of the user, who calls a folder so
    own.mkdir()
    (own / "thesis.txt").write_text("ten years")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / LOCK).write_text("")
    (tmp_path / "caveat-link").symlink_to(tmp_path / "elsewhere")
    assert left(tmp_path, "") == sorted([mine.name, "caveat-results", "elsewhere", "caveat-link"])
    assert (tmp_path / "elsewhere" / LOCK).is_file() and (mine / LOCK).is_file() and (own / "thesis.txt").is_file()
    temporary_folder.cache_clear()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "nowhere"))
    temporary_folder.cache_clear()
    with pytest.raises(StudyRefused, match="OUTPUT_NOT_WRITABLE.*TMPDIR") as refusal:
        temporary_folder()
    assert str(tmp_path) not in str(refusal.value)
    temporary_folder.cache_clear()
