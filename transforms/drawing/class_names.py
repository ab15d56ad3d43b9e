"""What the labels of a study are called and how they are coloured."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from ..files.arrays import array_of
from .class_colours import CLASS_COLOURS


def class_names(study: Mapping[Hashable, Any]) -> list[str]:
    """Names in the order of the labels, background first; of a study that does not say, "label 1" and so on.

    Args:
        study: `classes` in its `result`, or `probability` (classes, *spatial), or `segmentation` (1, *spatial).
    """
    named = study["result"].get("classes") or []
    if named:
        return list(named)
    count = len(study["probability"]) if "probability" in study else 1 + int(array_of(study, "segmentation").max())
    return [f"label {label}" for label in range(count)]


def parts(study: Mapping[Hashable, Any]) -> list[tuple[int, str, str]]:
    """Label, name and colour of each class behind the background, where there are several to tell apart; else nothing."""
    if "segmentation" not in study:
        return []
    names = class_names(study)[1:]
    coloured = ((label, name, CLASS_COLOURS[(label - 1) % len(CLASS_COLOURS)]) for label, name in enumerate(names, start=1))
    return list(coloured) if len(names) > 1 else []
