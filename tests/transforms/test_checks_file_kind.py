"""Files of other types are named."""

from __future__ import annotations

import bz2
import lzma

import pytest
from phantoms import nifti_bytes

from caveat.cli import main
from caveat.transforms.checks.file_kind import is_foreign_image, refusal_of

HEADS = {
    "DICOM": b"\0" * 128 + b"DICM",
    "HDF5, or MINC: mnc2nii IN.mnc OUT.nii": b"\x89HDF\r\n\x1a\n",
    "WebP": b"RIFF\x10\0\0\0WEBPVP8 ",
    "BMP": b"BM\x10\0",
    "bzip2": bz2.compress(nifti_bytes()),
    "xz": lzma.compress(nifti_bytes()),
    "Zstandard": b"\x28\xb5\x2f\xfd",
    "Netpbm other than binary grey or colour": b"P2 2 1 255 3 4",
}
OF_NO_IMAGE = ("BMP", "bzip2", "xz", "Zstandard", "Netpbm other than binary grey or colour")
"""Whose mark is short, or that of any compressed file."""


@pytest.mark.parametrize(("name", "head"), HEADS.items(), ids=HEADS.keys())
def test_a_foreign_file_is_named(name, head):
    refusal = refusal_of(head)
    assert refusal.code == "UNSUPPORTED_FILE_TYPE"
    assert refusal.found == name
    assert is_foreign_image(head) == (name not in OF_NO_IMAGE)


@pytest.mark.parametrize("head", [b"", b"D", b"text", b"\0" * 200])
def test_anything_else_is_no_image(head):
    assert refusal_of(head).code == "NOT_AN_IMAGE"
    assert not is_foreign_image(head)


def test_a_volume_that_is_compressed_otherwise_is_not_passed_over(tmp_path, capsys):
    for ending, pack in ((".bz2", bz2.compress), (".xz", lzma.compress)):
        (tmp_path / f"volume.nii{ending}").write_bytes(pack(nifti_bytes()))
    assert main(["check", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "UNSUPPORTED_FILE_TYPE: bzip2" in said and "UNSUPPORTED_FILE_TYPE: xz" in said
