"""The tutorial of MONAI Label: every command of it, with the real server."""

from __future__ import annotations

import shutil

import pytest

pytest.importorskip("monailabel", reason="monailabel is not installed; make monai-label has an environment of its own for it")

from own_scans import lay_out
from test_tutorials import follow

pytestmark = [
    pytest.mark.monailabel,
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed"),
]


def test_monai_label_by_hand(shared_data, tmp_path, monkeypatch):
    lay_out(shared_data / "hippocampus", tmp_path)
    monkeypatch.delenv("CAVEAT_DATA", raising=False)
    follow("monai_label_by_hand.md", tmp_path)
