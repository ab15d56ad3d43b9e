"""`caveat fetch-demo`: the photograph that scikit-image carries, and nothing of the user's replaced."""

from __future__ import annotations

from pathlib import Path

import skimage

from caveat.cli import main
from caveat.commands import fetch_demo
from caveat.exit_status import ExitStatus

PHOTOGRAPH = Path(skimage.__file__).parent / "data" / "retina.jpg"


def test_the_photograph_is_written_and_may_be_written_again(tmp_path, capsys):
    folder = tmp_path / "new" / "demo"
    for _ in range(2):
        assert main(["fetch-demo", str(folder)]) == ExitStatus.OK
        assert capsys.readouterr().out == f"{folder / 'retina.jpg'}: {fetch_demo.ORIGIN}\n"
    assert [path.name for path in folder.iterdir()] == ["retina.jpg"]
    assert (folder / "retina.jpg").read_bytes() == PHOTOGRAPH.read_bytes()


def test_another_file_of_that_name_is_left_alone(tmp_path, capsys):
    own = tmp_path / "retina.jpg"
    own.write_bytes(b"of a patient")
    assert main(["fetch-demo", str(tmp_path)]) == ExitStatus.USAGE
    assert "OUTPUT_OCCUPIED" in capsys.readouterr().err and own.read_bytes() == b"of a patient"


def test_no_link_is_followed(tmp_path):
    (tmp_path / "there").write_bytes(PHOTOGRAPH.read_bytes())
    (tmp_path / "retina.jpg").symlink_to(tmp_path / "there")
    assert main(["fetch-demo", str(tmp_path)]) == ExitStatus.USAGE


def test_a_file_in_place_of_the_folder_is_wrong_usage(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert main(["fetch-demo", str(tmp_path / "file")]) == ExitStatus.USAGE
    assert "OUTPUT_NOT_WRITABLE" in capsys.readouterr().err


def test_a_package_that_is_not_there_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(fetch_demo, "PACKAGE", "no_such_package")
    assert main(["fetch-demo", str(tmp_path)]) == ExitStatus.USAGE
    assert "scikit-image is not installed" in capsys.readouterr().err
