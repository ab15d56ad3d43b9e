"""Training images degraded at random."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from caveat.transforms.corruptions.corruption import LabelledImage
from caveat.transforms.corruptions.motion import Motion
from caveat.transforms.preparation.rand_corruption import RandCorruptiond

AFFINE = torch.diag(torch.tensor([2.0, 1.0, 1.0, 1.0], dtype=torch.float64))


def study():
    image = torch.randn(1, 12, 16, 10, generator=torch.Generator().manual_seed(1))
    return {"image": MetaTensor(image, affine=AFFINE), "label": torch.ones(1, 12, 16, 10)}


def degraded(seed, **more):
    transform = RandCorruptiond("image", "motion", [1.0, 3.0], **{"prob": 1.0, **more})
    transform.set_random_state(seed)
    return transform(study())


def test_it_is_the_corruption_of_stress_at_a_strength_in_the_range_and_in_mm():
    random = np.random.RandomState(3)
    random.random()
    strength = random.uniform(1.0, 3.0)
    whole = LabelledImage(study()["image"].numpy(), (), (2.0, 1.0, 1.0), AFFINE.numpy())
    expected = Motion()(whole, strength, random).voxels
    out = degraded(3)
    np.testing.assert_array_equal(out["image"].numpy(), expected)
    assert torch.equal(out["image"].affine, AFFINE) and torch.equal(out["label"], study()["label"])


def test_a_seed_gives_one_image_and_another_seed_another():
    assert torch.equal(degraded(5)["image"], degraded(5)["image"])
    assert not torch.equal(degraded(5)["image"], degraded(6)["image"])


def test_what_is_not_chosen_stays_as_it_is():
    assert torch.equal(degraded(5, prob=0.0)["image"], study()["image"])


@pytest.mark.parametrize("name", ["rotation", "earthquake"])
def test_what_moves_the_anatomy_or_is_unknown_is_refused(name):
    with pytest.raises(ValueError, match=name):
        RandCorruptiond("image", name, [0.0, 1.0])
