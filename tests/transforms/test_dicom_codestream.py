"""Compressed frames must be what the DICOM header says before a decoder is called."""

from __future__ import annotations

import dataclasses
import struct

import jpeg_ls
import numpy as np
import openjpeg.utils as openjpeg
import pytest
from dicom_grid import Grid, phantom
from dicom_phantoms import clean_series, encoded, enhanced_series, write
from lossless_jpeg import lossless_jpeg
from pydicom.encaps import encapsulate, encapsulate_extended, generate_frames
from pydicom.uid import JPEG2000, JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, RLELossless

from caveat.reasons import StudyRefused
from caveat.transforms.dicom.codestream import refuse_other_codestream
from caveat.transforms.dicom.frame import frames_of
from caveat.transforms.dicom.instance import read_instance
from caveat.transforms.dicom.pixel_layout import PixelLayout
from caveat.transforms.dicom.rle import decode_rle
from caveat.transforms.dicom.stored_values import decode, within_bits
from caveat.transforms.dicom.values import read_values

MARKED = (JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless)
"""Syntaxes whose frames say how large they are."""
GRID = Grid(shape=(40, 34, 1))


def compressed(syntax: str) -> bytes:
    """One frame of 34 rows, 40 columns, 12 bits in 16."""
    (header,) = clean_series(GRID)
    return next(generate_frames(encoded(header, syntax).PixelData, number_of_frames=1))


def layout(syntax: str, **changed: object) -> PixelLayout:
    found = PixelLayout(syntax, rows=34, columns=40, frames=1, bits_allocated=16, bits_stored=12, signed=False)
    return dataclasses.replace(found, **changed)


def code_of(data: bytes, found: PixelLayout) -> str:
    with pytest.raises(StudyRefused) as caught:
        refuse_other_codestream(data, found)
    return caught.value.code


@pytest.mark.parametrize("syntax", (*MARKED, RLELossless), ids=lambda uid: uid.name)
def test_a_frame_that_agrees_with_the_header_is_accepted(syntax):
    assert refuse_other_codestream(compressed(syntax), layout(syntax)) in (12, 16)


@pytest.mark.parametrize("syntax", MARKED, ids=lambda uid: uid.name)
@pytest.mark.parametrize(
    "changed", [{"rows": 35}, {"columns": 20}, {"bits_allocated": 8, "bits_stored": 8}, {"rows": 40, "columns": 34}]
)
def test_a_frame_of_another_size_is_refused(syntax, changed):
    assert code_of(compressed(syntax), layout(syntax, **changed)) == "CODESTREAM_MISMATCH"


def narrow(syntax: str, values: np.ndarray, bits: int) -> bytes:
    """One frame whose stream has so many bits. Args: values: (rows, columns), negative ones as two's complement."""
    stored = (values & (2**bits - 1)).astype("<u2" if bits > 8 else "u1")
    if syntax == JPEGLSLossless:
        shape = {"rows": values.shape[0], "columns": values.shape[1], "samples_per_pixel": 1, "bits_stored": bits}
        return bytes(jpeg_ls.encode_pixel_data(stored.tobytes(), **shape, lossy_error=0, interleave_mode=0))
    if syntax == JPEGLosslessSV1:
        return lossless_jpeg(stored, bits)
    return bytes(openjpeg.encode_array(stored, bits_stored=bits, photometric_interpretation=2, use_mct=False))


@pytest.mark.parametrize("syntax", MARKED, ids=lambda uid: uid.name)
@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize("signed", [False, True])
def test_a_stream_of_fewer_bits_than_stored_decides_where_the_sign_stands(syntax, bits, signed):
    row, column = np.ogrid[:34, :40]
    values = (3 * row + 5 * column) % 61 - 30 * signed
    found = decode(narrow(syntax, values, bits), layout(syntax, bits_stored=16, signed=signed))
    np.testing.assert_array_equal(within_bits(found, layout(syntax, bits_stored=16, signed=signed)), values)


