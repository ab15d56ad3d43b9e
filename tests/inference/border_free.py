"""Networks whose answer at a voxel does not depend on the window's border: pooling and 1-convolutions alone."""

from __future__ import annotations

import torch
from monai.networks.layers.factories import Conv, Pool
from torch import nn

from caveat.networks.draws.consistent_dropout import ConsistentDropout, drawing, name_layers
from caveat.networks.draws.sampler import Sampler, Source


class BorderFreeDropout(Sampler):
    """Pool by 2, 1-convolution, dropout, 1-convolution, dropout, head, repeat by 2."""

    source = Source.MODEL

    def __init__(self, dimensions: int, elementwise: bool, p: float = 0.4, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        convolution, pool = Conv[Conv.CONV, dimensions], Pool[Pool.AVG, dimensions]
        self.layers = nn.Sequential(
            pool(2),
            convolution(1, 8, 1),
            nn.ReLU(),
            ConsistentDropout(p, elementwise),
            convolution(8, 8, 1),
            nn.ReLU(),
            ConsistentDropout(p, elementwise),
            convolution(8, 2, 1),
            nn.Upsample(scale_factor=2),
        )
        self.align = 2
        self.dropouts = name_layers(self)
        self.eval()

    def encode(self, windows, places, context):
        return windows

    def decode(self, features, draws, places, context):
        with drawing(self.dropouts, draws, places):
            logits = self.layers(features.repeat(len(draws), *[1] * (features.ndim - 1)))
        return logits.unflatten(0, (len(draws), len(places)))

    def summary(self, features):
        return features.flatten(2).mean(-1)

    def forward(self, windows):
        return self.layers(windows)

    @classmethod
    def example(cls):
        return cls(2, elementwise=False)


class Plain(Sampler):
    """Any network as its own single draw."""

    source = Source.MODEL
    capacity = 1

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def encode(self, windows, places, context):
        return windows

    def decode(self, features, draws, places, context):
        return self.network(features)[None]

    def summary(self, features):
        return features.flatten(2).mean(-1)

    def forward(self, windows):
        return self.network(windows)

    @classmethod
    def example(cls):
        return cls(nn.Conv2d(1, 2, 1))
