"""A bundle as a model of the server: the same numbers as `caveat predict`, and a label map for the viewer."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from monailabel.interfaces.tasks.infer_v2 import InferTask, InferType

from ..api.bundle import Bundle, load
from ..api.result import Result
from ..bundle_folders import read_metadata, settings_of
from ..transforms.study.inspect_study import inspect_study
from .label_file import write_label
from .options import Options, Sampling, shown_options
from .refusal import refusals_answered
from .segments import Segments, class_names, level_names, nested, reported, with_answers

MASK, LEVELS, CLICK = "", "_levels", "_at_point"
"""What is added to a bundle's name: its mask; how many draws agree, as nested segments; its mask about a click."""
KEPT = 4
"""Bundles that stay in memory, each with other settings."""
IN_ANSWER = ("status", "reasons", "input", "bundle", "sampling", "answers", "hypotheses", "study_scores", "gate", "flags")
"""Of `result.json`."""
_one_at_a_time = threading.Lock()
"""Batches of MONAI Label come in threads; an inferer measures one study at a time."""


@lru_cache(maxsize=KEPT)
def loaded(folder: str, sampling: Sampling, device: str, keep_draws: bool) -> Bundle:
    """The bundle, loaded once. Raises: StudyRefused."""
    how = {"sampler": sampling.sampler, "draws": sampling.draws, "seed": sampling.seed, "level": sampling.level}
    return load(folder, **how, device=device, keep_draws=keep_draws)  # type: ignore[arg-type]


def kinds_of(bundle: Path) -> tuple[str, ...]:
    """Which models a bundle gives."""
    output = read_metadata(bundle)["network_data_format"]["outputs"]["pred"]
    settings = settings_of(bundle)
    overlap = settings.get("inferer", {}).get("link") == "sigmoid"
    levels = output["format"] == "segmentation" and "keep_draws" in settings and not overlap
    click = "point" in settings and len(class_names(bundle)) == 1  # a viewer takes such a mask for the segment that is selected
    return (MASK, *([LEVELS] if levels else []), *([CLICK] if click else []))


class Infer(InferTask):
    """One model.

    Args:
        bundle: folder. kind: MASK, LEVELS or CLICK. device: "auto", "cpu", "cuda", "cuda:N".
    """

    def __init__(self, bundle: Path, kind: str, device: str) -> None:
        self.bundle, self.kind, self.device = bundle, kind, device
        self.classes = class_names(bundle)
        metadata = read_metadata(bundle)
        names = level_names(list(self.classes)) if kind == LEVELS else self.classes
        volumes = "picture" not in settings_of(bundle)["load"].get("kinds", ())
        # Viewers offer clicks for "deepgrow" alone.
        asked = InferType.DEEPGROW if kind == CLICK else InferType.SEGMENTATION
        super().__init__(asked, names, 3 if volumes else 2, metadata["description"], shown_options(bundle))
        self.version = metadata["version"]

    def info(self) -> dict[str, Any]:
        """See `InferTask`."""
        return super().info() | {"version": self.version}

    def is_valid(self) -> bool:
        """See `InferTask`."""
        return True

    def __call__(self, request: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Args: request: `image`, a path, and options. Returns: the label's file, and what is said of it."""
        begin = time.monotonic()
        with refusals_answered():
            options = Options.of(request)
            result = self._measure(str(request["image"]), options.sampling, self._place(str(request["image"]), options))
            segments = self._segments(result, options)
            affine = np.asarray(result.to_dict()["input"]["affine"])
            file = write_label(segments.labels, affine, options.extension, options.dtype, options.compress)
        return str(file), said_of(result, segments) | {"latencies": {"total": round(time.monotonic() - begin, 3)}}

    def measure(self, image: str, sampling: Sampling) -> Result:
        """A whole study. Raises: HTTPException."""
        with refusals_answered():
            return self._measure(image, sampling)

    def _measure(self, image: str, sampling: Sampling, point: tuple[float, ...] | None = None) -> Result:
        with _one_at_a_time:
            bundle = loaded(str(self.bundle), sampling, self.device, self.kind == LEVELS)
            return bundle.measure(image, point)

    def _place(self, image: str, options: Options) -> tuple[float, ...] | None:
        """The click in mm. Viewers send voxels of the volume that they show."""
        if options.point is not None or options.index is None:
            return options.point
        affine = inspect_study(image).image.affine
        return tuple((affine @ [*options.index, 1.0])[:3].tolist())

    def _segments(self, result: Result, options: Options) -> Segments:
        if self.kind == LEVELS:
            return nested(result, list(self.classes))
        segments = reported(result, self.classes, options.hypothesis)
        return with_answers(segments, result, self.classes) if options.answers_in_names else segments


def said_of(result: Result, segments: Segments) -> dict[str, Any]:
    """What goes out beside the label: names for the viewer, the sentences, and what `result.json` says."""
    facts = result.to_dict()
    return {
        "label_names": dict(segments.names),
        "text": result.statement,
        "caveat": {key: facts[key] for key in IN_ANSWER},
    }
