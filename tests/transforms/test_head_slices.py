"""Heads of unlike spacing and intensity become alike: pixels of one size, intensities of one scale, neighbours as channels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Compose, Invertd

from caveat.reasons import StudyRefused
from caveat.transforms.preparation.neighbour_slices import NeighbourSlicesd
from caveat.transforms.preparation.slice_grid import SliceGridd
from caveat.transforms.preparation.standardise_head import StandardiseHeadd, quantiles

SETTINGS = {"pixel_mm": 2.0, "thin_mm": 3.0, "thick_mm": 4.0, "frame": 128}


def volume(size, spacing_mm, known=True) -> MetaTensor:
    voxels = torch.rand((1, *size), generator=torch.Generator().manual_seed(0), dtype=torch.float64).float()
    return MetaTensor(
        voxels, affine=torch.diag(torch.tensor([*spacing_mm, 1.0])), meta={"spacing_source": "header" if known else ""}
    )


@pytest.mark.parametrize(
    ("size", "spacing_mm", "known", "expected"),
    [
        ((60, 40, 20), (1.0, 1.0, 1.0), True, (30, 20, 5)),
        ((60, 40, 6), (1.0, 1.0, 3.0), True, (30, 20, 6)),  # thick slices stay
        ((60, 40, 6), (0.5, 0.5, 6.5), True, (15, 10, 6)),
        ((512, 256, 3), (1.0, 1.0, 1.0), False, (128, 64, 3)),  # no spacing: the frame counts
        ((64, 64, 3), (1.0, 1.0, 1.0), False, (128, 128, 3)),
    ],
)
def test_pixels_of_one_size_and_thick_slices(size, spacing_mm, known, expected):
    assert SliceGridd("image", **SETTINGS)({"image": volume(size, spacing_mm, known)})["image"].shape[1:] == expected


def test_a_coarse_pixel_is_the_mean_of_the_four_in_it_and_the_faces_stay():
    fine = volume((8, 6, 2), (1.0, 1.0, 5.0))
    coarse = SliceGridd("image", **SETTINGS)({"image": fine})["image"]
    means = fine.as_tensor().reshape(1, 4, 2, 3, 2, 2).mean(dim=(2, 4))
    torch.testing.assert_close(coarse.as_tensor().float(), means)
    assert coarse.affine[:3, 3].tolist() == [0.5, 0.5, 0.0] and coarse.pixdim.tolist() == [2.0, 2.0, 5.0]


def test_maps_come_back_onto_the_grid_of_the_input():
    chain = Compose([SliceGridd("image", **SETTINGS), NeighbourSlicesd("image")])
    ramp = volume((40, 32, 16), (1.0, 1.0, 1.0))
    ramp[0] = torch.arange(40.0)[:, None, None].expand(40, 32, 16)
    seen = chain({"image": ramp})
    map_ = MetaTensor(seen["image"].as_tensor()[1:2])
    back = Invertd("map", chain, orig_keys="image", nearest_interp=False)({"image": seen["image"], "map": map_})["map"]
    assert back.shape == ramp.shape
    torch.testing.assert_close(back.as_tensor().float()[:, 1:-1], ramp.as_tensor()[:, 1:-1], atol=1e-4, rtol=0)


def test_the_scanners_unit_drops_out_and_air_is_zero():
    head = torch.zeros(1, 10, 10, 10)
    head[0, 2:8, 2:8, 2:8] = 100 + 20 * torch.randn(6, 6, 6, generator=torch.Generator().manual_seed(1))
    once = StandardiseHeadd("image")({"image": head})["image"]
    again = StandardiseHeadd("image")({"image": 731 * head})["image"]
    inside = once[0, 2:8, 2:8, 2:8]
    torch.testing.assert_close(once, again)
    assert not once[0, :2].any() and float(inside.mean()) == pytest.approx(2.5, abs=0.05)
    assert float(inside.std()) == pytest.approx(1.0, abs=0.05)


def test_voxels_beyond_the_limits_are_cut():
    head = torch.cat([torch.full((1, 500), 10.0), torch.full((1, 500), 11.0), torch.tensor([[1000.0]])], dim=1)
    assert float(StandardiseHeadd("image", above=5.0)({"image": head})["image"].max()) == 7.5


def test_an_image_without_contrast_in_the_head_is_refused():
    flat = torch.zeros(1, 8, 8, 8)
    flat[0, 4:] = 3
    with pytest.raises(StudyRefused, match="CONSTANT_IMAGE"):
        StandardiseHeadd("image")({"image": flat})


def test_the_two_percentiles_are_numpys_order_statistics():
    values = torch.rand(1, 7, 11, generator=torch.Generator().manual_seed(2))
    expected = np.quantile(values.numpy(), [0.02, 0.98], method="lower")
    assert quantiles(values) == tuple(pytest.approx(float(value)) for value in expected)


def test_a_slice_has_its_neighbours_as_channels_and_the_last_repeats():
    image = torch.arange(4.0).reshape(1, 1, 1, 4)
    out = NeighbourSlicesd("image", reach=1)({"image": image})["image"]
    assert out[:, 0, 0].tolist() == [[0, 0, 1, 2], [0, 1, 2, 3], [1, 2, 3, 3]]
