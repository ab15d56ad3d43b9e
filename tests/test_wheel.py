"""The wheel holds everything: bundles, weights, templates."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from phantoms import write_fundus

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.slow
def test_an_installed_wheel_predicts_from_another_folder(tmp_path):
    subprocess.run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path), str(ROOT)], check=True)
    (wheel,) = tmp_path.glob("caveat-*.whl")
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(site)
    assert not [name for name in names if name.startswith(("tests/", "data_lists/", "benchmarks/"))]
    write_fundus(tmp_path / "eye.png")
    command = [
        sys.executable,
        "-P",
        "-m",
        "caveat",
        "predict",
        "retinal_vessels",
        "-i",
        "eye.png",
        "-o",
        "out",
        "--sampler",
        "single",
    ]
    environment = {**os.environ, "PYTHONPATH": str(site)}
    answer = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines()[-1].startswith("1 measured")
    where = subprocess.run(
        [sys.executable, "-P", "-c", "import caveat; print(caveat.__file__)"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert Path(where.stdout.strip()).is_relative_to(site)
