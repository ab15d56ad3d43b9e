"""The DICOM phantoms are what their formula says, as other readers see them."""

from __future__ import annotations

import highdicom as hd
import numpy as np
import pytest
import SimpleITK as sitk
from dicom_cases import all_cases
from dicom_grid import CORONAL, FLIPPED, OBLIQUE, SAGITTAL, Grid, measured_markers_mm, measured_volume_mm3, phantom
from dicom_phantoms import clean_series, enhanced_series, write

from caveat.reasons import REASONS


def by_simpleitk(folder):
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    return np.transpose(sitk.GetArrayFromImage(image), (2, 1, 0)), np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine


@pytest.mark.parametrize("orientation", [FLIPPED, CORONAL, SAGITTAL, OBLIQUE], ids=str)
def test_simpleitk_reads_the_formula(orientation, tmp_path):
    grid = Grid(orientation=orientation)
    write(clean_series(grid), tmp_path)
    voxels, affine = by_simpleitk(tmp_path)
    np.testing.assert_array_equal(voxels, phantom(grid))
    np.testing.assert_allclose(affine, grid.affine, atol=1e-6)
    assert measured_volume_mm3(voxels, affine) == pytest.approx(6266, rel=0.001)
    np.testing.assert_allclose(measured_markers_mm(voxels, affine), grid.markers_mm, atol=1e-5)


def test_highdicom_reads_the_enhanced_object(tmp_path):
    grid = Grid(orientation=OBLIQUE)
    order = np.random.default_rng(3).permutation(20).tolist()
    path = write([enhanced_series(grid, "MR", order, slopes=(1.0, 0.5))], tmp_path)[0]
    volume = hd.imread(path).get_volume().to_patient_orientation("RPI")
    ours = hd.Volume(phantom(grid), np.diag([-1.0, -1.0, 1.0, 1.0]) @ grid.affine, "PATIENT").to_patient_orientation("RPI")
    np.testing.assert_array_equal(volume.array, ours.array)
    np.testing.assert_allclose(volume.affine, ours.affine, atol=1e-6)


def test_the_same_bytes_every_time(tmp_path):
    first, second = (write(clean_series(), tmp_path / name) for name in "ab")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_56_cases_with_known_codes():
    cases = all_cases()
    assert [case.number for case in cases] == list(range(56))
    assert {code for case in cases for code in (case.code, *case.flags) if code} <= set(REASONS)
    assert sum(bool(case.code) for case in cases) == 22
