"""Checkpoints that are there whole or not at all: a training that is killed while it saves has lost nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from ignite.handlers import DiskSaver
from monai.handlers import CheckpointSaver

from caveat.reasons import StudyRefused

from ...transforms.files.whole_file import unwritable, write_whole


class WholeCheckpoints(CheckpointSaver):
    """MONAI's own writes over the best network in place, and removes the state before there is another.

    Args:
        save_dir: folder. kwargs: of `monai.handlers.CheckpointSaver`.
    """

    def __init__(self, save_dir: Path, **kwargs: Any) -> None:
        super().__init__(str(save_dir), **kwargs)
        if self._key_metric_checkpoint is not None:
            self._key_metric_checkpoint.save_handler = WholeFiles(save_dir, kwargs["key_metric_filename"])
        if self._interval_checkpoint is not None:
            self._interval_checkpoint.save_handler = WholeFiles(save_dir)


class WholeFiles(DiskSaver):
    """Args: folder: of the checkpoints. name: of the one that takes the other's place; None where each has a name of its own."""

    def __init__(self, folder: Path, name: str | None = None) -> None:
        super().__init__(folder, require_empty=False)
        self.name = name
        self.outdated: list[Path] = []

    def __call__(self, checkpoint: Mapping, filename: str, metadata: Mapping | None = None) -> None:
        """Save; what was to be removed goes only now. Raises: StudyRefused: OUTPUT_NOT_WRITABLE."""
        path = self._place(filename)
        try:
            write_whole(path, lambda aside: _save(checkpoint, aside))
            for old in {*self.outdated} - {path}:
                old.unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(error) from error
        self.outdated.clear()

    def remove(self, filename: str) -> None:
        """Asked for before the next one is saved."""
        self.outdated.append(self._place(filename))

    def _place(self, filename: str) -> Path:
        return self.dirname / (self.name or filename)


def _save(checkpoint: Mapping, path: Path) -> None:
    """Raises: OSError; StudyRefused: OUTPUT_NOT_WRITABLE, where torch has words of its own for a disk without room."""
    with path.open("wb") as file:
        try:
            torch.save(checkpoint, file)
        except RuntimeError as error:
            raise StudyRefused("OUTPUT_NOT_WRITABLE", "a checkpoint could not be saved") from error
