"""One browser for all tests of pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from browsing import Watched

# Playwright is not there where these tests do not run, so it is imported by who uses it alone.


@pytest.fixture(scope="module")
def browser():
    from browsing import CHROMIUM, SOFTWARE_GL
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=SOFTWARE_GL)
        yield browser
        browser.close()


@pytest.fixture
def watched(browser) -> Iterator[Watched]:
    from browsing import SIZES, Watched

    context = browser.new_context(viewport=dict(zip(("width", "height"), SIZES["a desk"], strict=True)))
    yield Watched(context.new_page())
    context.close()
