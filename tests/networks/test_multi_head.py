"""Several heads: what they promise beyond the contract, and the loss that trains the best of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from caveat.networks.backbones.residual_unet import ResidualUNet
from caveat.networks.draws.draw import Draw
from caveat.networks.draws.place import Place
from caveat.networks.draws.sampler import Source
from caveat.networks.losses.best_of_many import BestOfMany
from caveat.networks.samplers.multi_head import MultiHead


def sampler_of(heads: int, dimensions: int = 2, classes: int = 2) -> MultiHead:
    torch.manual_seed(3)
    return MultiHead(ResidualUNet(dimensions, 1, classes, channels=(4, 6), units=(1, 1), dropout=0.0), heads).eval()


@pytest.mark.parametrize("size", [(8, 8), (4, 8, 6)])
def test_draws_are_heads_of_three_classes_in_the_order_asked_for(size):
    sampler, windows = sampler_of(5, len(size), classes=3), torch.rand(2, 1, *size)
    places = [Place((0,) * len(size), size, size)] * 2
    with torch.no_grad():
        found = sampler.decode(sampler.encode(windows, places, None), [Draw(4), Draw(1)], places, None)
        heads = sampler.all_heads(windows).unflatten(1, (5, 3))
        torch.testing.assert_close(found, heads[:, [4, 1]].transpose(0, 1))
        torch.testing.assert_close(sampler(windows), heads.mean(dim=1))
    assert sampler.capacity == 5 and sampler.source is Source.RATER


@pytest.mark.parametrize("heads", [1, 0])
def test_one_head_is_no_choice(heads):
    with pytest.raises(ValueError, match="at least 2"):
        sampler_of(heads)


def entropies(packed: torch.Tensor, label: torch.Tensor, classes: int) -> np.ndarray:
    """Mean cross entropy of every study and head, (studies, heads)."""
    heads = packed.unflatten(1, (-1, classes))
    each = [[F.cross_entropy(head[None], truth) for head in study] for study, truth in zip(heads, label, strict=True)]
    return np.array(each, dtype=float)


def test_the_best_head_is_chosen_for_each_whole_label():
    torch.manual_seed(0)
    packed, label = torch.randn(3, 4 * 3, 5, 2) * 2, torch.randint(0, 3, (3, 1, 5, 2))
    each = np.sort(entropies(packed, label, 3), axis=1)
    assert float(BestOfMany(3, 0.0)(packed, label)) == pytest.approx(each[:, 0].mean(), rel=1e-5)
    expected = (0.9 * each[:, 0] + 0.1 * each[:, 1:].mean(axis=1)).mean()
    assert float(BestOfMany(3, 0.1)(packed, label)) == pytest.approx(expected, rel=1e-5)


def test_only_the_best_head_learns_unless_the_loss_is_relaxed():
    torch.manual_seed(0)
    label = torch.randint(0, 2, (1, 1, 6))
    for relaxation, learning in ((0.0, 1), (0.05, 4)):
        packed = torch.randn(1, 4 * 2, 6, requires_grad=True)
        BestOfMany(2, relaxation)(packed, label).backward()
        assert int(packed.grad.unflatten(1, (4, 2)).abs().sum(dim=(0, 2, 3)).gt(0).sum()) == learning


@pytest.mark.parametrize("relaxation", [-0.1, 1.0, float("nan")])
def test_a_relaxation_is_a_share(relaxation):
    with pytest.raises(ValueError, match="relaxation"):
        BestOfMany(2, relaxation)


@pytest.mark.parametrize("channels", [2, 5])
def test_other_tensors_are_no_heads(channels):
    with pytest.raises(ValueError, match=f"{channels} channels"):
        BestOfMany(2)(torch.zeros(1, channels, 4), torch.zeros(1, 1, 4))
