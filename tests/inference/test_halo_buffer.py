"""Blocks cover every row once, with the neighbourhood that was asked for."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from caveat.inference.halo_buffer import HaloBuffer

CUTS = st.lists(st.integers(1, 6), min_size=1, max_size=12)


@given(cuts=CUTS, halo=st.one_of(st.integers(0, 9), st.just(math.inf)))
def test_blocks_cover_every_row_once_and_see_their_halo(cuts, halo):
    rows = sum(cuts)
    study = torch.arange(rows).reshape(1, 1, rows, 1)
    buffer = HaloBuffer(halo, rows)
    covered, start = [], 0
    for cut in cuts:
        complete = buffer.push(study[:, :, start : start + cut])
        start += cut
        if complete is None:
            continue
        block, values = complete
        assert values[0, 0, block.core, 0].tolist() == list(range(block.start, block.stop))
        first, last = max(0, block.start - halo), min(rows, block.stop + halo)
        assert values[0, 0, 0, 0] == first and values[0, 0, -1, 0] >= last - 1
        assert (block.before, block.after) == (block.start - first, int(values[0, 0, -1, 0]) + 1 - block.stop)
        covered += range(block.start, block.stop)
    assert covered == list(range(rows))


@pytest.mark.parametrize("halo", [math.inf])
def test_an_endless_halo_is_the_whole_study_at_once(halo):
    buffer = HaloBuffer(halo, 5)
    assert buffer.push(torch.zeros(1, 1, 3, 1)) is None
    block, values = buffer.push(torch.zeros(1, 1, 2, 1))
    assert (block.start, block.stop, values.shape[2]) == (0, 5, 5)
