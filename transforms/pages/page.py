"""Pages from the templates beside this file."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ..files.plural import plural


@cache
def _environment() -> Environment:
    # Everything is escaped: a page must be harmless whatever a study is called.
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["unbroken"] = unbroken
    environment.filters["plural"] = plural
    return environment


def unbroken(sentence: str) -> str:
    """A sentence whose numbers are not torn apart at a line's end: "31 240", "90 %"."""
    return re.sub(r"(?<=\d) (?=\d{3}(?!\d)|%)", "\u00a0", sentence)


def write_page(path: Path, template: str, **content: Any) -> None:
    """Fill a template. Args: path: of the page. template: its file. content: the names the template uses."""
    path.write_text(_environment().get_template(template).render(**content), encoding="utf-8")
