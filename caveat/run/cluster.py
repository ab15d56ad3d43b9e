"""Studies measured on a Dask cluster: each Dask worker keeps one crew of one, so a study has the same limits there as here."""

from __future__ import annotations

import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..exit_status import RunFailed
from ..reasons import StudyRefused
from ..transforms.output.outcome import Outcome
from ..transforms.output.run_folder import NAME as MANIFEST
from ..transforms.output.study_seal import file_sha256
from ..transforms.study.input_sha256 import input_glimpse
from ..transforms.study.search import is_unpacked
from .crew import MOST_DEATHS, POLL_SECONDS, Crew, Limits
from .job import Job

if TYPE_CHECKING:
    from distributed import Client, Future

LOCAL = "local"
WITHOUT_PAGES: dict[str, list[str]] = {"distributed.scheduler.http.routes": [], "distributed.worker.http.routes": []}
"""Dask opens these ports whatever it is told: with nothing behind them."""
_crews: dict[tuple[str, Limits], Crew] = {}
"""Of this Dask worker, by what they measure: a model is loaded once."""


@dataclass(frozen=True)
class Seen:
    """What a machine finds under the paths of a run: two of them may have different disks there.

    Args:
        run: sha256 of run.json in OUT. image: see `input_glimpse`.
    """

    run: str
    image: str

    @classmethod
    def of(cls, job: Job, study: Mapping[str, Any]) -> Seen:
        """From here. Args: study: whose image has whole paths."""
        manifest = Path(job.overrides["output_dir"]) / MANIFEST
        return cls(file_sha256(manifest) if manifest.is_file() else "", input_glimpse(study["image"]))


class Cluster:
    """A running Dask cluster, or one of this machine; in a `with` statement.

    One study at a time goes to each Dask worker: a worker that dies costs no other study a try. Results are written by the
    workers onto storage that all machines share.

    Args:
        scheduler: address, or "local".
        workers: of a local cluster.
        job, limits: see `Crew`.
    """

    def __init__(self, scheduler: str, workers: int, job: Job, limits: Limits) -> None:
        self.scheduler, self.workers, self.job, self.limits = scheduler, workers, job, limits
        self.facts: Mapping[str, Any] = {}

    def __enter__(self) -> Cluster:
        """Raises: StudyRefused: WRONG_USAGE."""
        try:
            import dask
            from distributed import Client, LocalCluster
        except ImportError:
            raise StudyRefused("WRONG_USAGE", "--scheduler needs Dask: pip install 'caveat[cluster]'") from None
        if not self.job.verbose:
            _quiet_dask()
        self.stack = contextlib.ExitStack()
        where: Any = self.scheduler
        if where == LOCAL:
            settings = {"n_workers": self.workers, "threads_per_worker": 1, "dashboard_address": None, "silence_logs": "ERROR"}
            any_port = {"dashboard_address": "127.0.0.1:0"}  # without an address Dask takes 8787
            with dask.config.set(WITHOUT_PAGES):
                where = self.stack.enter_context(LocalCluster(**settings, scheduler_kwargs=any_port))
        try:
            self.client: Client = self.stack.enter_context(Client(where))
        except OSError as error:
            raise StudyRefused("WRONG_USAGE", f"no scheduler answers at --scheduler: {type(error).__name__}") from None
        self.client.run_on_scheduler(_allow_deaths, MOST_DEATHS - 1)
        return self

    def __exit__(self, *error: object) -> None:
        with contextlib.suppress(Exception):  # a worker or the scheduler that is gone has no crew to end
            self.client.run(_end_crews)
        self.stack.close()

    def load(self) -> Mapping[str, Any]:
        """See `Crew.load`; waits for the first Dask worker."""
        while not self.client.nthreads():
            time.sleep(POLL_SECONDS)
        if max(self.client.nthreads().values()) > 1:
            raise StudyRefused("WRONG_USAGE", "start Dask workers with --nthreads 1: one that dies must cost one study a try")
        self.facts = self._answer(self._submit(load_there))
        return self.facts

    def measure(self, studies: Sequence[dict[str, Any]], stopping: Callable[[], bool]) -> Iterator[Outcome]:
        """See `Crew.measure`."""
        from distributed import wait

        waiting = deque(self._as_seen_from_there(study) for study in studies)
        pending: dict[Future, dict[str, Any]] = {}
        while pending or (waiting and not stopping()):
            while waiting and not stopping() and len(pending) < max(1, len(self.client.nthreads())):
                study = waiting.popleft()
                seen = Seen.of(self.job, study)
                pending[self._submit(measure_there, self.facts, study, seen)] = study
            with contextlib.suppress(TimeoutError):
                wait(list(pending), timeout=POLL_SECONDS, return_when="FIRST_COMPLETED")
            for future in [future for future in pending if future.done()]:
                yield self._outcome(future, pending.pop(future))

    def _outcome(self, future: Future, study: dict[str, Any]) -> Outcome:
        """Of a study; one that took its Dask worker with it twice is given up."""
        from distributed import KilledWorker

        try:
            return self._answer(future)
        except KilledWorker:
            return self._answer(self._submit(give_up_there, study))

    def _submit(self, function: Callable, *arguments: Any) -> Future:
        return self.client.submit(function, self.job, self.limits, *arguments, pure=False)

    def _answer(self, future: Future) -> Any:
        from distributed import KilledWorker

        try:
            answer = future.result()
        except KilledWorker:
            raise
        except Exception as error:  # of Dask itself: the scheduler is gone, workers have another program
            raise RunFailed(f"{type(error).__name__} on the cluster") from error
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _as_seen_from_there(self, study: dict[str, Any]) -> dict[str, Any]:
        """With whole paths. Raises: StudyRefused: WRONG_USAGE for what was unpacked here, which no other machine sees."""
        image = study["image"]
        paths = [Path(path).absolute() for path in ([image] if isinstance(image, str) else image)]
        if self.scheduler != LOCAL and any(is_unpacked(path) for path in paths):
            raise StudyRefused(
                "WRONG_USAGE", "other machines do not see what was unpacked here: unpack archives onto shared storage"
            )
        return {**study, "image": str(paths[0]) if isinstance(image, str) else [str(path) for path in paths]}


