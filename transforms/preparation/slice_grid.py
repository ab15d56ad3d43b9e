"""A head in slices of one pixel size, whatever the scanner's own: `SliceGridd`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import InvertibleTransform, MapTransform, SpatialResample


class SliceGridd(MapTransform, InvertibleTransform):
    """Bring a volume to the pixels that a network of slices was trained on; the last axis runs across the slices.

    Where the spacing is known, pixels become `pixel_mm` wide. Slices at least `thin_mm` apart stay as they are, and closer ones
    become `thick_mm` apart: networks of clinical scans know thick slices. Where no spacing is known the frame is brought to
    `frame` pixels along its longer side, as the data sets without a spacing come, and all slices stay.
    Both grids have the same outer faces, so a coarse pixel is interpolated linearly between the fine ones at its middle.

    Args:
        keys: (channels, x, y, slices) MetaTensors on one grid.
        pixel_mm: of the pixels that come out, in the plane.
        thin_mm: distance of slices from which on they stay.
        thick_mm: distance that thinner slices are brought to.
        frame: pixels of the longer side, where no spacing is known.
        allow_missing_keys: skip keys that an entry does not have.
    """

    identity = "caveat.SliceGridd/1"

    def __init__(
        self,
        keys: KeysCollection,
        pixel_mm: float,
        thin_mm: float,
        thick_mm: float,
        frame: int,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.pixel_mm = pixel_mm
        self.thin_mm = thin_mm
        self.thick_mm = thick_mm
        self.frame = frame
        self.resample = SpatialResample(mode="bilinear", padding_mode="border")

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Args: data: with the volumes. Returns: the same on the network's grid; masks have values between 0 and 1."""
        out = dict(data)
        for key in self.key_iterator(out):
            out[key] = self._resample(out[key])
        return out

    def inverse(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Args: data: volumes on the network's grid. Returns: the same on the grid that they came on."""
        out = dict(data)
        for key in self.key_iterator(out):
            out[key] = self.resample.inverse(out[key])
        return out

    def _resample(self, volume: MetaTensor) -> torch.Tensor:
        size = torch.tensor(volume.shape[1:], dtype=torch.float64)
        wanted = (size / self._zoom(volume)).round().clamp(min=1)
        zoom = size / wanted
        affine = volume.affine.to(torch.float64).clone()
        affine[:3, 3] += affine[:3, :3] @ ((zoom - 1) / 2)
        affine[:3, :3] *= zoom
        return self.resample(volume, dst_affine=affine, spatial_size=wanted.int().tolist())

    def _zoom(self, volume: MetaTensor) -> torch.Tensor:
        """Old elements in a new one, along each axis. Returns: (3,) float64."""
        if not volume.meta.get("spacing_source"):
            pixels = max(volume.shape[1:3]) / self.frame
            return torch.tensor([pixels, pixels, 1.0], dtype=torch.float64)
        *plane, distance = volume.pixdim.tolist()
        across = 1.0 if distance >= self.thin_mm else self.thick_mm / distance
        return torch.tensor([*(self.pixel_mm / width for width in plane), across], dtype=torch.float64)
