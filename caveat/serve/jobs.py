"""All uploads: one line, one run at a time, and nothing kept longer than is said."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from .found import count_studies, found_studies, reason_of
from .job import Job, State
from .limits import Limits
from .predict import predict

SECONDS_BETWEEN_LOOKS = 1.0

Predict = Callable[[Job, float], Awaitable[str]]


class Jobs:
    """The uploads of a server.

    Args:
        root: a folder that nobody else may enter. limits: see there. predict: measures a job, see `predict.predict`.
    """

    def __init__(self, root: Path, limits: Limits, predict: Predict = predict) -> None:
        self.root, self.limits, self.predict = root, limits, predict
        self.all: dict[str, Job] = {}
        self.numbers = itertools.count(1)
        self.line: asyncio.Queue[Job] = asyncio.Queue()

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Measure and clear away while the server runs; nothing is left behind it."""
        tasks = [asyncio.create_task(self._measure_all()), asyncio.create_task(self._clear_away())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for job in list(self.all.values()):
                await self.delete(job)

    def begin(self, bundle: str, options: Sequence[str]) -> Job | None:
        """A job to upload to; None where there are as many as there may be. Raises: OSError: its folder cannot be made."""
        if len(self.all) >= self.limits.jobs:
            return None
        name = secrets.token_urlsafe(18)
        job = Job(name, self.root / name, bundle, options)
        for folder in (job.folder, job.uploads):  # parents would be made for all to enter
            folder.mkdir(mode=0o700)
        self.all[name] = job
        return job

    def start(self, job: Job) -> None:
        """Put a job whose upload is complete at the end of the line."""
        job.number = next(self.numbers)
        job.becomes(State.WAITING)
        self.line.put_nowait(job)

    async def delete(self, job: Job) -> None:
        """End what runs of it and remove all its files."""
        self.all.pop(job.id, None)
        if job.process is not None:
            job.process.cancel()
            await asyncio.wait([job.process])
        await asyncio.to_thread(shutil.rmtree, job.folder, ignore_errors=True)

    def tell(self, job: Job) -> dict[str, Any]:
        """What its page is told: the state, how many are before it, the seconds it runs, how far it is, what was found."""
        before = sum(one.state is State.WAITING and one.number < job.number for one in self.all.values())
        running = any(one.state is State.RUNNING for one in self.all.values())
        told: dict[str, Any] = {"state": job.state}
        if job.state is State.WAITING:
            told["before"] = before + running
        if job.state is State.RUNNING:
            told |= {"seconds": round(time.monotonic() - job.since), "progress": job.progress}
        return told | {"studies": job.studies, "reason": job.reason}

    async def _measure_all(self) -> None:
        while True:
            job = await self.line.get()
            if job.id in self.all:
                await self._measure(job)

    async def _measure(self, job: Job) -> None:
        job.becomes(State.RUNNING)
        job.process = asyncio.ensure_future(self.predict(job, self.limits.study_seconds))
        try:
            await asyncio.wait([job.process])
        except asyncio.CancelledError:  # the server ends
            job.process.cancel()
            await asyncio.wait([job.process])
            raise
        if job.process.cancelled():  # the job was deleted
            return
        code = "UNEXPECTED_ERROR" if job.process.exception() else job.process.result()
        await asyncio.to_thread(shutil.rmtree, job.uploads, ignore_errors=True)
        with contextlib.suppress(OSError):  # it was deleted meanwhile, or the disk fails: the line goes on
            job.studies, job.files = await asyncio.to_thread(found_studies, job.results)
        told = {reason["code"] for study in job.studies for reason in study["reasons"]}
        fewer = len(job.studies) < await asyncio.to_thread(count_studies, job.results)
        if not job.studies or fewer or code and code not in told:  # what was not come to must not be missed
            job.reason = reason_of(code or "UNEXPECTED_ERROR")
        job.becomes(State.DONE if job.studies else State.FAILED)

    async def _clear_away(self) -> None:
        """Delete what has stood long enough, and what nobody listens to any more."""
        longest = dict.fromkeys((State.DONE, State.FAILED), self.limits.keep_seconds)
        longest[State.UPLOADING] = self.limits.upload_seconds
        while True:
            now = time.monotonic()
            for job in list(self.all.values()):
                over = now - job.since > longest.get(job.state, float("inf"))
                if over or now - job.seen > self.limits.absent_seconds:
                    await self.delete(job)
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
