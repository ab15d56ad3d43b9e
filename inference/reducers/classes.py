"""Which class the image is of: the probability of each, in every draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from ...networks.draws.draw import Draw
from ...transforms.files.answers import CLASS
from ..engine.block import Block
from ..engine.reducer import Reducer, Reduction
from ..engine.study_grid import StudyGrid
from ..targets.class_statement import class_statement
from .information import entropy


class Classes(Reducer):
    """One answer: probability of each class, mean over the draws, and its entropies in nats.

    Values are evidence (link "identity"), a channel a class: a draw's logits are its mean over the image, its probabilities their
    softmax. `entropy` is that of the mean probability, `expected_entropy` the mean of the draws' own, `mutual_information` their
    difference, unclipped. The same stand among the study scores, for the risk of what is answered at all.

    Args:
        name: of the answer. title: how a sentence calls the image. classes: their names.

    Raises:
        ValueError: channels and names that are not as many.

    Source: Houlsby et al. 2011 for the entropies; Zhou et al. 2016 for evidence whose mean is the logit.
    """

    whole_study = True

    def __init__(self, name: str, title: str, classes: Sequence[str]) -> None:
        self.answer = name
        self.title = title
        self.classes = tuple(classes)

    def begin(self, study: StudyGrid) -> None:
        """See `Reducer`."""
        if study.classes != len(self.classes):
            raise ValueError(f"the sampler has {study.classes} channels, the bundle names {len(self.classes)} classes")
        self._draws: list[torch.Tensor] = []

    def update(self, block: Block, draws: Sequence[Draw], values: torch.Tensor) -> None:
        """See `Reducer`."""
        self._draws += [evidence.flatten(1).double().mean(dim=1).softmax(dim=0).cpu() for evidence in values]

    def finish(self, results: Mapping[str, Reduction]) -> Reduction:
        """See `Reducer`."""
        draws = torch.stack(self._draws)  # (draws, classes)
        mean = draws.mean(dim=0)
        of_mean, expected = float(entropy(mean, axis=0)), float(entropy(draws, axis=1).mean())
        doubt = {"entropy": of_mean, "expected_entropy": expected, "mutual_information": of_mean - expected}
        scores = {f"class_{name}": value for name, value in doubt.items()}
        return Reduction(answers=[self._state(mean, draws, doubt)], study_scores=scores)

    def _state(self, mean: torch.Tensor, draws: torch.Tensor, doubt: Mapping[str, float]) -> dict[str, Any]:
        sd = draws.std(dim=0).tolist() if len(draws) > 1 else None
        return {
            "kind": CLASS,
            "name": self.answer,
            "title": self.title,
            "unit": "probability",
            "classes": list(self.classes),
            "value": mean.tolist(),
            "draws": {"n": len(draws), "mean": mean.tolist(), "sd": sd, "values": draws.tolist()},
            **doubt,
            "region": None,
            "simultaneous_region": None,
            "statement": class_statement(self.title, self.classes, mean.tolist(), draws.tolist()),
        }

    @classmethod
    def example(cls) -> Classes:
        """See `Reducer.example`."""
        return cls("finding", "Image", ["first", "second", "third"])
