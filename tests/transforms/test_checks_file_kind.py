"""Files of other types are named."""

from __future__ import annotations

import pytest

from caveat.transforms.checks.file_kind import is_foreign_image, refusal_of

HEADS = {
    "DICOM": b"\0" * 128 + b"DICM",
    "HDF5 or MINC": b"\x89HDF\r\n\x1a\n",
    "WebP": b"RIFF\x10\0\0\0WEBPVP8 ",
    "BMP": b"BM\x10\0",
}


@pytest.mark.parametrize(("name", "head"), HEADS.items(), ids=HEADS.keys())
def test_a_foreign_file_is_named(name, head):
    refusal = refusal_of(head)
    assert refusal.code == "UNSUPPORTED_FILE_TYPE"
    assert refusal.found == name
    assert is_foreign_image(head) == (name != "BMP")


@pytest.mark.parametrize("head", [b"", b"D", b"text", b"\0" * 200])
def test_anything_else_is_no_image(head):
    assert refusal_of(head).code == "NOT_AN_IMAGE"
    assert not is_foreign_image(head)
