"""A browser for the tests of pages, and what must never happen in it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

CHROMIUM = shutil.which("chromium")
MARKS = [
    pytest.mark.web,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed: apt-get install chromium"),
]
SOFTWARE_GL = ("--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist")
PATIENCE_MS = 60_000
SIZES = {"a desk": (1280, 900), "a telephone": (390, 844)}
FIELDS = "[...document.querySelectorAll('input, select, textarea, canvas')]"


@dataclass
class Watched:
    """A page, and what it did that it must not."""

    page: Page
    hosts: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        self.page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))


def is_too_wide(page: Page) -> bool:
    """Whether a reader would have to scroll sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def unnamed(page: Page) -> list[str]:
    """Fields of which a screen reader could not say what they are."""
    return list(page.evaluate(f"{FIELDS}.filter(e => !e.labels?.length && !e.ariaLabel).map(e => e.outerHTML)"))
