"""Deflated files: what comes out is counted before it is kept."""

from __future__ import annotations

import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from dicom_grid import Grid
from dicom_phantoms import clean_series, write
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import DeflatedExplicitVRLittleEndian

from caveat.reasons import StudyRefused
from caveat.transforms.dicom import deflated
from caveat.transforms.dicom.deflated import inflate

LIMIT = 2**31


def deflated_file(folder: Path) -> Path:
    (path,) = write(clean_series(Grid(shape=(32, 32, 1))), folder, DeflatedExplicitVRLittleEndian)
    return path


def with_data(path: Path, data: bytes) -> None:
    """The same file with another data set, given deflated."""
    whole = path.read_bytes()
    start = deflated.data_set_start(whole, deflated.META_START)
    path.write_bytes(whole[:start] + data)


def bomb(count: int) -> bytes:
    """So many MiB of zeros, deflated."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return b"".join([*(packer.compress(bytes(2**20)) for _ in range(count)), packer.flush()])


def test_a_real_file_is_inflated_whole():
    path = Path(get_testdata_file("image_dfl.dcm"))
    pixels = dcmread(path).PixelData
    assert len(pixels) == 512 * 512
    assert pixels in inflate(path, LIMIT)


def test_a_bomb_is_refused_and_takes_no_memory(tmp_path):
    path = deflated_file(tmp_path)
    with_data(path, bomb(66))
    tracemalloc.start()
    with pytest.raises(StudyRefused, match="TOO_LARGE"):
        inflate(path, LIMIT)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 * 2**20


def test_the_limit_asked_for_holds(tmp_path):
    path = deflated_file(tmp_path)
    with_data(path, bomb(2))
    assert inflate(path, 2 * 2**20) == bytes(2 * 2**20)
    with pytest.raises(StudyRefused, match="TOO_LARGE"):
        inflate(path, 2 * 2**20 - 1)


@pytest.mark.parametrize("part", [0.3, 0.7, 0.99])
def test_a_stream_that_is_cut_is_refused(part, tmp_path):
    path = deflated_file(tmp_path)
    packed = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    data = packed.compress(np.random.default_rng(0).bytes(10_000)) + packed.flush()
    with_data(path, data[: int(part * len(data))])
    with pytest.raises(StudyRefused, match="TRUNCATED_PIXEL_DATA"):
        inflate(path, LIMIT)


def test_a_stream_that_is_none_is_refused(tmp_path):
    path = deflated_file(tmp_path)
    with_data(path, b"\xff" * 100)
    with pytest.raises(StudyRefused, match="CORRUPT_PIXEL_DATA"):
        inflate(path, LIMIT)
