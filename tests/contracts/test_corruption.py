"""What every corruption must keep: strength 0 changes nothing, one seed gives one image, labels go where the anatomy goes."""

from __future__ import annotations

import numpy as np
import pytest
from discover import concrete_subclasses
from phantoms import fundus, hippocampus_crop, oblique_affine

from caveat.transforms.corruption import Corruption, LabelledImage, SpatialCorruption, all_corruptions

CORRUPTIONS = concrete_subclasses(Corruption, "caveat.transforms")
every_corruption = pytest.mark.parametrize("kind", CORRUPTIONS, ids=lambda kind: kind.__name__)
MOVES_LABELS = {"rotation", "elastic", "crop"}
STRENGTHS = {"rotation": 15, "motion": 2, "blur": 2, "resolution": 4, "elastic": 2}


def volume() -> LabelledImage:
    image, labels = hippocampus_crop(shape=(20, 26, 12))
    return LabelledImage(image[None], (labels, (labels > 0).astype(np.uint8)), (0.9, 1.2, 2.5), oblique_affine())


def picture() -> LabelledImage:
    pixels, vessels, _ = fundus(60, 70)
    return LabelledImage(np.moveaxis(pixels, -1, 0).astype(np.float32), (vessels.astype(np.uint8),), (1.5, 1.5), np.eye(4))


both_kinds = pytest.mark.parametrize("image", [volume(), picture()], ids=["volume", "picture"])


def strength_of(corruption: Corruption) -> float:
    return STRENGTHS.get(corruption.name, 0.3)


def run(corruption, image, strength, seed=0):
    return corruption(image, strength, np.random.RandomState(seed))


def test_the_corruptions_find_themselves():
    assert {type(corruption) for corruption in all_corruptions().values()} == set(CORRUPTIONS)
    assert all(corruption.name == name and corruption.unit for name, corruption in all_corruptions().items())


@both_kinds
@every_corruption
def test_strength_0_leaves_the_image(kind, image):
    out = run(kind(), image, 0.0)
    np.testing.assert_allclose(out.voxels, image.voxels, atol=1e-4 * np.ptp(image.voxels))
    for before, after in zip(image.labels, out.labels, strict=True):
        np.testing.assert_array_equal(before, after)
    np.testing.assert_allclose(out.affine, image.affine)


@both_kinds
@every_corruption
def test_one_seed_gives_one_image_and_the_input_is_left_alone(kind, image):
    before = image.voxels.copy(), [label.copy() for label in image.labels]
    first, second = (run(kind(), image, strength_of(kind()), seed=7) for _ in range(2))
    np.testing.assert_array_equal(first.voxels, second.voxels)
    np.testing.assert_array_equal(image.voxels, before[0])
    for label, kept in zip(image.labels, before[1], strict=True):
        np.testing.assert_array_equal(label, kept)
    assert first.voxels.dtype == np.float32 and np.isfinite(first.voxels).all()
    assert not np.array_equal(first.voxels, image.voxels)


@both_kinds
@every_corruption
def test_labels_keep_their_type_and_values_and_lie_on_the_image(kind, image):
    out = run(kind(), image, strength_of(kind()))
    for before, after in zip(image.labels, out.labels, strict=True):
        assert after.dtype == before.dtype and after.shape == out.shape
        assert set(np.unique(after)) <= set(np.unique(before))
        if kind().name not in MOVES_LABELS:
            np.testing.assert_array_equal(before, after)


@both_kinds
@every_corruption
def test_more_is_worse(kind, image):
    """Mean square change over seeds; a crop is judged by what is left."""
    means = []
    for share in (0.3, 1.0):
        outs = [run(kind(), image, share * strength_of(kind()), seed) for seed in range(5)]
        if kind().name == "crop":
            means.append(-np.mean([out.voxels.size for out in outs]))
        else:
            means.append(np.mean([np.square(out.voxels - image.voxels).mean() for out in outs]))
    assert means[1] > means[0]


