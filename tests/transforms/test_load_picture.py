"""Pictures: read with every stored bit, or refused with a reason. Numbers are those of the list of hostile cases."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
import tifffile
from phantoms import fundus, picture_bytes, png_chunk, raw_png
from PIL import Image

from caveat.reasons import StudyRefused
from caveat.transforms.image.study_image import HEAD_BYTES, Stated
from caveat.transforms.readers.reader import all_readers
from caveat.transforms.study.inspect_study import inspect_study

RGB = fundus(60, 72)[0]
GREY = RGB[..., 1]
DEEP = (RGB.astype(np.uint16) * 257) ^ np.arange(72, dtype=np.uint16)[:, None]
"""16 bits a channel, of which the lower are not the upper ones again."""


def tiff(pixels, **options):
    file = BytesIO()
    tifffile.imwrite(file, pixels, **options)
    return file.getvalue()


def read_picture(data):
    return read(data).voxels


def read(data, *spacing_mm):
    (reader,) = [reader for reader in all_readers() if reader.recognises(data[:HEAD_BYTES])]
    return reader.read(BytesIO(data), len(data), Stated(spacing_mm))


def refusal(data):
    with pytest.raises(StudyRefused) as caught:
        read_picture(data)
    return caught.value.code


def quantised():
    """A palette picture and its colours."""
    palette = Image.fromarray(RGB).quantize(64)
    return palette, np.asarray(palette.convert("RGB"))


def interlaced():
    """Seven passes by hand: Pillow does not write them."""
    pixels = np.arange(35, dtype=np.uint8).reshape(5, 7)
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    parts = [pixels[row::down, column::right] for row, column, down, right in passes]
    content = zlib.compress(b"".join(b"\0" + line.tobytes() for part in parts if part.size for line in part))
    header = struct.pack(">IIBBBBB", 7, 5, 8, 0, 0, 0, 1)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", content) + png_chunk(b"IEND", b"")


def colour_map(colours):
    """A palette TIFF of `GREY`. Args: colours: (3, 256)."""
    return tiff(GREY, photometric="palette", colormap=colours.astype(np.uint16))


INTERLACED = interlaced()
MAP = np.random.default_rng(0).integers(0, 2**16, (3, 256), dtype=np.uint16)
PALETTE, COLOURS = quantised()
SAME = {
    "interlaced PNG": (INTERLACED, np.arange(35, dtype=np.uint8).reshape(5, 7)),
    "grey PNG": (picture_bytes(GREY), GREY),
    "RGB PNG": (picture_bytes(RGB), RGB),
    "RGB GIF": (picture_bytes(PALETTE, "GIF"), COLOURS),
    "RGB PPM": (picture_bytes(RGB, "PPM"), RGB),
    "16-bit PNG of which 12 are significant": (raw_png(DEEP[..., :1] >> 4, 0, png_chunk(b"sBIT", b"\x0c")), DEEP[..., 0] >> 4),
    "palette PNG of 4 bits": (picture_bytes(Image.fromarray(RGB).quantize(16), bits=4), None),
    "bilevel PNG": (picture_bytes(Image.fromarray(GREY > 60)), GREY > 60),
    "opaque alpha": (picture_bytes(Image.fromarray(RGB).convert("RGBA")), RGB),
    "opaque grey alpha": (picture_bytes(Image.fromarray(GREY).convert("LA")), GREY),
    "colour key that no pixel has": (raw_png(RGB, 2, png_chunk(b"tRNS", struct.pack(">3H", 255, 0, 255))), RGB),
    "TIFF": (tiff(RGB, photometric="rgb"), RGB),
    "TIFF, deflate": (tiff(RGB, photometric="rgb", compression="zlib"), RGB),
    "TIFF, LZW": (picture_bytes(RGB, "TIFF", compression="tiff_lzw"), RGB),
    "TIFF, tiled": (tiff(RGB, photometric="rgb", tile=(32, 32)), RGB),
    "TIFF, planes": (tiff(np.moveaxis(RGB, -1, 0), photometric="rgb", planarconfig="separate"), RGB),
    "TIFF, 16-bit RGB": (tiff(DEEP, photometric="rgb"), DEEP),
    "TIFF, 16-bit RGB, big endian": (tiff(DEEP, photometric="rgb", byteorder=">"), DEEP),
    "TIFF, 16-bit RGB, deflate": (tiff(DEEP, photometric="rgb", compression="zlib"), DEEP),
    "TIFF, 16-bit RGB, deflate, big endian": (tiff(DEEP, photometric="rgb", compression="zlib", byteorder=">"), DEEP),
    "TIFF, 16-bit RGB, predictor": (tiff(DEEP, photometric="rgb", compression="zlib", predictor=True), DEEP),
    "TIFF, 16-bit grey": (tiff(DEEP[..., 0]), DEEP[..., 0]),
    "TIFF, 16-bit grey, big endian": (tiff(DEEP[..., 0], byteorder=">"), DEEP[..., 0]),
    "TIFF, 16-bit grey, big endian, deflate": (tiff(DEEP[..., 0], byteorder=">", compression="zlib"), DEEP[..., 0]),
    "TIFF, float": (tiff(DEEP[..., 0].astype(np.float32) / 7), DEEP[..., 0].astype(np.float32) / 7),
    "TIFF, signed 16": (tiff(DEEP[..., 0].astype(np.int16)), DEEP[..., 0].astype(np.int16)),
    "TIFF, unsigned 32": (tiff(DEEP[..., 0].astype(np.uint32) << 16), DEEP[..., 0].astype(np.uint32) << 16),
    "TIFF, opaque alpha": (tiff(np.dstack([RGB, np.full_like(GREY, 255)]), photometric="rgb", extrasamples=["unassalpha"]), RGB),
    "JPEG named anything": (picture_bytes(RGB, "JPEG"), np.asarray(Image.open(BytesIO(picture_bytes(RGB, "JPEG"))))),
    "TIFF, signed 8": (tiff(GREY.view(np.int8)), GREY.view(np.int8)),
    "TIFF, signed 8, deflate": (tiff(GREY.view(np.int8), compression="zlib"), GREY.view(np.int8)),
    **{
        f"TIFF, {dtype}, big endian, deflate": (tiff(DEEP[..., 0].astype(dtype), byteorder=">", compression="zlib"), signed)
        for dtype, signed in (("int16", DEEP[..., 0].astype(np.int16)), ("int32", DEEP[..., 0]), ("float32", DEEP[..., 0]))
    },
    "TIFF, colours of 16 bits": (colour_map(MAP), MAP[:, GREY].transpose(1, 2, 0)),
    "TIFF, colours of 8 bits in the higher byte": (colour_map(MAP & 0xFF00), MAP[:, GREY].transpose(1, 2, 0) >> 8),
    "TIFF, colours of 8 bits in both bytes": (colour_map((MAP >> 8) * 257), MAP[:, GREY].transpose(1, 2, 0) >> 8),
    "TIFF, colours of 8 bits in the lower byte": (colour_map(MAP >> 8), MAP[:, GREY].transpose(1, 2, 0) >> 8),
    "TIFF, greys of 16 bits": (colour_map(MAP[[0, 0, 0]]), MAP[0][GREY]),
    "60 resolution in dpi": (picture_bytes(RGB, dpi=(300, 300)), RGB),
}
SAME_56 = {
    "16-bit grey PNG": (picture_bytes(DEEP[..., 0]), DEEP[..., 0]),
    "16-bit RGB PNG": (raw_png(DEEP, 2), DEEP),
    "16-bit RGB PNG with opaque alpha": (raw_png(np.dstack([DEEP, np.full_like(DEEP[..., 0], 65535)]), 6), DEEP),
    "palette PNG": (picture_bytes(PALETTE), COLOURS),
    "palette PNG of greys": (picture_bytes(Image.fromarray(GREY // 64 * 64).convert("P")), GREY // 64 * 64),
    "TIFF, white is zero": (tiff(255 - GREY, photometric="miniswhite"), GREY),
    "TIFF, white is zero, deflate": (tiff(255 - GREY, photometric="miniswhite", compression="zlib"), GREY),
    "TIFF, white is zero, 16 bits": (tiff(65535 - DEEP[..., 0], photometric="miniswhite"), DEEP[..., 0]),
    "TIFF, white is zero, 16 bits, deflate": (
        tiff(65535 - DEEP[..., 0], photometric="miniswhite", compression="zlib"),
        DEEP[..., 0],
    ),
    "TIFF, white is zero, bilevel": (tiff(GREY <= 60, photometric="miniswhite"), GREY > 60),
}


@pytest.mark.parametrize(("data", "expected"), SAME.values(), ids=SAME.keys())
def test_a_picture_is_read_with_every_stored_bit(data, expected):
    assert_whole(data, expected)


@pytest.mark.parametrize(("data", "expected"), SAME_56.values(), ids=SAME_56.keys())
def test_56_the_same_picture_in_another_form_is_the_same_array(data, expected):
    assert_whole(data, expected)


def numbered(table, number):
    """The rows of a table that belong to one case of the list of hostile cases."""
    rows = {name: row for name, row in table.items() if name.startswith(f"{number} ")}
    return pytest.mark.parametrize(("data", "code"), rows.values(), ids=rows.keys())


def assert_whole(data, expected):
    """Every stored bit. Args: expected: the pixels; None takes the colours that Pillow gives."""
    voxels = read_picture(data)
    if expected is None:
        expected = np.asarray(Image.open(BytesIO(data)).convert("RGB"))
    assert voxels.dtype == np.float32
    assert voxels.flags.c_contiguous
    np.testing.assert_array_equal(voxels, np.moveaxis(np.atleast_3d(expected), -1, 0).astype(np.float32))


@pytest.mark.parametrize("bits", [2, 4])
def test_grey_values_of_few_bits_are_not_stretched(bits):
    labels = (GREY // 20).clip(0, 2**bits - 1)
    packed = np.zeros((60, 72 * bits // 8), np.uint8)
    for shift in range(8 // bits):
        packed |= labels[:, shift :: 8 // bits] << (8 - bits * (shift + 1))
    header = struct.pack(">IIBBBBB", 72, 60, bits, 0, 0, 0, 0)
    content = zlib.compress(b"".join(b"\0" + line.tobytes() for line in packed))
    data = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", content) + png_chunk(b"IEND", b"")
    np.testing.assert_array_equal(read_picture(data)[0], labels)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_56_a_picture_stands_upright(form, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    blocks = np.kron(GREY[:6, :8] // 3 + np.arange(48, dtype=np.uint8).reshape(6, 8) * 3, np.ones((16, 16), np.uint8))
    plain = read_picture(picture_bytes(blocks, form))[0]
    back = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}[orientation]
    methods = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
    stored = Image.fromarray(blocks)
    stored = stored.transpose(methods[back]) if back > 1 else stored
    upright = read_picture(picture_bytes(stored, form, exif=exif.tobytes()))[0]
    np.testing.assert_allclose(upright, plain, atol=3 if form == "JPEG" else 0)


def test_56_sixteen_bits_stand_upright_too():
    exif = Image.Exif()
    exif[274] = 6
    data = raw_png(np.rot90(DEEP), 2, png_chunk(b"eXIf", exif.tobytes()[6:]))
    np.testing.assert_array_equal(read_picture(data), np.moveaxis(DEEP, -1, 0))


def half_clear(pixels):
    alpha = np.full(pixels.shape[:2], 255, np.uint8)
    alpha[10:20] = 128
    return np.dstack([pixels, alpha])


def jpeg():
    return picture_bytes(RGB, "JPEG", quality=90)


def jpeg_cut_at_restart():
    data = picture_bytes(RGB, "JPEG", restart_marker_blocks=4)
    return data[: data.index(b"\xff\xd2")] + b"\xff\xd9"


def tiff_of_more_rows():
    """The directory says 60 rows, its one strip holds 20, and enough bytes follow it in the file."""
    data = tiff(RGB[:20], photometric="rgb", metadata=None, software=False)
    tag = data.index(struct.pack("<HHI", 257, 4, 1))
    return data[: tag + 8] + struct.pack("<I", 60) + data[tag + 12 :] + bytes(20_000)


def without_bits():
    """A TIFF of 8 bits of whose directory the entry that says so became one that nobody knows."""
    data = tiff(GREY, metadata=None, software=False)
    return data.replace(struct.pack("<HHI", 258, 3, 1), struct.pack("<HHI", 65001, 3, 1), 1)


def animated(form):
    return picture_bytes(Image.fromarray(RGB), form, save_all=True, append_images=[Image.fromarray(255 - RGB)])


def key_in_use():
    return raw_png(RGB, 2, png_chunk(b"tRNS", struct.pack(">3H", *(int(value) for value in RGB[30, 30]))))


def with_wrong_checksum():
    data = bytearray(picture_bytes(RGB))
    data[-14] ^= 1
    return bytes(data)


def palette_with_alpha():
    return picture_bytes(PALETTE, transparency=bytes([255] * 10 + [0] * 40))


def short_pixels():
    return raw_png(RGB[:20], 2, size=(60, 72))


def palette_cut():
    """Pixels of colours up to 63, of which the palette has 32."""
    colours = Image.open(BytesIO(picture_bytes(PALETTE))).palette.palette
    whole, kept = (b"PLTE" + bytes(colours[:length]) for length in (None, 96))
    chunks = [struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in (whole, kept)]
    return picture_bytes(PALETTE).replace(*chunks)


REFUSED = {
    "57 CMYK JPEG": (picture_bytes(Image.fromarray(RGB).convert("CMYK"), "JPEG"), "UNSUPPORTED_PIXEL_FORMAT"),
    "57 CMYK TIFF": (picture_bytes(Image.fromarray(RGB).convert("CMYK"), "TIFF"), "UNSUPPORTED_PIXEL_FORMAT"),
    "57 LAB TIFF": (picture_bytes(Image.fromarray(RGB).convert("LAB"), "TIFF"), "UNSUPPORTED_PIXEL_FORMAT"),
    "57 16-bit RGB TIFF in planes": (
        tiff(np.moveaxis(DEEP, -1, 0), photometric="rgb", planarconfig="separate", compression="zlib"),
        "UNSUPPORTED_PIXEL_FORMAT",
    ),
    "57 four channels, one of unknown meaning": (
        tiff(np.dstack([RGB, GREY]), photometric="rgb", extrasamples=["unspecified"]),
        "UNSUPPORTED_PIXEL_FORMAT",
    ),
    "57 double TIFF": (tiff(GREY.astype(np.float64)), "UNSUPPORTED_PIXEL_FORMAT"),
    "57 16-bit grey with alpha": (raw_png(DEEP[..., :2], 4), "UNSUPPORTED_PIXEL_FORMAT"),
    "57 alpha": (picture_bytes(Image.fromarray(half_clear(RGB))), "HAS_TRANSPARENCY"),
    "57 grey alpha": (picture_bytes(Image.fromarray(half_clear(GREY), "LA")), "HAS_TRANSPARENCY"),
    "57 16-bit alpha": (raw_png(np.dstack([DEEP, DEEP[..., 0]]), 6), "HAS_TRANSPARENCY"),
    "57 colour key in use": (key_in_use(), "HAS_TRANSPARENCY"),
    "57 palette with alpha": (palette_with_alpha(), "HAS_TRANSPARENCY"),
    "57 multi-page TIFF": (tiff(np.stack([GREY, GREY]), photometric="minisblack"), "MULTI_PAGE"),
    "57 animated GIF": (animated("GIF"), "MULTI_PAGE"),
    "57 animated PNG": (animated("PNG"), "MULTI_PAGE"),
    "57 several JPEG": (animated("MPO"), "MULTI_PAGE"),
    "57 a JPEG behind another": (jpeg() + b"\n" + jpeg(), "MULTI_PAGE"),
    "57 a PNG behind another": (picture_bytes(RGB) + picture_bytes(RGB), "MULTI_PAGE"),
    "57 a GIF behind another": (picture_bytes(PALETTE, "GIF") * 2, "MULTI_PAGE"),
    "57 a JPEG behind a PNG": (picture_bytes(RGB) + jpeg(), "MULTI_PAGE"),
    "58 truncated JPEG": (jpeg()[:-400], "TRUNCATED"),
    "58 JPEG cut, with an end mark put behind": (jpeg()[:-400] + b"\xff\xd9", "TRUNCATED"),
    "58 JPEG with restart marks, cut at one": (jpeg_cut_at_restart(), "TRUNCATED"),
    "58 progressive JPEG cut, with an end mark": (picture_bytes(RGB, "JPEG", progressive=True)[:-200] + b"\xff\xd9", "TRUNCATED"),
    "58 TIFF without its number of bits, which then are one": (without_bits(), "SIZE_MISMATCH"),
    "58 TIFF that declares more rows than it holds": (tiff_of_more_rows(), "TRUNCATED"),
    "58 JPEG cut, an end mark and more put behind": (jpeg()[:-400] + b"\xff\xd9 and more", "TRUNCATED"),
    "58 JPEG cut in its header": (jpeg()[:100], "TRUNCATED"),
    "58 colours that are not in the palette": (palette_cut(), "CORRUPT"),
    "58 truncated PNG": (picture_bytes(RGB)[:-400], "TRUNCATED"),
    "58 PNG without its end": (picture_bytes(RGB)[:-12], "TRUNCATED"),
    "58 PNG with fewer rows than declared": (short_pixels(), "TRUNCATED"),
    "58 truncated TIFF": (picture_bytes(RGB, "TIFF")[:-400], "TRUNCATED"),
    "58 truncated TIFF, deflate": (picture_bytes(RGB, "TIFF", compression="tiff_lzw")[:-400], "TRUNCATED"),
    "58 bad checksum": (with_wrong_checksum(), "CORRUPT"),
    "58 PNG without pixels": (picture_bytes(RGB)[:33] + png_chunk(b"IEND", b""), "CORRUPT"),
    "59 bomb of 120 Mpixel": (raw_png(RGB[:1], 2, size=(10_000, 12_000)), "TOO_LARGE"),
    "59 bomb of 1600 Mpixel": (raw_png(RGB[:1], 2, size=(40_000, 40_000)), "TOO_LARGE"),
}


@numbered(REFUSED, 57)
def test_57_what_is_no_single_opaque_picture_of_grey_or_rgb_is_refused(data, code):
    assert refusal(data) == code


@numbered(REFUSED, 58)
def test_58_a_damaged_picture_is_refused(data, code):
    assert refusal(data) == code


@numbered(REFUSED, 59)
def test_59_a_bomb_is_refused(data, code):
    assert refusal(data) == code


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_picture_with_a_pixel_that_is_no_finite_number_is_refused(value):
    assert refusal(tiff(np.where(GREY > 60, value, 1.0).astype(np.float32))) == "NON_FINITE_VOXELS"


def test_60_resolution_is_not_spacing(tmp_path):
    for form in ("PNG", "JPEG", "TIFF"):
        path = tmp_path / "picture"
        path.write_bytes(picture_bytes(RGB, form, dpi=(300, 300)))
        found = inspect_study(path)
        assert found.kind == "picture"
        assert found.image.spacing_mm is None
        assert found.image.spacing_source == ""
        assert found.image.flags == ("NO_PIXEL_SPACING",)
        np.testing.assert_array_equal(found.image.affine, np.eye(4))


def test_stated_spacing_is_named_as_such(tmp_path):
    path = tmp_path / "picture.png"
    path.write_bytes(picture_bytes(RGB))
    image = inspect_study(path, Stated((0.5, 0.25))).image
    assert image.spacing_mm == (0.5, 0.25)
    assert image.spacing_source == "stated by the user"
    assert image.flags == ()
    np.testing.assert_array_equal(np.diag(image.affine), [0.5, 0.25, 1, 1])
    with pytest.raises(StudyRefused, match="STATED_SPACING_MISMATCH"):
        inspect_study(path, Stated((1.0, 1.0, 1.0)))
    with pytest.raises(ValueError, match="above zero"):
        Stated((0.0, 1.0))


def test_pillow_is_left_as_it_was():
    before = Image.MAX_IMAGE_PIXELS
    read_picture(picture_bytes(RGB))
    with pytest.raises(StudyRefused):
        read_picture(picture_bytes(RGB)[:-400])
    assert before == Image.MAX_IMAGE_PIXELS
