"""What every corruption must keep: strength 0 changes nothing, one seed gives one image, labels and points follow the anatomy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from discover import concrete_subclasses
from phantoms import fundus, hippocampus_crop, oblique_affine
from scipy import ndimage

from caveat.reasons import StudyRefused
from caveat.transforms.corruptions.corruption import Corruption, LabelledImage, SpatialCorruption, all_corruptions
from caveat.transforms.corruptions.elastic import smoothed

CORRUPTIONS = concrete_subclasses(Corruption, "caveat.transforms")
every_corruption = pytest.mark.parametrize("kind", CORRUPTIONS, ids=lambda kind: kind.__name__)
MOVES_LABELS = {"rotation", "elastic", "crop"}
POINTS = np.array([[9.0, 12.5, 6.0], [4.25, 20.0, 3.0], [-2.0, 5.0, 11.5]])
"""The last one lies beyond the image."""
STRENGTHS = {"rotation": 15, "motion": 2, "blur": 2, "resolution": 4, "elastic": 0.6}


def volume() -> LabelledImage:
    image, labels = hippocampus_crop(shape=(20, 26, 12))
    return LabelledImage(image[None], (labels, (labels > 0).astype(np.uint8)), (0.9, 1.2, 2.5), oblique_affine(), POINTS)


def picture() -> LabelledImage:
    pixels, vessels, _ = fundus(60, 70)
    voxels, labels = np.moveaxis(pixels, -1, 0).astype(np.float32), (vessels.astype(np.uint8),)
    return LabelledImage(voxels, labels, (1.5, 1.5), np.eye(4), POINTS[:, :2])


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
    np.testing.assert_allclose(out.points, image.points, atol=1e-9)


@every_corruption
def test_it_says_whether_it_depends_on_the_size_of_an_element(kind):
    images = (replace(volume(), spacing=spacing) for spacing in ((1.0,) * 3, (0.9, 1.2, 2.5)))
    out, of_other_size = (run(kind(), image, strength_of(kind())) for image in images)
    assert np.array_equal(out.voxels, of_other_size.voxels) is not kind.uses_spacing


@both_kinds
@every_corruption
def test_one_seed_gives_one_image_and_the_input_is_left_alone(kind, image):
    before = image.voxels.copy(), [label.copy() for label in image.labels], image.points.copy()
    first, second = (run(kind(), image, strength_of(kind()), seed=7) for _ in range(2))
    np.testing.assert_array_equal(first.voxels, second.voxels)
    np.testing.assert_array_equal(image.voxels, before[0])
    np.testing.assert_array_equal(image.points, before[2])
    np.testing.assert_array_equal(first.points, second.points)
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
    assert out.points.shape == image.points.shape and np.isfinite(out.points).all()
    if kind().name not in MOVES_LABELS:
        np.testing.assert_array_equal(image.points, out.points)


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


def spots(shape: tuple[int, ...], places: np.ndarray, width: float) -> np.ndarray:
    """A smooth bright spot at each place, a channel each."""
    index = np.indices(shape).reshape(len(shape), -1).T
    distances = np.linalg.norm(index[None] - places[:, None], axis=-1)
    return np.exp(-((distances / width) ** 2) / 2).reshape(len(places), *shape).astype(np.float32)


every_shift = pytest.mark.parametrize("kind", [kind for kind in CORRUPTIONS if issubclass(kind, SpatialCorruption)])


@every_shift
@pytest.mark.parametrize("strength", [4.0, -7.0])
@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.7, 1.1)])
def test_points_follow_the_anatomy(kind, strength, spacing):
    """To 0.05 elements: a bright spot at each point has its middle where the point went."""
    places = np.array([[70.3, 66.0], [60.0, 95.5], [99.25, 80.75]])
    image = LabelledImage(spots((160, 150), places, 1.5), (), spacing, np.eye(4), places)
    out = run(kind(), image, strength if kind.signed else abs(strength) / 2, seed=2)
    found = [[np.average(axis, weights=spot) for axis in np.indices(out.shape)] for spot in out.voxels]
    assert np.abs(out.points - places).max() > 1
    np.testing.assert_allclose(out.points, found, atol=0.05)


@every_shift
def test_a_point_is_where_the_result_takes_it_from(kind):
    """Elements of the result as points of the original: they land where they came from, in volumes too."""
    shape, spacing = (24, 30, 20), (0.8, 1.3, 2.0)
    source = kind().positions(shape, spacing, STRENGTHS[kind().name], np.random.RandomState(3))
    index = np.array([[0, 0, 0], [12, 15, 10], [5, 20, 3], [23, 0, 19]])
    landed = kind().landings(source[:, *index.T].T, source)
    np.testing.assert_allclose(landed, index, atol=0.01)


def test_a_point_turned_out_of_the_picture_keeps_its_place_beyond_it():
    """A quarter turn of 101 x 201 elements: what was right of the middle lies below it, clockwise as the picture is shown."""
    places = np.array([[50.0, 190.0], [50.0, 100.0]])
    image = LabelledImage(np.zeros((1, 101, 201), np.float32), (), (1.0, 1.0), np.eye(4), places)
    for strength, row in ((90.0, 140.0), (-90.0, -40.0)):
        out = run(all_corruptions()["rotation"], image, strength)
        np.testing.assert_allclose(out.points, [[row, 100.0], [50.0, 100.0]], atol=1e-9)


def test_turns_to_both_sides_are_each_others_inverse():
    places = np.array([[30.0, 41.5], [70.0, 8.0]])
    image = LabelledImage(np.zeros((1, 90, 80), np.float32), (), (0.2, 0.3), np.eye(4), places)
    turned = run(all_corruptions()["rotation"], image, 33.0)
    np.testing.assert_allclose(run(all_corruptions()["rotation"], turned, -33.0).points, places, atol=1e-9)


def test_in_an_image_that_folds_a_point_has_no_one_place():
    """From column 20 on the result goes back: what lies right of column 10 of the original is there twice."""
    source = np.indices((40, 40), dtype=float)
    source[1] = np.minimum(source[1], 30 - source[1] / 2)
    with pytest.raises(StudyRefused, match="FOLDED_IMAGE: in 760 of 1600 elements"):
        all_corruptions()["elastic"].landings(np.array([[5.0, 4.0]]), source)


def test_the_smooth_field_is_that_of_a_gaussian_filter():
    noise = np.random.RandomState(0).normal(size=(60, 45))
    expected = ndimage.gaussian_filter(noise, (3.0, 5.0), mode="reflect", truncate=8)
    np.testing.assert_allclose(smoothed(noise, (3.0, 5.0)), expected, atol=1e-6)


@every_shift
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
    np.testing.assert_allclose(out.points + start, image.points)


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


def test_scattered_light_takes_the_contrast_of_dense_parts_first():
    """A step of 0.1 in the dense half and one in the thin half; the light beside it drowns the first."""
    voxels = np.zeros((1, 80, 80), np.float32)
    voxels[0, :, 40:] = 1.0
    voxels[0, 40, :] += 0.1
    scattered = all_corruptions()["scatter"].change(voxels, (1, 1), 1.0, np.random.RandomState(0))[0]
    thin, dense = (scattered[40, column] - scattered[30, column] for column in (10, 44))
    assert 0 < dense < thin / 3 and thin < 0.1
