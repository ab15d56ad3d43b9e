"""The page and what it asks for."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import time
from collections.abc import AsyncIterator, Sequence
from http import HTTPStatus
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from .guard import Guard
from .job import Job, State
from .jobs import Jobs
from .limits import Limits
from .pages import STATIC, file_answer, render
from .predict import predict
from .tasks import installed_tasks
from .upload import receive

LOOPBACK = ("127.0.0.1", "localhost")
SECONDS_BETWEEN_EVENTS = 0.5
NUMBERS = ("spacing", "point")
"""Options of `caveat predict` that are asked for on the page: numbers with commas between them."""


class Site:
    """What the routes of one server share. Args: jobs: its uploads. options: of `caveat predict`, for every one."""

    def __init__(self, jobs: Jobs, options: Sequence[str]) -> None:
        self.jobs, self.options = jobs, tuple(options)
        self.tasks = installed_tasks()
        self.page = render("page.html", tasks=self.tasks.values(), limits=jobs.limits)

    async def index(self, request: Request) -> Response:
        """The page."""
        return HTMLResponse(self.page)

    async def begin(self, request: Request) -> Response:
        """A new job, by the name of a task."""
        bundle = request.query_params.get("bundle", "")
        if bundle not in self.tasks:
            raise HTTPException(HTTPStatus.BAD_REQUEST, "choose what is to be measured")
        stated = {name: request.query_params.get(name, "") for name in NUMBERS}
        options = [f"--{name}={_numbers(name, text)}" for name, text in stated.items() if text]
        try:
            job = self.jobs.begin(self.tasks[bundle].bundle, [*self.options, *options])
        except OSError:
            raise HTTPException(HTTPStatus.INSUFFICIENT_STORAGE, "there is no room for this upload") from None
        if job is None:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, "too many uploads at once; try again in some minutes")
        return JSONResponse({"id": job.id}, HTTPStatus.CREATED)

    async def upload(self, request: Request) -> Response:
        """One more file; the body is the file."""
        job = self._job(request)
        if job.state is not State.UPLOADING:  # what was measured stays
            raise HTTPException(HTTPStatus.CONFLICT, "this upload is complete")
        try:
            await receive(request, job, self.jobs.limits)
        except (HTTPException, ClientDisconnect):  # a part of a study is not measured
            await self.jobs.delete(job)
            raise
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def start(self, request: Request) -> Response:
        """The upload is complete."""
        job = self._job(request)
        if job.state is not State.UPLOADING or not job.uploaded_files or job.receiving:
            raise HTTPException(HTTPStatus.CONFLICT, "there is no upload that waits for its start")
        self.jobs.start(job)
        return Response(status_code=HTTPStatus.ACCEPTED)

    async def events(self, request: Request) -> Response:
        """Server-sent events: what becomes of a job, as long as it stands and the page listens."""
        headers = {"x-accel-buffering": "no"}
        return StreamingResponse(self._told(self._job(request)), media_type="text/event-stream", headers=headers)

    async def _told(self, job: Job) -> AsyncIterator[str]:
        last = ""
        while job.id in self.jobs.all:
            job.seen = time.monotonic()
            told = json.dumps(self.jobs.tell(job))
            if told != last:
                yield f"data: {told}\n\n"
            last = told
            await asyncio.sleep(SECONDS_BETWEEN_EVENTS)
        yield f"data: {json.dumps({'state': 'deleted'})}\n\n"

    async def result(self, request: Request) -> Response:
        """A file of a study."""
        path = self._job(request).files.get((request.path_params["study"], request.path_params["name"]))
        if path is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return file_answer(path)

    async def delete(self, request: Request) -> Response:
        """Everything of a job."""
        await self.jobs.delete(self._job(request))
        return Response(status_code=HTTPStatus.NO_CONTENT)

    def _job(self, request: Request) -> Job:
        job = self.jobs.all.get(request.path_params["job"])
        if job is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, "there is no such upload; it may have been deleted")
        return job


def make_app(root: Path, limits: Limits, token: str = "", options: Sequence[str] = (), measure=predict) -> Starlette:
    """The server's application.

    Args:
        root: folder for uploads and results, which nobody else may enter. token: see `Guard`; without one the page answers to
            the names of this machine alone. options: of `caveat predict`. measure: see `Jobs`.
    """
    jobs = Jobs(root, limits, measure)
    site = Site(jobs, options)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with jobs.at_work():
            yield

    one = "/jobs/{job}"
    routes = [
        Route("/", site.index),
        Route("/jobs", site.begin, methods=["POST"]),
        Route(f"{one}/files", site.upload, methods=["PUT"]),
        Route(f"{one}/start", site.start, methods=["POST"]),
        Route(f"{one}/events", site.events),
        Route(f"{one}/{{study:int}}/{{name}}", site.result),
        Route(one, site.delete, methods=["DELETE"]),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    # Another name that leads to this machine is a page of somebody else's that reaches through the browser.
    hosts = ["*"] if token else list(LOOPBACK)
    middleware = [Middleware(Guard, token=token), Middleware(TrustedHostMiddleware, allowed_hosts=hosts)]
    return Starlette(routes=routes, middleware=middleware, lifespan=lifespan)


def _numbers(name: str, text: str) -> str:
    """Numbers as `caveat predict` takes them. Raises: HTTPException: 400."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = [math.nan]
    if not all(map(math.isfinite, numbers)) or len(numbers) > 3:
        raise HTTPException(HTTPStatus.BAD_REQUEST, f"{name}: up to three numbers with commas between them")
    return ",".join(f"{number:g}" for number in numbers)
