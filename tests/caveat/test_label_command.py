"""What `caveat label` refuses before MONAI Label is loaded."""

from __future__ import annotations

import socket

import pytest

from caveat.cli import main


@pytest.fixture
def label(tmp_path, monkeypatch, capsys):
    (tmp_path / "scans").mkdir()
    monkeypatch.chdir(tmp_path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def call():
        status = main(["label", "--studies", "scans", "--bundles", "retinal_vessels", "--port", str(port)])
        return status, capsys.readouterr().err

    return call


@pytest.mark.parametrize("link", [False, True])
def test_settings_that_lie_among_the_images_are_not_taken(link, label, tmp_path):
    """MONAI Label reads a `.env` of the current folder: by it somebody's images would say which program it runs."""
    if link:
        (tmp_path / ".env").symlink_to(tmp_path / "nowhere")
    else:
        (tmp_path / ".env").write_text("MONAI_LABEL_APP_DIR=elsewhere\n")
    status, said = label()
    assert status == 2 and "WRONG_USAGE" in said and ".env" in said


def test_elsewhere_it_is_not_spoken_of(label, monkeypatch):
    monkeypatch.setattr("caveat.commands.label.find_spec", lambda name: None)
    status, said = label()
    assert status == 2 and ".env" not in said and "monailabel is not installed here" in said
