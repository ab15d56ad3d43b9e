"""Whatever the spacing, the orientation, the order and the names: the same ellipsoid, the same markers, or a refusal."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from dicom_grid import Grid, measured_markers_mm, measured_volume_mm3, phantom
from dicom_phantoms import clean_series, enhanced_series, write
from dicom_reading import read_folder
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from caveat.reasons import StudyRefused

quick = settings(max_examples=25, deadline=None, derandomize=True)
spacings = st.integers(10, 500).map(lambda hundredths: hundredths / 100)


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    """A grid of random size, spacing, orientation and place."""
    turn = Rotation.from_euler("zyx", draw(st.tuples(*[st.floats(-180, 180)] * 3)), degrees=True).as_matrix()
    return Grid(
        shape=draw(st.tuples(st.integers(9, 20), st.integers(9, 20), st.integers(8, 16))),
        spacing_mm=draw(st.tuples(spacings, spacings, spacings)),
        orientation=tuple(round(float(cosine), 9) for cosine in turn[:, :2].T.ravel()),
        centre_mm=draw(st.tuples(*[st.integers(-400, 400).map(float)] * 3)),
    )


def assert_same_measurements(image, grid):
    voxels, affine = image.voxels[0], image.affine
    np.testing.assert_allclose(measured_markers_mm(voxels, affine), grid.markers_mm, atol=0.01)
    true = measured_volume_mm3(phantom(grid), grid.affine)
    tolerance = max(0.005 * true, 2 * float(np.prod(grid.spacing_mm)))
    assert abs(measured_volume_mm3(voxels, affine) - true) <= tolerance


@quick
@given(grid=grids(), random=st.randoms(use_true_random=False))
def test_files_of_any_name_in_any_order(grid, random):
    series = clean_series(grid)
    numbers = list(range(1, len(series) + 1))
    random.shuffle(numbers)
    for header, number in zip(series, numbers, strict=True):
        header.InstanceNumber = number
    names = [f"{number:x}" for number in random.sample(range(2**32), len(series))]
    with TemporaryDirectory() as folder:
        write(series, Path(folder), names=names)
        image = read_folder(Path(folder))
    np.testing.assert_array_equal(image.voxels[0], phantom(grid))
    assert_same_measurements(image, grid)


@quick
@given(grid=grids(), random=st.randoms(use_true_random=False))
def test_frames_in_any_order(grid, random):
    order = list(range(grid.shape[2]))
    random.shuffle(order)
    with TemporaryDirectory() as folder:
        write([enhanced_series(grid, order=order)], Path(folder))
        image = read_folder(Path(folder))
    np.testing.assert_array_equal(image.voxels[0], phantom(grid))
    assert_same_measurements(image, grid)


@quick
@given(grid=grids(), data=st.data())
def test_missing_slices_are_never_closed_up(grid, data):
    """What is left is refused, or is evenly spaced and then as wide as it was."""
    inner = range(1, grid.shape[2] - 1)
    missing = data.draw(st.sets(st.sampled_from(inner), min_size=1, max_size=4))
    kept = [index for index in range(grid.shape[2]) if index not in missing]
    series = clean_series(grid)
    with TemporaryDirectory() as folder:
        write([series[index] for index in kept], Path(folder))
        if len(set(np.diff(kept))) > 1:
            with pytest.raises(StudyRefused, match="SLICE_GAP|VARIABLE_SPACING"):
                read_folder(Path(folder))
        else:
            image = read_folder(Path(folder))
            np.testing.assert_allclose(image.affine[:3, 2] * (len(kept) - 1), grid.affine[:3, 2] * (grid.shape[2] - 1), atol=1e-4)


@quick
@given(grid=grids(), jitter=st.lists(st.floats(-0.05, 0.05), min_size=16, max_size=16))
def test_positions_that_are_a_little_off(grid, jitter):
    """As far off as positions rounded to 0.1 mm are: read in place, or refused where that is much of the spacing."""
    offsets = tuple(np.asarray(grid.offsets) + jitter[: grid.shape[2]])
    moved = Grid(grid.shape, grid.spacing_mm, grid.orientation, grid.centre_mm, offsets)
    with TemporaryDirectory() as folder:
        write(clean_series(moved), Path(folder))
        if grid.spacing_mm[2] < 0.3:
            try:
                image = read_folder(Path(folder))
            except StudyRefused:
                return
        else:
            image = read_folder(Path(folder))
    np.testing.assert_allclose(measured_markers_mm(image.voxels[0], image.affine), moved.markers_mm, atol=0.11)
