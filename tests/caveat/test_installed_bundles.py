"""Packages that bring bundles are looked up and not run, and one that is broken keeps no other from being found."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from caveat.bundle_folders import find_bundle, shipped_bundles
from caveat.reasons import StudyRefused

ROOT = Path(__file__).resolve().parents[2]
MARKED = "import pathlib; pathlib.Path(__file__).with_name('it_was_run').touch()\n"


def installed(site: Path, module: str, files: dict[str, str]) -> Path:
    """A folder of packages with one that names a module as its bundles. Returns: it."""
    about = site / "theirs-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[caveat.bundles]\ntheirs = {module}\n")
    for name, text in files.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text)
    return site


PACKAGES = {
    "a package": ("theirs", {"theirs/__init__.py": MARKED}, True),
    "a folder alone": ("theirs", {}, True),
    "one within a package that raises": ("above.theirs", {"above/__init__.py": "raise RuntimeError"}, False),
    "a module": ("single", {"single.py": MARKED}, False),
    "dots": ("...", {}, False),
    "nothing": ("", {}, False),
}


@pytest.mark.parametrize("kind", PACKAGES)
def test_what_installed_packages_bring(kind, tmp_path, monkeypatch):
    module, files, found = PACKAGES[kind]
    before = set(shipped_bundles())
    monkeypatch.syspath_prepend(installed(tmp_path, module, files | {"theirs/rare_organ/configs/metadata.json": "{}"}))
    assert set(shipped_bundles()) - before == ({"rare_organ"} if found else set())
    assert set(shipped_bundles()) >= before and not list(tmp_path.rglob("it_was_run"))


def test_a_name_that_two_packages_have_is_nobodys(tmp_path, monkeypatch):
    """The first one's numbers would stand under the name of the other."""
    monkeypatch.syspath_prepend(installed(tmp_path, "theirs", {"theirs/nuclei_count/configs/metadata.json": "{}"}))
    with pytest.raises(StudyRefused, match="WRONG_USAGE: 2 installed packages have a bundle of this name: give its folder"):
        find_bundle("nuclei_count")
    for folder in (tmp_path / "theirs" / "nuclei_count", shipped_bundles()["nuclei_count"]):
        assert find_bundle(str(folder)).samefile(folder)


def test_a_folder_of_data_brings_none(tmp_path):
    """Started in it, as the command and as a worker are."""
    installed(tmp_path, "theirs", {"theirs/__init__.py": MARKED, "theirs/rare_organ/configs/metadata.json": "{}"})
    code = "from caveat.cli import main; main(['info'])"
    started = [sys.executable, "-P", "-c", code]
    answer = subprocess.run(
        started, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
    )
    assert "retinal_vessels" in answer.stdout and "rare_organ" not in answer.stdout
    assert not list(tmp_path.rglob("it_was_run"))
