"""One set of a stress run: the images of a part degraded in one way, and what was predicted of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caveat.reasons import StudyRefused

from ..calibration.read_cases import Predicted
from ..stored.list_part import read_entries, results_by_sha256, run_of
from .degraded import LIST, Degradation, write_degraded, write_list
from .made_from import sha256_of, taken

CLEAN = Degradation("clean", 0.0)
PREDICTIONS = "predictions"
"""Folder of a set's predictions."""


@dataclass(frozen=True)
class ListPart:
    """What is degraded.

    Args:
        split: name of the part. entries: of the list.
        dataset_dir: what the list's paths are relative to. points_dir: what those of its tables of points are, see
            `write_degraded`.
    """

    split: str
    entries: Sequence[Mapping[str, Any]]
    dataset_dir: Path
    points_dir: Path | None = None


@dataclass(frozen=True)
class StressSet:
    """Where a set lies.

    Args:
        folder: of its images and `list.json`. predictions: folder.
        refused: what could not be degraded and is in no list, see `write_degraded`.
    """

    folder: Path
    predictions: Path
    refused: Sequence[Mapping[str, str]] = ()

    def read(self, split: str) -> tuple[list[dict[str, Any]], Predicted]:
        """Entries of its list, and their results. Raises: StudyRefused: DUPLICATE_PREDICTION, MIXED_PREDICTIONS."""
        entries = read_entries(self.folder / LIST, split)
        return entries, results_by_sha256(self.predictions, {entry["sha256"] for entry in entries})


def write_set(part: ListPart, done: Degradation, folder: Path, reuse: bool) -> list[dict[str, str]]:
    """Degrade a part into a folder.

    Args:
        done: `CLEAN` for copies as they are.
        folder: gets what `write_degraded` and `write_list` write; of such a set alone, see `taken`.
        reuse: leave what is there, where an earlier run has made it from the same entries and strength. The entries have the
            sha256 of their images, and `caveat predict` checks that of each degraded one.

    Returns:
        what was refused.

    Raises:
        StudyRefused: as `taken`.
    """
    made_from = {"entries": entries_hash(part), "corruption": done.corruption, "strength": done.strength}
    with taken(folder, made_from, (PREDICTIONS,)) as held:
        if reuse and held.refused is not None:
            return held.refused
        held.note()  # not whole while images are written
        pairs = [(entry, None if done == CLEAN else done) for entry in part.entries]
        written, refused = write_degraded(pairs, part.dataset_dir, folder, part.points_dir)
        write_list({part.split: written}, folder)
        held.note(refused)
    return refused


def entries_hash(part: ListPart) -> str:
    """sha256 of a part's name and entries."""
    return sha256_of([part.split, list(part.entries)])


def source_of(results: Iterable[Mapping[str, Any]], left_out: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The bundle and the sampling behind the results of all sets.

    Args:
        results: of every study that was scored. left_out: of the others, each with its `code`.

    Raises:
        StudyRefused: MIXED_PREDICTIONS; NOT_PREDICTED where there is no result.
    """
    runs = {run_of(result): result for result in results}
    if not runs:
        codes = ", ".join(f"{count} {code}" for code, count in Counter(row["code"] for row in left_out).items())
        raise StudyRefused("NOT_PREDICTED", f"no study of any set could be scored: {codes or 'no entries'}")
    if len(runs) > 1:
        raise StudyRefused("MIXED_PREDICTIONS", f"{len(runs)} different combinations of weights and sampling")
    (result,) = runs.values()
    return {
        "bundle": dict(result["bundle"]),
        "sampling": {key: result["sampling"].get(key) for key in ("sampler", "draws", "seed")},
    }
