"""A process that measures one study after the other: what it crashes, fills or hangs costs a study and not the run.

`python -m caveat.run.worker` reads a job, then tasks, from its input and answers on its output, both pickled, both from and to
the program that started it alone.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from ..reasons import StudyRefused
from .job import Job

SECONDS_BETWEEN_LOOKS = 1.0


@dataclass(frozen=True)
class Task:
    """A study to be measured, or given up with a code. Args: study: entry of `find_studies`. deaths: of workers that had it."""

    study: dict[str, Any]
    deaths: int = 0
    give_up: str = ""


def main() -> None:
    """Load the job's bundle, answer with the run's facts; then an outcome, or the refusal that ends the run, to each task."""
    # A stop is the run's decision: the study in work is finished first. Where the run is gone, there is nothing to read.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    given = Connection(os.dup(sys.stdin.fileno()), writable=False)
    answers = Connection(os.dup(sys.stdout.fileno()), readable=False)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever prints must not stand among the answers
    try:
        serve(given, answers)
    except (EOFError, BrokenPipeError):
        return


def serve(given: Connection, answers: Connection) -> None:
    """Raises: EOFError, BrokenPipeError: where the run is gone."""
    job: Job = given.recv()
    prepare(job)
    end_with_the_run()
    try:
        from .loaded_bundle import LoadedBundle

        bundle = LoadedBundle(job)
        answers.send(bundle.facts)
        while True:
            task: Task = given.recv()
            answers.send(bundle.refuse(task.study, task.give_up) if task.give_up else bundle.measure(task.study))
    except StudyRefused as refusal:
        answers.send(refusal)
    except (EOFError, BrokenPipeError):
        raise
    except Exception as error:  # of the bundle or the program; its text may quote anything
        logging.getLogger("caveat").debug("worker", exc_info=error)
        answers.send(type(error).__name__)


def end_with_the_run() -> None:
    """A study that hangs does not notice that its run was killed, and no limit of the run ends it any more."""
    run = os.getppid()

    def watch() -> None:
        while os.getppid() == run:
            time.sleep(SECONDS_BETWEEN_LOOKS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def prepare(job: Job) -> None:
    """Threads before a library counts the cores; and what libraries say, which may quote a file, to nobody."""
    os.environ["OMP_NUM_THREADS"] = str(job.threads)
    if job.verbose:
        logging.basicConfig(level=logging.DEBUG, format="%(message)s", stream=sys.stderr)
    else:
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, sys.stdout.fileno())
        os.dup2(silence, sys.stderr.fileno())


if __name__ == "__main__":
    main()
