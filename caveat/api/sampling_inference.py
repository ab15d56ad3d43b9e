"""Draws of a network and nothing else: what stands beside MONAI's `sliding_window_inference`."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from monai.data import MetaTensor
from torch import nn

from ..inference.engine.stream import RowStream
from ..inference.engine.windows import plan_windows
from ..networks.draws.draw import first_draws
from ..networks.draws.evaluation_mode import evaluation_mode
from ..networks.draws.sampler import Sampler
from ..networks.samplers.dropout_network import DropoutNetwork


def sampling_inference(
    inputs: torch.Tensor,
    network: nn.Module,
    roi_size: Sequence[int],
    draws: int,
    *,
    seed: int = 0,
    overlap: float | Sequence[float] = 0.25,
    mode: str = "constant",
    sigma_scale: float = 0.125,
) -> torch.Tensor:
    """Logits of the whole study, draw by draw: each is one function of the study, whatever the windows.

    Threads wait for each other.

    Args:
        inputs: (B, C, *spatial).
        network: a sampler of `caveat.networks.samplers`; or a network with torch's dropout, of which a copy draws by
            `DropoutNetwork`. It is left as it was.
        roi_size: window per axis; 0 or less for the whole axis.
        draws: how many.
        seed: of the draws: the same gives the same.
        overlap, mode, sigma_scale: as in MONAI.

    Returns:
        (draws, B, classes, *spatial), float32, before any softmax; a MetaTensor where `inputs` is one.

    Raises:
        ValueError: more draws than the sampler has; a network that cannot draw, or not in such windows.
        StudyRefused: TORCHSCRIPT_LAYERS, NON_FINITE_OUTPUT.
    """
    study = inputs.as_tensor() if isinstance(inputs, MetaTensor) else inputs
    sampler = network if isinstance(network, Sampler) else _with_dropout(network, study, roi_size)
    if draws < 1 or (sampler.capacity is not None and draws > sampler.capacity):
        raise ValueError(
            f"{draws} draws asked for, {type(sampler).__name__} has {sampler.capacity or 'no limit, but one at least'}"
        )
    every = first_draws(draws, seed)
    chunks = [[draw] for draw in every] if sampler.has_views else [every]
    found = []
    with torch.no_grad(), evaluation_mode(sampler):
        for one in study.float().split(1):
            parts = []
            for chunk in chunks:
                seen, inverse = sampler.view(one, chunk[0])
                plan = plan_windows(seen.shape[2:], roi_size, overlap, mode, sigma_scale, align=sampler.align)
                padded = plan.pad(seen)
                rows = RowStream(sampler, plan).rows(padded, sampler.begin(padded), chunk)
                parts.append(inverse(torch.cat([part.clone() for part in rows], dim=2)))
            found.append(torch.cat(parts))
    logits = torch.stack(found, dim=1)
    return MetaTensor(logits, meta=inputs.meta) if isinstance(inputs, MetaTensor) else logits


def _with_dropout(network: nn.Module, study: torch.Tensor, roi_size: Sequence[int]) -> DropoutNetwork:
    probe = max(*roi_size, 0) or 64
    return DropoutNetwork(copy.deepcopy(network), study.ndim - 2, study.shape[1], probe)
