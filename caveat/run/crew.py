"""Worker processes with limits: a study that crashes, hangs or eats the memory is given up, and the others are measured."""

from __future__ import annotations

import os
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from typing import IO, Any, cast

import psutil

from ..exit_status import RunFailed
from ..own_process import command, environment
from ..reasons import StudyRefused
from ..transforms.files.temporary_folder import temporary_folder
from ..transforms.output.outcome import Outcome
from .job import Job
from .worker import Task

POLL_SECONDS = 0.5
MOST_DEATHS = 2
"""Of workers with one study before it is given up; and of workers, one after the other, that do not get as far as a study."""


@dataclass(frozen=True)
class Limits:
    """Of one study in one worker.

    Args:
        seconds: before it is given up. bytes: of memory of its process, resident.
    """

    seconds: float
    bytes: float


@dataclass
class Worker:
    """One process. Args: job: that it loads. task: what it has; None while it loads or waits. since: when it got it."""

    job: Job
    process: subprocess.Popen = field(init=False)
    given: Connection = field(init=False)
    answers: Connection = field(init=False)
    task: Task | None = None
    loaded: bool = False
    since: float = 0.0

    def __post_init__(self) -> None:
        # A group of its own: a Ctrl-C on the terminal is for the run alone.
        self.process = subprocess.Popen(
            command("caveat.run.worker"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(TMPDIR=str(temporary_folder())),  # it ends by being killed: what it unpacks lies in the run's own
            process_group=0,
        )
        stdin, stdout = cast(IO[bytes], self.process.stdin), cast(IO[bytes], self.process.stdout)  # pipes, as asked for
        self.given = Connection(os.dup(stdin.fileno()), readable=False)
        self.answers = Connection(os.dup(stdout.fileno()), writable=False)
        stdin.close()
        stdout.close()
        self._send(self.job)

    def give(self, task: Task) -> None:
        """Let it work."""
        self.task, self.since = task, time.monotonic()
        self._send(task)

    def answer(self) -> Any:
        """What it has to say; None where it died."""
        try:
            return self.answers.recv()
        except (EOFError, OSError):
            return None

    def excess(self, limits: Limits) -> str:
        """The code with which its study is given up; "" within the limits."""
        if time.monotonic() - self.since > limits.seconds:
            return "STUDY_TOO_LONG"
        try:
            resident = psutil.Process(self.process.pid).memory_info().rss
        except psutil.Error:
            return ""  # it has just died, which is seen elsewhere
        return "STUDY_TOO_LARGE" if resident > limits.bytes else ""

    def end(self) -> None:
        """Kill it: what it was writing has no name yet."""
        self.process.kill()
        self.process.wait()
        self.given.close()
        self.answers.close()

    def _send(self, thing: Job | Task) -> None:
        try:
            self.given.send(thing)
        except OSError:
            return  # it died, which its answer tells


class Crew:
    """Workers, one job a device, and what they do. Use in a `with` statement: no process outlives it.

    Args:
        jobs: one for each worker; they differ in their device.
        limits: of each study.
    """

    def __init__(self, jobs: Sequence[Job], limits: Limits) -> None:
        self.limits = limits
        self.facts: Mapping[str, Any] | None = None
        self.stillborn = 0
        self.workers = [Worker(job) for job in jobs]

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *error: object) -> None:
        for worker in self.workers:
            worker.end()

    def load(self) -> Mapping[str, Any]:
        """Wait for the first worker. Returns: the facts of the run. Raises: StudyRefused; RunFailed."""
        while self.facts is None:
            for worker in self._heard():
                self._take(worker, deque())
        return self.facts

    def measure(self, studies: Iterable[dict[str, Any]], stopping: Callable[[], bool] = lambda: False) -> Iterator[Outcome]:
        """Measure studies, in the order in which they are done.

        Args:
            studies: entries of `find_studies`.
            stopping: asked before a study is begun: those in work are finished, no other is begun.

        Raises:
            StudyRefused: what ends the run, such as a disk that is full. RunFailed.
        """
        yield from self._work(deque(Task(study) for study in studies), stopping)

    def give_up(self, study: dict[str, Any], code: str) -> Outcome:
        """Write that a study is given up, with this code. Raises: as `measure`."""
        (outcome,) = self._work(deque([Task(study, give_up=code)]), lambda: False)
        return outcome

    def _work(self, waiting: deque[Task], stopping: Callable[[], bool]) -> Iterator[Outcome]:
        while any(worker.task for worker in self.workers) or (waiting and not stopping()):
            for worker in self.workers:
                if worker.loaded and worker.task is None and waiting and not stopping():
                    worker.give(waiting.popleft())
            for worker in self._heard():
                yield from self._take(worker, waiting)
            for worker in list(self.workers):
                if worker.task and (code := worker.excess(self.limits)):
                    self._replace(worker, replace(worker.task, give_up=code, deaths=worker.task.deaths + 1), waiting)

    def _heard(self) -> list[Worker]:
        """Those that have something to say, or died."""
        heard = wait([worker.answers for worker in self.workers], POLL_SECONDS)
        return [worker for worker in self.workers if worker.answers in heard]

    def _take(self, worker: Worker, waiting: deque[Task]) -> Iterable[Outcome]:
        """What a worker said."""
        answer = worker.answer()
        if isinstance(answer, StudyRefused):
            raise answer
        if isinstance(answer, str):
            raise RunFailed(f"{answer} in a worker; --verbose shows where")
        if isinstance(answer, Outcome):
            worker.task = None
            return [answer]
        if isinstance(answer, Mapping):
            if self.facts not in (None, answer):
                raise StudyRefused("OUTPUT_OF_ANOTHER_RUN", "the program or the bundle changed while it ran")
            self.facts, worker.loaded, self.stillborn = answer, True, 0
            return []
        task = worker.task and replace(worker.task, deaths=worker.task.deaths + 1)
        self._replace(worker, task, waiting)
        return []

    def _replace(self, worker: Worker, task: Task | None, waiting: deque[Task]) -> None:
        """Another worker in the place of one that died or must die, and its study back in the queue."""
        worker.end()
        self.stillborn += not worker.loaded
        if self.stillborn > MOST_DEATHS or (task and task.deaths > MOST_DEATHS):
            raise RunFailed("worker processes die one after the other")
        if task:
            given_up = task.deaths == MOST_DEATHS and not task.give_up
            waiting.appendleft(replace(task, give_up="WORKER_DIED") if given_up else task)
        self.workers[self.workers.index(worker)] = Worker(worker.job)
