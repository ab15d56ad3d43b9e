"""A JPEG is decoded once a scan: their number is counted before any is."""

from __future__ import annotations

from functools import cache
from io import BytesIO

import numpy as np
import pytest
from phantoms import picture_bytes
from PIL import Image
from pydicom.uid import JPEGBaseline8Bit

from caveat.reasons import StudyRefused
from caveat.transforms.checks.jpeg_scans import MARK, scans_and_end
from caveat.transforms.dicom import stored_values
from caveat.transforms.dicom.pixel_layout import PixelLayout
from caveat.transforms.study.inspect_study import inspect_study

PIXELS = np.random.default_rng(0).integers(0, 256, (40, 48), dtype=np.uint8)


@pytest.mark.parametrize("options,scans", [({}, 1), ({"progressive": True}, 6), ({"restart_marker_blocks": 1}, 1)])
def test_scans_are_counted_up_to_the_end(options, scans):
    data = picture_bytes(PIXELS, "JPEG", **options)
    assert scans_and_end(data) == (scans, len(data))
    assert scans_and_end(data + b"more \xff\xd9") == (scans, len(data))
    assert scans_and_end(data[:-2]) == (scans, len(data) - 2)


def test_a_thumbnail_in_a_segment_is_no_part_of_the_picture():
    tags = Image.Exif()
    tags[37510] = picture_bytes(PIXELS, "JPEG")
    data = picture_bytes(PIXELS, "JPEG", exif=tags)
    assert scans_and_end(data) == (1, len(data))


@cache
def many_scans():
    """A JPEG of 105 scans, 4000 x 4000 pixels."""
    file = BytesIO()
    Image.new("L", (4000, 4000)).save(file, "JPEG", progressive=True)
    data, start = file.getvalue(), file.getvalue().rindex(b"\xff\xda")
    return data[:start] + data[start:-2] * 100 + data[-2:]


def test_a_frame_of_very_many_scans_is_refused_before_it_is_decoded(monkeypatch):
    layout = PixelLayout(JPEGBaseline8Bit, 4000, 4000, 1, bits_allocated=8, bits_stored=8, signed=False)
    monkeypatch.setattr(stored_values, "_decompress", lambda *_: pytest.fail("it is decoded"))
    with pytest.raises(StudyRefused, match="TOO_LARGE: 105 scans of 16000000 pixels"):
        stored_values.decode(many_scans(), layout)


def test_a_picture_of_very_many_scans_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    (tmp_path / "picture.jpg").write_bytes(many_scans())
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda self: pytest.fail("it is decoded"))
    with pytest.raises(StudyRefused, match="TOO_LARGE: 105 scans of 16000000 pixels"):
        inspect_study(tmp_path / "picture.jpg")


def test_marks_are_found_in_one_pass():
    """Fill bytes and stuffed ones, of which a hostile file may hold only such, match nothing and are looked at once."""
    assert not MARK.search(b"\xff" * 10_000 + b"\x00\xff\x00\xff\xd0" * 10_000)
    assert MARK.pattern.count(b"+") == MARK.pattern.count(b"*") == 0
