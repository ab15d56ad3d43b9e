"""One slice of a volume, by what it holds."""

from __future__ import annotations

from collections import Counter

import torch

from caveat.transforms.preparation.random_slice import RandSliced


def volume(holding: list[int], slices: int = 10) -> dict[str, torch.Tensor]:
    """Slice s of the image is s everywhere; some slices hold something of the mask."""
    image = torch.arange(slices).float().expand(3, 8, 6, slices)
    mask = torch.zeros(1, 8, 6, slices)
    for number, one in enumerate(holding):
        mask[0, : 1 + number, 0, one] = 0.5
    return {"image": image, "label": mask}


def drawn(data: dict[str, torch.Tensor], share: float, times: int = 400) -> Counter[int]:
    transform = RandSliced(["image", "label"], "label", share)
    transform.set_random_state(seed=0)
    slices = Counter()
    for _ in range(times):
        one = transform(data)
        number = int(one["image"][0, 0, 0])
        assert one["image"].shape == (3, 8, 6) and torch.equal(one["label"], data["label"][..., number])
        slices[number] += 1
    return slices


def test_slices_of_either_kind_are_equally_likely_however_much_they_hold():
    slices = drawn(volume([3, 4]), share=0.6)
    assert abs(slices[3] + slices[4] - 240) < 40 and abs(slices[3] - slices[4]) < 50
    assert set(slices) == set(range(10)) and max(slices[one] for one in range(10) if one not in (3, 4)) < 45


def test_where_there_is_one_kind_alone_that_is_drawn():
    assert set(drawn(volume([]), share=1.0)) == set(range(10))
    assert set(drawn(volume(list(range(10))), share=0.0)) == set(range(10))
