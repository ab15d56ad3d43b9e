"""A page's server in a thread of the tests, and what measures in place of a network."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette

from caveat.serve.app import make_app
from caveat.serve.job import Job
from caveat.serve.limits import Limits
from caveat.transforms.files.stored_result import EMPTY_RESULT

ASKS = {"X-Caveat": "1"}


@dataclass
class Stub:
    """Measures nothing: notes what was uploaded, waits, and writes a result.

    Args:
        seconds: that a study takes. status: of the result. code: why there is none, or with `some` only one.
    """

    seconds: float = 0.0
    status: str = "OK"
    code: str = ""
    some: bool = False
    seen: list[dict[str, bytes]] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)

    async def __call__(self, job: Job, seconds: float) -> str:
        self.seen.append({path.name: path.read_bytes() for path in sorted(job.uploads.iterdir())})
        self.jobs.append(job)
        await asyncio.sleep(self.seconds)
        if self.some or not self.code:
            write_result(job.results / "study-0001", self.status)
        return self.code


def write_result(folder: Path, status: str) -> None:
    """A study's folder as the page reads it."""
    folder.mkdir(parents=True)
    reasons = [{"code": "CORRUPT", "message": "m", "what_to_do": "w"}] if status == "REFUSED" else []
    answer = {"kind": "measurement", "name": "a", "title": "A", "statement": "A: 3 mL (not calibrated)"}
    result = {**EMPTY_RESULT, "status": status, "reasons": reasons, "classes": ["background", "a"], "answers": [answer]}
    (folder / "result.json").write_text(json.dumps(result | {"flags": ["GRID_MATTERS"]}))
    (folder / "report.html").write_text("<p>the report</p>")
    (folder / "files.json").write_text("{}")


@dataclass
class Client:
    """A page without a browser. Args: http: to the server. root: the server's folder."""

    http: httpx.Client
    root: Path

    def begin(self, bundle: str = "retinal_vessels", **stated: str) -> str:
        """A job's address."""
        answer = self.http.post("/jobs", params={"bundle": bundle, **stated}, headers=ASKS)
        assert answer.status_code == 201, answer.text
        return f"/jobs/{answer.json()['id']}"

    def put(self, job: str, content: Any) -> httpx.Response:
        """Upload one more file."""
        return self.http.put(f"{job}/files", content=content, headers=ASKS)

    def upload(self, *contents: bytes, **begun: str) -> str:
        """A whole upload. Returns: the job's address."""
        job = self.begin(**begun)
        assert [self.put(job, content).status_code for content in contents] == [204] * len(contents)
        assert self.http.post(f"{job}/start", headers=ASKS).status_code == 202
        return job

    def events(self, job: str) -> Iterator[dict[str, Any]]:
        """What the page is told, until it leaves."""
        with self.http.stream("GET", f"{job}/events") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    yield json.loads(line.removeprefix("data: "))

    def followed(self, job: str) -> list[dict[str, Any]]:
        """What the page is told until there is a result."""
        told = []
        for event in self.events(job):
            told.append(event)
            if event["state"] in ("done", "failed", "deleted"):
                break
        return told

    def folders(self) -> list[str]:
        """What is left on disk."""
        return sorted(path.name for path in self.root.iterdir())


@contextmanager
def serving(root: Path, measure: Any = None, limits: Limits | None = None, **settings: Any) -> Iterator[Client]:
    """A server on a free port, and who asks it."""
    root.mkdir(exist_ok=True)
    app = make_app(root, limits or Limits(), **settings, **({"measure": measure} if measure else {}))
    with answering(app) as http:
        yield Client(http, root)


@contextmanager
def answering(app: Starlette) -> Iterator[httpx.Client]:
    """An application on a free port."""
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1)
    server, listening = uvicorn.Server(config), socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=300) as http:
            yield http
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def until(true: Any, seconds: float = 20) -> bool:
    """Whether something becomes true in time."""
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.02)
    return bool(true())
