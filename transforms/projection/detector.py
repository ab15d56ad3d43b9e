"""From transmitted energy to the grey values of a file: scatter, blur, noise, exposure control, the display's scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

SCATTER_MM = 25.0
"""Standard deviation of the scattered light's spread, in the plane of the body."""
COLLIMATOR_BLUR = 0.7
"""Pixels: the edges of a collimator are sharper than what lies behind them is scattered."""
LEAKAGE, READOUT = 0.002, 2.0
"""Share of the open beam that passes the collimator; standard deviation of the readout, photons."""


@dataclass(frozen=True)
class Exposure:
    """One exposure.

    Args:
        scatter_to_primary: ratio of scattered to unscattered energy.
        blur: of the detector, standard deviation in pixels.
        photons: a pixel, behind the thickest tenth of the field: a fixed number in the open beam would leave thick bodies in
            noise.
    """

    scatter_to_primary: float
    blur: float
    photons: float


def expose(
    primary: np.ndarray, field: np.ndarray, pixel_mm: float, exposure: Exposure, generator: np.random.Generator
) -> np.ndarray:
    """What a detector counts, as a share of the open beam.

    Args:
        primary: share of the energy that arrives unscattered, (rows, columns).
        field: bool (rows, columns), what the collimator leaves open.
        pixel_mm: of the detector, in the plane of the body.
        generator: of the photons' noise.

    Returns:
        (rows, columns), above 0.
    """
    opened = ndimage.gaussian_filter(field.astype(float), COLLIMATOR_BLUR)
    direct = primary * opened
    scattered = exposure.scatter_to_primary * ndimage.gaussian_filter(direct, SCATTER_MM / pixel_mm) * opened
    energy = ndimage.gaussian_filter(direct + scattered, exposure.blur) + LEAKAGE
    open_beam = exposure.photons / np.percentile(energy[field], 10)
    counted = generator.poisson(energy * open_beam) + generator.normal(0.0, READOUT, energy.shape)
    return np.maximum(counted, 1.0) / open_beam


def grey_values(energy: np.ndarray, field: np.ndarray, bits: int, percentiles: tuple[float, float]) -> np.ndarray:
    """The logarithm on the scale of a display: bone bright, the open beam dark; beyond the ends it is clipped.

    Args:
        energy: above 0, (rows, columns).
        field: whose percentiles become the ends of the scale.
        bits: of the file.

    Returns:
        (rows, columns) uint16, from 0 to 2**bits - 1.
    """
    logarithm = -np.log(energy)
    low, high = np.percentile(logarithm[field], percentiles)
    scaled = np.clip((logarithm - low) / (high - low), 0.0, 1.0)
    return np.rint(scaled * (2**bits - 1)).astype(np.uint16)
