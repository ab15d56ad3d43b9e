"""Radiographs: one polarity, and the plane that a millimetre is measured in."""

from __future__ import annotations

import numpy as np
import pytest
from dicom_phantoms import radiograph, radiograph_picture, write
from dicom_reading import read_folder, refusal


def read(tmp_path, **options):
    write([radiograph(**options)], tmp_path)
    return read_folder(tmp_path)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("modality", ["DX", "CR"])
def test_13_and_15_both_polarities_are_one_picture(photometric, modality, tmp_path):
    image = read(tmp_path, modality=modality, photometric=photometric, ImagerPixelSpacing=[0.2, 0.2])
    np.testing.assert_array_equal(image.voxels[0], radiograph_picture())


def test_40_imager_spacing_alone_is_of_the_detector_plane(tmp_path):
    image = read(tmp_path, ImagerPixelSpacing=[0.2, 0.1])
    assert image.spacing_mm == (0.2, 0.1)
    assert "detector plane" in image.spacing_source
    np.testing.assert_allclose(np.linalg.norm(image.affine[:2, :2], axis=0), [0.2, 0.1])


def test_41_a_calibrated_spacing_goes_before_that_of_the_imager(tmp_path):
    image = read(tmp_path, ImagerPixelSpacing=[0.2, 0.2], PixelSpacing=[0.15, 0.15])
    assert image.spacing_mm == (0.15, 0.15)
    assert "CALIBRATION_UNSTATED" in image.flags


def test_41_how_it_was_calibrated_is_said(tmp_path):
    spacings = {"ImagerPixelSpacing": [0.2, 0.2], "PixelSpacing": [0.15, 0.15]}
    image = read(tmp_path, PixelSpacingCalibrationType="FIDUCIAL", **spacings)
    assert image.spacing_mm == (0.15, 0.15)
    assert "CALIBRATION_UNSTATED" not in image.flags
    assert "fiducial" in image.spacing_source.lower()


def test_42_pixel_spacing_alone_is_not_1_mm(tmp_path):
    assert read(tmp_path, PixelSpacing=[0.15, 0.15]).spacing_mm == (0.15, 0.15)


def test_43_without_any_spacing_there_are_no_millimetres(tmp_path):
    image = read(tmp_path)
    assert image.spacing_mm is None
    assert image.spacing_source == ""
    assert "NO_PIXEL_SPACING" in image.flags


def test_44_pixels_that_are_not_square_are_not_taken_for_square(tmp_path):
    write([radiograph(PixelAspectRatio=[2, 1])], tmp_path)
    assert refusal(tmp_path) == "NON_SQUARE_PIXELS"
