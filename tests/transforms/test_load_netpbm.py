"""PGM and PPM: levels as they are stored, one picture a file."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from caveat.reasons import StudyRefused
from caveat.transforms.study.inspect_study import inspect_study

GREY = np.arange(6 * 8, dtype=np.uint8).reshape(6, 8)
COLOUR = np.dstack([GREY, GREY + 1, GREY + 2])
DEEP = (GREY.astype(np.int64) * 80 + 7).astype(">u2")
P5 = b"P5\n8 6\n255\n" + GREY.tobytes()


def read(data, tmp_path):
    (tmp_path / "picture").write_bytes(data)
    return inspect_study(tmp_path / "picture").image.voxels


@pytest.mark.parametrize(
    "data,pixels",
    [
        (P5, GREY),
        (b"P6 8 6 255\n" + COLOUR.tobytes(), COLOUR),
        (b"P5\n# a word\n8 6\n# another\n255\n" + GREY.tobytes() + b"\n", GREY),
        (b"P5 8 6 63 " + GREY.tobytes(), GREY),
        (b"P5\n8 6\n4095\n" + DEEP.tobytes(), DEEP),
        (b"P5\r\n8\t6\n65535\n" + DEEP.tobytes(), DEEP),
    ],
    ids=["grey", "colour", "comments", "63 levels", "12 bits", "16 bits"],
)
def test_levels_are_those_stored(data, pixels, tmp_path):
    np.testing.assert_array_equal(read(data, tmp_path), np.moveaxis(np.atleast_3d(pixels), -1, 0))


def test_pillow_reads_the_same_of_255_levels(tmp_path):
    np.testing.assert_array_equal(read(P5, tmp_path)[0], np.asarray(Image.open(BytesIO(P5))))


@pytest.mark.parametrize(
    "data,code",
    [
        (P5 + P5, "MULTI_PAGE"),
        (P5 + b"\nP6 1 1 255\nabc", "MULTI_PAGE"),
        (P5 + b"more", "SIZE_MISMATCH"),
        (P5[:-1], "TRUNCATED"),
        (b"P5\r\n8 6\r\n255\r\n" + GREY[::-1].tobytes().replace(b"\0", b"\n"), "SIZE_MISMATCH"),
        (b"P5 8 6 40 " + GREY.tobytes(), "CORRUPT"),
        (b"P5 8 6 0 " + GREY.tobytes(), "CORRUPT"),
        (b"P5 8 6 70000 " + DEEP.tobytes(), "CORRUPT"),
        (b"P5 0 6 255 ", "CORRUPT"),
        (b"P5 40000 40000 255 ", "TOO_LARGE"),
        (b"P2 2 1 255 3 4", "UNSUPPORTED_FILE_TYPE"),
        (b"Pf\n2 1\n-1.0\n" + bytes(8), "UNSUPPORTED_FILE_TYPE"),
    ],
)
def test_what_is_no_one_whole_picture_is_refused(data, code, tmp_path):
    with pytest.raises(StudyRefused) as caught:
        read(data, tmp_path)
    assert caught.value.code == code
