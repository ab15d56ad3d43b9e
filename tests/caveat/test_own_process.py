"""Processes that the program starts run its own code, whatever lies in the folder that it was started in."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

import caveat
from caveat.own_process import command, environment

HOME = Path(caveat.__file__).parent


@pytest.mark.parametrize("module", ["caveat", "caveat.run.worker"])
def test_a_file_among_the_images_is_not_imported(module, tmp_path):
    """A folder of data is often the current one, and Python looks there first for a module that is started with -m."""
    for name in ("argparse", "logging", "threading", "torch", "caveat"):
        (tmp_path / f"{name}.py").write_text("open('it_was_run', 'w')")
    started = [*command(module), *(["--version"] if module == "caveat" else [])]
    answer = subprocess.run(started, cwd=tmp_path, env=environment(), stdin=subprocess.DEVNULL, capture_output=True)
    assert answer.returncode == 0, answer.stderr
    assert not (tmp_path / "it_was_run").exists()


def test_no_other_place_starts_a_python():
    """`sys.executable` stands in `own_process.py`; the server of MONAI Label is told its folder."""
    using = {
        path.relative_to(HOME).as_posix()
        for path in HOME.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "executable"
    }
    assert using == {"own_process.py", "monai_label/server.py"}
