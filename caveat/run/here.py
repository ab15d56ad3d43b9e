"""Studies measured in this process: no limits, and a crash is the end. For debugging, and where no process can be started."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ..transforms.output.outcome import Outcome
from .job import Job


class Here:
    """Args: job: what to load."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def load(self) -> Mapping[str, Any]:
        """See `Crew.load`."""
        from .loaded_bundle import LoadedBundle

        self.bundle = LoadedBundle(self.job)
        return self.bundle.facts

    def measure(self, studies: Iterable[dict[str, Any]], stopping: Callable[[], bool]) -> Iterator[Outcome]:
        """See `Crew.measure`."""
        for study in studies:
            if stopping():
                return
            yield self.bundle.measure(study)
