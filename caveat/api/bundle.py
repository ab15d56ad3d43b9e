"""A bundle in a program of one's own: loaded once, asked about study after study."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor, list_data_collate

from ..bundle_folders import choose_configs, find_bundle, read_metadata, settings_of
from ..devices import check_device
from ..inference.answers.study_evaluator import refusal_behind
from ..reasons import StudyRefused
from ..run_bundle import load_workflow, refusals_unwrapped
from ..transforms.checks.geometry import refuse_bad_affine, spacing_of
from ..transforms.image.study_image import StudyImage
from ..transforms.output.study_folder import finished
from ..transforms.place.crop_to_region import POINT
from ..transforms.study.input_sha256 import input_sha256
from ..transforms.study.inspect_study import Inspected
from ..transforms.study.load_study import as_meta_tensor
from ..transforms.study.studies import Studies
from .result import Result

FROM_TENSOR = "the MetaTensor's affine"
IN_MEMORY = "tensor"
"""In the place of the kind of file."""

STEPS = ("to_input_grid", "promise")

Image = str | Path | Sequence[str | Path] | MetaTensor


def load(
    bundle: str | Path,
    *,
    sampler: str | None = None,
    draws: int | None = None,
    seed: int | None = None,
    level: float | None = None,
    record: str | Path | None = None,
    device: str = "auto",
    keep_draws: bool = False,
) -> Bundle:
    """Load a bundle with its weights.

    Args:
        bundle: name of a shipped one, or path of a folder that may run, see `caveat info` and docs/security.md.
        sampler: what makes the draws; None for the bundle's own.
        draws, seed: None for the bundle's own.
        level: of the calibrated intervals; None for the bundle's.
        record: a calibration record of one's own, or a folder of them; None for the bundle's.
        device: "auto", "cpu", "cuda", "cuda:N".
        keep_draws: whether results hold the label map of every draw; of bundles that segment.

    Raises:
        StudyRefused: BUNDLE_NOT_FOUND, BUNDLE_NOT_TRUSTED, WRONG_USAGE, and what weights and records are refused with.
    """
    check_device(device)
    folder = find_bundle(str(bundle))
    said = {
        "inferer::draws": draws,
        "inferer::seed": seed,
        "level": level,
        "record": None if record is None else Path(record),
        "device": None if device == "auto" else torch.device(device),
        "keep_draws": keep_draws or None,
    }
    overrides = {key: value for key, value in said.items() if value is not None}
    return Bundle(folder, choose_configs(folder, sampler), overrides)


class Bundle:
    """A bundle that is loaded. Made by `load`.

    Args:
        folder: of the bundle. configs: inference.yaml and overlays. overrides: of the config.

    Attributes:
        name, metadata: of the bundle. takes_points: whether it measures regions of volumes.
        network: the sampler, in evaluation mode. inferer: windows, draws and statistics.
        preprocessing: from a path to the network's grid.

    Raises:
        StudyRefused: weights, records or settings that are refused.
    """

    def __init__(self, folder: Path, configs: Sequence[Path], overrides: dict[str, Any]) -> None:
        self.name = folder.name
        self.metadata = read_metadata(folder)
        self.takes_points = POINT in settings_of(folder)
        with refusals_unwrapped():
            parser = load_workflow(folder, configs, {**overrides, "datalist": Studies(())}).parser
            self.network, self.inferer, self.preprocessing = map(
                parser.get_parsed_content, ("network", "inferer", "preprocessing")
            )
            self._device = parser.get_parsed_content("device")
            # Of the six steps; the whole would make the writer's folder.
            self._to_input_grid, promise = map(parser.get_parsed_content, (f"postprocessing::{step}" for step in STEPS))
            self._after = [*parser.get_parsed_content("gate"), *_listed(promise)]
            self._facts = dict(parser.get_parsed_content("bundle_facts"))

    def measure(self, image: Image, point: Sequence[float] | None = None) -> Result:
        """Measure one study, as `caveat predict` does; threads wait for each other, since a network holds the draw it is at.

        Args:
            image: path of a file, of a folder of a DICOM study, or of a file a channel; or a volume as MONAI's `LoadImaged` gives
                it, channels first, with an affine in mm. Whether a network has seen what comes in memory cannot be known.
            point: x, y, z in mm (RAS), around which the bundle's own box is measured; None measures the whole image.

        Raises:
            StudyRefused: it cannot be measured correctly; WRONG_USAGE for a point where whole images are measured.
        """
        if point is not None and not self.takes_points:
            raise StudyRefused("WRONG_USAGE", "this bundle measures whole images; a point is for regions of volumes")
        where = {} if point is None else {POINT: tuple(map(float, point))}
        try:
            study = self._prepared(image, where)
            answer = self.inferer(list_data_collate([study])["image"].to(self._device), self.network)
            found = {f"pred_{key}": value[0] if isinstance(value, torch.Tensor) else value for key, value in answer.items()}
            data = self._to_input_grid({**study, **found})
            for step in self._after:
                data = step(data)
        except Exception as error:  # MONAI wraps what a transform raises
            refusal = refusal_behind(error)
            if refusal.code == "UNEXPECTED_ERROR":
                raise
            raise refusal from error
        return Result(finished(data, {"bundle": self._facts}))

    def _prepared(self, image: Image, where: Mapping[str, Any]) -> dict[str, Any]:
        """A study on the network's grid. Args: where: to look in it."""
        if not isinstance(image, MetaTensor):
            source = [str(one) for one in image] if isinstance(image, list | tuple) else str(image)
            facts = {"name": "study", "number": 1, "input_sha256": input_sha256(source)}
            return self.preprocessing({"image": source, **facts, **where})
        load, *others = self.preprocessing.transforms
        loaded = as_meta_tensor(load.accepted(as_read(image)))
        study = {"image": loaded, "name": "study", "number": 1, "input_sha256": loaded.meta["input_sha256"], **where}
        for step in others:
            study = step(study)
        return study


def as_read(image: MetaTensor) -> Inspected:
    """A volume in memory as one that was read. Args: image: (channels, x, y, z), affine to mm (RAS), as MONAI loads NIfTI.

    Raises:
        StudyRefused: WRONG_USAGE for pictures, whose axes MONAI's loaders turn, and which say nothing of their size; what its
            affine is refused with; NON_FINITE_VOXELS.
    """
    if image.ndim != 4:
        raise StudyRefused(
            "WRONG_USAGE", f"a volume has channels and three axes, got {tuple(image.shape)}; give pictures by path"
        )
    voxels = np.ascontiguousarray(image.as_tensor().detach().cpu().numpy(), dtype=np.float32)
    affine = np.asarray(image.affine, dtype=np.float64)
    refuse_bad_affine(affine)
    if not np.isfinite(voxels).all():
        raise StudyRefused("NON_FINITE_VOXELS", f"{int((~np.isfinite(voxels)).sum())} of {voxels.size}")
    digest = hashlib.sha256(voxels.tobytes() + affine.tobytes()).hexdigest()
    read = StudyImage(voxels, affine, affine, tuple(spacing_of(affine)), FROM_TENSOR)
    return Inspected(read, IN_MEMORY, digest)


def _listed(promise: Any) -> list[Any]:
    """Landmarks have one step that promises, others a list that may be empty."""
    return list(promise) if isinstance(promise, list | tuple) else [promise]
