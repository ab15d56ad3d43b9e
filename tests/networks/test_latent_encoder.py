"""The encoder of a whole study: tiles are a matter of memory alone."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from caveat.networks.latent.latent_encoder import LatentEncoder
from caveat.networks.latent.latent_gaussian import LatentGaussian


def encoder(dimensions: int, tile: int, pointwise: bool = True) -> LatentEncoder:
    torch.manual_seed(0)
    made = LatentEncoder(dimensions, 2, 3, channels=(4, 6, 5), tile=tile).eval()
    for module in made.modules():
        if pointwise and isinstance(module, nn.Conv2d | nn.Conv3d) and module.kernel_size[0] == 3:
            centre = (..., *[1] * dimensions)
            kept = module.weight.data[centre].clone()
            module.weight.data.zero_()
            module.weight.data[centre] = kept
    return made


@torch.no_grad()
def whole(made: LatentEncoder, study: torch.Tensor) -> LatentGaussian:
    return LatentGaussian.bounded(*made.gaussian(made.down(study).flatten(2).mean(2)).chunk(2, dim=1))


@pytest.mark.parametrize("size", [(40, 24), (33, 41), (7, 100), (16, 16), (1, 3), (12, 17, 20)])
@pytest.mark.parametrize("tile", [4, 13, 16, 1000])
def test_tiles_of_a_border_free_encoder_change_nothing(size, tile):
    made, study = encoder(len(size), tile), torch.rand(2, 2, *size)
    with torch.no_grad():
        found = made(study)
    for part, expected in zip(found, whole(made, study), strict=True):
        assert part.shape == (2, 3)
        torch.testing.assert_close(part, expected, rtol=1e-5, atol=1e-5)


def test_what_fits_one_tile_is_run_in_one_pass():
    made, study = encoder(2, 32, pointwise=False), torch.rand(1, 2, 30, 32)
    with torch.no_grad():
        assert all(torch.equal(part, expected) for part, expected in zip(made(study), whole(made, study), strict=True))


def test_no_more_than_a_tile_is_run_at_once():
    made, sizes = encoder(2, 18), []
    made.down.register_forward_hook(lambda module, inputs, output: sizes.append(tuple(inputs[0].shape[2:])))
    with torch.no_grad():
        made(torch.rand(1, 2, 50, 18))
    assert sizes == [(16, 12), (16, 6), (16, 12), (16, 6), (16, 12), (16, 6), (2, 12), (2, 6)]  # multiples of 4, below 18


def test_autocast_leaves_the_gaussian_in_float32():
    made, study = encoder(2, 64), torch.rand(1, 2, 16, 16)
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        rounded = made(study)
    assert all(part.dtype == torch.float32 for part in rounded)
    torch.testing.assert_close(rounded.mean, whole(made, study).mean, atol=0.02, rtol=0.02)


@pytest.mark.parametrize(("latent", "channels", "tile"), [(0, (4,), 8), (2, (), 8), (2, (4, 4, 4), 3)])
def test_an_encoder_has_levels_and_dimensions_and_tiles_of_its_stride(latent, channels, tile):
    with pytest.raises(ValueError, match=f"got \\({', '.join(map(str, channels))}|stride 4"):
        LatentEncoder(2, 1, latent, channels, tile)
