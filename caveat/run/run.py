"""One run: its folder taken, its studies measured wherever, its tables written, whatever happens in between."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ..exit_status import RunFailed
from ..reasons import REASONS, StudyRefused
from ..transforms.output.outcome import Outcome
from ..transforms.output.run_folder import RunFolder
from ..transforms.study.studies import Studies
from .progress import Progress
from .stop import Stop, handled

UNREADABLE = frozenset({"UNREADABLE_FILE", "UNREADABLE_FOLDER"})


class Measures(Protocol):
    """What measures studies: `Crew`, `Cluster`, or `Here`."""

    def load(self) -> Mapping[str, Any]:
        """The facts of the run."""

    def measure(self, studies: Studies, stopping: Callable[[], bool]) -> Iterator[Outcome]:
        """Outcomes as they come."""


def finish(folder: RunFolder) -> dict[str, int]:
    """The tables. Raises: RunFailed."""
    try:
        return folder.finish()
    except StudyRefused as refusal:
        raise RunFailed(str(refusal)) from refusal


def is_gone(root: Path) -> bool:
    """Whether what studies were found in is not there any more: of a disk or a share, the empty folder is left that it was
    mounted on."""
    try:
        return not (any(os.scandir(root)) if root.is_dir() else root.exists())
    except OSError:
        return True


@dataclass(frozen=True)
class Finished:
    """Args: studies: as the run names them. counts: "measured", "nothing_found", "refused". outcomes: by number. missing: studies
    that were not begun."""

    studies: Studies
    counts: Mapping[str, int]
    outcomes: Mapping[int, Outcome]
    missing: int


def run(
    measures: AbstractContextManager[Measures], studies: Studies, output: Path, root: Path, resume: bool, notes: Mapping[str, Any]
) -> Finished:
    """Measure all studies.

    Args:
        measures: with the bundle, loaded on entry.
        output: folder of the run. root: file or folder that the studies lie in.
        resume: see `RunFolder.begin`.
        notes: for the journal: what may differ between equal runs.

    Raises:
        StudyRefused: what keeps a run from its first study.
        RunFailed: what ends it later, such as a full disk; the tables of what is done are written where that is possible.
    """
    stop = Stop()
    with handled(stop.ask), measures as crew:
        folder = RunFolder.begin(output, crew.load(), studies, resume)
        progress = Progress(len(studies))
        try:
            folder.journal.write({**notes, "resume": resume})
            for outcome in crew.measure(folder.studies, stop):
                if UNREADABLE & set(outcome.reasons) and is_gone(root):
                    raise StudyRefused("INPUT_VANISHED")
                folder.note(outcome)
                progress.show(outcome)
        except StudyRefused as refusal:
            raise RunFailed(f"{refusal}\n\nhint: {REASONS[refusal.code].what_to_do}") from refusal
        finally:
            progress.close()
            counts = finish(folder)
    return Finished(folder.studies, counts, folder.outcomes, len(studies) - sum(counts.values()))
