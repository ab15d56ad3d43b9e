"""The steps of the Dockerfile, one by one, in an empty folder: there is no docker in the test's machine."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LINES = [line.split(maxsplit=1) for line in (ROOT / "Dockerfile").read_text().splitlines() if line and not line.startswith("#")]
NOT_HERE = ("useradd", "download.pytorch.org")
"""Steps that need root, or would bring the libraries that are here already."""


def test_it_installs_what_the_tests_pin_and_runs_as_nobody_special():
    assert LINES[0] == ["FROM", "python:3.11-slim"]
    (torch,) = (line for line in (ROOT / "constraints.txt").read_text().splitlines() if line.startswith("torch=="))
    assert any(torch in step for keyword, step in LINES if keyword == "RUN")
    assert [keyword for keyword, _ in LINES].index("USER") > max(i for i, (keyword, _) in enumerate(LINES) if keyword == "RUN")


@pytest.mark.slow
def test_its_steps_end_in_a_command_that_runs(tmp_path):
    build, home = tmp_path / "build", tmp_path / "opt"
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    for name in filter(None, tracked):
        (build / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, build / name)
    # The libraries of this environment stand in for those that the image would download.
    environment = {
        **os.environ,
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
        "PYTHONPATH": sysconfig.get_paths()["purelib"],
    }
    for keyword, step in LINES:
        if keyword == "RUN" and not any(word in step for word in NOT_HERE):
            step = step.replace("/opt/caveat", str(home)).replace("python -m venv", f"{shlex.quote(sys.executable)} -m venv")
            subprocess.run(step, shell=True, cwd=build, env=environment, check=True)
    entry = json.loads(LINES[-1][1])[0].replace("/opt/caveat", str(home))
    answer = subprocess.run([entry, "info"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert "hippocampus_volume" in answer.stdout
    where = subprocess.run(
        [home / "bin" / "python", "-c", "import caveat; print(caveat.__file__)"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert Path(where.stdout.strip()).is_relative_to(home)
