"""The wheels hold everything: bundles, weights, templates; and what is for research only is in the second."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from configparser import ConfigParser
from pathlib import Path

import pytest
from phantoms import write_fundus

import caveat

ROOT = Path(__file__).resolve().parent.parent
RESEARCH = ROOT / "bundles" / "_research_only"
MAY_NOT_BE_PASSED_ON = re.compile("research use only|-NC-")
MAKEFILE = re.search(r"^RESEARCH_ONLY = (.*)$", (ROOT / "Makefile").read_text(), re.M)


def bundles() -> dict[str, str]:
    """Name of each bundle and what it says of its weights' licence."""
    metadata = sorted(ROOT.glob("bundles/[!_]*/configs/metadata.json"))
    return {path.parent.parent.name: json.loads(path.read_text())["weights_license"] for path in metadata}


RESEARCH_ONLY = {name for name, licence in bundles().items() if MAY_NOT_BE_PASSED_ON.search(licence)}


def test_what_is_for_research_only_is_told_apart_in_one_way():
    assert RESEARCH_ONLY and bundles().keys() > RESEARCH_ONLY
    assert set(MAKEFILE[1].split()) == RESEARCH_ONLY
    settings = ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    left_out = settings["options.exclude_package_data"]["caveat.bundles"].split()
    assert {line.split("/")[0] for line in left_out} - {"_*"} == RESEARCH_ONLY
    expression = settings["metadata"]["license_expression"]
    assert "NC" not in expression and "Research" not in expression
    assert "License ::" not in settings["metadata"]["classifiers"]  # which an index refuses beside an expression
    listed = settings["metadata"]["license_files"].split()
    licences = {path.parent.name for pattern in listed for path in ROOT.glob(pattern) if path.parent != ROOT}
    assert licences and not licences & RESEARCH_ONLY


def test_the_second_wheel_is_of_the_same_version():
    project = tomllib.loads((RESEARCH / "pyproject.toml").read_text())["project"]
    assert project["version"] == caveat.__version__ and project["dependencies"] == [f"caveat=={caveat.__version__}"]
    assert all(name in (RESEARCH / "README.md").read_text() for name in RESEARCH_ONLY)


def test_the_page_of_the_package_leads_nowhere_that_is_not_there():
    assert not re.findall(r"\]\((?!https://)", (ROOT / "docs" / "package.md").read_text())


def unpacked(source: Path, wheels: Path, site: Path) -> set[str]:
    """Build a wheel and lay it out. Returns: the bundles in it."""
    subprocess.run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(wheels), str(source)], check=True)
    (wheel,) = wheels.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(site)
    assert not [name for name in names if name.startswith(("tests/", "data_lists/", "benchmarks/"))]
    return {name.split("/")[-3] for name in names if name.endswith("configs/metadata.json")}


@pytest.mark.slow
def test_an_installed_wheel_predicts_from_another_folder(tmp_path):
    site = tmp_path / "site"
    assert unpacked(ROOT, tmp_path / "wheels", site) == bundles().keys() - RESEARCH_ONLY
    write_fundus(tmp_path / "eye.png")
    environment = {**os.environ, "PYTHONPATH": str(site)}

    def run(*command: str) -> str:
        answer = subprocess.run([sys.executable, "-P", *command], cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    said = run("-m", "caveat", "predict", "retinal_vessels", "-i", "eye.png", "-o", "out", "--sampler", "single")
    assert said.splitlines()[-1].startswith("1 measured")
    assert Path(run("-c", "import caveat; print(caveat.__file__)").strip()).is_relative_to(site)
    assert "tumour_volume" not in run("-m", "caveat", "info")

    package = tmp_path / "research" / "caveat_research_bundles"  # as `make wheels` lays it out
    shutil.copytree(RESEARCH, package.parent)
    for name in RESEARCH_ONLY:
        shutil.copytree(ROOT / "bundles" / name, package / name)
    shutil.copy(ROOT / "bundles" / "__init__.py", package)
    assert unpacked(tmp_path / "research", tmp_path / "more", site) == RESEARCH_ONLY
    assert "tumour_volume" in run("-m", "caveat", "info")
    assert (site / "caveat_research_bundles" / "tumour_volume" / "models" / "model.pt").is_file()
