"""How a run goes on, beside what is measured: nothing here changes a byte of a result but `--maps`."""

from __future__ import annotations

import argparse
import os
import re
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..devices import devices_of
from ..reasons import StudyRefused

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ..run.crew import Limits
    from ..run.job import Job
    from ..run.run import Measures

GIB = 2**30
SHARE_OF_MEMORY = 0.9
WORKER_GIB = 4
"""Of memory that is free, for each worker that is started unasked."""


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Add them."""
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with the run that OUT holds: what is done, of the same input and settings, is kept; an empty OUT is begun",
    )
    parser.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="processes that measure side by side (default: one a GPU, else as many as cores and memory allow; 0 measures in "
        "this process, without limits)",
    )
    parser.add_argument(
        "--threads",
        type=int,
        metavar="N",
        help="of the processor, for one study; another number gives other last digits, so it is part of the run (default: the "
        "bundle's)",
    )
    parser.add_argument(
        "--time-limit", type=float, default=3600, metavar="S", help="seconds before a study is given up (default: 3600)"
    )
    parser.add_argument(
        "--memory-limit",
        type=float,
        metavar="GIB",
        help="memory of one process before its study is given up (default: 0.9 of the machine's, shared by the workers)",
    )
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="measure on a running Dask cluster, or `local`: one on this machine with --workers processes; needs caveat[cluster]",
    )
    parser.add_argument(
        "--maps",
        choices=("all", "some", "none"),
        help="maps of probability and uncertainty that are written; some: probability and mutual information (default: all)",
    )
    parser.add_argument("--json", action="store_true", help="print what was measured as JSON, for scripts")
    parser.add_argument("--strict", action="store_true", help="end with status 3 where every study was refused")


def check_run_options(options: argparse.Namespace, settings: Collection[str]) -> None:
    """What can be said to be wrong before any library is loaded. Raises: StudyRefused: WRONG_USAGE."""
    if options.workers is not None and options.workers < 0:
        raise StudyRefused("WRONG_USAGE", f"--workers must be at least 0, got {options.workers}")
    if options.threads is not None and options.threads < 1:
        raise StudyRefused("WRONG_USAGE", f"--threads must be at least 1, got {options.threads}")
    if not options.time_limit > 0 or not (options.memory_limit is None or options.memory_limit > 0):
        raise StudyRefused("WRONG_USAGE", "--time-limit and --memory-limit must be above 0")
    if options.maps is not None and "maps" not in settings:
        raise StudyRefused("WRONG_USAGE", "this bundle writes no maps")
    scheduler = options.scheduler
    if scheduler is not None and scheduler != "local" and not re.fullmatch(r"[a-z]+://\S+", scheduler):
        raise StudyRefused("WRONG_USAGE", "--scheduler expects an address such as tcp://host:8786, or local")
    if scheduler is not None and options.workers == 0:
        raise StudyRefused("WRONG_USAGE", "--workers 0 has no --scheduler")


def measures_of(options: argparse.Namespace, job: Job, studies: int) -> AbstractContextManager[Measures]:
    """What will measure: this process, worker processes, a cluster."""
    devices = devices_of(options.device)
    if options.workers == 0:
        from ..run.here import Here

        return Here(job.on(devices[0]))
    workers = options.workers or default_workers(devices, job.threads, studies)
    limits = limits_of(options, workers)
    if options.scheduler is not None:
        from ..run.cluster import Cluster

        return Cluster(options.scheduler, workers, job.on(devices[0]), limits)
    from ..run.crew import Crew

    return Crew([job.on(devices[number % len(devices)]) for number in range(workers)], limits)


def default_workers(devices: Sequence[str], threads: int, studies: int) -> int:
    """One a GPU; on processors as many as cores and memory allow, and no more than there are studies."""
    gpu = devices[0].startswith("cuda") or (devices[0] == "auto" and shutil.which("nvidia-smi") is not None)
    if gpu:
        return len(devices)
    import psutil

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores // threads, int(psutil.virtual_memory().available / GIB / WORKER_GIB), studies))


def limits_of(options: argparse.Namespace, workers: int) -> Limits:
    """Of one study."""
    import psutil

    from ..run.crew import Limits

    memory = options.memory_limit or SHARE_OF_MEMORY * psutil.virtual_memory().total / GIB / workers
    return Limits(options.time_limit, memory * GIB)


def notes_of(options: argparse.Namespace) -> dict[str, Any]:
    """For the journal; no path, no address."""
    how = "local" if options.scheduler == "local" else "remote" if options.scheduler else None
    return {"workers": options.workers, "scheduler": how, "device": options.device}


def root_of(options: argparse.Namespace) -> Path:
    """The file or folder that the studies lie in."""
    from ..transforms.study.discover import data_root

    return options.input if options.input is not None else data_root()
