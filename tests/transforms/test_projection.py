"""Simulated radiographs: line integrals against closed forms and a second projector, attenuation, exposure, labels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch.nn import functional as F

from caveat.transforms.projection.attenuation import BEAMS, densities, transmission
from caveat.transforms.projection.bone_mask import bone_mask
from caveat.transforms.projection.collimator import open_field
from caveat.transforms.projection.cone_beam import ConeBeam
from caveat.transforms.projection.detector import Exposure, expose, grey_values
from caveat.transforms.projection.labels import BONE, COLLIMATOR, OPEN_BEAM, SOFT_TISSUE, hard_labels, soft_labels
from caveat.transforms.projection.line_integrals import line_integrals

SHAPE, SPACING = (65, 55, 60), 3.0
VIEWS = [ConeBeam(0, 0, (64, 64), 4.0), ConeBeam(25, 6, (64, 64), 4.0), ConeBeam(90, -8, (64, 64), 4.0)]


def sphere(radius: float, subsamples: int = 4) -> np.ndarray:
    """Share of each voxel that lies inside a sphere around the origin, (z, y, x)."""
    z, y, x = (((np.arange(n * subsamples) + 0.5) / subsamples - n / 2) * SPACING for n in SHAPE)
    inside = x**2 + y[:, None] ** 2 + z[:, None, None] ** 2 < radius**2
    return inside.reshape(SHAPE[0], subsamples, SHAPE[1], subsamples, SHAPE[2], subsamples).mean(axis=(1, 3, 5))


def box(half_mm: tuple[float, float, float]) -> np.ndarray:
    """Share of each voxel that lies inside a box around the origin, exactly, (z, y, x)."""
    shares = []
    for count, half in zip(SHAPE, half_mm, strict=True):
        low = (np.arange(count) - count / 2) * SPACING
        shares.append(np.clip(np.minimum(low + SPACING, half) - np.maximum(low, -half), 0, None) / SPACING)
    return shares[0][:, None, None] * shares[1][:, None] * shares[2]


def chord(beam: ConeBeam, radius: float) -> np.ndarray:
    """Path of each ray in a sphere around the origin."""
    rays = beam.pixels() - beam.source
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    along = rays @ beam.source
    return 2 * np.sqrt(np.maximum(along**2 - (beam.source @ beam.source - radius**2), 0))


def joseph(volume: np.ndarray, beam: ConeBeam) -> np.ndarray:
    """Joseph 1982: one bilinear sample for each slice along the main axis of the central ray. Args: volume: (z, y, x)."""
    rays = torch.as_tensor(beam.pixels().reshape(-1, 3) - beam.source)
    main = int(np.abs(beam.central_ray).argmax())
    across, counts = [axis for axis in range(3) if axis != main], volume.shape[::-1]
    slices = torch.as_tensor(np.moveaxis(volume, 2 - main, 0).astype(np.float64))
    total = torch.zeros(len(rays), dtype=torch.float64)
    for number in range(counts[main]):
        reach = ((number - (counts[main] - 1) / 2) * SPACING - beam.source[main]) / rays[:, main]
        at = [(beam.source[axis] + reach * rays[:, axis]) / (counts[axis] * SPACING / 2) for axis in across]
        grid = torch.stack(at, dim=-1)[None, None]
        total += F.grid_sample(slices[number][None, None], grid, padding_mode="zeros", align_corners=False)[0, 0, 0]
    return (total * SPACING * rays.norm(dim=1) / rays[:, main].abs()).reshape(beam.shape).numpy()


@pytest.mark.parametrize("beam", VIEWS)
def test_a_sphere_weighs_its_chord(beam):
    expected = chord(beam, 70.0)
    inside = expected > 0.75 * expected.max()  # away from the outline
    found = line_integrals(sphere(70.0), SPACING, beam)
    assert np.abs(found - expected)[inside].mean() < 0.002 * expected[inside].mean()


@pytest.mark.parametrize("beam", VIEWS)
def test_a_slab_weighs_its_thickness(beam):
    expected = beam.path_in_box(np.array([120.0, 60.0, 150.0]))
    rays = beam.pixels() - beam.source
    through = np.linalg.norm(rays, axis=-1) / np.abs(rays).max(axis=-1)  # through the two large faces alone
    thickness = (120.0, 60.0)[int(np.abs(beam.central_ray).argmax())]
    inside = ndimage.binary_erosion(np.isclose(expected, thickness * through), iterations=3)
    assert inside.sum() > 50
    found = line_integrals(box((75.0, 30.0, 60.0)), SPACING, beam)
    assert np.abs(found - expected)[inside].mean() < 0.002 * expected[inside].mean()


def test_the_voxels_at_the_border_count_in_full():
    found = line_integrals(np.ones((9, 7, 8)), 2.0, ConeBeam(0, 0, (3, 3), 0.5))
    assert found[1, 1] == pytest.approx(7 * 2.0, rel=1e-4)


@pytest.mark.parametrize("beam", VIEWS)
def test_two_projectors_agree_on_a_noisy_volume(beam):
    volume = np.random.default_rng(0).random(SHAPE).astype(np.float32)
    found, expected = line_integrals(volume, SPACING, beam), joseph(volume, beam)
    assert np.abs(found - expected).mean() < 0.002 * expected.mean()


def test_what_would_not_be_integrated_is_an_error():
    with pytest.raises(ValueError, match="negative"):
        line_integrals(-np.ones((3, 3, 3)), 1.0, VIEWS[0])


def test_the_head_is_up_and_the_left_side_at_the_right_of_a_view_from_the_front():
    volume = np.zeros(SHAPE)
    volume[-8:, :, -8:] = 1  # towards the head, towards the left
    row, column = np.unravel_index(line_integrals(volume, SPACING, VIEWS[0]).argmax(), (64, 64))
    assert row < 32 < column


def test_water_weakens_by_the_law_of_beer_and_lambert():
    soft, bone = densities(np.array([0.0, 1600.0, -1000.0, 0.0]), np.array([True, True, True, False]))
    np.testing.assert_allclose(soft, [1, 0, 0, 0])
    np.testing.assert_allclose(bone, [0, 1.92, 0, 0])
    water = transmission(np.array([10.0]), np.array([0.0]), {60: 1.0})
    np.testing.assert_allclose(water, np.exp(-2.059))
    assert all(sum(beam.values()) == pytest.approx(1) for beam in BEAMS.values())


def test_a_hollow_bone_end_is_bone():
    hounsfield = np.full((20, 30, 30), 40.0)
    hounsfield[:, 8:22, 8:22] = 900
    hounsfield[:, 10:20, 10:20] = 60  # marrow
    hounsfield[5, 2, 2] = 3000  # noise: one voxel
    found = bone_mask(hounsfield, np.ones(hounsfield.shape, bool), 200)
    assert found[10, 8:22, 8:22].all()
    assert found.sum() < 1.1 * 20 * 14 * 14


def test_a_field_is_a_turned_rectangle_inside_its_region():
    within = np.zeros((100, 120), bool)
    within[10:90, 20:110] = True
    straight, turned = (open_field(within, angle, [0.1] * 4) for angle in (0, 3))
    assert straight.sum() == pytest.approx(0.64 * 80 * 90, rel=0.05)
    assert turned.sum() == pytest.approx(straight.sum(), rel=0.03) and (straight != turned).any()
    assert not (straight & ~within).any()


def test_exposure_control_gives_thick_bodies_their_photons():
    generator, field = np.random.default_rng(0), np.ones((60, 60), bool)
    noise = []
    for thickness in (1.0, 0.001):
        energy = expose(np.full((60, 60), thickness), field, 1.0, Exposure(0.0, 0.3, 1000.0), generator)
        noise.append(energy.std() / energy.mean())
    assert noise == pytest.approx([1000**-0.5] * 2, rel=0.1)


@pytest.mark.parametrize("bits", [8, 12, 15])
def test_bone_is_bright_in_as_many_bits_as_the_file_has(bits):
    energy = np.array([[1.0, 0.1, 0.01]])
    grey = grey_values(energy, np.ones((1, 3), bool), bits, (0, 100))
    assert grey.tolist() == [[0, round((2**bits - 1) / 2), 2**bits - 1]]


def test_labels_follow_the_paths_and_the_soft_ones_agree():
    body, bone = np.array([0.0, 0.99, 1.0, 80.0, 80.0, 80.0]), np.array([0.0, 0.0, 0.0, 2.9, 3.0, 40.0])
    field = np.array([True, True, True, True, True, False])
    hard = hard_labels(body, bone, field)
    assert hard.tolist() == [OPEN_BEAM, OPEN_BEAM, SOFT_TISSUE, SOFT_TISSUE, BONE, COLLIMATOR]
    soft = soft_labels(body, bone, field)
    np.testing.assert_allclose(soft.sum(axis=0), field)
    assert soft[2, 4] == pytest.approx(0.5) and soft[1, 3] > 0.5 and soft[0, 0] > 0.96
