"""Training windows: a slice that a rater drew on or one that nobody did, one rater's label, and nothing beyond what is known."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from caveat.transforms.preparation.rand_slab import RandSlabd


def volume() -> dict[str, torch.Tensor]:
    """Slice z of five holds the value z. Rater r of three draws on 1 to 3, in column r. Of slice 0 row 0 alone is known."""
    image = torch.arange(5.0).expand(1, 2, 3, 5)
    label = torch.zeros(3, 2, 3, 5, dtype=torch.uint8)
    for rater in range(3):
        label[rater, :, rater, 1:4] = 1
    known = torch.ones(1, 2, 3, 5, dtype=torch.uint8)
    known[:, 1, :, 0] = 0
    return {"image": image, "label": label, "known": known}


def drawn(count: int, **options):
    transform = RandSlabd("image", "label", "known", **options)
    transform.set_random_state(seed=0)
    return [transform(volume()) for _ in range(count)]


def test_slices_with_an_outline_and_raters_are_met_equally_often():
    slabs = drawn(900)
    slices = Counter(int(slab["image"][0, 0, 0]) for slab in slabs)
    assert set(slices) == {1, 2, 3} and all(240 < count < 360 for count in slices.values())
    raters = Counter(int((slab["label"][0, 0] == 2).nonzero()) for slab in slabs)
    assert set(raters) == {0, 1, 2} and all(240 < count < 360 for count in raters.values())
    assert all(set(slab) == {"image", "label"} and slab["label"].dtype == torch.float32 for slab in slabs)


def test_a_share_has_no_outline_and_what_is_not_known_is_zero():
    slabs = drawn(600, context=0.25)
    empty = [slab for slab in slabs if not (slab["label"] == 2).any()]
    assert 110 < len(empty) < 190
    first = next(slab for slab in empty if slab["image"][0, 0, 0] == 0)
    assert first["label"].tolist() == [[[1, 1, 1], [0, 0, 0]]]
    last = next(slab for slab in empty if slab["image"][0, 0, 0] == 4)
    assert last["label"].tolist() == [[[1, 1, 1], [1, 1, 1]]]


def test_a_slab_reaches_over_the_end_and_knows_nothing_there():
    slabs = drawn(300, depth=4)
    assert {tuple(slab["image"][:, 0, 0].int().tolist()) for slab in slabs} == {
        (0, 0, 0, 1), (0, 0, 1, 2), (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 4), (3, 4, 4, 4),
    }  # fmt: skip
    beyond = next(slab for slab in slabs if slab["image"][1, 0, 0] == 4)
    assert (beyond["label"][:2, 0] > 0).all() and not beyond["label"][2:].any()
    assert len({int((slab["label"] == 2).nonzero()[0, 2]) for slab in slabs}) == 3, "one rater a slab"
    assert all(len(set((slab["label"] == 2).nonzero()[:, 2].tolist())) == 1 for slab in slabs)


@pytest.mark.parametrize("context", [0.0, 1.0])
def test_a_volume_of_outlines_alone_has_no_other_slices(context):
    transform = RandSlabd("image", "label", "known", context=context)
    transform.set_random_state(seed=1)
    data = volume()
    assert transform({**data, "label": torch.ones_like(data["label"])})["label"].eq(2).any()
