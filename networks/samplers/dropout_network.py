"""The adapter for existing networks that were trained with torch's dropout."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from monai.networks.nets import UNet
from torch import nn

from caveat.reasons import StudyRefused

from ..backbones.pooled_features import pool
from ..draws.consistent_dropout import ConsistentDropout, drawing, name_layers
from ..draws.draw import Draw
from ..draws.evaluation_mode import refuse_training_mode
from ..draws.hash_noise import GRID_NOISE
from ..draws.place import Place
from ..draws.sampler import Sampler, Source
from .probe import Probe, find_random_modules, watch

_ELEMENTWISE = {nn.Dropout: True, nn.Dropout1d: False, nn.Dropout2d: False, nn.Dropout3d: False}


class DropoutNetwork(Sampler):
    """Draws from a network as it was trained: its dropout layers become consistent ones of the same kind.

    The network is changed in place; its `state_dict` stays what it was. Dropout straight on the network's answer is
    taken out (DynUNet has one). The adapter draws and predicts, it does not train: nothing in it leaves evaluation mode.

    Args:
        network: windows (B, C, *spatial) to logits (B, classes, *spatial).
        spatial_dims: 2 or 3; None takes that of the network's first convolution.
        in_channels: channels of the study; None takes those of the network's first convolution.
        probe_size: voxels along each axis of the windows on which the layers are tried, which must suit the network, as
            must twice as many. Nothing is computed.
        align: a multiple of the strides at which elements are masked; None is the smallest.

    Raises:
        StudyRefused: TORCHSCRIPT_LAYERS.
        ValueError: a module makes random numbers that cannot be made consistent (AlphaDropout,
            DropPath, dropout on attention weights, functional dropout), masks something that does not lie on the study's grid
            (tokens), there is no dropout at all, the network does not run on such windows, or its answer is no tensor of their
            size.

    Source: Gal and Ghahramani 2016; which networks of MONAI it suits: docs/draws.md.
    """

    source = Source.MODEL

    def __init__(
        self,
        network: nn.Module,
        spatial_dims: int | None = None,
        in_channels: int | None = None,
        probe_size: int = 64,
        align: int | None = None,
    ) -> None:
        super().__init__()
        if isinstance(network, torch.jit.ScriptModule):
            raise StudyRefused("TORCHSCRIPT_LAYERS", f"{network.original_name} is TorchScript")
        if spatial_dims is None or in_channels is None:
            first = _first_convolution(network)
            spatial_dims = spatial_dims or first.weight.ndim - 2
            in_channels = in_channels or first.in_channels
        make_dropout_consistent(network)
        size = (probe_size,) * spatial_dims
        probes = []
        for voxels in (size, tuple(2 * extent for extent in size)):
            probes.append(watch(network, ConsistentDropout, in_channels, voxels))
            _refuse_what_lies_off_the_grid(probes[-1])
        _refuse_what_does_not_scale(*probes)
        random = find_random_modules(network, ConsistentDropout, in_channels, size)
        if random:
            more = f" and {len(random) - 3} more" if len(random) > 3 else ""
            raise ValueError(f"random numbers that cannot be made consistent: {', '.join(random[:3])}{more}")
        self.taken_out = _take_out(network, probes[0].last)
        self.network = network
        self.layers = [layer for layer in name_layers(network) if layer.p > 0.0]
        if not self.layers:
            raise ValueError(f"every draw would be the same: {type(network).__name__} has no dropout with p > 0")
        self.align = _alignment(network, probes[0], align)
        self.voxel_bytes = 4 * probes[0].largest
        self.eval()

    def train(self, mode: bool = True) -> DropoutNetwork:
        """Stay in evaluation mode, whatever is asked: batch statistics must not move."""
        return super().train(False)

    @property
    def settings(self) -> dict[str, Any]:
        """Probability of dropout, layer by layer, and of masked elements the version of the noise."""
        elementwise = any(layer.elementwise for layer in self.layers)
        return {"dropout": [layer.p for layer in self.layers]} | ({"grid_noise": GRID_NOISE} if elementwise else {})

    def encode(self, windows: torch.Tensor, places: Sequence[Place], context: None) -> torch.Tensor:
        """The windows themselves: where randomness begins is not known."""
        return windows

    def decode(self, features: torch.Tensor, draws: Sequence[Draw], places: Sequence[Place], context: None) -> torch.Tensor:
        """Run the network once a draw and window. Returns: logits, (draws, B, classes, *spatial).

        Raises:
            ValueError: element-wise dropout, and a window's size or origin is no multiple of `align`.
        """
        refuse_training_mode(self)
        for place in places:
            if any(extent % self.align for extent in (*place.origin, *place.size)):
                raise ValueError(f"windows must lie on multiples of {self.align}, got {place.size} at {place.origin}")
        repeated = features.repeat(len(draws), *[1] * (features.ndim - 1))  # (draws * B, C, *spatial)
        with drawing(self.layers, draws, places):
            logits = self.network(repeated)
        return logits.unflatten(0, (len(draws), len(places)))

    def summary(self, features: torch.Tensor) -> torch.Tensor:
        """Mean of each channel of the windows: what is an encoder is not known. Returns: (B, channels)."""
        return pool(features)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """The network with dropout off. Args: windows: (B, C, *spatial). Returns: logits, (B, classes, *spatial)."""
        return self.network(windows)

    @classmethod
    def example(cls) -> DropoutNetwork:
        """MONAI's UNet with element-wise dropout; batch normalisation, so that windows agree."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network = UNet(2, 1, 2, channels=(4, 6, 8), strides=(2, 2), num_res_units=1, norm="batch", dropout=0.5)
            return cls(network, probe_size=32)


