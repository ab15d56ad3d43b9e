"""Objects that touch are told apart in the measure of the picture's own objects."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from caveat.inference.targets.tell_apart import at_border, tell_apart
from caveat.transforms.preparation.part_objects import part_objects


def discs(shape: tuple[int, int], *middles_and_radii: tuple[float, float, float]) -> np.ndarray:
    rows, columns = np.indices(shape)
    return np.any([(rows - y) ** 2 + (columns - x) ** 2 <= r**2 for y, x, r in middles_and_radii], axis=0)


FOUR = ((20, 20, 10), (20, 37, 10), (55, 20, 10), (55, 60, 10))
"""The first two overlap."""


def test_two_that_overlap_are_two():
    mask = discs((80, 80), *FOUR)
    objects = tell_apart(mask)
    assert objects.max() == 4 and objects.dtype == np.int32
    assert set(np.unique(objects[mask])) == {1, 2, 3, 4}
    assert objects[20, 20] != objects[20, 37] and len({objects[20, 20], objects[55, 20], objects[55, 60]}) == 3


@pytest.mark.parametrize("times", [1, 2, 5])
def test_the_picture_s_own_objects_are_the_measure(times):
    mask = discs((80 * times, 80 * times), *[(times * y, times * x, times * r) for y, x, r in FOUR])
    assert tell_apart(mask).max() == 4


def test_a_bent_object_is_one():
    mask = discs((80, 80), (20, 20, 9), (20.5, 22, 9), (21.5, 24, 9), (55, 20, 10), (55, 60, 10))
    assert tell_apart(mask).max() == 3


def test_debris_is_no_object():
    mask = discs((80, 80), *FOUR[1:], *[(70, 4 * number, 1) for number in range(1, 9)])  # 5 of 317 pixels, and more of them
    assert tell_apart(mask).max() == 3 and tell_apart(mask)[70, 4] == 0


def test_nothing_is_no_object():
    assert tell_apart(np.zeros((9, 7), bool)).max() == 0 and at_border(tell_apart(np.zeros((9, 7), bool))).size == 0


def test_a_seam_that_a_network_leaves_open_belongs_to_the_objects_again():
    numbered = np.zeros((40, 60), np.int32)
    numbered[10:30, 10:30], numbered[10:30, 30:50] = 1, 2
    parted = part_objects(torch.from_numpy(numbered)[None])[0].numpy() > 0
    assert not parted[10:30, 29:31].any() and parted[10:30, 28].all() and parted.sum() == numbered.astype(bool).sum() - 40
    objects = tell_apart(parted)
    assert objects.max() == 2 and (objects[12:28] > 0).sum() == (numbered[12:28] > 0).sum()
    assert (objects[:, :10] == 0).all(), "and no other ground does"


def test_what_the_border_cuts():
    objects = tell_apart(discs((60, 60), (0, 20, 10), (30, 30, 10), (50, 59, 8)))
    assert objects.max() == 3 and set(at_border(objects)) == {objects[0, 20], objects[50, 59]}


def test_a_glow_larger_than_all_objects_does_not_make_them_debris():
    """Its area is 60 times that of one of the others, and more than that of all."""
    glow = (60, 196, 55)
    mask = discs((256, 256), glow, *[(20 + 40 * row, 15 + 22 * column, 7) for row in range(5) for column in range(6)])
    assert np.pi * glow[2] ** 2 > 30 * np.pi * 7**2 and tell_apart(mask).max() == 31


def test_a_crowd_in_one_piece_is_its_objects():
    mask = discs((400, 400), *[(10 + 12 * row, 10 + 12 * column, 6.5) for row in range(30) for column in range(30)])
    assert tell_apart(mask).max() == 900


def test_specks_say_nothing_beside_an_object_and_are_objects_by_themselves():
    specks = [(10 * row + 5, 10 * column + 5, 1) for row in range(2) for column in range(20)]
    assert tell_apart(discs((200, 200), (100, 100, 30), *specks)).max() == 1
    assert tell_apart(discs((200, 200), *specks)).max() == 40
