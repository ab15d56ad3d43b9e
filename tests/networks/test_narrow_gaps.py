"""The loss looks at narrow gaps, and nowhere else closer than usual."""

from __future__ import annotations

import pytest
import torch

from caveat.networks.losses.narrow_gaps import NarrowGapLoss


def two_blocks(gap: int) -> torch.Tensor:
    """Background and structure, (1, 2, 24, 32): two blocks a gap apart."""
    structure = torch.zeros(1, 1, 24, 32)
    structure[..., 6:18, 4:14] = 1
    structure[..., 6:18, 14 + gap : 24 + gap] = 1
    return torch.cat([1 - structure, structure], dim=1)


@pytest.mark.parametrize(("gap", "seen"), [(2, 24), (4, 48), (5, 0)])
def test_a_gap_is_what_a_closing_fills(gap, seen):
    gaps = NarrowGapLoss(reach=4).gaps(two_blocks(gap)[:, 1:])
    assert float(gaps.sum()) == seen and (not seen or bool((gaps[..., 6:18, 14 : 14 + gap] == 1).all()))


def test_a_bridged_gap_costs_more_than_as_many_pixels_elsewhere():
    target, loss = two_blocks(2), NarrowGapLoss()
    bridged, grown = target.clone(), target.clone()
    bridged[..., 6:18, 14:16] = torch.tensor([0.0, 1.0])[:, None, None]
    grown[..., 6:18, 2:4] = torch.tensor([0.0, 1.0])[:, None, None]
    wrong = [float(loss(8 * (2 * found - 1), target)) for found in (target, grown, bridged)]
    assert wrong[0] < 0.01 < wrong[1] < wrong[2]


def test_weights_below_one_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        NarrowGapLoss(weight=0.5)