@pytest.mark.parametrize("pad", [b"\0", b"\0\0", b"\xff", b"\0\xff"], ids=repr)
def test_bytes_before_the_end_mark_of_jpeg_ls_are_no_fault(pad):
    row, column = np.ogrid[:34, :40]
    for shift in range(20):
        values = (3 * row + 5 * column + shift) ** 2 % 4093
        frame = narrow(JPEGLSLossless, values, 12)
        np.testing.assert_array_equal(decode(frame[:-2] + pad + frame[-2:], layout(JPEGLSLossless)), values)
        with pytest.raises(Exception):  # noqa: B017  (whatever the decoder says of a scan that is cut)
            decode(frame[:-5] + pad + frame[-2:], layout(JPEGLSLossless))


def test_a_codestream_that_says_20000_x_20000_is_refused_before_decoding():
    frame = bytearray(compressed(JPEG2000Lossless))
    frame[8:16] = struct.pack(">2L", 20_000, 20_000)
    assert code_of(bytes(frame), layout(JPEG2000Lossless)) == "CODESTREAM_MISMATCH"


def test_a_jpeg_2000_of_three_components_or_half_resolution_is_refused():
    frame = bytearray(compressed(JPEG2000Lossless))
    colour, half = frame.copy(), frame.copy()
    colour[40:42] = b"\0\3"
    half[43] = 2
    assert code_of(bytes(colour), layout(JPEG2000Lossless)) == "CODESTREAM_MISMATCH"
    assert code_of(bytes(half), layout(JPEG2000Lossless)) == "CODESTREAM_MISMATCH"


def test_a_jpeg_2000_in_the_box_of_a_picture_is_found():
    boxes = b"\x00\x00\x00\x0cjP  \r\n\x87\n" + struct.pack(">L4s", 12, b"free") + b"1234" + struct.pack(">L4s", 0, b"jp2c")
    assert refuse_other_codestream(boxes + compressed(JPEG2000Lossless), layout(JPEG2000Lossless)) == 12
    endless = boxes[:12] + struct.pack(">L4s", 0, b"free") + bytes(64)
    assert code_of(endless, layout(JPEG2000Lossless)) == "CORRUPT_PIXEL_DATA"


@pytest.mark.parametrize("syntax", MARKED, ids=lambda uid: uid.name)
def test_a_frame_without_its_end_is_refused_since_decoders_fill_it(syntax):
    frame = compressed(syntax).rstrip(b"\0")
    assert refuse_other_codestream(frame + b"\0", layout(syntax))
    assert code_of(frame[:-2], layout(syntax)) == "TRUNCATED_PIXEL_DATA"
    assert code_of(frame[:3], layout(syntax)) in ("TRUNCATED_PIXEL_DATA", "CORRUPT_PIXEL_DATA")


@pytest.mark.parametrize("syntax", (*MARKED, RLELossless), ids=lambda uid: uid.name)
@pytest.mark.parametrize(("first", "last"), [(0.4, 0.8), (0.7, 0.99), (0.98, 1.0)])
def test_a_frame_that_lacks_a_piece_is_refused_though_it_has_its_end(syntax, first, last):
    frame = compressed(syntax).rstrip(b"\0")
    rest = frame[min(int(last * len(frame)), len(frame) - 2) :]
    with pytest.raises((StudyRefused, RuntimeError)):
        decode(frame[: int(first * len(frame))] + rest, layout(syntax))


@pytest.mark.parametrize("syntax", MARKED, ids=lambda uid: uid.name)
def test_bytes_of_another_kind_are_refused(syntax):
    assert code_of(b"not a codestream at all, at any length" * 4, layout(syntax)) == "CORRUPT_PIXEL_DATA"


def test_an_rle_frame_has_as_many_planes_as_a_value_has_bytes():
    frame = compressed(RLELossless)
    assert code_of(frame, layout(RLELossless, bits_allocated=8, bits_stored=8)) == "CODESTREAM_MISMATCH"
    assert code_of(frame[:60], layout(RLELossless)) == "TRUNCATED_PIXEL_DATA"
    outside = frame[:8] + struct.pack("<L", len(frame) + 1) + frame[12:]
    assert code_of(outside, layout(RLELossless)) == "TRUNCATED_PIXEL_DATA"


