"""Damaged bytes: refused, or read with everything in place that the damage did not touch. No crash, no other exception."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from dicom_grid import Grid, phantom
from dicom_phantoms import clean_series, enhanced_series, write
from dicom_reading import read_folder
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from caveat.reasons import StudyRefused

GRID = Grid(shape=(33, 32, 6))
DAMAGED = 2
"""The slice whose file is damaged: an inner one, which cannot go missing without a gap."""
HEADER_BYTES = 1000
SECONDS = 5
KIBIBYTES = 400 * 1024
SYNTAXES = {
    "explicit": ExplicitVRLittleEndian,
    "implicit": ImplicitVRLittleEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
    "rle": RLELossless,
    "jpeg-ls": JPEGLSLossless,
    "jpeg 2000": JPEG2000Lossless,
    "jpeg": JPEGLosslessSV1,
}


def damaged(data: bytes, random: np.random.Generator) -> bytes:
    """One to four changes: a byte, a bit, a piece put in, taken out, doubled or zeroed, or the end cut off."""
    changed = bytearray(data)
    for _ in range(random.integers(1, 5)):
        # Every other change falls into what is certainly header, however many pixels there are.
        place = int(random.integers(min(len(changed), HEADER_BYTES) if random.integers(2) else len(changed)))
        length = int(random.integers(1, 9))
        match random.integers(7):
            case 0:
                changed[place] = random.integers(256)
            case 1:
                changed[place] ^= 1 << int(random.integers(8))
            case 2:
                changed[place:place] = random.bytes(length)
            case 3:
                del changed[place : place + length]
            case 4:
                changed[place:place] = changed[place : place + 20 * length]
            case 5:
                changed[place : place + length] = bytes(len(changed[place : place + length]))
            case _:
                del changed[max(place, 1) :]
        if not changed:
            return b"\0"
    return bytes(changed)


def survive(folder: Path, path: Path, count: int, seed: int, check: Callable[[np.ndarray, np.ndarray], None]) -> int:
    """Read the folder with one file damaged in many ways. Returns: how many were read."""
    random, clean, read = np.random.default_rng(seed), path.read_bytes(), 0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(count):
        path.write_bytes(damaged(clean, random))
        start = time.process_time()
        try:
            image = read_folder(folder)
        except StudyRefused:
            continue
        finally:
            assert time.process_time() - start < SECONDS
        assert np.isfinite(image.voxels).all()
        check(image.voxels, image.affine)
        read += 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < KIBIBYTES
    return read


def check_the_other_slices(voxels: np.ndarray, affine: np.ndarray) -> None:
    """What the damage may change is its own slice's values; or the slice may be one too many, of a position that is its own."""
    assert voxels.shape == (1, *GRID.shape)
    others = np.arange(GRID.shape[2]) != DAMAGED
    np.testing.assert_array_equal(voxels[0][..., others], phantom(GRID)[..., others])
    np.testing.assert_allclose(affine, GRID.affine, atol=0.2)


def fuzz_series(folder: Path, syntax: str, count: int, seed: int) -> int:
    paths = write(clean_series(GRID), folder, syntax)
    return survive(folder, paths[DAMAGED], count, seed, check_the_other_slices)


def fuzz_enhanced(folder: Path, count: int, seed: int) -> int:
    """One file holds everything, so that damage may change anything; it must be a volume still."""
    path = write([enhanced_series(GRID)], folder)[0]

    def check(voxels: np.ndarray, affine: np.ndarray) -> None:
        assert voxels.ndim == 4
        assert 0.01**3 * 0.9 < abs(np.linalg.det(affine[:3, :3])) < 1e6

    return survive(folder, path, count, seed, check)


@pytest.mark.parametrize("name", SYNTAXES)
def test_a_damaged_slice(name, tmp_path):
    assert fuzz_series(tmp_path, SYNTAXES[name], 60, seed=1) < 60


def test_a_damaged_enhanced_object(tmp_path):
    assert fuzz_enhanced(tmp_path, 60, seed=2) < 60


@pytest.mark.slow
@pytest.mark.parametrize("name", SYNTAXES)
def test_a_slice_damaged_in_many_ways(name, tmp_path):
    assert fuzz_series(tmp_path, SYNTAXES[name], 5000, seed=3) < 5000


@pytest.mark.slow
def test_an_enhanced_object_damaged_in_many_ways(tmp_path):
    assert fuzz_enhanced(tmp_path, 5000, seed=4) < 5000
