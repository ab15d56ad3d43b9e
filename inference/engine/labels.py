"""From probabilities to labels: the one place that says which class a voxel gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from caveat.reasons import StudyRefused

THRESHOLD = 0.5
"""Of the probability of a class that stands for itself."""


def labels_of(probability: torch.Tensor, axis: int, independent: bool = False) -> torch.Tensor:
    """One label an element.

    Class by class: torch's arg-max over an axis that is not the last takes a hundred times as long.

    Args:
        probability: with the classes along `axis`, background first.
        independent: whether each class stands for itself (link sigmoid).

    Returns:
        uint8: the arg-max, a tie goes to the lower class, so to the background; of independent classes the last one that is
        there, so that of nested ones, listed from outside to inside, the inner one is seen.
    """
    refuse_more_labels(probability.shape[axis])
    best, *others = probability.unbind(axis)
    labels = torch.zeros_like(best, dtype=torch.uint8)
    for label, value in enumerate(others, start=1):
        there = value >= THRESHOLD if independent else value > best
        labels = torch.maximum(labels, there.to(torch.uint8) * label)  # the last that is better is the greatest
        if label < len(others):  # as large as a float map
            best = torch.maximum(best, value)
    return labels


def mask_of(probability: torch.Tensor, labels: torch.Tensor, index: int, axis: int, independent: bool) -> torch.Tensor:
    """Where one class is: bool. Independent classes may overlap; the background is where none is.

    Args:
        probability, labels: see `labels_of`.
        index: of the class.
    """
    return probability.select(axis, index) >= THRESHOLD if independent and index else labels == index


def count_classes(probability: torch.Tensor, labels: torch.Tensor, independent: bool = False) -> list[int]:
    """Elements of each class. Args: probability: (classes, *spatial). labels: (*spatial), see `labels_of`."""
    if not independent:
        return count_labels(labels, len(probability)).tolist()
    return [int(mask_of(probability, labels, index, 0, independent).sum()) for index in range(len(probability))]


def refuse_more_labels(classes: int) -> None:
    """Labels are stored in 8 bits. Raises: ValueError: more classes than that, which would take each other's numbers."""
    if classes > 256:
        raise ValueError(f"{classes} classes: labels are stored in 8 bits, so there are at most 256")


def overlapping_classes(result: Mapping[str, Any]) -> int:
    """How many classes of a study may overlap, the background not counted; 0 where a label map shows each whole."""
    classes = len(result.get("classes", ())) - 1
    return classes if result.get("sampling", {}).get("link") == "sigmoid" and classes > 1 else 0


def refuse_overlapping_classes(result: Mapping[str, Any]) -> None:
    """Refuse to read classes off a label map in which they may hide each other. Raises: StudyRefused: OVERLAPPING_CLASSES."""
    if overlapping_classes(result):
        raise StudyRefused("OVERLAPPING_CLASSES")


def label_map_of(masks: np.ndarray) -> np.ndarray:
    """One label an element of classes that may overlap: the last that is there, as `labels_of` has it.

    Args:
        masks: bool (classes, *spatial), the first of them class 1.
    """
    labels = np.zeros(masks.shape[1:], np.uint8)
    for index, mask in enumerate(masks, start=1):
        labels[mask] = index
    return labels


def count_labels(labels: torch.Tensor, classes: int) -> torch.Tensor:
    """Elements of each class. Args: labels: uint8, any shape. Returns: int64 (classes,), on the CPU."""
    return torch.bincount(labels.flatten(), minlength=classes).cpu()