@pytest.mark.parametrize("rows", [14, 15])
def test_an_rle_plane_with_too_few_bytes_is_refused_and_one_with_more_is_bounded(rows):
    data = struct.pack("<16L", 2, 64, 70, *[0] * 13) + bytes([129, 3, 129, 4, 232, 0]) + bytes([129, 7] * 1000)
    found = layout(RLELossless, rows=rows, columns=20)  # the first plane holds 128 + 128 + 25 bytes: 14 rows of 20, and one more
    if rows == 15:
        with pytest.raises(StudyRefused, match="TRUNCATED_PIXEL_DATA"):
            decode_rle(data, found)
    else:
        assert decode_rle(data, found).ravel()[[0, 128, 279]].tolist() == [0x0307, 0x0407, 0x0007]


def test_overshoots_of_a_lossy_code_do_not_come_out_at_the_other_end(tmp_path):
    (header,) = clean_series(GRID, "MR", bits_stored=16)
    noise = np.random.default_rng(0).choice([0, 4095], (34, 40)).astype("<u2")
    header.PixelData = noise.tobytes()
    header.compress(JPEG2000, j2k_cr=[8], generate_instance_uid=False)
    frame = next(generate_frames(header.PixelData, number_of_frames=1))
    decoded = decode(frame, layout(JPEG2000, bits_stored=16))
    assert decoded.max() > 4095
    header.BitsStored, header.HighBit = 12, 11
    voxels, _ = read_values(frames_of(read_instance(write([header], tmp_path, JPEG2000)[0])))
    np.testing.assert_array_equal(voxels[:, :, 0].T, np.minimum(decoded, 4095))


def test_a_table_of_long_offsets_is_followed(tmp_path):
    grid = Grid(shape=(32, 32, 3))
    header = encoded(enhanced_series(grid), JPEG2000Lossless)
    pieces = list(generate_frames(header.PixelData, number_of_frames=3))
    header.PixelData, header.ExtendedOffsetTable, header.ExtendedOffsetTableLengths = encapsulate_extended(pieces)
    voxels, _ = read_values(frames_of(read_instance(write([header], tmp_path, JPEG2000Lossless)[0])))
    np.testing.assert_array_equal(voxels, phantom(grid))


def test_a_frame_in_several_pieces_is_put_together(tmp_path):
    grid = Grid(shape=(32, 32, 2))
    header = encoded(enhanced_series(grid), JPEGLSLossless)
    header.PixelData = encapsulate(list(generate_frames(header.PixelData, number_of_frames=2)), fragments_per_frame=3)
    voxels, _ = read_values(frames_of(read_instance(write([header], tmp_path, JPEGLSLossless)[0])))
    np.testing.assert_array_equal(voxels, phantom(grid))


def test_fewer_pieces_than_frames_are_refused(tmp_path):
    (header,) = clean_series(GRID)
    header = encoded(header, RLELossless)
    header.NumberOfFrames = 3
    (path,) = write([header], tmp_path, RLELossless)
    instance = read_instance(path)
    header.NumberOfFrames = 1
    (frame,) = frames_of(read_instance(write([header], tmp_path / "one", RLELossless)[0]))
    with pytest.raises(StudyRefused, match="TRUNCATED_PIXEL_DATA"):
        read_values([dataclasses.replace(frame, instance=instance)])


def test_more_frames_than_declared_are_refused(tmp_path):
    (header,) = clean_series(GRID)
    header = encoded(header, RLELossless)
    frame = next(generate_frames(header.PixelData, number_of_frames=1))
    header.PixelData = encapsulate([frame, frame])
    with pytest.raises(StudyRefused, match="SIZE_MISMATCH"):
        read_values(frames_of(read_instance(write([header], tmp_path, RLELossless)[0])))


@pytest.mark.parametrize("syntax", MARKED, ids=lambda uid: uid.name)
def test_damage_is_refused_without_a_word_of_the_decoder(syntax, tmp_path, capfd):
    (header,) = clean_series(GRID)
    header = encoded(header, syntax)
    frame = bytearray(next(generate_frames(header.PixelData, number_of_frames=1)))
    start = frame.index(b"\xff\x52" if syntax == JPEG2000Lossless else b"\xff\xda")
    frame[start + 2 : start + 8] = b"\xff" * 6
    header.PixelData = encapsulate([bytes(frame)])
    with pytest.raises(StudyRefused) as caught:
        read_values(frames_of(read_instance(write([header], tmp_path, syntax)[0])))
    assert caught.value.code == "CORRUPT_PIXEL_DATA"
    assert capfd.readouterr() == ("", "")