@pytest.mark.parametrize("kind", [kind for kind in CORRUPTIONS if issubclass(kind, SpatialCorruption)])
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.8, 1.3, 2.0)])
def test_labels_follow_the_anatomy(kind, spacing):
    """An image that is its own label stays that."""
    _, labels = hippocampus_crop(shape=(24, 30, 20))
    mask = (labels > 0).astype(np.uint8)
    image = LabelledImage(mask[None].astype(np.float32), (mask,), spacing, np.eye(4))
    out = run(kind(), image, STRENGTHS[kind().name], seed=1)
    assert not np.array_equal(out.labels[0], mask)
    off = (out.voxels[0] > 0.5) != (out.labels[0] > 0)
    assert off.sum() < 0.1 * mask.sum()


def test_a_turn_is_a_turn_in_millimetres():
    """A quarter turn of a picture with unequal pixels keeps lengths, not numbers of pixels."""
    line = np.zeros((41, 41), np.float32)
    line[10:31, 20] = 1  # 20 steps of 1 mm along the first axis
    image = LabelledImage(line[None], (), (1.0, 2.0), np.eye(4))
    out = run(all_corruptions()["rotation"], image, 90.0).voxels[0]
    assert out[20, 16:25].min() > 0.9 and out[20, :15].max() < 0.5  # 20 mm are 10 steps of the second axis


def test_a_crop_keeps_voxels_and_where_they_are():
    image = volume()
    out = run(all_corruptions()["crop"], image, 0.4, seed=3)
    first = np.linalg.solve(image.affine, out.affine[:, 3])[:3]
    start = np.rint(first).astype(int)
    np.testing.assert_allclose(first, start, atol=1e-9)
    box = tuple(slice(begin, begin + size) for begin, size in zip(start, out.shape, strict=True))
    np.testing.assert_array_equal(out.voxels[0], image.voxels[0][box])
    np.testing.assert_array_equal(out.labels[0], image.labels[0][box])


def test_strengths_mean_what_they_say():
    """Noise, deformation and bias field have the size stated."""
    random, flat = np.random.RandomState(0), np.zeros((1, 40, 40, 40), np.float32)
    flat[:, 20:] = 100
    image = LabelledImage(flat, (), (1.0, 1.0, 1.0), np.eye(4))
    noise = all_corruptions()["gaussian_noise"](image, 0.1, random).voxels - flat
    assert noise.std() == pytest.approx(10, rel=0.02)
    bright = all_corruptions()["poisson_noise"](image, 0.1, random).voxels[0, 20:]
    assert bright.mean() == pytest.approx(100, rel=0.01) and bright.std() == pytest.approx(10, rel=0.02)
    moved = all_corruptions()["elastic"].positions((40, 40, 40), (1, 2, 0.5), 3.0, random) - np.indices((40, 40, 40))
    np.testing.assert_allclose(moved.std(axis=(1, 2, 3)) * (1, 2, 0.5), 3.0, rtol=1e-6)
    field = all_corruptions()["bias_field"].change(np.ones((1, 20, 20, 20), np.float32), (1, 1, 1), 0.5, random)
    assert (field.min(), field.max()) == pytest.approx((1 / 1.5, 1.5))


def test_motion_is_a_shift_where_every_line_is_shifted_alike():
    """The phase ramp: of all lines but those at the centre, which is held."""
    corruption = all_corruptions()["motion"]
    shifts = corruption._shifts(64, (1.0, 2.0, 0.5), 1.0, np.random.RandomState(0))
    assert shifts.shape == (64, 3) and not shifts[0].any()
    assert len(np.unique(shifts[:, 0])) <= 7


def test_coarse_elements_are_left_where_they_are_coarse_already():
    image = volume()  # 2.5 mm along the third axis
    wave = np.tile(np.arange(12) % 2, (20, 26, 1)).astype(np.float32)[None]
    out = all_corruptions()["resolution"].change(wave, image.spacing, 2.0, np.random.RandomState(0))
    np.testing.assert_allclose(out, wave, atol=1e-6)
