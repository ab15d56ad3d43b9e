"""The answer about a whole image, and the maps of its evidence on the input's own grid."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from monai.transforms import InvertibleTransform, Transform

from .input_grid import on_input_grid

EVIDENCE = ("evidence", "evidence_sd", "evidence_share")


class ClassesOnInputGridd(Transform):
    """Complete the `result` of a bundle of classes, and bring maps back.

    Reads the flattened answer of `SamplingInferer` (keys `pred_*`, which it takes away) and `input`, the image as loaded. Adds
    `result`, a dictionary; the maps; and `region`, (1, *input grid), what of the image the network saw.

    Args:
        preprocessing: of the bundle. orig_key: the image that went through it. maps: names of the maps to bring back.
    """

    def __init__(self, preprocessing: InvertibleTransform, orig_key: str, maps: Sequence[str] = EVIDENCE) -> None:
        self.preprocessing = preprocessing
        self.orig_key = orig_key
        self.maps = tuple(maps)

    def __call__(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Args: data: decollated study. Returns: the study without its `pred_*` keys, with what is listed above."""
        out = {key: value for key, value in data.items() if not str(key).startswith("pred_")}
        for name in self.maps:
            out[name] = on_input_grid(data, data[f"pred_{name}"], self.preprocessing, self.orig_key)
        if self.maps:
            seen = on_input_grid(data, torch.ones_like(data["pred_pred"][:1]), self.preprocessing, self.orig_key)
            out["region"] = (seen >= 0.5).to(torch.uint8)
        result = json.loads(data["pred_result"])
        flags = {*data["input"].meta.get("flags", []), *result.get("flags", [])}
        return out | {"result": {"status": "OK", "reasons": [], "gate": None} | result | {"flags": sorted(flags)}}
