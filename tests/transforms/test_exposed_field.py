"""The exposed field of a radiograph: a turned rectangle, a black frame, or all of the image."""

from __future__ import annotations

import numpy as np
import torch
from monai.data import MetaTensor

from caveat.transforms.preparation.exposed_field import FindExposedFieldd, filled_share, find_exposed_field
from caveat.transforms.preparation.scale_in_region import ScaleInRegiond
from caveat.transforms.projection.collimator import open_field


def limb() -> tuple[np.ndarray, np.ndarray]:
    """A bright limb on an open beam behind a turned collimator, and the collimator's field; (120, 100)."""
    generator = np.random.default_rng(0)
    field = open_field(np.ones((120, 100), bool), 3.0, [0.12, 0.1, 0.15, 0.1])
    column = np.arange(100.0)
    thickness = np.sqrt(np.maximum(1 - ((column - 50) / 25) ** 2, 0))
    image = np.broadcast_to(1500 * thickness, (120, 100)) + generator.normal(0, 20, (120, 100))
    return np.where(field, image, 4000 + generator.normal(0, 20, (120, 100))), field


def overlap(found: np.ndarray, expected: np.ndarray) -> float:
    return (found & expected).sum() / (found | expected).sum()


def test_a_turned_white_frame_is_left_out():
    image, field = limb()
    found = find_exposed_field(image)
    assert overlap(found, field) > 0.9 and not (field & ~found).any()


def test_a_black_frame_is_left_out_and_the_open_beam_is_not():
    image, field = limb()
    framed = np.where(field, np.maximum(image, 1), 0)
    assert overlap(find_exposed_field(framed), field) == 1


def test_without_a_frame_all_is_exposed():
    image, _ = limb()
    round_body = np.hypot(*np.ogrid[-60:60, -50:50])
    assert find_exposed_field(np.maximum(2000 - 40 * round_body, 0)).all()
    assert find_exposed_field(np.zeros((20, 20))).all()


def test_a_disc_fills_pi_quarters_of_its_rectangle():
    disc = np.hypot(*np.ogrid[-60:61, -60:61]) <= 55
    assert abs(filled_share(disc) - np.pi / 4) < 0.02


def test_percentiles_of_the_field_become_0_and_1():
    image, field = limb()
    study = {"image": MetaTensor(torch.as_tensor(image[None], dtype=torch.float32))}
    study = ScaleInRegiond(keys="image", region_key="region", percentiles=(0, 100))(FindExposedFieldd(keys="image")(study))
    scaled, region = study["image"][0].numpy(), study["region"][0].numpy() > 0
    assert scaled[region].min() == 0 and scaled[region].max() == 1 and not scaled[~region].any()
    values = image[region]
    np.testing.assert_allclose(scaled[region], (values - values.min()) / np.ptp(values), atol=1e-5)


def test_a_flat_region_stays_finite():
    study = {"image": MetaTensor(torch.full((1, 4, 4), 7.0)), "region": MetaTensor(torch.ones(1, 4, 4))}
    assert not ScaleInRegiond(keys="image", region_key="region")(study)["image"].any()
