"""A trained nnU-Net v2 folder: its folds become an ensemble, its own code stays in charge of the way from image to mask."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch

from ..inference.calibration.whose_truth import UNSTATED
from ..networks.weights.members import joint_sha256
from ..reasons import StudyRefused
from ..transforms.files.regular_file import text_of
from .network_parts import is_network_part
from .nnunet_checkpoint import read_checkpoint, trained_with
from .nnunet_code import NnunetCode
from .nnunet_record import SETTINGS, write_records
from .nnunet_validation import TrainingSet
from .of_strangers import of_strangers
from .task import Task
from .wrapped import Wrapped, class_names, refuse_odd_words

FINAL = "checkpoint_final.pth"
"""The best one was chosen on its own fold's validation cases."""
MADE_OF = ("dynamic_network_architectures.", "torch.nn.")
"""What plans may name: nnU-Net imports it and calls it."""
READERS = {"SimpleITKIO": None, "NibabelIO": None, "SimpleITKIOWithReorient": "RAS", "NibabelIOWithReorient": "RAS"}
"""nnU-Net's readers of volumes, and the orientation that they bring them to."""
TRAINER = re.compile(r"nnUNetTrainer(_\d+epochs?)?")
"""The stock trainer, and its variants that differ in how long they train: all others may make another network."""


