"""The patient moves while an MR image is acquired line by line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .corruption import IntensityCorruption

MOVES = 6
"""Moments at which the patient moves."""


class Motion(IntensityCorruption):
    """Abrupt shifts in random directions between lines of k-space, none at its centre, so that the anatomy stays in place.

    A shift is a phase ramp in k-space (Shaw et al. 2019, without rotations). MONAI has no motion. The image is mirrored beyond
    its border, since a crop is not surrounded by air. For MR; a camera's shake looks otherwise.
    """

    unit = "length, standard deviation of each shift along each axis"
    uses_spacing = True

    def change(self, voxels: np.ndarray, spacing: Sequence[float], strength: float, random: np.random.RandomState) -> np.ndarray:
        """See `IntensityCorruption`. The smallest value counts as no signal."""
        shape = voxels.shape[1:]
        margin = [size // 2 for size in shape]
        padded = np.pad(voxels - voxels.min(), [(0, 0), *((size, size) for size in margin)], mode="symmetric")
        axes, lines = tuple(range(1, padded.ndim)), random.randint(len(shape))
        shifts = self._shifts(padded.shape[1 + lines], spacing, strength, random)
        spectrum = np.fft.fftn(padded, axes=axes)
        phase = np.zeros(padded.shape[1:])
        for axis, size in enumerate(padded.shape[1:]):
            frequency = np.fft.fftfreq(size).reshape([-1 if other == axis else 1 for other in range(len(shape))])
            phase = phase + frequency * shifts[:, axis].reshape([-1 if other == lines else 1 for other in range(len(shape))])
        moved = np.abs(np.fft.ifftn(spectrum * np.exp(-2j * np.pi * phase), axes=axes))
        box = tuple(slice(before, before + size) for before, size in zip(margin, shape, strict=True))
        return moved[(slice(None), *box)] + voxels.min()

    @staticmethod
    def _shifts(lines: int, spacing: Sequence[float], strength: float, random: np.random.RandomState) -> np.ndarray:
        """Where the patient is at each line, in the order of FFT frequencies. Returns: (lines, axes), in elements."""
        steps = np.zeros((lines, len(spacing)))
        moments = random.choice(np.arange(1, lines), size=min(MOVES, lines - 1), replace=False)
        steps[moments] = random.normal(scale=strength, size=(len(moments), len(spacing))) / np.asarray(spacing)
        walk = np.cumsum(steps, axis=0)
        return np.fft.ifftshift(walk - walk[lines // 2], axes=0)
