"""From a landmark's channel of logits to a distribution over the grid, and to its place and covariance. All differentiable."""

from __future__ import annotations

import torch

RADIUS = 6
"""Elements around the maximum in which a place is the centre of mass: about three widths of a trained heatmap."""


def heatmaps_of(logits: torch.Tensor) -> torch.Tensor:
    """Softmax over all elements of the grid. Args: logits: (landmarks, *spatial). Returns: the same shape, each summing to 1."""
    return logits.flatten(1).softmax(dim=1).reshape(logits.shape)


def positions_of(heatmaps: torch.Tensor, radius: int = RADIUS) -> torch.Tensor:
    """Where each landmark is: the centre of mass in a window around the maximum, a soft-arg-max that a second, lower
    maximum elsewhere does not pull away.

    Args:
        heatmaps: (landmarks, *spatial), nonnegative.
        radius: of the window, elements; cut where the grid ends.

    Returns:
        (landmarks, axes), fractions of elements.

    Source: Sun et al. 2018 for the centre of mass of the whole map.
    """
    return _mean(_around_maximum(heatmaps, radius))


def covariances_of(heatmaps: torch.Tensor, radius: int = RADIUS) -> torch.Tensor:
    """How wide each heatmap is in the window that its place is the centre of mass of, about that place.

    Not of the whole map: a softmax over tens of thousands of elements leaves a few per cent of its mass everywhere, and their
    distance squared drowns what is known of the landmark.

    Args:
        heatmaps: (landmarks, *spatial), nonnegative. radius: see `positions_of`.

    Returns:
        (landmarks, axes, axes), squared elements.
    """
    window = _around_maximum(heatmaps, radius)
    window = window / window.flatten(1).sum(dim=1).reshape(-1, *[1] * (heatmaps.ndim - 1))
    size, mean = heatmaps.shape[1:], _mean(window)
    away = [_along(size, axis, heatmaps) - mean[:, axis].reshape(-1, *[1] * len(size)) for axis in range(len(size))]
    rows = [torch.stack([(window * one * other).flatten(1).sum(dim=1) for other in away], dim=1) for one in away]
    return torch.stack(rows, dim=1)


def decode(logits: torch.Tensor) -> torch.Tensor:
    """Places of the landmarks. Args: logits: (landmarks, *spatial). Returns: (landmarks, axes)."""
    return positions_of(heatmaps_of(logits))


def _around_maximum(heatmaps: torch.Tensor, radius: int) -> torch.Tensor:
    """The heatmaps, zero where an axis is further than `radius` from the maximum. Returns: the same shape."""
    size = heatmaps.shape[1:]
    peaks = torch.stack(torch.unravel_index(heatmaps.flatten(1).argmax(dim=1), size), dim=1)
    for axis in range(len(size)):
        near = (_along(size, axis, heatmaps) - peaks[:, axis].reshape(-1, *[1] * len(size))).abs() <= radius
        heatmaps = heatmaps * near
    return heatmaps


def _mean(weights: torch.Tensor) -> torch.Tensor:
    """Centre of mass of each channel. Returns: (channels, axes)."""
    total = weights.flatten(1).sum(dim=1)
    size = weights.shape[1:]
    return torch.stack(
        [(weights * _along(size, axis, weights)).flatten(1).sum(dim=1) / total for axis in range(len(size))], dim=1
    )


def _along(size: torch.Size, axis: int, like: torch.Tensor) -> torch.Tensor:
    """Index along an axis, to broadcast over (channels, *size)."""
    shape = [1] + [size[axis] if other == axis else 1 for other in range(len(size))]
    return torch.arange(size[axis], dtype=like.dtype, device=like.device).reshape(shape)
