"""Pixels that a picture's resolution tags say are not square are not measured as squares."""

from __future__ import annotations

import struct
from io import BytesIO

import numpy as np
import pytest
from phantoms import picture_bytes, png_chunk, raw_png
from PIL import Image

from caveat.cli import main
from caveat.reasons import StudyRefused
from caveat.transforms.image.study_image import Stated
from caveat.transforms.study.inspect_study import inspect_study

GREY = np.arange(12 * 10, dtype=np.uint8).reshape(12, 10)


def jfif(across, down, unit):
    data = picture_bytes(GREY, "JPEG")
    return data[:13] + struct.pack(">BHH", unit, across, down) + data[18:]


def exif(across, down, orientation=1):
    tags = Image.Exif()
    tags[274], tags[282], tags[283] = orientation, float(across), float(down)
    return tags


def gif(aspect):
    data = bytearray(picture_bytes(GREY, "GIF"))
    data[12] = aspect
    return bytes(data)


def tiff(**options):
    file = BytesIO()
    Image.fromarray(GREY).save(file, "TIFF", **options)
    return file.getvalue()


TWICE_AS_HIGH = {
    "PNG, per metre": raw_png(GREY[..., None], 0, png_chunk(b"pHYs", struct.pack(">IIB", 8000, 4000, 1))),
    "PNG, a ratio": raw_png(GREY[..., None], 0, png_chunk(b"pHYs", struct.pack(">IIB", 2, 1, 0))),
    "PNG, EXIF": picture_bytes(GREY, exif=exif(200, 100)),
    "JFIF, a ratio": jfif(2, 1, 0),
    "JFIF, per inch": jfif(300, 150, 1),
    "JFIF, per cm": jfif(100, 50, 2),
    "JPEG, EXIF": picture_bytes(GREY, "JPEG", exif=exif(200, 100)),
    "JPEG, EXIF, lying on its side": picture_bytes(GREY, "JPEG", exif=exif(100, 200, orientation=6)),
    "TIFF": tiff(x_resolution=200.0, y_resolution=100.0, resolution_unit="inch"),
    "TIFF, lying on its side": tiff(tiffinfo={274: 6, 282: 100.0, 283: 200.0}),
    "GIF": gif(32 - 15),
}
SQUARE = {
    "PNG": picture_bytes(GREY, dpi=(300, 300)),
    "JFIF": jfif(1, 1, 0),
    "JFIF of nothing": jfif(0, 0, 0),
    "within rounding": jfif(299, 300, 1),
    "TIFF": tiff(x_resolution=300.0, y_resolution=300.0),
    "TIFF of one resolution": tiff(tiffinfo={282: 300.0}),
    "GIF": gif(64 - 15),
}


def spacing_of(data, tmp_path, *stated_mm):
    (tmp_path / "picture").write_bytes(data)
    try:
        return inspect_study(tmp_path / "picture", Stated(stated_mm)).image.spacing_mm
    except StudyRefused as refused:
        return refused.code


@pytest.mark.parametrize("data", TWICE_AS_HIGH.values(), ids=TWICE_AS_HIGH)
def test_pixels_twice_as_high_as_wide_are_read_with_a_spacing_of_that_shape_alone(data, tmp_path):
    for stated_mm in ((), (0.2,), (0.2, 0.2), (0.1, 0.2)):
        assert spacing_of(data, tmp_path, *stated_mm) == "NON_SQUARE_PIXELS"
    assert spacing_of(data, tmp_path, 0.2, 0.1) == (0.2, 0.1)


@pytest.mark.parametrize("data", SQUARE.values(), ids=SQUARE)
def test_equal_resolutions_say_nothing(data, tmp_path):
    assert spacing_of(data, tmp_path) is None
    assert spacing_of(data, tmp_path, 0.2) == (0.2, 0.2)
    assert spacing_of(data, tmp_path, 0.2, 0.1) == (0.2, 0.1)


def test_the_front_door_says_so(tmp_path, capsys):
    (tmp_path / "film.png").write_bytes(TWICE_AS_HIGH["PNG, per metre"])
    assert main(["check", str(tmp_path), "--spacing", "0.2"]) == 0
    assert "NON_SQUARE_PIXELS: their height is 2 times their width" in capsys.readouterr().out
