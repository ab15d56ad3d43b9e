"""Every image without a label is measured, and how unsure the network is of it stands in the datastore."""

from __future__ import annotations

from typing import Any

from fastapi import HTTPException
from monailabel.interfaces.datastore import Datastore
from monailabel.interfaces.tasks.scoring import ScoringMethod

from .doubts import DOUBTS, doubts_of
from .infer import Infer
from .options import Sampling

REFUSED = "refused"
"""Among an image's numbers: the code, "" where it was measured."""


def key_of(bundle: str) -> str:
    """Under which an image's numbers stand in the datastore."""
    return f"caveat_{bundle}"


class Doubts(ScoringMethod):
    """Args: task: that measures. Only our own sampler draws: no layer but those it was made for is stirred."""

    def __init__(self, task: Infer) -> None:
        super().__init__(f"how unsure {task.bundle.name} is of images without a label: {', '.join(DOUBTS)}")
        self.task = task

    def __call__(self, request: dict[str, Any], datastore: Datastore) -> dict[str, Any]:
        """Returns: the numbers of each image, by its identifier."""
        key, scores = key_of(self.task.bundle.name), {}
        for image in sorted(datastore.get_unlabeled_images()):
            scores[image] = self._of(datastore.get_image_uri(image))
            datastore.update_image_info(image, {key: scores[image]})
        return scores

    def _of(self, image: str) -> dict[str, Any]:
        try:
            return {**doubts_of(self.task.measure(image, Sampling())), REFUSED: ""}
        except HTTPException as refusal:
            return {**dict.fromkeys(DOUBTS), REFUSED: refusal.detail.split(":")[0]}
