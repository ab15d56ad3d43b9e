"""The field of view is found in the photograph itself, or the photograph is refused."""

from __future__ import annotations

import numpy as np
import pytest
import skimage
from monai.data import MetaTensor
from phantoms import fundus
from PIL import Image

from caveat.reasons import StudyRefused
from caveat.transforms.place.field_of_view import FindFieldOfViewd, clipped_disc, find_field_of_view


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * (a & b).sum() / (a.sum() + b.sum())


@pytest.mark.parametrize("gain", [0.3, 1.0, 1.6], ids=["dark", "plain", "saturated"])
def test_the_field_of_a_phantom_is_found_at_any_exposure(gain):
    pixels, _, field = fundus(450, 470)
    assert dice(find_field_of_view(np.clip(pixels[..., 0] * gain, 0, 255)), field) > 0.99


def test_a_field_clipped_by_the_picture_is_found():
    pixels, _, field = fundus(450, 470)
    assert dice(find_field_of_view(pixels[50:390, :, 0].astype(float)), field[50:390]) > 0.99


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea", "immunohistochemistry"])
def test_other_pictures_have_none(name):
    with pytest.raises(StudyRefused, match="NO_FIELD_OF_VIEW"):
        find_field_of_view(getattr(skimage.data, name)()[..., 0].astype(float))


def test_a_constant_channel_has_none():
    with pytest.raises(StudyRefused, match="NO_FIELD_OF_VIEW"):
        find_field_of_view(np.full((40, 40), 9.0))


def test_a_thumbnail_is_refused():
    image = MetaTensor(np.moveaxis(fundus(180, 190)[0], -1, 0).astype(np.float32))
    with pytest.raises(StudyRefused, match="LOW_RESOLUTION"):
        FindFieldOfViewd("image")({"image": image})
    assert FindFieldOfViewd("image", smallest_diameter=100)({"image": image})["region"].shape == (1, 180, 190)


def test_the_circle_is_fitted_to_the_arc_that_is_there():
    row, column = np.ogrid[:200, :300]
    disc = (row - 90) ** 2 + (column - 150) ** 2 <= 120**2
    assert (clipped_disc(disc) != disc).mean() < 0.005


@pytest.mark.slow
@pytest.mark.parametrize("data_set", ["chase_db1", "hrf"])
def test_the_field_is_that_of_the_published_masks(data_set, shared_data):
    scores = []
    for path in sorted((shared_data / data_set / "images").glob("*.jpg")):
        (mask,) = (shared_data / data_set / "fov").glob(f"{path.stem}_*.png")
        found = find_field_of_view(np.asarray(Image.open(path))[..., 0].astype(float))
        scores.append(dice(found, np.asarray(Image.open(mask)) > 0))
    assert len(scores) >= 28 and min(scores) >= 0.99
