"""`caveat check`, in process and as users start it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from dicom_phantoms import clean_series, write
from phantoms import defective_files, fundus, picture_bytes, write_nifti

from caveat.cli import main
from caveat.reasons import REASONS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "eye.png").write_bytes(picture_bytes(fundus()[0]))
    write_nifti(tmp_path / "volume.nii.gz")
    for name, (data, _) in defective_files().items():
        place = tmp_path / "dicom" if name.endswith(".dcm") else tmp_path  # beside it nothing is named
        place.mkdir(exist_ok=True)
        (place / name).write_bytes(data)
    return tmp_path


def rows(text):
    """Lines of the table by the study's name."""
    table = text.split("\n\n")[0].splitlines()
    assert re.split(r"  +", table[0]) == ["number", "name", "series", "kind", "size (x, y, z)", "spacing (x, y, z)", "verdict"]
    return {line.split()[1]: line for line in table[1:]}


def test_a_folder_of_good_and_bad_files(folder, capsys):
    assert main(["check", str(folder)]) == 0
    out = capsys.readouterr().out
    table = rows(out)
    assert len(table) == 2 + len(defective_files())
    assert "picture  190 x 180, 3 channels" in table["eye"]
    assert table["eye"].split("3 channels")[1].split() == ["unknown:", "pixels", "ok,", "NO_PIXEL_SPACING"]
    assert table["volume"].endswith("0.9 x 1.2 x 2.5 mm (NIfTI header)  ok")
    assert f"2 can be read, {len(defective_files())} refused" in out
    for code in {code for _, code in defective_files().values()}:
        assert f"{code}: {REASONS[code].meaning}\n  {REASONS[code].what_to_do}" in out
    assert str(folder) not in out


def test_a_line_for_each_series_of_a_study_and_no_word_of_its_files(tmp_path, capsys):
    write(clean_series(modality="MR") + clean_series(series=2)[:-1:2], tmp_path / "Doe^Jane")
    assert main(["check", str(tmp_path), "--key", str(tmp_path.parent / "key")]) == 0
    out = capsys.readouterr().out
    first, second = out.splitlines()[1:3]
    assert first.split("  ")[0:2] == ["1", ""] and "study-0001  1       dicom MR axial" in first
    assert first.endswith("0.9 x 1.2 x 2.5 mm (DICOM slice positions)  ok")
    assert "dicom CT axial" in second and second.endswith("ok, GAPPED_ACQUISITION")
    assert "Doe" not in out
    assert (tmp_path.parent / "key" / "key.csv").read_text().splitlines()[1] == "1,study-0001,Doe^Jane"


@pytest.mark.parametrize(("name", "code"), [(name, code) for name, (_, code) in defective_files().items()])
def test_each_verdict_is_its_code(name, code, folder, capsys):
    (file,) = folder.rglob(name)
    assert main(["check", str(file)]) == 0
    assert f"  {code}: " in capsys.readouterr().out.splitlines()[1]


def test_options(folder, capsys):
    assert main(["check", str(folder / "eye.png"), "--spacing", "0.5,0.25"]) == 0
    assert "0.25 x 0.5 mm (stated by the user)" in capsys.readouterr().out
    assert main(["check", str(folder / "nowhere.nii.gz"), "--assume-orientation", "--anonymous-names"]) == 0
    out = capsys.readouterr().out
    assert "study-0001" in out
    assert "ok, ORIENTATION_ASSUMED" in out
    assert "nowhere" not in out


def test_a_failure_that_nobody_foresaw_is_one_line(folder, capsys, monkeypatch):
    def fail(*_):
        raise RuntimeError(f"something in {folder}")

    monkeypatch.setattr("caveat.transforms.readers.picture.read_picture", fail)
    assert main(["check", str(folder / "eye.png")]) == 0
    captured = capsys.readouterr()
    assert "UNEXPECTED_ERROR: RuntimeError" in captured.out
    assert str(folder) not in captured.out + captured.err


def test_explain(capsys):
    assert main(["check", "--explain", "affine_conflict"]) == 0
    out = capsys.readouterr().out
    assert out == f"AFFINE_CONFLICT: {REASONS['AFFINE_CONFLICT'].meaning}\n\nhint: {REASONS['AFFINE_CONFLICT'].what_to_do}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["check"],
        ["check", ".", "--explain", "TRUNCATED"],
        ["check", "--explain", "NO_SUCH_CODE"],
        ["check", ".", "--spacing", "wide"],
        ["check", ".", "--spacing", "0"],
        ["check", "absent/folder"],
    ],
)
def test_wrong_usage_is_status_2_in_one_line(arguments, capsys):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("caveat: ")
    assert "Traceback" not in captured.err


def test_it_loads_no_torch(folder):
    code = f"import sys; from caveat.cli import main; main(['check', {str(folder)!r}]); sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_it_works_without_a_standard_error_stream(folder):
    code = f"import sys; from caveat.cli import main; sys.exit(main(['check', {str(folder / 'eye.png')!r}]))"
    command = f'"{sys.executable}" -c "{code}" 2>&-'
    done = subprocess.run(["/bin/sh", "-c", command], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0
    assert "1 can be read" in done.stdout
