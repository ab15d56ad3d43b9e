"""Noise, blur and shading: known where they are known, and moved by nothing else."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import ndimage

from caveat.inference.gate.image_scores import blur, image_scores, noise, shading, without_padding


def ball(shape: tuple[int, ...], soft: float = 0.7) -> np.ndarray:
    """A bright ball with slightly soft edges."""
    axes = np.meshgrid(*[np.linspace(-1, 1, size) for size in shape], indexing="ij")
    return ndimage.gaussian_filter((sum(axis**2 for axis in axes) < 0.4).astype(np.float32) * 4, soft)


@pytest.mark.parametrize("shape", [(128, 96), (40, 36, 32)])
@pytest.mark.parametrize("sd", [0.1, 0.7])
def test_noise_is_the_standard_deviation_that_was_added(shape, sd):
    rng = np.random.default_rng(0)
    white = rng.normal(0, sd, shape).astype(np.float32)
    ramp = np.add.outer(np.arange(shape[0]), np.zeros(shape[1:])) * 0.3
    assert noise(white) == pytest.approx(sd, rel=0.06)
    assert noise(white + ramp.astype(np.float32)) == pytest.approx(sd, rel=0.06)
    assert noise(white + ball(shape)) == pytest.approx(sd, rel=0.25)  # edges disturb little


def test_relative_noise_knows_no_unit():
    image = ball((40, 36, 32)) + np.random.default_rng(0).normal(0, 0.3, (40, 36, 32)).astype(np.float32)
    own, scaled = image_scores(image), image_scores(image * 250 + 1000)
    assert scaled["noise"] == pytest.approx(250 * own["noise"], rel=1e-3)
    assert scaled["relative_noise"] == pytest.approx(own["relative_noise"], rel=1e-3)
    assert own["relative_noise"] == pytest.approx(0.3 / image.std(), rel=0.25)


def test_masked_air_does_not_hide_noise():
    rng = np.random.default_rng(0)
    image = rng.normal(0, 0.5, (60, 60, 20)).astype(np.float32)
    image[:, :40] = 0
    assert noise(image) == pytest.approx(0.5, rel=0.1)


@pytest.mark.parametrize("mode", ["edge", "constant"])
def test_padding_changes_no_score(mode):
    image = np.random.default_rng(0).normal(0, 1, (21, 22, 23)).astype(np.float32)
    padded = np.pad(image, ((0, 3), (1, 1), (0, 0)), mode=mode)
    assert without_padding(padded).shape in ((21, 22, 23), (22, 24, 23))  # one slice of zeros is no repetition
    if mode == "edge":
        assert image_scores(padded) == image_scores(image)


def test_blur_rises_with_blur_along_any_axis():
    image = ball((40, 40, 40)) + np.random.default_rng(0).normal(0, 0.2, (40, 40, 40)).astype(np.float32)
    scores = [blur(ndimage.gaussian_filter(image, width)) for width in (0, 0.4, 0.8, 1.6)]
    assert scores == sorted(scores) and scores[1] > scores[0] + 0.02
    for axis in range(3):
        assert blur(ndimage.gaussian_filter1d(image, 0.7, axis=axis)) > scores[0] + 0.05


def test_shading_is_the_share_that_a_linear_fit_explains():
    rng = np.random.default_rng(0)
    image = rng.normal(size=(9, 11, 13)) + np.arange(11)[None, :, None] * 0.2 - np.arange(13) * 0.05
    columns = [axis.ravel() for axis in np.indices(image.shape)]
    design = np.stack([np.ones(image.size), *columns], axis=1)
    left = image.ravel() - design @ np.linalg.lstsq(design, image.ravel(), rcond=None)[0]
    assert shading(image) == pytest.approx(1 - left.var() / image.var())
    assert shading(np.broadcast_to(np.arange(9.0)[:, None], (9, 5))) == pytest.approx(1)


def test_scores_do_not_depend_on_scale_and_offset_but_for_noise():
    image = ball((24, 26, 28)) + np.random.default_rng(0).normal(0, 0.1, (24, 26, 28))
    first, second = image_scores(image), image_scores(5 * image + 100)
    assert second["noise"] == pytest.approx(5 * first["noise"], rel=1e-3)
    assert [second[name] for name in ("blur", "shading")] == pytest.approx(
        [first[name] for name in ("blur", "shading")], rel=1e-3
    )


@pytest.mark.parametrize("image", [np.zeros((8, 8, 8)), np.random.default_rng(0).random((2, 30, 30))])
def test_an_image_without_anything_to_score_has_no_score(image):
    assert all(math.isnan(score) for score in image_scores(image).values())
