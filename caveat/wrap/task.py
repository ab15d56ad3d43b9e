"""What a wrapped network measures, in what kind of image, and whose it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import caveat

from .members import Members
from .wrapped import Wrapped

TARGETS = "caveat.inference.targets"
SCHEMA = "https://project-monai.github.io/schema/meta_schema_20240725.json"


@dataclass(frozen=True)
class Task:
    """Args:
    name: of the bundle.
    classes: as the network numbers them, background first.
    channels: of an image.
    volumes: whether volumes are measured, else pictures.
    link: "softmax"; "sigmoid" where classes may overlap; "identity" where the answer is probabilities.
    modality: of the images, in a word: "CT", "MR", or what MONAI's metadata know.
    truth, licence: words; "" where nothing was said.
    noise: the score that the gate looks at: of images that only the network normalises it is `relative_noise`.
    """

    name: str
    classes: Sequence[str]
    channels: int = 1
    volumes: bool = True
    link: str = "softmax"
    modality: str = "other"
    truth: str = ""
    licence: str = ""
    noise: str = "noise"

    @property
    def answers(self) -> int:
        """Channels of the network's answer: the background of classes that may overlap has none."""
        return len(self.classes) - (self.link == "sigmoid")

    @property
    def targets(self) -> list[dict[str, Any]]:
        """A volume or an area for each class."""
        kind = "volume" if self.volumes else "area"
        target = f"{TARGETS}.{kind}.{kind.capitalize()}"
        return [
            {"_target_": target, "name": f"{name.lower()} {kind}", "title": name[0].upper() + name[1:], "classes": [index]}
            for index, name in enumerate(self.classes)
            if index
        ]

    def wrapped(
        self, members: Members, settings: Mapping[str, Any], taken: Sequence[tuple[str, str]], not_taken: Sequence[str] = ()
    ) -> Wrapped:
        """The bundle. Args: settings: what of inference.yaml the source says: preprocessing, windows, link."""
        own = {
            "base": ["study", "segmentation", *(["volume"] if self.volumes else []), "records"],
            "name": self.name,
            "class_names": list(self.classes),
            **members.settings(),
            "load::channels": self.channels,
            **(self._region(members) if self.volumes else {"load::kinds": ["picture"]}),
            **settings,
            "measurements": self.targets,
        }
        overlays = {name: one for name, one in members.definitions().items() if name != members.default}
        dropout = members.dropout if isinstance(members.dropout, str) else f"in {', '.join(members.dropout)}"
        said = [*taken, ("classes", ", ".join(self.classes)), ("dropout", dropout)]
        metadata = self.metadata(members.meanings(), self._shape(members))
        return Wrapped(own, overlays, self.more(), metadata, members.weights(), tuple(said), tuple(not_taken))

    def more(self) -> dict[str, dict[str, Any]]:
        """Configs for `caveat calibrate` and `evaluate`, by name."""
        kept = {"_target_": "caveat.inference.evaluation.settings.Coverage", "targets": "@measurements", "levels": [0.8, 0.9]}
        evaluate = {"evaluation": self._evaluation(), "coverage": kept}
        return {"calibrate": {"calibration": self._calibration()}, "evaluate": evaluate}

    def cross_validation(self, networks: int) -> dict[str, Any]:
        """Config of records by the networks' own cross-validation, in which each unit was left out by one of them.

        A width by size, as there is one answer a unit: its network alone has no spread. The gate looks at the image, and at how
        much was found in it.
        """
        check = "caveat.inference.gate.gate.Check"
        looked_at = {self.noise: "above", "blur": "above", "shading": "above", "draw_extent": "both"}
        own = {
            "truths": self._truths() | {"may_lack": True},  # the numbering is known: an image may lack a structure
            "levels": [0.8, 0.9, 0.95],
            "networks": networks,
            "one_recipe": True,
            "checks": [{"_target_": check, "name": name, "direction": direction} for name, direction in looked_at.items()],
        }
        return {"calibration": self._calibration() | own}

    def _region(self, members: Members) -> dict[str, Any]:
        """A crop by `--point` is a window's size; nothing is known of how small or large a region may be."""
        side = [float(extent) if extent > 1 else 100.0 for extent in members.window]
        return {"+crop": {"size_mm": side, "smallest_mm": [1.0] * 3, "largest_mm": [10000.0] * 3}}

    def _truths(self) -> dict[str, Any]:
        classes = list(range(1, len(self.classes)))
        return {"_target_": "caveat.inference.stored.truths.MaskTruths", "raters": ["truth"], "classes": classes}

    def _calibration(self) -> dict[str, Any]:
        """A width by size alone, and a gate of what can be known of every network."""
        check = "caveat.inference.gate.gate.Check"
        offset = 0.1 if self.volumes else 10.0
        return {
            "_target_": "caveat.inference.calibration.settings.Calibration",
            "truths": self._truths(),
            "targets": "@measurements",
            "score": {"_target_": "caveat.inference.calibration.scores.size.Size", "offset": offset},
            "unit": "patient",
            "levels": [0.5, 0.8, 0.9],
            "checks": [{"_target_": check, "name": name, "direction": "above"} for name in (self.noise, "structure_entropy")],
            "false_alarm_rate": 0.1,
            "seed": 0,
        }

    def _evaluation(self) -> dict[str, Any]:
        figures = "caveat.inference.figures"
        by_class = {"_target_": f"{figures}.labels.label_overlap", "class_names": "@inferer::class_names"}
        extents = [
            {"_target_": f"{figures}.extent.extent", "_mode_": "callable", "measurement": f"@measurements::{index}"}
            for index in range(len(self.targets))
        ]
        overlap = {"_target_": f"{figures}.overlap.overlap", "_mode_": "callable"}
        return {
            "_target_": "caveat.inference.evaluation.evaluate.Evaluation",
            "truths": self._truths(),
            "metrics": [overlap, by_class | {"_mode_": "callable"}, *extents],
            "over_studies": [],
            "level": 0.95,
            "resamples": 2000,
            "seed": 0,
        }

    def metadata(self, samplers: Mapping[str, str], shape: Sequence[str]) -> dict[str, Any]:
        """`metadata.json`. Args: samplers: name to meaning. shape: of windows, per axis."""
        import monai
        import numpy
        import torch

        kind = "Volumes" if self.volumes else "Areas"
        wanted = self.classes[1:] if self.link == "sigmoid" else self.classes
        data = {"type": "image", "dtype": "float32", "is_patch_data": True, "spatial_shape": list(shape)}
        image = data | {"format": "magnitude", "modality": self.modality, "num_channels": self.channels, "value_range": []}
        image["channel_def"] = {str(index): f"channel {index}" for index in range(self.channels)}
        pred = data | {"format": "segmentation", "num_channels": self.answers, "value_range": []}
        pred["channel_def"] = {str(index): name for index, name in enumerate(wanted)}
        return {
            "schema": SCHEMA,
            "version": "0.1.0",
            "changelog": {"0.1.0": "wrapped"},
            "monai_version": monai.__version__,
            "pytorch_version": torch.__version__.partition("+")[0],
            "numpy_version": numpy.__version__,
            "required_packages_version": {"caveat": caveat.__version__},
            "name": self.name,
            "task": f"{kind} of {', '.join(self.classes[1:])}",
            "description": f"{kind} of {', '.join(self.classes[1:])}, by a network of other people",
            "authors": "not stated",
            "copyright": "not stated",
            "intended_use": "research; not a medical device, not for diagnosis",
            **({"series": self._series(), "spacing_limits_mm": [0.0, 1000.0]} if self.volumes else {}),
            "truth": self.truth or "as the masks that the network was trained on have it",
            "weights_license": self.licence or "not stated; ask whoever trained them",
            "samplers": dict(samplers),
            "network_data_format": {"inputs": {"image": image}, "outputs": {"pred": pred}},
        }

    def _series(self) -> dict[str, str]:
        """Which DICOM series is measured, where the modality says it."""
        return {"modality": self.modality} if self.modality in ("CT", "MR") else {}

    @staticmethod
    def _shape(members: Members) -> list[str]:
        """Windows that the network takes: of any multiple, or of the size that was stated."""
        if members.multiple > 1 or any(extent <= 0 for extent in members.window):
            return [f"{1 if extent == 1 else members.multiple}*n" for extent in members.window]
        return [f"{extent}*n" if extent > 1 else "1*n" for extent in members.window]
