"""A DICOM file is what its bytes say, and only a whole header is a header."""

from __future__ import annotations

import struct

import pytest
from dicom_grid import Grid
from dicom_phantoms import clean_series, enhanced_series, item, write
from pydicom.sequence import Sequence as Items

from caveat.reasons import StudyRefused
from caveat.transforms.dicom import element_limits
from caveat.transforms.dicom.element_limits import walk_header
from caveat.transforms.dicom.header_values import comparable, finite_numbers, numbers, text, whole_number
from caveat.transforms.dicom.instance import looks_like_dicom, read_instance

SMALL = Grid(shape=(4, 3, 2))


def refusal(path) -> str:
    with pytest.raises(StudyRefused) as caught:
        read_instance(path)
    return caught.value.code


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (bytes(128) + b"DICM", True),
        (b"\x08\x00\x05\x00CS\n\x00ISO_IR 100\x08\x00\x16\x00UI\x1a\x001.2.840.10008.5.1.4.1.1.2\x00", True),
        (b"\x08\x00\x05\x00CS\n\x00ISO_IR 100" + bytes(100), False),
        (b"\x00\x08\x00\x05CS\x00\nISO_IR 100\x00\x08\x00\x16UI\x00\x1a1.2.840.10008.5.1.4.1.1.2\x00", True),
        (b"\x02\x00\x00\x00UL\x04\x00\x8c\x00\x00\x00\x02\x00\x02\x00UI\x1a\x001.2.840.10008.5.1.4.1.1.2\x00", True),
        (b"\x02\x00\x00\x00UL\x04\x00" + bytes(100), False),
        (b"DICM" + bytes(200), False),
        (b"", False),
    ],
)
def test_a_file_is_told_by_its_bytes(head, expected):
    assert looks_like_dicom(head) is expected


def test_the_place_of_the_pixels_is_noted(tmp_path):
    series = clean_series(SMALL)
    path = write(series, tmp_path)[0]
    pixels = read_instance(path).pixels
    assert path.read_bytes()[pixels.offset : pixels.offset + pixels.length] == series[0].PixelData
    assert pixels.vr == "OW"


def test_text_is_no_dicom(tmp_path):
    (tmp_path / "a.dcm").write_bytes(b"no image " * 20)
    (tmp_path / "b.dcm").touch()
    assert refusal(tmp_path / "a.dcm") == "NOT_DICOM"
    assert refusal(tmp_path / "b.dcm") == "EMPTY_FILE"
    assert refusal(tmp_path / "c.dcm") == "UNREADABLE_FILE"


def test_an_image_whose_header_lacks_what_every_image_has(tmp_path):
    header = clean_series(SMALL)[0]
    del header.Rows
    assert refusal(write([header], tmp_path)[0]) == "BAD_HEADER"


def test_elements_of_many_frames_are_counted_and_let_pass(tmp_path, monkeypatch):
    path = write([enhanced_series(SMALL)], tmp_path)[0]
    data = path.read_bytes()
    start = data.index(b"\x08\x00\x05\x00CS")
    walk_header(data, start, implicit=False, little_endian=True)
    frames = data.count(b"\x20\x00\x32\x00DS")  # each states its position
    monkeypatch.setattr("caveat.transforms.dicom.element_limits.MOST_ELEMENTS", 2 * frames)
    with pytest.raises(StudyRefused, match="TOO_LARGE"):
        walk_header(data, start, implicit=False, little_endian=True)


@pytest.mark.parametrize("defined", [False, True])
def test_sequences_nested_too_deep_are_refused_in_either_form(defined):
    inner = b""
    for _ in range(80):
        lengths = (len(inner) + 8, len(inner)) if defined else (0xFFFFFFFF, 0xFFFFFFFF)
        item_end, end = (b"", b"") if defined else (b"\xfe\xff\x0d\xe0\0\0\0\0", b"\xfe\xff\xdd\xe0\0\0\0\0")
        first = b"\x00\x54\x00\x01SQ\0\0" + struct.pack("<I", lengths[0])
        inner = first + b"\xfe\xff\x00\xe0" + struct.pack("<I", lengths[1]) + inner + item_end + end
    with pytest.raises(StudyRefused, match="TOO_LARGE"):
        walk_header(inner, 0, implicit=False, little_endian=True)


@pytest.mark.parametrize("implicit", [False, True])
def test_too_many_elements_are_refused_in_either_encoding(implicit, monkeypatch):
    monkeypatch.setattr(element_limits, "MOST_ELEMENTS", 1000)
    one = b"\x01\x54\x00\x10" + (b"\0\0\0\0" if implicit else b"LO\0\0")
    walk_header(1000 * one, 0, implicit, little_endian=True)
    with pytest.raises(StudyRefused, match="TOO_LARGE: more than 1000 elements"):
        walk_header(1001 * one, 0, implicit, little_endian=True)


def test_values_are_read_alike_before_and_after_pydicom_converts_them(tmp_path):
    header = clean_series(SMALL)[0]
    header.PatientID, header.EchoNumbers, header.DiffusionBValue = "007", "1", 800.0
    header.ReferencedImageSequence = Items([item(ReferencedSOPInstanceUID="1.2")])
    read = read_instance(write([header], tmp_path)[0]).header
    for _ in range(2):
        assert numbers(read, "PixelSpacing") == (1.2, 0.9)
        assert finite_numbers(read, "PixelSpacing", 3) is None
        assert whole_number(read, "SeriesNumber") == 1
        assert text(read, "PatientID") == "007"
        assert text(read, "ImageType") == "ORIGINAL\\PRIMARY\\AXIAL"
        assert comparable(read, "DiffusionBValue") == "800"
        assert text(read, "ProtocolName") == ""
        list(read.iterall())


def test_what_is_no_number_is_none():
    data = item(SliceThickness="2.50 ")
    assert numbers(data, "SliceThickness") == (2.5,)
    assert comparable(data, "SliceThickness") == "2.5"
    assert numbers(item(), "SliceThickness") == ()
