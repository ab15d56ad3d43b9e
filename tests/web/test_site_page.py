"""The documentation site in a browser: `make test-web`."""

from __future__ import annotations

import pytest

pytest.importorskip("playwright", reason="playwright is not installed; make test-web installs it")

from browsing import MARKS, SIZES, is_too_wide
from test_site import ROOT, build

pytestmark = MARKS
HERE = {""}
"""Of pages that are files no request names a host."""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("documentation")
    assert build(folder).returncode == 0
    return folder / "site"


@pytest.mark.parametrize("size", SIZES)
def test_no_page_is_too_wide_or_asks_anything_of_another_host(site, watched, size):
    watched.page.set_viewport_size(dict(zip(("width", "height"), SIZES[size], strict=True)))
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > len([*ROOT.glob("docs/*.md")])
    for page in pages:
        watched.page.goto(page.as_uri())
        assert not is_too_wide(watched.page), page.name
        assert watched.page.evaluate("[...document.images].filter(image => !image.naturalWidth).map(image => image.src)") == []
    assert watched.hosts == HERE


def test_search_finds_a_page(site, watched):
    watched.page.goto(f"{(site / 'search.html').as_uri()}?q=hippocampus")
    watched.page.locator("#search-results li").first.wait_for()
