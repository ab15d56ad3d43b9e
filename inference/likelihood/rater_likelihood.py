"""How well a latent model knows a given outline: its likelihood, and its rank among the model's own draws."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from ...networks.draws.draw import Draw, first_draws
from ...networks.latent.posterior_sampler import PosteriorSampler, Readings
from ..engine.inferer import PRECISIONS, SamplingInferer
from ..engine.labels import labels_of
from ..engine.stream import RowStream
from ..engine.windows import WindowPlan, plan_windows

_LOGITS_AT_ONCE = 2**26
"""Logits of the whole study, over all latents, that are held together: 256 MiB. A window is encoded once for them."""


@dataclass(frozen=True)
class OutlineLikelihood:
    """log p(outline | image), estimated.

    Args:
        nats: natural logarithm, of all voxels together. On average the estimate lies below the truth, the less the more
            samples; with one sample its average is the evidence lower bound.
        effective_samples: (sum w)^2 / sum w^2 of the importance weights, from 1 to the number of samples. Near 1 a single
            sample decides, and the estimate may be several nats too low.
    """

    nats: float
    effective_samples: float


@dataclass(frozen=True)
class OutlineRank:
    """Where an outline stands among the model's own.

    Args:
        below: of the model's draws, how many are less likely than the outline; a draw of equal likelihood counts a half.
        draws: how many were compared. Draws are arg-max outlines, without the jitter of single voxels that a person's has,
            and so tend to be the likelier: ranks compare raters with each other and are no p value.
    """

    below: float
    draws: int


class RaterLikelihood:
    """Scores outlines under a latent model in the windows, blending, temperature and region of an inferer.

    p(y | x) is the mean over latents z of the posterior of p(y | x, z) p(z | x) / q(z | x, y): log-mean-exp in float64.
    Voxels outside the inferer's region do not count. The latents are draws, by the inferer's seed: the same call gives the
    same number, and outlines of one study meet the same noise.

    Args:
        inferer: that makes the predictions; its link must be the softmax, since a label names one class a voxel.
        samples: latents of the posterior.

    Raises:
        ValueError: another link, or no sample.

    Source: Rezende et al. 2014, appendix E; Burda et al. 2016 for the direction of the error.
    """

    def __init__(self, inferer: SamplingInferer, samples: int = 64) -> None:
        if inferer.link.name != "softmax":
            raise ValueError(f"the likelihood of a label map needs the link softmax, got {inferer.link.name}")
        if samples < 1:
            raise ValueError(f"at least one sample is needed, got {samples}")
        self.inferer = inferer
        self.samples = samples

    def score(self, study: torch.Tensor, label: torch.Tensor, network: PosteriorSampler) -> OutlineLikelihood:
        """Args: study: (1, C, *spatial). label: class numbers, (1, 1, *spatial). network: in evaluation mode.

        Raises:
            ValueError: a batch of more than one study, a label of another size, with classes that the network has not, or
                a network in training mode.
            StudyRefused: NON_FINITE_OUTPUT.
        """
        weights = self.log_weights(study, label, network)
        nats = float(weights.logsumexp(dim=0)) - math.log(self.samples)
        effective = float(torch.exp(2 * weights.logsumexp(dim=0) - (2 * weights).logsumexp(dim=0)))
        return OutlineLikelihood(nats, effective)

    @torch.no_grad()
    def log_weights(self, study: torch.Tensor, label: torch.Tensor, network: PosteriorSampler) -> torch.Tensor:
        """Log importance weights, nats, (samples,), float64. Args and raises: as `score`."""
        study, label = study.as_subclass(torch.Tensor).float(), label.as_subclass(torch.Tensor)
        _check(study, label, network)
        prior, posterior = self._prior_and_posterior(study, label, network)
        draws, parts = first_draws(self.samples, self.inferer.seed), []
        for group in _groups(draws, study, network):
            latents = network.latents(group, posterior)
            fit = self._log_likelihood(study, label, network, group, posterior)
            parts.append(fit + (prior.log_density(latents) - posterior.log_density(latents))[:, 0])
        return torch.cat(parts)

    @torch.no_grad()
    def rank(self, study: torch.Tensor, label: torch.Tensor, network: PosteriorSampler, draws: int = 19) -> OutlineRank:
        """Compare an outline with the outlines of the model's first draws, each scored as it is.

        Args: as `score`; draws: how many. Raises: as `score`, and ValueError: no draw.
        """
        if draws < 1:
            raise ValueError(f"a rank among no draws is none, got {draws}")
        own = self.score(study, label, network).nats
        others = [self.score(study, outline, network).nats for outline in self._outlines(study, network, draws)]
        return OutlineRank(sum((other < own) + 0.5 * (other == own) for other in others), draws)

    def _prior_and_posterior(
        self, study: torch.Tensor, label: torch.Tensor, network: PosteriorSampler
    ) -> tuple[Readings, Readings]:
        """Prior and posterior of the study as the inferer pads it; padding is background."""
        plan = self._plan(study, network)
        padded = plan.pad(study)
        return network.begin(padded), network.posterior(padded, plan.pad(label))

    def _log_likelihood(
        self, study: torch.Tensor, label: torch.Tensor, network: PosteriorSampler, draws: Sequence[Draw], context: Readings
    ) -> torch.Tensor:
        """log p(label | study, z) for the z of each draw. Returns: (draws,), nats, float64."""
        total, start = torch.zeros(len(draws), dtype=torch.float64, device=study.device), 0
        for rows in self._rows(study, network, draws, context):
            stop = start + rows.shape[2]
            log_probability = (rows.double() / self.inferer.link.temperature).log_softmax(dim=1)
            index = label[:, :, start:stop].long().expand(len(draws), -1, *rows.shape[2:])
            found = log_probability.gather(1, index)
            if self.inferer.region_channel is not None:
                found = found * (study[:, self.inferer.region_channel, start:stop] > 0.5)
            total += found.flatten(1).sum(dim=1)
            start = stop
        return total

    def _outlines(self, study: torch.Tensor, network: PosteriorSampler, draws: int) -> Iterator[torch.Tensor]:
        """What each draw says, (1, 1, *spatial), as a predicted draw is labelled: outside the region background."""
        study = study.as_subclass(torch.Tensor).float()
        channel = self.inferer.region_channel
        region = None if channel is None else study[0, channel] > 0.5
        context = network.begin(self._plan(study, network).pad(study))
        for group in _groups(first_draws(draws, self.inferer.seed), study, network):
            logits = torch.cat(list(self._rows(study, network, group, context)), dim=2)
            yield from labels_of(self.inferer.link(logits, region), axis=1)[:, None, None]

    def _rows(
        self, study: torch.Tensor, network: PosteriorSampler, draws: Sequence[Draw], context: Readings
    ) -> Iterator[torch.Tensor]:
        """Logits of consecutive rows, (draws, classes, rows, *other axes), windowed and blended as predictions are."""
        inferer, plan = self.inferer, self._plan(study, network)
        stream = RowStream(network, plan, inferer.window_batch, inferer.decode_batch, PRECISIONS[inferer.precision])
        return stream.rows(plan.pad(study), context, draws)

    def _plan(self, study: torch.Tensor, network: PosteriorSampler) -> WindowPlan:
        inferer = self.inferer
        sizes = (study.shape[2:], inferer.roi_size, inferer.overlap, inferer.blending)
        return plan_windows(*sizes, align=network.align, clip=inferer.clip_windows)


def _groups(draws: Sequence[Draw], study: torch.Tensor, network: PosteriorSampler) -> list[Sequence[Draw]]:
    """Draws that run together: a pure function of the study's size."""
    at_once = max(1, _LOGITS_AT_ONCE // (network.classes * study[0, 0].numel()))
    return [draws[first : first + at_once] for first in range(0, len(draws), at_once)]


def _check(study: torch.Tensor, label: torch.Tensor, network: PosteriorSampler) -> None:
    """Refuse what would be scored as something else."""
    if study.shape[0] != 1:
        raise ValueError(f"one study a call, got a batch of {study.shape[0]}")
    if label.shape != (1, 1, *study.shape[2:]):
        raise ValueError(f"a label of {tuple(label.shape)} does not lie on a study of {tuple(study.shape)}")
    wrong = (label != label.long()) | (label < 0) | (label >= network.classes)
    if bool(wrong.any()):
        raise ValueError(f"{int(wrong.sum())} voxels of the label name no class from 0 to {network.classes - 1}")
