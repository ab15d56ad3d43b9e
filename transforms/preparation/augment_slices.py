"""Random turns, sizes, contrasts and noise of a whole batch of slices at once: `RandAugmentSlicesd`."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import Any

import torch
from torch.nn import functional as F

SHEAR = 0.1
BLUR_SHARE, BLUR_SIGMA = 0.15, (0.3, 0.9)
GAMMA_SHARE, GAMMA = 0.3, (0.75, 1.35)
NOISE_SHARE = 0.3


class RandAugmentSlicesd:
    """Each slice of a batch by random numbers of its own: mirrored, the order of its neighbours turned round, one affine
    resampling; then gamma, factor, blur and noise of the image.

    The same as MONAI's transforms a slice at a time, at a tenth of their cost: on small slices the calls cost more than the
    arithmetic, and more than a training step of a small network. Random numbers are torch's.

    Args:
        image_key: (B, channels, x, y), 0 outside the head, `largest` at most.
        label_key: (B, 1, x, y), values between 0 and 1. It becomes (B, 2, x, y), background first.
        window: size of what comes out, in pixels.
        turn: largest angle in radians. scale: largest change of size, as a logarithm. shift: largest shift in pixels.
        factor: largest relative change of the image's factor. noise: largest standard deviation.
        largest: value of the image, which a gamma leaves where it is.
        neighbours: whether the channels are a slice between its neighbours, whose order may be turned round.
    """

    def __init__(
        self,
        image_key: Hashable,
        label_key: Hashable,
        window: tuple[int, int],
        turn: float = 0.25,
        scale: float = 0.25,
        shift: float = 15.0,
        factor: float = 0.25,
        noise: float = 0.15,
        largest: float = 7.5,
        neighbours: bool = True,
    ) -> None:
        self.image_key = image_key
        self.label_key = label_key
        self.window = tuple(window)
        self.turn = turn
        self.scale = scale
        self.shift = shift
        self.factor = factor
        self.noise = noise
        self.largest = largest
        self.neighbours = neighbours

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Args: data: a batch. Returns: the same, augmented."""
        image, label = (torch.as_tensor(data[key]).as_subclass(torch.Tensor) for key in (self.image_key, self.label_key))
        if self.neighbours:
            image = torch.where(_chance(image, 0.5), image.flip(1), image)
        moved = self._move(torch.cat([image, label], dim=1))
        image, label = moved[:, :-1], moved[:, -1:]
        return dict(data) | {self.image_key: self._look(image), self.label_key: torch.cat([1 - label, label], dim=1)}

    def _move(self, slices: torch.Tensor) -> torch.Tensor:
        """Mirror, turn, size, shear and shift by one bilinear resampling. Args: slices: (B, C, x, y). Returns: in windows."""
        many = len(slices)
        angle, sizes = _between(many, -self.turn, self.turn), _between((many, 2), -self.scale, self.scale).exp()
        mirror = torch.stack([torch.ones(many), torch.where(torch.rand(many) < 0.5, -1.0, 1.0)], dim=1)
        shear = _between((many, 2), -SHEAR, SHEAR)
        turned = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], dim=1).view(many, 2, 2)
        sheared = torch.stack([torch.ones(many), shear[:, 0], shear[:, 1], torch.ones(many)], dim=1).view(many, 2, 2)
        pixels = turned @ sheared * (sizes * mirror)[:, None, :]
        # grid_sample counts from -1 to 1, the last axis first: the second column is the left and right that is mirrored.
        old, new = (torch.tensor(size[::-1], dtype=torch.float32) for size in (tuple(slices.shape[2:]), self.window))
        theta = torch.cat(
            [pixels * new / old[:, None], _between((many, 2, 1), -self.shift, self.shift) * 2 / old[:, None]], dim=2
        )
        theta = theta.to(slices.device)
        grid = F.affine_grid(theta, [many, 1, *self.window], align_corners=False)
        return F.grid_sample(slices, grid, mode="bilinear", padding_mode="zeros", align_corners=False)

    def _look(self, image: torch.Tensor) -> torch.Tensor:
        """Contrast, brightness, blur, noise. Args: image: (B, C, x, y), not below 0."""
        many = len(image)
        gamma = torch.where(torch.rand(many) < GAMMA_SHARE, _between(many, *GAMMA), 1.0).to(image).view(-1, 1, 1, 1)
        image = self.largest * (image / self.largest).clamp(min=0) ** gamma
        image = image * _between(many, 1 - self.factor, 1 + self.factor).to(image).view(-1, 1, 1, 1)
        blurred = (torch.rand(many) < BLUR_SHARE).nonzero().flatten()
        if len(blurred):
            image[blurred] = _blur(image[blurred], float(_between(1, *BLUR_SIGMA)))
        deviation = torch.where(torch.rand(many) < NOISE_SHARE, _between(many, 0.0, self.noise), 0.0).to(image).view(-1, 1, 1, 1)
        return image + torch.randn_like(image) * deviation


def _between(shape: int | tuple[int, ...], low: float, high: float) -> torch.Tensor:
    return low + (high - low) * torch.rand(shape)


def _chance(like: torch.Tensor, share: float) -> torch.Tensor:
    return (torch.rand(len(like)) < share).to(like.device).view(-1, 1, 1, 1)


def _blur(image: torch.Tensor, sigma: float) -> torch.Tensor:
    """Gaussian of a sigma of up to 1 pixel. Args: image: (B, C, x, y)."""
    side = math.exp(-0.5 / sigma**2)
    weights = torch.tensor([side, 1.0, side]) / (1 + 2 * side)
    kernel = (weights[:, None] * weights).to(image).expand(image.shape[1], 1, 3, 3)
    return F.conv2d(image, kernel, padding=1, groups=image.shape[1])
