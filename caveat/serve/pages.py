"""The pages' templates and files, and how a browser is given a file of a result."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from starlette.responses import FileResponse

from .guard import REPORT_POLICY

PAGE = Path(__file__).parent / "page"
STATIC = PAGE / "static"
KINDS = {".html": "text/html", ".json": "application/json", ".png": "image/png", ".csv": "text/csv"}
"""What a browser may take a file for; everything else is bytes."""


def render(template: str, **content: Any) -> str:
    """A page. Args: template: a file of `PAGE`. content: the names that it uses."""
    return _environment().get_template(template).render(**content)


def file_answer(path: Path) -> FileResponse:
    """A file of a result; a report runs nothing."""
    policy = {"content-security-policy": REPORT_POLICY} if path.suffix == ".html" else None
    return FileResponse(path, media_type=KINDS.get(path.suffix, "application/octet-stream"), headers=policy)


@cache
def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(PAGE), autoescape=True)
