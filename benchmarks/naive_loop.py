"""What a MONAI user writes for uncertainty: a loop over draws around `sliding_window_inference`, a stack, statistics of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from monai.inferers import sliding_window_inference

from caveat.inference.engine.inferer import SamplingInferer
from caveat.networks.draws.consistent_dropout import drawing
from caveat.networks.draws.draw import first_draws
from caveat.networks.draws.place import Place
from caveat.networks.draws.sampler import Sampler
from caveat.networks.samplers.ensemble import Ensemble

WINDOWS = 4
"""At once, as in MONAI's examples."""


def naive_answer(study: torch.Tensor, inferer: SamplingInferer, network: Sampler) -> dict[str, torch.Tensor]:
    """The answers of `SamplingInferer` by the naive way, with the same weights, masks and windows.

    Args:
        study: (1, C, *spatial).
        inferer: whose windows, link and number of draws are taken.
        network: an ensemble, or a sampler with channel dropout.
    """
    roi = [size if window <= 0 else window for window, size in zip(inferer.roi_size, study.shape[2:], strict=True)]
    drawn = []
    for predict in _predictors(network, inferer.resolve_draws(network)):
        logits = sliding_window_inference(study, roi, WINDOWS, predict, inferer.overlap, mode=inferer.blending)
        drawn.append((logits / inferer.link.temperature).softmax(dim=1))
    stack = torch.cat(drawn)
    if inferer.region_channel is not None:
        outside = study[0, inferer.region_channel] <= 0.5
        stack[:, 1:].masked_fill_(outside, 0)
        stack[:, 0].masked_fill_(outside, 1)
    return statistics_of(stack)


def statistics_of(stack: torch.Tensor) -> dict[str, torch.Tensor]:
    """Args: stack: probabilities, (draws, classes, *spatial)."""
    mean = stack.mean(dim=0)
    entropy = -torch.special.xlogy(mean, mean).sum(dim=0)
    expected = -torch.special.xlogy(stack, stack).sum(dim=1).mean(dim=0)
    labels, classes = stack.argmax(dim=1), stack.shape[1]
    counts = torch.stack([(labels == label).sum(dim=0) for label in range(1, classes)]).double()
    return {
        "pred": mean,
        "variance": stack.var(dim=0, unbiased=False).sum(dim=0) / 2,
        "entropy": entropy,
        "expected_entropy": expected,
        "mutual_information": entropy - expected,
        "volumes": torch.stack([torch.bincount(one.flatten(), minlength=classes) for one in labels]),
        "dice": (counts * (counts - 1)).sum() / ((len(stack) - 1) * counts.sum()),
    }


def _predictors(network: Sampler, draws: int) -> Sequence[Callable[[torch.Tensor], torch.Tensor]]:
    """One network a draw."""
    if isinstance(network, Ensemble):
        return list(network.networks)

    def with_mask(draw: object) -> Callable[[torch.Tensor], torch.Tensor]:
        def predict(windows: torch.Tensor) -> torch.Tensor:
            size = tuple(windows.shape[2:])
            with drawing(network.layers, [draw], [Place((0,) * len(size), size, size)] * len(windows)):
                return network.backbone(windows)

        return predict

    return [with_mask(draw) for draw in first_draws(draws)]
