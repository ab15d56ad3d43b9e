"""The way back: everything that leaves stands on the input's own grid."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from monai.data import MetaTensor
from monai.transforms import InvertibleTransform, Transform

from caveat.reasons import StudyRefused

from ...transforms.files.answers import measurements_of
from ...transforms.output.study_folder import reason_of
from ..engine.labels import labels_of
from ..engine.study_grid import element_of_grid, place_in_world
from ..targets.drawn import Drawn
from ..targets.statement import NOTHING_FOUND
from ..targets.target import Target
from .input_grid import on_input_grid

OF_INPUT = ("crop", "preparation")
"""What the preprocessing notes in the image's `meta` and the result states of its input: its crop, and how it was prepared."""
GRID_SHARE = 0.01
GRID_ELEMENTS = 2
"""Measurements of the two grids that differ by more than this share and this many elements are flagged GRID_MATTERS."""


class ReportOnInputGridd(Transform):
    """Invert the preprocessing of every map, take the mask there, and measure it beside the network grid's value.

    Reads the flattened answer of `SamplingInferer` (keys `pred_*`), `orig_key` with its trace of transforms, and
    `input`, the image as loaded. Adds `probability` (classes, *input), `segmentation` (1, *input) uint8, `hypotheses`
    and `samples` (draws, *input) uint8, `region` (1, *input) uint8 where not everything is measured, each map by its name
    (1, *input), and `result`, a dictionary, in which pieces have their centre as `place_in_world` says. Where the study was
    cropped, all that lies outside is background.

    Args:
        preprocessing: the transforms to invert.
        orig_key: the image that went through all of them, interpolated linearly.
        measurements: as given to `Extent`.
        maps: names of the maps to bring back.
        region_key: mask on the network grid, or None: then a study that was cropped (`CropToRegiond`) has its crop as region.
    """

    def __init__(
        self,
        preprocessing: InvertibleTransform,
        orig_key: str,
        measurements: Sequence[Target],
        maps: Sequence[str] = ("entropy", "expected_entropy", "mutual_information", "variance"),
        region_key: str | None = None,
    ) -> None:
        self.preprocessing = preprocessing
        self.orig_key = orig_key
        self.measurements = list(measurements)
        self.maps = tuple(maps)
        self.region_key = region_key

    def __call__(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Args: data: decollated study. Returns: the study without its `pred_*` keys, with what is listed above."""
        out = {key: value for key, value in data.items() if not str(key).startswith("pred_")}
        meta = data[self.orig_key].meta
        out["probability"] = self._invert(data, data["pred_pred"])
        if "crop" in meta:
            out["region"] = self._invert_mask(data, torch.ones_like(data["pred_pred"][:1]))
            out["probability"][0][out["region"][0] == 0] = 1
        result = json.loads(data["pred_result"])
        for lesion in result.get("lesions", []):
            lesion["centre"] = place_in_world(lesion["centre"], data[self.orig_key].affine)
        independent = result["sampling"].get("link") == "sigmoid"
        out["segmentation"] = labels_of(out["probability"], axis=0, independent=independent)[None]
        for name in self.maps:
            out[name] = self._invert(data, data[f"pred_{name}"])
        classes = len(out["probability"])
        if "pred_hypotheses" in data:
            out["hypotheses"] = torch.stack([self._invert_labels(data, labels, classes) for labels in data["pred_hypotheses"]])
        if "pred_samples" in data:
            out["samples"] = torch.stack([labels_of(self._invert(data, draw), 0, independent) for draw in data["pred_samples"]])
        if self.region_key is not None:
            out["region"] = self._invert_mask(data, data[self.region_key])
        flags = [*meta.get("flags", []), *result.get("flags", [])]
        drawn = self._drawn(out, independent)
        if sum(drawn.counts) > out["segmentation"].numel():
            flags.append("CLASSES_OVERLAP")
        result = self._complete(result, out, drawn, flags)
        known = {fact: meta[fact] for fact in OF_INPUT if fact in meta}
        out["result"] = result | ({"input": known} if known else {})
        return out

    def _invert(self, data: Mapping[str, Any], values: torch.Tensor) -> MetaTensor:
        """See `on_input_grid`."""
        return on_input_grid(data, values, self.preprocessing, self.orig_key)

    def _invert_labels(self, data: Mapping[str, Any], labels: torch.Tensor, classes: int) -> torch.Tensor:
        """Args: labels: (*network grid). Returns: uint8 (*input grid), the label that weighs most."""
        each = torch.stack([labels == index for index in range(classes)])
        return labels_of(self._invert(data, each), axis=0)

    def _invert_mask(self, data: Mapping[str, Any], mask: torch.Tensor) -> torch.Tensor:
        """Args: mask: (1, *network grid). Returns: uint8 (1, *input grid)."""
        return (self._invert(data, mask) >= 0.5).to(torch.uint8)

    def _drawn(self, study: Mapping[str, Any], independent: bool) -> Drawn:
        """The mask on the input's grid, as targets see it."""
        image, labels = study["input"], study["segmentation"][0]
        region_count = int(study["region"].sum()) if "region" in study else labels.numel()
        element = element_of_grid(image.affine, image.meta, image.ndim - 1)
        return Drawn.of_probability(element, study["probability"], labels, independent, region_count)

    def _complete(self, result: dict[str, Any], study: Mapping[str, Any], drawn: Drawn, flags: list[str]) -> dict[str, Any]:
        """Add status, values on the input's grid and flags. Args: drawn: the mask there."""
        if touches_border(study["segmentation"][0], study.get("region")):
            flags.append("TOUCHES_BORDER")
        entries = measurements_of(result)
        for entry, target in zip(entries, self.measurements, strict=True):
            value, on_network_grid = target.of(drawn), entry["value"] or 0.0
            entry["value_on_input_grid"] = value if target.found(value) else None
            one_element = target.of(Drawn.of_one_element(drawn.element, target.classes, drawn.region_count))
            difference = abs(value - on_network_grid)
            if difference > GRID_SHARE * abs(on_network_grid) and difference > GRID_ELEMENTS * one_element:
                flags.append("GRID_MATTERS")
        may_lack = [entry for entry, target in zip(entries, self.measurements, strict=True) if not target.found(0.0)]
        absent = [entry["value"] is None for entry in may_lack]
        flags += ["NOTHING_FOUND"] * (any(absent) and not all(absent))  # of a part; of all it is the study's status
        status: dict[str, Any] = {"status": "OK", "reasons": []}
        if absent and all(absent) and len(entries) == len(result["answers"]):
            status = {"status": "NOTHING_FOUND", "reasons": [reason_of(StudyRefused("NOTHING_FOUND"))]}
            for entry in entries:
                entry.update(value=None, value_on_input_grid=None, statement=NOTHING_FOUND)
        return status | result | {"gate": None, "flags": sorted(set(flags))}


def touches_border(labels: torch.Tensor, region: torch.Tensor | None = None) -> bool:
    """Whether a volume's structure reaches the border of what was measured, so that part of it may lie beyond.

    Slices missing at the end of a series cannot be told from its positions; a structure that is cut there can. Pictures
    are left out: their structures, such as vessels, commonly leave the picture.

    Args:
        labels: (*spatial), 0 is background.
        region: (1, *spatial), what was measured; None where everything was.
    """
    if labels.ndim < 3 or not bool((labels > 0).any()):
        return False
    measured = torch.ones_like(labels) if region is None else region[0]
    inner = -torch.nn.functional.max_pool3d(-torch.nn.functional.pad(measured.float(), [1] * 6)[None, None], 3, stride=1)[0, 0]
    return bool(((labels > 0) & (inner == 0)).any())
