"""Local contrast forgets illumination and camera, and what lies outside the region."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from caveat.transforms.preparation.local_contrast import gaussian_filter, local_contrast

RANDOM = np.random.default_rng(0)
REGION = np.zeros((80, 90))
REGION[10:70, 15:80] = 1


def test_gain_and_offset_do_not_matter():
    channel = RANDOM.normal(100, 20, REGION.shape)
    plain = local_contrast(channel, REGION, 8, 0.01)
    assert np.allclose(local_contrast(3 * channel + 40, REGION, 8, 0.01), plain, atol=1e-6)
    inside = plain[REGION > 0]
    assert abs(inside.mean()) < 0.1 and inside.std() == pytest.approx(1, abs=0.1)


def test_the_surround_does_not_leak_in():
    channel = RANDOM.normal(100, 20, REGION.shape)
    other = np.where(REGION > 0, channel, 1e4)
    assert np.allclose(local_contrast(channel, REGION, 8, 1), local_contrast(other, REGION, 8, 1))
    assert np.all(local_contrast(channel, REGION, 8, 1)[REGION == 0] == 0)


def test_a_flat_channel_stays_flat():
    noisy = np.full(REGION.shape, 250.0) + RANDOM.normal(0, 0.1, REGION.shape)
    assert np.abs(local_contrast(noisy, REGION, 8, 4)).max() < 0.2


@pytest.mark.parametrize(("rows", "columns", "sigma"), [(80, 90, 8), (31, 7, 12.3), (1, 50, 3)])
def test_the_filter_is_scipys(rows, columns, sigma):
    image = RANDOM.normal(100, 20, (2, rows, columns))
    expected = [ndimage.gaussian_filter(channel, sigma) for channel in image]
    np.testing.assert_allclose(gaussian_filter(image, sigma), expected, rtol=0, atol=1e-10)
