"""Every command and every example of the tutorials, run from top to bottom, says what the page says."""

from __future__ import annotations

import doctest
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import pytest
from own_scans import lay_out

from caveat.transforms.study.discover import DATA_ROOT

ROOT = Path(__file__).resolve().parent.parent
TUTORIALS = ROOT / "docs" / "tutorials"
DATA = Path(os.environ.get("CAVEAT_DATA", DATA_ROOT)).resolve()
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROMPT, GOES_ON = "$ ", "> "


def commands(page: str) -> Iterator[tuple[str, str]]:
    """The commands of a page in their order, each with what it is said to print; "..." stands for anything.

    A command goes on in the lines below it that begin as a shell shows them, with "> ".
    """
    for block in CONSOLE.findall(page):
        for part in f"\n{block}".split(f"\n{PROMPT}")[1:]:
            first, *lines = part.splitlines()
            further = list(takewhile(lambda line: line.startswith(GOES_ON), lines))
            yield "\n".join([first, *(line.removeprefix(GOES_ON) for line in further)]), "\n".join([*lines[len(further) :], ""])


def follow(name: str, folder: Path) -> None:
    """Run a page in a folder as its reader does, in a shell whose `caveat` is this one."""
    (folder / "bin").mkdir()
    for program, call in (("caveat", "-m caveat"), ("python", "")):
        (folder / "bin" / program).write_text(f'#!/bin/sh\nexec "{sys.executable}" {call} "$@"\n')
        (folder / "bin" / program).chmod(0o755)
    paths = {"PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    script = []
    for command, _ in commands((TUTORIALS / name).read_text(encoding="utf-8")):
        script.append(f"{command}\nstatus=$?; [ $status = 0 ] || echo exit status $status\necho '--- end of a command'")
    run = subprocess.run(
        ["bash", "-c", "\n".join(script)], cwd=folder, env=os.environ | paths, capture_output=True, text=True, check=True
    )
    checker, flags = doctest.OutputChecker(), doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    said = run.stdout.split("--- end of a command\n")
    for (command, expected), got in zip(commands((TUTORIALS / name).read_text(encoding="utf-8")), said, strict=False):
        assert checker.check_output(expected, got, flags), f"$ {command}\n{got}\n{run.stderr}"


@pytest.mark.parametrize("name", ["what_an_interval_promises.md", "adding_a_sampler.md", "several_raters.md"])
def test_a_page_to_type_along_with(name):
    failed, tried = doctest.testfile(str(TUTORIALS / name), module_relative=False)
    assert tried > 15 and not failed


def test_the_commands_among_what_is_typed(tmp_path, monkeypatch):
    monkeypatch.delenv("CAVEAT_DATA", raising=False)
    follow("several_raters.md", tmp_path)


def test_a_command_that_says_something_else_is_noticed(tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    page.write_text("```console\n$ cat <<END\n> one\n> END\none\n$ false\nexit status 1\n$ echo two\nthree\n```\n")
    monkeypatch.setattr(sys.modules[__name__], "TUTORIALS", tmp_path)
    with pytest.raises(AssertionError, match="echo two"):
        follow("page.md", tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(not (DATA / "hippocampus_dicom").is_dir(), reason="the three series are not there")
def test_from_an_export_to_a_table(tmp_path):
    shutil.copytree(DATA / "hippocampus_dicom", tmp_path / "export", ignore=shutil.ignore_patterns("README.md"))
    follow("from_an_export_to_a_table.md", tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(not (DATA / "hippocampus").is_dir(), reason="the hippocampi are not there")
def test_a_record_of_your_own(tmp_path, monkeypatch):
    lay_out(DATA / "hippocampus", tmp_path)
    monkeypatch.delenv("CAVEAT_DATA", raising=False)
    follow("your_own_record.md", tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(not (DATA / "hippocampus").is_dir(), reason="the hippocampi are not there")
def test_a_night_on_a_cluster(tmp_path):
    pytest.importorskip("distributed")
    lay_out(DATA / "hippocampus", tmp_path)
    follow("a_night_on_a_cluster.md", tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(not (DATA / "chest_xray").is_dir(), reason="the chest films are not there")
def test_a_classifier_in_doubt(tmp_path):
    test = json.loads((ROOT / "data_lists" / "chest_xray.json").read_text(encoding="utf-8"))["test"]
    (tmp_path / "films").mkdir()
    for kind in ("pneumonia", "no finding"):
        for entry in [entry for entry in test if entry["class"] == kind][:3]:
            shutil.copy(DATA / entry["image"], tmp_path / "films")
    follow("a_classifier_in_doubt.md", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["from_images_and_masks_to_a_bundle.md", "landmarks_and_their_regions.md"])
def test_a_page_that_makes_its_own_images(name, tmp_path, monkeypatch):
    monkeypatch.delenv("CAVEAT_DATA", raising=False)
    follow(name, tmp_path)


@pytest.mark.slow
def test_from_a_network_to_an_interval(tmp_path, monkeypatch):
    monkeypatch.setenv(
        "XDG_CONFIG_HOME", str(tmp_path / "config")
    )  # the list of bundles that may run: the reader's own is left alone
    monkeypatch.delenv("CAVEAT_DATA", raising=False)
    follow("from_a_network_to_an_interval.md", tmp_path)
