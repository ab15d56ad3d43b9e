"""From probabilities to labels: the one place that says which class a voxel gets."""

from __future__ import annotations

import torch


def labels_of(probability: torch.Tensor, axis: int) -> torch.Tensor:
    """Arg-max over the classes; a tie goes to the lower class, so to the background. Returns: uint8.

    Class by class: torch's arg-max over an axis that is not the last takes a hundred times as long.
    """
    refuse_more_labels(probability.shape[axis])
    best, *others = probability.unbind(axis)
    labels = torch.zeros_like(best, dtype=torch.uint8)
    for label, value in enumerate(others, start=1):
        labels = torch.maximum(labels, (value > best).to(torch.uint8) * label)  # the last that is better is the greatest
        best = torch.maximum(best, value)
    return labels


def refuse_more_labels(classes: int) -> None:
    """Labels are stored in 8 bits. Raises: ValueError: more classes than that, which would take each other's numbers."""
    if classes > 256:
        raise ValueError(f"{classes} classes: labels are stored in 8 bits, so there are at most 256")


def count_labels(labels: torch.Tensor, classes: int) -> torch.Tensor:
    """Elements of each class. Args: labels: uint8, any shape. Returns: int64 (classes,), on the CPU."""
    return torch.bincount(labels.flatten().long(), minlength=classes).cpu()