def make_dropout_consistent(network: nn.Module) -> None:
    """Replace torch's dropout layers with p > 0 by consistent ones of the same kind, in place."""
    replaced: dict[nn.Module, ConsistentDropout] = {}
    for name, child in list(network.named_modules(remove_duplicate=False)):
        if type(child) in _ELEMENTWISE and child.p > 0.0:
            if child not in replaced:
                replaced[child] = ConsistentDropout(child.p, _ELEMENTWISE[type(child)]).train(child.training)
            parent, _, attribute = name.rpartition(".")
            setattr(network.get_submodule(parent), attribute, replaced[child])


def _first_convolution(network: nn.Module) -> nn.Conv1d | nn.Conv2d | nn.Conv3d:
    for module in network.modules():
        if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d):
            return module
    raise ValueError(f"{type(network).__name__} has no convolution: give spatial_dims and in_channels")


def _refuse_what_lies_off_the_grid(probe: Probe) -> None:
    batch, axes = probe.answer[0], len(probe.size)
    if probe.answer[2:] != probe.size:
        raise ValueError(f"windows of {probe.size} are answered with a tensor of {probe.answer}")
    for name, shape in probe.inputs:
        features = shape[2:]
        lies = shape[0] == batch and len(features) == axes
        if not lies or any(extent % feature for extent, feature in zip(probe.size, features, strict=True)):
            raise ValueError(
                f"dropout {name} masks a tensor of {shape}, which does not lie on the grid of windows of {probe.size}"
            )


def _refuse_what_does_not_scale(small: Probe, large: Probe) -> None:
    """Tokens and attention weights may look like a feature map, but do not grow with the window as one does."""
    for (name, shape), (_, grown) in zip(small.inputs, large.inputs, strict=True):
        if grown != (*shape[:2], *(2 * features for features in shape[2:])):
            raise ValueError(f"dropout {name} masks no feature map: {shape} becomes {grown} where the window doubles")


def _take_out(network: nn.Module, names: frozenset[str]) -> tuple[str, ...]:
    for name in names:
        parent, _, child = name.rpartition(".")
        setattr(network.get_submodule(parent), child, nn.Identity())
    return tuple(sorted(names))


def _alignment(network: nn.Module, probe: Probe, align: int | None) -> int:
    strides = {
        extent // feature
        for name, shape in probe.inputs
        if getattr(network.get_submodule(name), "elementwise", False)
        for extent, feature in zip(probe.size, shape[2:], strict=True)
    }
    smallest = math.lcm(*strides)
    if align is not None and align % smallest:
        raise ValueError(f"align must be a multiple of {smallest}, got {align}")
    return align or smallest
