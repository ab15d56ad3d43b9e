"""Small DICOM files that would take all memory or time: refused by what they declare. Measured in processes of their own."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from dicom_cases import all_cases
from dicom_grid import Grid
from dicom_phantoms import clean_series, encoded, enhanced_series, write
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEG2000Lossless

MEBIBYTE = 2**20
MEASURE = """
import json, os, resource, sys, time
from pathlib import Path
from caveat.reasons import StudyRefused
from caveat.transforms.dicom.choice import SeriesRule
from caveat.transforms.dicom.volume import read_dicom_study
from caveat.transforms.image.study_image import Stated

def read(folder):
    try:
        read_dicom_study(sorted(Path(folder).iterdir()), [SeriesRule()], Stated())
        return ""
    except StudyRefused as refusal:
        return refusal.code

for folder in sys.argv[1:]:
    receiver, sender = os.pipe()
    if not os.fork():  # each folder in a child, whose peak is its own
        before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
        found = read(folder)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        os.write(sender, json.dumps([found, grown * 1024, time.process_time() - start]).encode())
        os._exit(0)
    os.close(sender)
    print(os.fdopen(receiver).read())
    os.wait()
"""


def one_mebibyte_that_declares_65535_x_65535_x_1000(folder: Path) -> None:
    header = enhanced_series(Grid(shape=(4, 4, 1000)))
    header.Rows = header.Columns = 65535
    write([header], folder)


def a_deflated_bomb(folder: Path) -> None:
    """2.5 MiB of deflate that become 2.6 GiB: one flushed block of zeros, over and over."""
    plain = write(clean_series()[:1], folder)[0].read_bytes()
    start = plain.index(b"\x08\x00\x05\x00CS")
    meta = plain[:start].replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99")
    # The meta group is two bytes longer now, and so is its transfer syntax.
    meta = meta.replace(struct.pack("<H", 20) + b"1.2.840.10008.1.2.1.99", struct.pack("<H", 22) + b"1.2.840.10008.1.2.1.99")
    meta = meta[:140] + struct.pack("<I", struct.unpack_from("<I", meta, 140)[0] + 2) + meta[144:]
    pack = zlib.compressobj(9, wbits=-15)
    head = pack.compress(plain[start:]) + pack.flush(zlib.Z_FULL_FLUSH)
    zeros = pack.compress(bytes(16 * MEBIBYTE)) + pack.flush(zlib.Z_FULL_FLUSH)
    (folder / "image0001.dcm").write_bytes(meta + head + 160 * zeros + pack.flush())


def with_elements_before_the_pixels(folder: Path, elements: bytes) -> None:
    """A clean series, in one file of which more stands before the pixel data."""
    path = write(clean_series(), folder)[9]
    data = path.read_bytes()
    place = data.index(b"\xe0\x7f\x10\x00OW")
    path.write_bytes(data[:place] + elements + data[place:])


def sequences_nested_2000_deep(folder: Path) -> None:
    level = b"\x00\x54\x00\x01SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    end = b"\xfe\xff\x0d\xe0\0\0\0\0" + b"\xfe\xff\xdd\xe0\0\0\0\0"
    with_elements_before_the_pixels(folder, 2000 * level + 2000 * end)


def a_million_elements(folder: Path) -> None:
    tags = ((group, element) for group in range(0x5401, 0x5461, 2) for element in range(0x1000, 0x6000))
    elements = b"".join(struct.pack("<HH2sH", *tag, b"LO", 0) for tag, _ in zip(tags, range(1_000_000)))
    with_elements_before_the_pixels(folder, elements)


def a_codestream_that_says_20000_x_20000(folder: Path) -> None:
    series = [encoded(header, JPEG2000Lossless) for header in clean_series()]
    size = struct.pack(">II", 32, 32)
    for header in series:
        assert size in header.PixelData
        header.PixelData = header.PixelData.replace(size, struct.pack(">II", 20_000, 20_000), 1)
    write(series, folder, JPEG2000Lossless)


BY_NUMBER = {case.number: case.write for case in all_cases()}
LIMITS: dict[str, tuple[Callable[[Path], None], tuple[str, ...], int]] = {
    "pixel data too short": (BY_NUMBER[24], ("TRUNCATED_PIXEL_DATA",), 100),
    "file cut off": (BY_NUMBER[25], ("TRUNCATED_PIXEL_DATA",), 100),
    "3 kB that declare 30000 x 30000": (BY_NUMBER[44], ("TRUNCATED_PIXEL_DATA",), 100),
    "65535 x 65535 x 1000": (one_mebibyte_that_declares_65535_x_65535_x_1000, ("TOO_LARGE",), 100),
    "deflated bomb": (a_deflated_bomb, ("TOO_LARGE",), 200),
    "nested sequences": (sequences_nested_2000_deep, ("NOT_DICOM", "TOO_LARGE"), 100),
    "a million elements": (a_million_elements, ("NOT_DICOM", "TOO_LARGE"), 200),
    "codestream of 400 million samples": (a_codestream_that_says_20000_x_20000, ("CODESTREAM_MISMATCH",), 100),
}
"""What is written, the codes that it may be refused with, and the MiB that this may take."""


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, int, float]]:
    """Code, bytes and seconds of processor time of each, from one interpreter that forks for each."""
    folders = {name: tmp_path_factory.mktemp("limit") for name in LIMITS}
    for name, folder in folders.items():
        LIMITS[name][0](folder)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *map(str, folders.values())], capture_output=True, text=True, timeout=300, check=True
    )
    return dict(zip(LIMITS, map(json.loads, done.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("name", LIMITS)
def test_it_is_refused_before_it_takes_memory_or_time(name, measured):
    code, grown, seconds = measured[name]
    assert code in LIMITS[name][1]
    assert grown < LIMITS[name][2] * MEBIBYTE
    assert seconds < 10


def test_the_bomb_is_one(tmp_path):
    a_deflated_bomb(tmp_path)
    path = tmp_path / "image0001.dcm"
    data = path.read_bytes()
    assert len(data) < 4 * MEBIBYTE
    inflater = zlib.decompressobj(-15)
    first = inflater.decompress(data[144 + struct.unpack_from("<I", data, 140)[0] :], 64 * MEBIBYTE)
    assert len(first) == 64 * MEBIBYTE
    assert DeflatedExplicitVRLittleEndian.encode() in data[:400]
