"""Files that are there whole or not at all, whoever else writes or has put something there."""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from caveat.reasons import StudyRefused
from caveat.transforms.files.folder_lock import folder_locked
from caveat.transforms.files.whole_file import write_text
from caveat.transforms.output.journal import Journal


@contextmanager
def disk_of(size: int) -> Iterator[None]:
    """No file may grow beyond so many bytes: a disk that gets full."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def test_no_link_in_a_folder_of_somebody_else_is_followed(tmp_path):
    """A name that can be told beforehand can be taken by a link to a file of the user's."""
    (tmp_path / "mine").write_text("ten years")
    (tmp_path / "out").mkdir()
    for name in ("x.json", f".x.json.{os.getpid()}.partial"):
        (tmp_path / "out" / name).symlink_to(tmp_path / "mine")
    write_text(tmp_path / "out" / "x.json", "{}")
    assert (tmp_path / "mine").read_text() == "ten years"
    assert (tmp_path / "out" / "x.json").read_text() == "{}" and not (tmp_path / "out" / "x.json").is_symlink()


def test_a_line_that_the_disk_does_not_take_leaves_no_half(tmp_path):
    journal = Journal.open(tmp_path / "journal.jsonl")
    journal.write({"study": 1})
    before = (tmp_path / "journal.jsonl").read_bytes()
    with disk_of(len(before) + 10), pytest.raises(StudyRefused, match="OUTPUT_NOT_WRITABLE"):
        journal.write({"study": 2})
    assert (tmp_path / "journal.jsonl").read_bytes() == before
    journal.write({"study": 3})
    journal.close()
    lines = (tmp_path / "journal.jsonl").read_text().splitlines()
    assert [json.loads(line)["study"] for line in lines] == [1, 3]


def test_a_state_is_replaced_whole_and_its_folder_stays_held(tmp_path):
    place = tmp_path / "state.json"
    held = Journal.open(place)
    held.replace("one")
    with pytest.raises(StudyRefused, match="OUTPUT_OF_ANOTHER_RUN"):
        Journal.open(place)
    with disk_of(10), pytest.raises(StudyRefused, match="OUTPUT_NOT_WRITABLE"):
        held.replace("two" * 1000)
    assert place.read_text() == "one" and [path.name for path in tmp_path.iterdir()] == ["state.json"]
    held.replace("three")
    held.close()
    assert place.read_text() == "three"
    Journal.open(place).close()


def _count(folder: Path) -> None:
    for _ in range(50):
        with folder_locked(folder):
            write_text(folder / "count", str(int((folder / "count").read_text()) + 1))


def test_what_two_processes_change_in_a_folder_is_not_lost(tmp_path):
    (tmp_path / "count").write_text("0")
    counting = [multiprocessing.get_context("fork").Process(target=_count, args=(tmp_path,)) for _ in range(2)]
    for one in counting:
        one.start()
    for one in counting:
        one.join()
    assert (tmp_path / "count").read_text() == "100"
