"""A batch of slices, each augmented by numbers of its own."""

from __future__ import annotations

import pytest
import torch

from caveat.transforms.preparation.augment_slices import RandAugmentSlicesd


def batch(count: int = 64, value: float = 5.0) -> dict[str, torch.Tensor]:
    """A square in the first half of x, off the middle of y, the same in image and mask."""
    mask = torch.zeros(count, 1, 40, 32)
    mask[:, :, 8:14, 12:18] = 1
    return {"image": value * mask.expand(-1, 3, -1, -1).clone(), "label": mask}


def augmented(data: dict[str, torch.Tensor], seed: int = 0, **settings) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    return RandAugmentSlicesd("image", "label", (32, 24), **settings)(data)


def test_image_and_mask_move_together_and_each_slice_by_itself():
    given = batch()
    out = augmented(given, shift=4, factor=0.0, noise=0.0)
    assert out["image"].shape == (64, 3, 32, 24) and out["label"].shape == (64, 2, 32, 24)
    torch.testing.assert_close(out["label"].sum(1), torch.ones(64, 32, 24))
    inside = out["label"][:, 1] > 0.99
    assert inside.flatten(1).any(1).all() and (out["image"][:, 1][inside] > 2).all()
    assert (out["image"][:, 1][out["label"][:, 1] == 0] < 2).all(), "but for a blur's rim the image is where the mask is"
    assert len({tuple(one.flatten().tolist()) for one in out["label"]}) == 64
    assert torch.equal(given["label"], batch()["label"]), "what is cached is not changed"


def test_the_same_seed_gives_the_same_batch():
    assert torch.equal(augmented(batch())["image"], augmented(batch())["image"])
    assert not torch.equal(augmented(batch())["image"], augmented(batch(), seed=1)["image"])


def test_left_and_right_are_mirrored_half_of_the_time_and_front_and_back_never():
    out = augmented(batch(200), turn=0.0, scale=0.0, shift=0.0)["label"][:, 1]
    x = (out.sum(2) * torch.arange(32)).sum(1) / out.sum((1, 2))
    y = (out.sum(1) * torch.arange(24)).sum(1) / out.sum((1, 2))
    assert 0.4 < (x > 16).float().mean() < 0.6
    assert (x.sub(15.5).abs() - 9).abs().max() < 1.5, "a pixel stays a pixel, though the window is smaller"
    assert (y - 10.5).abs().max() < 1.5


def test_neighbours_change_places_and_the_slice_itself_stays_between_them():
    given = batch()
    given["image"] = given["image"] * torch.tensor([1.0, 2.0, 3.0]).view(1, 3, 1, 1) / 5
    sums = augmented(given, shift=2, factor=0.0, noise=0.0)["image"].sum((2, 3))
    turned = sums[:, 0] > sums[:, 2]
    assert 0.3 < turned.float().mean() < 0.7
    assert (sums[:, 1] > sums.min(1).values).all() and (sums[:, 1] < sums.max(1).values).all()


@pytest.mark.parametrize("value", [0.0, 7.5])
def test_a_gamma_leaves_the_two_ends(value):
    data = {"image": torch.full((32, 3, 32, 24), value), "label": torch.zeros(32, 1, 32, 24)}
    middle = augmented(data, turn=0.0, scale=0.0, shift=0.0, factor=0.0, noise=0.0)["image"][:, :, 16, 12]
    torch.testing.assert_close(middle, torch.full_like(middle, value))
