"""The image as other programs read it back: its values, its grid, its colours."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
import torch
from monai.data import MetaTensor
from PIL import Image

from caveat.transforms.writers.example_study import example_study
from caveat.transforms.writers.image import ImageWriter

FLIPPED = np.array([[-1.0, 0, 0, 30], [0, 0, 2.5, -7], [0, 1.5, 0, 4], [0, 0, 0, 1]])


def written(values, tmp_path, kind="nifti", affine=None):
    study = example_study(kind, affine)
    study["input"] = MetaTensor(torch.as_tensor(np.asarray(values, np.float32)), affine=study["input"].affine)
    ImageWriter().write(study, tmp_path)
    return study["input"]


@pytest.mark.parametrize(
    "low, step, kind", [(0, 1, np.uint8), (-1024, 1, np.int16), (0, 300, np.int16), (0, 9000, np.float32), (0, 0.37, np.float32)]
)
def test_a_volume_keeps_every_value_in_the_smallest_type(low, step, kind, tmp_path):
    values = low + step * (np.arange(20 * 16 * 12) % 97).reshape(1, 20, 16, 12)
    written(values, tmp_path)
    read = nibabel.load(tmp_path / "image.nii.gz")
    assert read.get_data_dtype() == kind
    np.testing.assert_array_equal(np.asarray(read.dataobj), values[0].astype(np.float32))


def test_a_volume_lies_where_it_lay(tmp_path):
    written(np.arange(20 * 16 * 12).reshape(1, 20, 16, 12), tmp_path, affine=FLIPPED)
    read = sitk.ReadImage(str(tmp_path / "image.nii.gz"))
    left, posterior, superior = read.TransformIndexToPhysicalPoint((3, 5, 7))
    np.testing.assert_allclose((-left, -posterior, superior), (FLIPPED @ (3, 5, 7, 1))[:3], atol=1e-5)
    assert read[3, 5, 7] == (3 * 16 + 5) * 12 + 7


def test_channels_of_a_volume_stand_last(tmp_path):
    values = np.stack([np.full((20, 16, 12), 3), np.full((20, 16, 12), 700)])
    written(values, tmp_path)
    np.testing.assert_array_equal(np.asarray(nibabel.load(tmp_path / "image.nii.gz").dataobj)[1, 2, 3], [3, 700])


@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_of_eight_bits_keeps_them(channels, tmp_path):
    values = (np.arange(channels * 40 * 30) % 251).reshape(channels, 40, 30)
    written(values, tmp_path, "picture")
    read = np.asarray(Image.open(tmp_path / "image.png")).reshape(40, 30, channels)
    np.testing.assert_array_equal(np.moveaxis(read, -1, 0), values)


def test_a_film_of_more_levels_is_shown_as_in_the_report(tmp_path):
    values = np.linspace(0, 60000, 1200).reshape(1, 40, 30)
    written(values, tmp_path, "picture")
    low, high = np.percentile(values.astype(np.float32), [0.5, 99.5])
    expected = np.round(255 * np.clip((values[0] - low) / (high - low), 0, 1))
    assert np.abs(np.asarray(Image.open(tmp_path / "image.png")) - expected).max() <= 1
