"""The temperature of a link: how far logits are divided so that each draw is as sure as it is right."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional as F

from ...networks.draws.sampler import Sampler
from ..engine.inferer import SamplingInferer


@dataclass(frozen=True)
class LabelledLogits:
    """The measured voxels of one study.

    Args:
        logits: of its draws, (draws, classes, voxels), of any floating type.
        labels: class numbers, (voxels,), int64.
    """

    logits: torch.Tensor
    labels: torch.Tensor


@dataclass(frozen=True)
class TemperatureFit:
    """What was fitted.

    Args:
        temperature: divides the logits of every draw.
        studies, draws, voxels: how many it rests on; voxels of all studies together.
        draw_nll: negative log likelihood of the labels under a single draw, nats a voxel, before and after: what is minimised.
        mean_nll: the same under the mean probability of the draws: what a reader sees. It need not fall.
    """

    temperature: float
    studies: int
    draws: int
    voxels: int
    draw_nll: tuple[float, float]
    mean_nll: tuple[float, float]


def fit_temperature(studies: Sequence[LabelledLogits]) -> TemperatureFit:
    """Minimise the negative log likelihood of each draw for itself, averaged over draws and voxels.

    Each draw is calibrated as one hypothesis, before draws are averaged. A temperature that is fitted on the mean
    probability is another method: it would also undo what the draws disagree about.

    Args:
        studies: units that neither trained the network nor stand on a record (early stopping).

    Raises:
        ValueError: no study, or no optimum: every label has the largest logit, or on average none above the others.

    Source: Guo et al. 2017, by L-BFGS on the logarithm of the temperature.
    """
    _refuse_without_optimum(studies)
    log_temperature = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [log_temperature], max_iter=100, tolerance_grad=1e-9, tolerance_change=1e-12, line_search_fn="strong_wolfe"
    )
    voxels = sum(study.labels.numel() for study in studies)

    def closure() -> float:
        optimizer.zero_grad()
        total = 0.0
        for study in studies:  # one at a time: the graph of all of them would be large
            nll = _draw_nll(study, log_temperature.exp()) / voxels
            nll.backward()
            total += nll.item()
        return total

    optimizer.step(closure)
    temperature = math.exp(log_temperature.item())
    with torch.no_grad():
        (draw_before, mean_before), (draw_after, mean_after) = (
            [float(sum(nll(study, torch.tensor(t)) for study in studies)) / voxels for nll in (_draw_nll, _mean_nll)]
            for t in (1.0, temperature)
        )
    draw_nll, mean_nll = (draw_before, draw_after), (mean_before, mean_after)
    return TemperatureFit(temperature, len(studies), len(studies[0].logits), voxels, draw_nll, mean_nll)


def fit_on_studies(
    network: Sampler,
    inferer: SamplingInferer,
    studies: Iterable[Mapping[str, Any]],
    device: torch.device,
    image_key: str = "image",
    label_key: str = "label",
) -> TemperatureFit:
    """Fit the temperature of a sampler as it draws: of these windows, this blending, this number of draws.

    Args:
        network: a sampler.
        inferer: with the link "identity" and the reducers `Moments` and `KeptDraws`, which keeps logits in float16.
        studies: preprocessed, with an image (C, *spatial) and class numbers (1, *spatial).
        device: to run on.

    Raises:
        ValueError: as `fit_temperature`; or another link.
        StudyRefused: NON_FINITE_OUTPUT.
    """
    if inferer.link.name != "identity":
        raise ValueError(f"a temperature is fitted on logits: the inferer's link is {inferer.link.name}, not identity")
    labelled = []
    for study in studies:
        logits = inferer(study[image_key][None].to(device), network)["samples"][0]
        inside = torch.ones(logits.shape[2:], dtype=torch.bool)
        if inferer.region_channel is not None:  # the link makes the rest background at any temperature
            inside = torch.as_tensor(study[image_key][inferer.region_channel]) > 0.5
        labels = torch.as_tensor(study[label_key][0]).long()
        labelled.append(LabelledLogits(logits[:, :, inside], labels[inside]))
    return fit_temperature(labelled)


def _refuse_without_optimum(studies: Sequence[LabelledLogits]) -> None:
    """The likelihood is concave in 1 / T: it has a maximum inside where it rises at 0 and falls at last."""
    if not studies:
        raise ValueError("a temperature needs at least one labelled study")
    lead, wrong = 0.0, 0
    for study in studies:
        logits = study.logits.double()
        at_label = logits.gather(1, study.labels.expand(len(logits), 1, -1)).squeeze(1)
        lead += float((at_label - logits.mean(dim=1)).sum())
        wrong += int((at_label < logits.amax(dim=1)).sum())
    if wrong == 0:
        raise ValueError("no temperature suits these labels best: every draw is right at every voxel")
    if lead <= 0:
        raise ValueError("no temperature suits these labels best: the logits of the labels are no larger than the others")


def _draw_nll(study: LabelledLogits, temperature: torch.Tensor) -> torch.Tensor:
    """Sum over voxels of the draws' mean."""
    return _at_labels(study, temperature).mean(dim=0).sum().neg()


def _mean_nll(study: LabelledLogits, temperature: torch.Tensor) -> torch.Tensor:
    """Sum over voxels for the mean probability of the draws."""
    found = _at_labels(study, temperature)
    return (found.logsumexp(dim=0) - math.log(len(found))).sum().neg()


def _at_labels(study: LabelledLogits, temperature: torch.Tensor) -> torch.Tensor:
    """Log probability of the labels, (draws, voxels)."""
    log_probability = F.log_softmax(study.logits.double() / temperature, dim=1)
    return log_probability.gather(1, study.labels.expand(len(study.logits), 1, -1)).squeeze(1)
