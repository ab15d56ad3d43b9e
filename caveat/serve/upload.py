"""The body of a request, counted while it goes to disk."""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request

from .job import Job
from .limits import Limits

ZIP = b"PK\x03\x04"


async def receive(request: Request, job: Job, limits: Limits) -> None:
    """Write the body as one more file of a job.

    It is named by its number: no name and no path of the client reaches the disk. What a file is, its bytes say; archives alone
    are opened by their name.

    Raises:
        HTTPException: 413 too large or too many, 408 too slow, 507 no room. ClientDisconnect.
    """
    if job.uploaded_files >= limits.files:
        raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {limits.files} files")
    stated = request.headers.get("content-length", "")
    if stated.isdecimal():
        _check_size(job.uploaded_bytes + int(stated), limits)
    job.uploaded_files += 1
    job.receiving += 1
    try:
        async with asyncio.timeout(limits.upload_seconds - (time.monotonic() - job.since)):
            await _stream(request, job, limits, job.uploaded_files)
    except TimeoutError:
        raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, "the upload took too long") from None
    except OSError:
        raise HTTPException(HTTPStatus.INSUFFICIENT_STORAGE, "there is no room for this upload") from None
    finally:
        job.receiving -= 1


async def _stream(request: Request, job: Job, limits: Limits, number: int) -> None:
    path = job.uploads / f"{number:06d}"
    head = b""
    with path.open("wb") as file:
        async for chunk in request.stream():
            job.seen = time.monotonic()
            job.uploaded_bytes += len(chunk)
            _check_size(job.uploaded_bytes, limits)
            head += chunk[: len(ZIP) - len(head)]
            file.write(chunk)
    if head == ZIP:
        path.rename(path.with_suffix(".zip"))


def _check_size(size: int, limits: Limits) -> None:
    if size > limits.bytes:
        raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"larger than the {limits.bytes / 2**20:.0f} MiB that are taken")
