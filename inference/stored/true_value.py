"""What a target is in what a rater drew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..engine.study_grid import element_of_grid
from ..targets.drawn import Drawn
from ..targets.target import Target
from .truths import Truth


def true_value(target: Target, truth: Truth, result: Mapping[str, Any]) -> float:
    """The target in a rater's labels, or in all raters' where it is one of them, on the image's own grid.

    Args:
        target: of the bundle.
        truth: one rater's labels, and the others'.
        result: `result.json` of the study; its `input` says how large an element is.

    Returns:
        in the unit that the result states.
    """
    element = element_of_grid(result["input"]["affine"], result["input"], truth.labels.ndim)
    classes, inside = max(target.classes) + 1, int(truth.region.sum())
    if truth.overlapping is not None:
        return target.of_raters([target.of(Drawn.of_masks(element, truth.overlapping, inside))])
    drawn = [Drawn.of_labels(element, truth.labels, classes, inside, truth.numbered)]
    drawn += [Drawn.of_labels(element, labels, classes, inside) for labels in truth.others]
    return target.of_raters([target.of(one) for one in drawn])
