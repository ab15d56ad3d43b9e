"""The notebook runs from its first cell to its last."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from caveat.bundle_folders import CONFIG_HOME

NOTEBOOK = Path(__file__).resolve().parent.parent / "docs" / "your_network.ipynb"


@pytest.mark.slow
def test_every_cell_runs(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv(CONFIG_HOME, str(tmp_path))  # the notebook changes it, and this gives it back
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    cells = [cell for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == "code"]
    names: dict[str, Any] = {}
    for cell in cells:
        exec("".join(cell["source"]), names)
    assert "Lesion: " in capsys.readouterr().out and "<iframe" in names["result"]._repr_html_()
    assert names["logits"].shape == (4, 1, 2, 24, 24, 16) and (names["folder"] / "my_network" / "docs" / "README.md").is_file()
