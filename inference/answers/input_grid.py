"""The way back of a map: from the network's grid to the input's own."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.data import MetaTensor
from monai.transforms import Invertd, InvertibleTransform


def on_input_grid(data: Mapping[str, Any], values: torch.Tensor, preprocessing: InvertibleTransform, orig_key: str) -> MetaTensor:
    """Undo the spatial steps of the preprocessing on a map.

    Always by the image's own linear interpolation: torch's "nearest" takes the lower neighbour and moves a map by half an
    element.

    Args:
        data: study with the preprocessed image under `orig_key`.
        values: (channels, *network grid).

    Returns:
        (channels, *input grid), float32.
    """
    plain = values.as_tensor() if isinstance(values, MetaTensor) else values
    study: dict[Hashable, Any] = {orig_key: data[orig_key], "values": MetaTensor(plain.float().cpu())}
    invert = Invertd("values", preprocessing, orig_keys=orig_key, nearest_interp=False, device="cpu")
    return invert(study)["values"]
