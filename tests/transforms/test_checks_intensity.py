"""Checks of values."""

from __future__ import annotations

import numpy as np
import pytest

from caveat.reasons import StudyRefused
from caveat.transforms.checks.intensity import refuse_channels, refuse_constant, refuse_non_finite


def test_61_an_image_is_constant_where_no_channel_varies():
    image = np.zeros((3, 4, 5), np.float32)
    image[1] = 7
    with pytest.raises(StudyRefused, match="CONSTANT_IMAGE"):
        refuse_constant(image)
    image[2, 3, 4] = 1
    refuse_constant(image)


def test_50_values_that_are_not_finite_are_counted():
    image = np.zeros((1, 4, 5), np.float32)
    refuse_non_finite(image)
    image[0, 0, :3] = np.nan, np.inf, -np.inf
    with pytest.raises(StudyRefused, match="NON_FINITE_VOXELS: 3 of 20"):
        refuse_non_finite(image)


def test_61_channels_are_those_that_the_bundle_reads():
    refuse_channels(np.zeros((3, 4, 5)), 3)
    with pytest.raises(StudyRefused, match="WRONG_CHANNELS: 1 where"):
        refuse_channels(np.zeros((1, 4, 5)), 3)
