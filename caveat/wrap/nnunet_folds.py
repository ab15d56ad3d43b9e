"""The folds of a trained nnU-Net as draws: its own preprocessing, windows, mirroring and resampling, by its own code."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor

from ..networks.draws.draw import Draw
from ..networks.draws.place import Place
from ..networks.draws.sampler import Sampler, Source
from ..reasons import StudyRefused
from ..transforms.checks.geometry import spacing_of
from .nnunet_checkpoint import read_checkpoint, trained_with

MEMORY = 16 * 2**30
"""Bytes of one fold's answer on both grids, as `bytes_needed` counts them."""


@dataclass
class FoldAnswers:
    """One study on its way through the folds.

    Args:
        voxels: (C, z, y, x) as nnU-Net's readers order them. spacing: mm, z, y, x.
        total: sum of the folds' logits on the network's grid, in half precision and in their order, as nnU-Net adds them.
        done: folds in it.
    """

    voxels: np.ndarray
    spacing: list[float]
    done: int = 0
    total: torch.Tensor | None = None
    kept: dict[int, torch.Tensor] = field(default_factory=dict)


class NnunetFolds(Sampler):
    """Draw k is what fold k says; what is stated is nnU-Net's own prediction, from the mean of the folds' logits.

    Values are probabilities on the image's own grid, so the link is "identity" and the window the whole study.

    Args:
        folder: with the files of the folds, which hold plans too: those beside them in the trained folder may change.
        folds: of each its `file` in the folder and its `sha256`.
        configuration: such as "3d_fullres".
        mirror_axes: that it mirrors along inside each window, as the checkpoints say; empty for none.

    Raises:
        StudyRefused: EXTRA_NOT_INSTALLED; WEIGHTS_HASH_MISMATCH, WEIGHTS_REFUSED where a fold is drawn from.
    """

    source = Source.MODEL
    sees_geometry = True

    def __init__(
        self, folder: str | Path, folds: Sequence[Mapping[str, str]], configuration: str, mirror_axes: Sequence[int] = ()
    ) -> None:
        super().__init__()
        self.folder = Path(folder)
        self.folds = [dict(fold) for fold in folds]
        self.configuration = configuration
        self.mirror_axes = tuple(mirror_axes)
        self.capacity = self.members = len(self.folds)
        self._stamps: list[tuple[int, ...]] = []
        self.device_marker = torch.nn.Parameter(torch.zeros(1), requires_grad=False)  # follows `.to(device)`

    @property
    def settings(self) -> dict[str, Any]:
        """What else decides the answers."""
        return {"configuration": self.configuration, "mirror_axes": list(self.mirror_axes), "stated": "mean of logits"}

    def begin(self, study: torch.Tensor) -> FoldAnswers:
        """Prepare the study as nnU-Net does. Args: study: (1, C, x, y, z), a MetaTensor: its spacing matters.

        Raises:
            StudyRefused: STUDY_TOO_LARGE.
        """
        if not isinstance(study, MetaTensor):
            raise ValueError("nnU-Net needs to know the spacing of a study: give a MetaTensor")
        voxels = study.as_tensor()[0].cpu().numpy().transpose(0, 3, 2, 1)
        affine = np.asarray(study.affine, dtype=np.float64).reshape(4, 4)
        spacing = [float(length) for length in spacing_of(affine)[::-1]]
        needed = self._nnunet.bytes_needed(voxels.shape[1:], spacing)
        if needed > MEMORY:
            raise StudyRefused("STUDY_TOO_LARGE", f"{needed / 2**30:.1f} GiB for one fold's answer, at most {MEMORY / 2**30:.0f}")
        return FoldAnswers(voxels, spacing)

    def encode(self, windows: torch.Tensor, places: Sequence[Place], context: FoldAnswers) -> torch.Tensor:
        """The study itself: its folds share nothing."""
        return windows.as_tensor() if isinstance(windows, MetaTensor) else windows

    def decode(
        self, features: torch.Tensor, draws: Sequence[Draw], places: Sequence[Place], context: FoldAnswers
    ) -> torch.Tensor:
        """Probabilities of the folds that are asked for. Returns: (draws, 1, classes, x, y, z).

        Raises:
            ValueError: a draw beyond the last fold.
        """
        if any(not 0 <= draw.index < len(self.folds) for draw in draws):
            raise ValueError(f"{len(self.folds)} folds have no draw {max(draw.index for draw in draws)}")
        return torch.stack([self._on_image(self._logits(draw.index, context), context) for draw in draws]).to(features.device)

    def stated(self, context: FoldAnswers) -> torch.Tensor:
        """nnU-Net's own prediction. Returns: (1, classes, x, y, z), probabilities."""
        while context.total is None or context.done < len(self.folds):
            self._logits(context.done, context)
        return self._on_image(context.total if len(self.folds) == 1 else context.total / len(self.folds), context)

    def summary(self, features: torch.Tensor) -> torch.Tensor:
        """Mean of each channel of the study. Returns: (1, channels)."""
        return features.float().flatten(2).mean(dim=2)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """nnU-Net's own prediction of a whole study, a MetaTensor. Returns: probabilities, (1, classes, x, y, z)."""
        return self.stated(self.begin(windows))

    @classmethod
    def example(cls) -> NnunetFolds:
        """There is none without a trained folder."""
        raise NotImplementedError

    @cached_property
    def _nnunet(self) -> Any:
        from .nnunet_code import NnunetCode

        plans, dataset = trained_with(self._checkpoints[0])
        return NnunetCode(plans, dataset, self.configuration, self.mirror_axes, self.device_marker.device)

    @cached_property
    def _checkpoints(self) -> list[dict[str, Any]]:
        """Of each fold, its tensors mapped from its file."""
        found = []
        self._stamps.clear()  # of a reading that failed
        for fold in self.folds:
            path = self.folder / fold["file"]
            self._stamps.append(_stamp(path))  # before it is read: whoever changes it later changes the tensors
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            if sha256 != fold["sha256"]:
                raise StudyRefused("WEIGHTS_HASH_MISMATCH", f"sha256 {sha256}, expected {fold['sha256']}")
            found.append(read_checkpoint(path))
        return found

    def _logits(self, fold: int, context: FoldAnswers) -> torch.Tensor:
        """Of one fold on the network's grid; those that come next in the sum are added to it."""
        if fold not in context.kept:
            context.kept[fold] = self._nnunet.logits(self._checkpoints[fold]["network_weights"], context.voxels, context.spacing)
            if _stamp(self.folder / self.folds[fold]["file"]) != self._stamps[fold]:
                raise StudyRefused("WEIGHTS_HASH_MISMATCH", "the file of a fold was changed while it was in use")
        found = context.kept[fold]
        while context.done in context.kept:
            next_one = context.kept.pop(context.done)
            context.total = next_one.clone() if context.total is None else context.total.add_(next_one)
            context.done += 1
        return found

    def _on_image(self, logits: torch.Tensor, context: FoldAnswers) -> torch.Tensor:
        """Args: logits: on the network's grid. Returns: probabilities (1, classes, x, y, z)."""
        found = self._nnunet.probabilities(logits, context.voxels, context.spacing)
        return torch.from_numpy(np.ascontiguousarray(found.transpose(0, 3, 2, 1))).float()[None]


def _stamp(path: Path) -> tuple[int, ...]:
    """What tells whether a file is still the one that was read."""
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns
