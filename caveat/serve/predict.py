"""The studies of an upload, measured by `caveat predict` in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import re

import psutil

from ..own_process import command, environment, failure_of
from .job import Job

SECONDS_TO_END = 60.0
"""That a run has beyond the time of a study, to write that it was given up."""
SECONDS_TO_DIE = 5.0
LONGEST_SAID = 2**16
PROGRESS = re.compile(r"^study \d+, (\d+ of \d+): ", re.MULTILINE)
"""A line of `caveat.run.progress`; of it the page is told how many studies are done, and no word that could quote anything."""


async def predict(job: Job, seconds: float) -> str:
    """Measure an upload into its folder of results; where this is cancelled, nothing of it runs on.

    Args:
        job: its options are numbers and what whoever started the server said. seconds: that it may take.

    Returns:
        a reason code where the run says why it has no result, else "". Nothing else of what it says is kept: a library's words
        may quote a file.
    """
    asked = ("--anonymous-names", "--image", "--time-limit", f"{seconds:g}", *job.options)
    started = command("caveat", "predict", job.bundle, "-i", str(job.uploads), "-o", str(job.results), *asked)
    process = await asyncio.create_subprocess_exec(
        *started,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=environment(TMPDIR=str(job.folder)),  # what it unpacks lies in the job's folder and goes with it
        start_new_session=True,  # a Ctrl-C on the terminal is for the server
    )
    try:
        async with asyncio.timeout(seconds + SECONDS_TO_END):
            said = await _listen(process, job)
    except TimeoutError:
        return "STUDY_TOO_LONG"
    finally:
        if process.returncode is None:
            await asyncio.to_thread(_kill, process.pid)
            await process.wait()
    return failure_of(said, process.returncode or 0)


async def _listen(process: asyncio.subprocess.Process, job: Job) -> str:
    """Until a run is over. Returns: the end of what it said; the job knows meanwhile how far it is."""
    said = ""
    while process.stderr is not None and (chunk := await process.stderr.read(LONGEST_SAID)):
        said = (said + chunk.decode("utf-8", "replace"))[-LONGEST_SAID:]
        job.progress = [job.progress, *PROGRESS.findall(said)][-1]
    await process.wait()
    return said


def _kill(run: int) -> None:
    """Kill a run and its workers, and wait until those write no more."""
    process = psutil.Process(run)
    workers = process.children(recursive=True)
    for one in (process, *workers):
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()
    psutil.wait_procs(workers, timeout=SECONDS_TO_DIE)
