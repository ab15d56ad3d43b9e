"""The studies of a finished run, to look at one by one, and the reader's notes on them."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from ..transforms.output.listed_studies import MOST_STUDIES, listed_run
from ..transforms.output.run_index import read_rows, worth_a_look_first
from ..transforms.output.study_seal import StudySeal, file_sha256
from .found import told
from .guard import Guard
from .pages import STATIC, file_answer, render
from .reader_notes import LONGEST_NOTE, NAME, Note, ReaderNotes

LARGEST_REQUEST = 8 * LONGEST_NOTE
LONGEST_NUMBER = len(str(MOST_STUDIES))
"""Digits of a study's number in an address; Python reads no number of some thousands."""


class Viewer:
    """What the routes share. Args: run: folder of a run, which may go on. Raises: StudyRefused: WRONG_USAGE, it is none."""

    def __init__(self, run: Path) -> None:
        self.run, self.notes = run, ReaderNotes(run / NAME)
        listed = listed_run(run)
        self.names = {study["number"]: study["name"] for study in listed.studies}
        self.identity = listed.identity
        self.writing = asyncio.Lock()

    async def index(self, request: Request) -> Response:
        """The page."""
        return HTMLResponse(render("view.html", longest_note=LONGEST_NOTE))

    async def studies(self, request: Request) -> Response:
        """Every study that has a result, worth a look first on top."""
        try:
            notes = await asyncio.to_thread(self.notes.read)
        except (OSError, ValueError):
            raise HTTPException(HTTPStatus.CONFLICT, f"{NAME} in this folder cannot be read as notes") from None
        try:
            return JSONResponse(await asyncio.to_thread(lambda: list(self._told(notes))))
        except (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError):
            raise HTTPException(HTTPStatus.CONFLICT, "a result in this folder is not as caveat writes it") from None

    async def changed(self, request: Request) -> Response:
        """Names of files that are not what they were when the study was measured."""
        folder, seal = self._study(request)
        found = await asyncio.to_thread(lambda: [name for name in seal.files if self._is_changed(folder, seal, name)])
        return JSONResponse(found)

    async def file(self, request: Request) -> Response:
        """A file that the program wrote for a study: a name is looked up, never put together to a path."""
        folder, seal = self._study(request)
        name = request.path_params["name"]
        path = self._own_file(folder, name) if name in seal.files else None
        if path is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return file_answer(path)

    async def note(self, request: Request) -> Response:
        """Keep what the reader says of a study."""
        folder, _ = self._study(request)
        if int(request.headers.get("content-length") or LARGEST_REQUEST + 1) > LARGEST_REQUEST:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "this note is too long")
        note = _note(await request.body())
        try:
            async with self.writing:
                await asyncio.to_thread(self.notes.write, folder.name, note)
        except (OSError, ValueError):
            raise HTTPException(HTTPStatus.INSUFFICIENT_STORAGE, f"{NAME} cannot be written") from None
        return Response(status_code=HTTPStatus.NO_CONTENT)

    def _told(self, notes: Mapping[str, Note]) -> Iterator[dict[str, Any]]:
        seals = {name: seal for number, name in self.names.items() if (seal := self._seal(number)) is not None}
        for row in worth_a_look_first(read_rows(self.run, seals)):
            seal, note = seals[row.name], notes.get(row.name, Note())
            about = {"name": row.name, "agreement": row.result["study_scores"].get("pooled_pairwise_dice")}
            yield {**told(seal.number, row.result, sorted(seal.files)), **about, "looked_at": note.looked_at, "note": note.text}

    def _study(self, request: Request) -> tuple[Path, StudySeal]:
        stated = request.path_params["study"]
        number = int(stated) if re.fullmatch("[0-9]+", stated) and len(stated) < LONGEST_NUMBER else 0
        seal = self._seal(number)
        if seal is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, "there is no such study")
        return self.run / self.names[number], seal

    def _seal(self, number: int) -> StudySeal | None:
        """Of a study of this run that is done."""
        seal = StudySeal.read(self.run / self.names[number]) if number in self.names else None
        return seal if seal is not None and (seal.number, seal.run) == (number, self.identity) else None

    def _own_file(self, folder: Path, name: str) -> Path | None:
        """Where it lies, None where that is out of the run by a link; a pipe, which would never answer, is no file."""
        try:
            path = (folder / name).resolve()
            return path if path.is_file() and path.is_relative_to(self.run.resolve()) else None
        except (OSError, ValueError):
            return None

    def _is_changed(self, folder: Path, seal: StudySeal, name: str) -> bool:
        path = self._own_file(folder, name)
        try:
            return path is None or file_sha256(path) != seal.files[name]
        except OSError:
            return True


def make_viewer(run: Path, token: str) -> Starlette:
    """The server's application. Args: run: folder of a run. token: see `Guard`. Raises: StudyRefused: WRONG_USAGE."""
    viewer, one = Viewer(run), "/studies/{study}"
    routes = [
        Route("/", viewer.index),
        Route("/studies", viewer.studies),
        Route(f"{one}/changed", viewer.changed),
        Route(f"{one}/note", viewer.note, methods=["PUT"]),
        Route(f"{one}/files/{{name}}", viewer.file),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    return Starlette(routes=routes, middleware=[Middleware(Guard, token=token)])


def _note(body: bytes) -> Note:
    """Raises: HTTPException: 400."""
    try:
        stated = json.loads(body)
        note = Note(stated["looked_at"], stated["note"])
    except (ValueError, TypeError, KeyError, RecursionError):
        note = Note(text=None)  # type: ignore[arg-type]
    if not isinstance(note.text, str) or not isinstance(note.looked_at, bool) or len(note.text) > LONGEST_NOTE:
        raise HTTPException(HTTPStatus.BAD_REQUEST, f"a note is a text of at most {LONGEST_NOTE} characters")
    return note