@dataclass(frozen=True)
class Nnunet:
    """Args:
    folder: TRAINER__PLANS__CONFIGURATION, with plans.json, dataset.json and fold_0, fold_1, ...
    name: of the bundle.
    truth, licence: words; "" where nothing was said.
    trained_on: what it was trained with, whose cross-validation makes a record; None for no record.
    """

    folder: Path
    name: str
    truth: str = ""
    licence: str = ""
    trained_on: TrainingSet | None = None

    def wrap(self) -> Wrapped:
        """Look the folder through, and load every fold once.

        Raises:
            StudyRefused: SOURCE_NOT_WRAPPED, WEIGHTS_REFUSED, WEIGHTS_NOT_FINITE, EXTRA_NOT_INSTALLED; of a training set those
                of `TrainingSet.held_out`.
        """
        with of_strangers("nnU-Net's own code cannot work with plans, data set or checkpoints as they are"):
            trainer, configuration, axes = self._trained_as()
            code = NnunetCode(self._read("plans.json"), self._read("dataset.json"), configuration, axes, torch.device("cpu"))
            for stored in self._checkpoints:
                code.load(stored["network_weights"])
                if not all(bool(tensor.isfinite().all()) for tensor in stored["network_weights"].values()):
                    raise StudyRefused("WEIGHTS_NOT_FINITE")
            classes, orientation = self._classes(), READERS[self._reader()]
            code.try_out()
        channels = code.channels
        task = Task(self.name, classes, channels, link="identity", truth=self.truth, licence=self.licence, noise="relative_noise")
        steps = ["@load", "@as_loaded", *(["@orient"] if orientation else [])]
        folds = [{"file": name, "sha256": sha256} for name, sha256 in zip(self._names, self._hashes, strict=True)]
        sampler = {
            "_target_": "caveat.wrap.nnunet_folds.NnunetFolds",
            "folder": "$@bundle_root + '/models'",
            "folds": folds,
            "configuration": configuration,
            "mirror_axes": list(axes),
        }
        settings = {
            "base": ["study", "segmentation", "volume", "records"],
            "name": self.name,
            "class_names": classes,
            "weights_sha256": joint_sha256(self._hashes),
            "network_def": sampler,
            "network": "$@network_def.to(@device)",
            "load::channels": channels,
            "preprocessing::transforms": steps,
            "+crop": {"size_mm": [100.0] * 3, "smallest_mm": [1.0] * 3, "largest_mm": [10000.0] * 3},
            "+inferer": {"roi_size": [-1, -1, -1], "blending": "constant", "link": "identity", "clip_windows": True}
            | {"own_spacing_axes": [0, 1, 2]},  # nnU-Net resamples: no record depends on how fine an image is
            "measurements": task.targets,
            "+reducers": [{"_target_": "caveat.inference.reducers.draw_extent.DrawExtent"}],
        }
        more = task.more() | {SETTINGS: task.cross_validation(len(folds))}
        meanings = {"ensemble": f"{len(folds)} folds, a draw each; stated is nnU-Net's own prediction (default)"}
        links = {name: fold / FINAL for name, fold in zip(self._names, self._folds, strict=True)}
        taken = (
            ("source", f"nnU-Net v2, {configuration}, trainer {trainer}, mirrored along {list(axes) or 'no axis'}"),
            ("folds", ", ".join(fold.name for fold in self._folds)),
            ("preprocessing", f"nnU-Net's own, after its reader {self._reader()}"),
            ("classes", ", ".join(classes)),
        )
        left = ("postprocessing.pkl, where there is one: neither its folds' validation nor its `predict` has it",)
        metadata = task.metadata(meanings, ["1*n"] * 3)
        return Wrapped(settings, {}, more, metadata, links, taken, left, self._records(channels))

    def _records(self, channels: int) -> Callable[[Path], list[dict[str, str]]] | None:
        """What makes them once the bundle is written. Raises: as `TrainingSet.held_out`."""
        if self.trained_on is None:
            return None
        cases = self.trained_on.held_out(self._folds, self._read("dataset.json"), channels)
        return partial(write_records, cases=cases, truth=self.truth or UNSTATED)

    @cached_property
    def _folds(self) -> list[Path]:
        """Raises: StudyRefused: SOURCE_NOT_WRAPPED: none, a gap, or one that was not trained to its end."""
        numbered = [path for path in self.folder.glob("fold_*") if re.fullmatch(r"fold_\d+", path.name)]
        found = sorted(numbered, key=lambda path: int(path.name.removeprefix("fold_")))
        unfinished = [path.name for path in found if not (path / FINAL).is_file()]
        if unfinished or not found:
            what = (
                f"{', '.join(unfinished)} has no {FINAL}" if found else "the folder has no fold_0, fold_1, ...; fold_all is none"
            )
            raise StudyRefused("SOURCE_NOT_WRAPPED", what)
        last = int(found[-1].name.removeprefix("fold_"))
        if lacking := [f"fold_{number}" for number in range(last) if self.folder / f"fold_{number}" not in found]:
            raise StudyRefused("SOURCE_NOT_WRAPPED", f"{', '.join(lacking)} is not there, of the folds 0 to {last}")
        return found

    @property
    def _names(self) -> list[str]:
        """Of the folds in `models/`."""
        return [f"{fold.name}.pth" for fold in self._folds]

    @cached_property
    def _hashes(self) -> list[str]:
        found = []
        for fold in self._folds:
            with (fold / FINAL).open("rb") as file:
                found.append(hashlib.file_digest(file, "sha256").hexdigest())
        return found

    @cached_property
    def _checkpoints(self) -> list[dict[str, Any]]:
        return [read_checkpoint(fold / FINAL) for fold in self._folds]

    def _read(self, name: str) -> dict[str, Any]:
        try:
            found = json.loads(text_of(self.folder / name))
        except (OSError, ValueError) as error:
            raise StudyRefused("SOURCE_NOT_WRAPPED", f"{name} cannot be read") from error
        if not isinstance(found, dict):
            raise StudyRefused("SOURCE_NOT_WRAPPED", f"{name} is no JSON object")
        return found

    def _trained_as(self) -> tuple[str, str, tuple[int, ...]]:
        """Trainer, configuration and mirrored axes, in which all folds agree; the folder says what they say.

        Raises:
            StudyRefused: SOURCE_NOT_WRAPPED.
        """
        plans, dataset = self._read("plans.json"), self._read("dataset.json")
        if any(trained_with(one) != (plans, dataset) for one in self._checkpoints):
            raise StudyRefused("SOURCE_NOT_WRAPPED", "plans.json or dataset.json is not what a fold was trained with")
        kinds = {
            (one["trainer_name"], one["init_args"].get("configuration"), tuple(one.get("inference_allowed_mirroring_axes") or ()))
            for one in self._checkpoints
        }
        if len(kinds) > 1:
            raise StudyRefused("SOURCE_NOT_WRAPPED", "the folds are of different trainings")
        trainer, configuration, axes = kinds.pop()
        if len({*self._hashes}) < len(self._hashes):
            raise StudyRefused("SOURCE_NOT_WRAPPED", "two folds have one checkpoint: their draws would be the same")
        if not TRAINER.fullmatch(str(trainer)):
            raise StudyRefused(
                "SOURCE_NOT_WRAPPED", "it was trained by another trainer than nnUNetTrainer, whose network may be another"
            )
        refuse_strange_plans(plans, configuration)
        if not all(type(axis) is int and axis in range(3) for axis in axes):
            raise StudyRefused("SOURCE_NOT_WRAPPED", "the axes that it mirrors along are no numbers of axes")
        return trainer, refuse_odd_words(configuration, "configuration of nnU-Net"), axes

    def _reader(self) -> str:
        """Raises: StudyRefused: SOURCE_NOT_WRAPPED: it reads no volumes."""
        plans, dataset = self._read("plans.json"), self._read("dataset.json")
        found = dataset.get("overwrite_image_reader_writer") or plans.get("image_reader_writer")
        if found not in READERS:
            raise StudyRefused("SOURCE_NOT_WRAPPED", "its reader is none of those for volumes with a spacing")
        return found

    def _classes(self) -> list[str]:
        """Names, background first. Raises: StudyRefused: SOURCE_NOT_WRAPPED: regions, or labels with gaps."""
        labels = {name: value for name, value in self._read("dataset.json").get("labels", {}).items() if name != "ignore"}
        if any(isinstance(value, list) for value in labels.values()):
            raise StudyRefused("SOURCE_NOT_WRAPPED", "it was trained on regions that overlap, which are not wrapped yet")
        ordered = sorted(labels, key=lambda name: int(labels[name]))
        if [int(labels[name]) for name in ordered] != list(range(len(ordered))):
            raise StudyRefused("SOURCE_NOT_WRAPPED", "its labels are not 0, 1, 2, ... without a gap")
        return class_names(ordered, "labels of dataset.json")


