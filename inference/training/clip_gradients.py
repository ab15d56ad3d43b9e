"""One bad step must not undo a training: gradients are kept short."""

from __future__ import annotations

import torch
from monai.engines import IterationEvents, SupervisedTrainer


class ClipGradients:
    """Handler of a MONAI trainer: scales the gradient down where its norm is above a limit.

    Args:
        max_norm: of all gradients together, Euclidean.

    Source: Pascanu et al. 2013.
    """

    def __init__(self, max_norm: float) -> None:
        self.max_norm = max_norm

    def attach(self, engine: SupervisedTrainer) -> None:
        """Register with the trainer: after each backward pass, before the optimizer's step."""
        engine.add_event_handler(IterationEvents.BACKWARD_COMPLETED, self)

    def __call__(self, engine: SupervisedTrainer) -> None:
        """Clip the gradients of the trainer's network."""
        torch.nn.utils.clip_grad_norm_(engine.network.parameters(), self.max_norm)