def _returns_what_it_raises(function: Callable) -> Callable:
    """Dask logs a task that fails with its arguments, which hold paths."""

    @wraps(function)
    def answering(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except (StudyRefused, RunFailed) as error:
            return error

    return answering


@_returns_what_it_raises
def load_there(job: Job, limits: Limits) -> dict[str, Any]:
    """In a Dask worker: the facts of the run, or why there is none."""
    return dict(_crew(job, limits).load())


@_returns_what_it_raises
def measure_there(job: Job, limits: Limits, facts: Mapping[str, Any], study: dict[str, Any], seen: Seen) -> Outcome:
    """In a Dask worker: measure one study; OUTPUT_OF_ANOTHER_RUN where its program is another one, or its folders are."""
    if Seen.of(job, study) != seen:
        raise StudyRefused("OUTPUT_OF_ANOTHER_RUN", "a machine of the cluster sees other files under the path of input or output")
    crew = _crew(job, limits)
    if crew.load() != facts:
        raise StudyRefused("OUTPUT_OF_ANOTHER_RUN", "the machines of the cluster differ in versions or devices")
    (outcome,) = crew.measure([study])
    return outcome


@_returns_what_it_raises
def give_up_there(job: Job, limits: Limits, study: dict[str, Any]) -> Outcome:
    """In a Dask worker: write that a study was given up."""
    return _crew(job, limits).give_up(study, "WORKER_DIED")


def _crew(job: Job, limits: Limits) -> Crew:
    known = (repr(job), limits)
    if known not in _crews:
        _end_crews()
        _crews[known] = Crew([job], limits)
    return _crews[known]


def _end_crews() -> None:
    while _crews:
        _crews.popitem()[1].__exit__()


def _quiet_dask() -> None:
    """Of Dask errors alone: its loggers have levels of their own, which ours above them does not bound."""
    for name in ("distributed", "distributed.client", "distributed.gc"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _allow_deaths(count: int, dask_scheduler: Any) -> None:
    """On the scheduler: how many deaths of its workers a task survives."""
    dask_scheduler.allowed_failures = count