def refuse_strange_plans(plans: Mapping[str, Any], configuration: str) -> None:
    """Refuse plans that name code of strangers, or an answer of another network.

    Raises:
        StudyRefused: SOURCE_NOT_WRAPPED.
    """
    every = plans.get("configurations", {})
    chain: list[Mapping[str, Any]] = []
    name: Any = configuration
    while name in every and len(chain) < len(every):
        chain.append(every[name])
        name = every[name].get("inherits_from")
    if not chain:
        raise StudyRefused("SOURCE_NOT_WRAPPED", "plans.json has no such configuration")
    if any(one.get("previous_stage") for one in chain):
        raise StudyRefused("SOURCE_NOT_WRAPPED", "the second stage of a cascade needs the answer of the first; wrap 3d_lowres")
    architecture = next((one["architecture"] for one in chain if "architecture" in one), None)
    if architecture is None:
        raise StudyRefused("SOURCE_NOT_WRAPPED", "the plans are of a version before 2.4: they name no architecture")
    arguments = architecture.get("arch_kwargs", {})
    named: Sequence[Any] = [
        architecture.get("network_class_name"),
        *map(arguments.get, architecture.get("_kw_requires_import", ())),
    ]
    if not all(name is None or is_network_part(name, MADE_OF) for name in named) or named[0] is None:
        raise StudyRefused("SOURCE_NOT_WRAPPED", "plans.json names code that is neither nnU-Net's nor torch's, and is not run")
