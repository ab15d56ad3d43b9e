"""How a beam of several energies is weakened by soft tissue and bone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

MASS_ATTENUATION = {
    40: (0.2683, 0.6655),
    60: (0.2059, 0.3148),
    80: (0.1837, 0.2229),
    100: (0.1707, 0.1855),
}
"""cm2/g of water and of cortical bone (ICRU-44), by keV.

Source: Hubbell and Seltzer, NISTIR 5632, tables 3 and 4.
"""
BEAMS: Mapping[str, Mapping[int, float]] = {
    "limb": {40: 0.35, 60: 0.40, 80: 0.25},
    "trunk": {60: 0.20, 80: 0.45, 100: 0.35},
}
"""Share of the detected energy by keV: near 90 kVp for limbs, and a harder beam for the trunk."""
CORTICAL_DENSITY = 1.92
"""g/cm3 (ICRU-44)."""
CORTICAL_HU, WATER_HU = 1600.0, 100.0
"""Between them a voxel is taken as a mixture of soft tissue and cortical bone; below as soft tissue alone."""


def densities(hounsfield: np.ndarray, body: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What each voxel holds of two materials.

    Args:
        hounsfield: any shape.
        body: bool, the same shape; what lies outside holds nothing, such as the table.

    Returns:
        soft tissue (which weakens as water does) and cortical bone, g/cm3, float32.
    """
    share = np.clip((hounsfield - WATER_HU) / (CORTICAL_HU - WATER_HU), 0.0, 1.3)
    mixed = 1.05 * np.clip(1.0 - share, 0.0, 1.0)
    soft = np.where(hounsfield <= WATER_HU, 1.0 + hounsfield / 1000.0, mixed).clip(0.0) * body
    return soft.astype(np.float32), (CORTICAL_DENSITY * share * body).astype(np.float32)


def transmission(soft: np.ndarray, bone: np.ndarray, beam: Mapping[int, float]) -> np.ndarray:
    """Share of the energy that reaches the detector without being scattered, by Beer and Lambert for each energy.

    Args:
        soft, bone: mass along each ray, g/cm2.
        beam: share of the energy by keV.
    """
    weakened = [share * np.exp(-(MASS_ATTENUATION[kev] @ np.stack([soft.ravel(), bone.ravel()]))) for kev, share in beam.items()]
    return np.sum(weakened, axis=0).reshape(soft.shape)
