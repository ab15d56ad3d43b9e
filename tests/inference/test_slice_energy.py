"""Slices are cases of their own, and those that nobody drew on are none."""

from __future__ import annotations

import math

import pytest
import torch

from caveat.inference.training.slice_energy import slice_energy


def test_the_mean_is_over_slices_with_an_outline():
    """Slice 0: both draws are both raters' mask, 0. Slice 1: disjoint, each side agrees with itself: 2. Slice 2: nobody drew."""
    raters = torch.zeros(2, 2, 2, 3, dtype=torch.uint8)
    raters[:, 0, 0, :2] = 1
    foreground = torch.zeros(2, 2, 2, 3)
    foreground[:, 0, 0, 0] = foreground[:, 1, 1, 1] = foreground[:, 0, 1, 2] = 0.9
    samples = torch.stack([1 - foreground, foreground], dim=1)
    assert slice_energy(samples, raters) == pytest.approx(1.0)
    assert slice_energy(samples, raters, "R") == pytest.approx(1.0)
    assert math.isnan(slice_energy(samples, torch.zeros_like(raters)))


def test_two_raters_of_two_minds_and_a_draw_of_each():
    """V is 0; R leaves out pairs of a draw with itself, and is 0 - 1 + 1 / 2."""
    raters = torch.zeros(2, 2, 2, 1)
    raters[0, 0], raters[1, 1] = 1, 1
    samples = torch.stack([1 - raters, raters], dim=1)
    assert slice_energy(samples, raters) == pytest.approx(0.0)
    assert slice_energy(samples, raters, "R") == pytest.approx(-0.5)
