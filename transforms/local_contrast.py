"""Local contrast: illumination and camera taken out of a picture."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform
from scipy import ndimage


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
            channels = [local_contrast(channel, region, self.sigma, self.floor) for channel in np.asarray(image)]
            normalised = torch.as_tensor(np.stack(channels).astype(np.float32))
            out[key] = MetaTensor(normalised, meta=image.meta, applied_operations=image.applied_operations)
        return out


def local_contrast(channel: np.ndarray, region: np.ndarray, sigma: float, floor: float) -> np.ndarray:
    """One channel as local z-scores. Args: channel, region: (rows, columns). Returns: float64, 0 outside the region."""
    weight = np.maximum(ndimage.gaussian_filter(region, sigma), 1e-6)
    centred = (channel - ndimage.gaussian_filter(channel * region, sigma) / weight) * region
    deviation = np.sqrt(ndimage.gaussian_filter(centred**2, sigma) / weight)
    return centred / np.maximum(deviation, floor)
