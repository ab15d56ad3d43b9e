"""The truth where several raters are exchangeable: one of them, drawn beforehand, and the others beside."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from caveat.reasons import StudyRefused

from .stored_study import StoredStudy
from .truths import MaskTruths, Truth


class OneOfRaters(MaskTruths):
    """Masks of any number of raters who are not the same from study to study.

    Who is the truth is drawn by a seed and the image's sha256, so it depends neither on what was drawn nor on the order of the
    list. A second one is read too: figures of one against the other say how far raters agree.

    Args:
        seed: of the choice.
    """

    def __init__(self, seed: int = 0) -> None:
        super().__init__(("one rater", "another rater"))
        self.seed = seed

    def read(self, entry: Mapping[str, Any], dataset_dir: Path, study: StoredStudy) -> list[Truth]:
        """Two truths, each with the labels of all its other raters in `others`. Args and raises: as `MaskTruths.read`;
        NO_TRUTH also for fewer than two raters."""
        labels = entry.get("label") or []
        if isinstance(labels, str) or len(labels) < 2:
            raise StudyRefused("NO_TRUTH", "the list names fewer than two raters")
        order = sorted(labels)
        random.Random(f"{self.seed}:{entry['sha256']}").shuffle(order)
        every = MaskTruths([str(number) for number in range(len(order))]).read({**entry, "label": order}, dataset_dir, study)
        chosen = []
        for index, rater in enumerate(self.raters):
            others = tuple(truth.labels for number, truth in enumerate(every) if number != index)
            chosen.append(replace(every[index], rater=rater, others=others))
        return chosen
