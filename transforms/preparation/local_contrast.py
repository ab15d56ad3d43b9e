"""Local contrast: illumination and camera taken out of a picture."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform
from scipy.fft import dctn, idctn


class NormaliseLocalContrastd(MapTransform):
    """Subtract the local mean and divide by the local standard deviation, inside a region; zero outside.

    Both are Gaussian-weighted over the pixels of the region alone (normalised convolution, Knutsson and Westin 1993),
    so that the dark surround of a fundus photograph does not leak in.

    Args:
        keys: images, (channels, rows, columns).
        region_key: mask, (1, rows, columns), 0 and 1.
        sigma: standard deviation of the weights, pixels of the grid it runs on.
        floor: least standard deviation divided by, in the image's own intensities: flat, saturated channels stay flat.
    """

    identity = "caveat.NormaliseLocalContrastd/1"

    def __init__(self, keys: KeysCollection, region_key: str, sigma: float, floor: float) -> None:
        super().__init__(keys)
        self.region_key = region_key
        self.sigma = sigma
        self.floor = floor

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Args: data: with MetaTensor image and mask. Returns: the same with the image normalised, float32."""
        out = dict(data)
        region = np.asarray(out[self.region_key][0], dtype=np.float64)
        for key in self.key_iterator(out):
            image = out[key]
            normalised = local_contrast(np.asarray(image), region, self.sigma, self.floor).astype(np.float32)
            out[key] = MetaTensor(torch.as_tensor(normalised), meta=image.meta, applied_operations=image.applied_operations)
        return out


def local_contrast(image: np.ndarray, region: np.ndarray, sigma: float, floor: float) -> np.ndarray:
    """Each channel as local z-scores.

    Args:
        image: (..., rows, columns).
        region: (rows, columns).

    Returns:
        float64 of the image's shape, 0 outside the region.
    """
    weight = np.maximum(gaussian_filter(region, sigma), 1e-6)
    centred = (image - gaussian_filter(image * region, sigma) / weight) * region
    deviation = np.sqrt(np.maximum(gaussian_filter(centred**2, sigma), 0) / weight)
    return centred / np.maximum(deviation, floor)


def gaussian_filter(image: np.ndarray, sigma: float) -> np.ndarray:
    """`scipy.ndimage.gaussian_filter` along the last two axes, in a time that does not grow with sigma.

    A kernel that is even acts on an image mirrored at its borders by a factor for each coefficient of its cosine transform.

    Source: Martucci 1994, "Symmetric convolution and the discrete sine and cosine transforms".
    """
    rows, columns = (_transfer(size, sigma) for size in image.shape[-2:])
    return idctn(dctn(image, axes=(-2, -1)) * rows[:, None] * columns, axes=(-2, -1))


def _transfer(size: int, sigma: float) -> np.ndarray:
    """Factors of the coefficients along an axis, of SciPy's kernel: cut off at four standard deviations."""
    offsets = np.arange(1, int(4 * sigma + 0.5) + 1)
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    return (1 + 2 * np.cos(np.pi * np.outer(np.arange(size), offsets) / size) @ weights) / (1 + 2 * weights.sum())
