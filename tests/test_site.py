"""The documentation site is built of the pages as they are, without a warning, and asks no other host for anything."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import caveat

ROOT = Path(__file__).resolve().parent.parent
LOADED = re.compile(
    r"""<(?:script|img|iframe|source|video|audio|embed)\b[^>]*?\ssrc=["']?([^"'\s>]+)"""
    r"""|<link\b[^>]*?\shref=["']?([^"'\s>]+)|url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)""",
    re.IGNORECASE,
)
ELSEWHERE = re.compile("(https?:)?//", re.IGNORECASE)


def loaded(text: str) -> list[str]:
    """What a page or a style sheet has a browser load by itself; links that a reader follows are none of it."""
    return ["".join(found) for found in LOADED.findall(text)]


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-d", str(folder / "trees"), "-c", "docs", "."]
    return subprocess.run([*call, str(folder / "site")], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("documentation")
    run = build(folder)
    assert run.returncode == 0, run.stderr
    return folder / "site"


def test_every_page_is_there(site):
    pages = [*ROOT.glob("docs/**/*.md"), *ROOT.glob("bundles/*/docs/*.md"), ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md"]
    kept_out = {ROOT / "docs" / "contents.md", ROOT / "docs" / "package.md"}
    wanted = {page.relative_to(ROOT).with_suffix(".html") for page in pages if page not in kept_out}
    assert len(wanted) > 30 and {page for page in wanted if not (site / page).is_file()} == set()


def test_the_start_page_leads_to_every_tutorial_and_bundle(site):
    start = (site / "index.html").read_text(encoding="utf-8")
    for page in [*ROOT.glob("docs/tutorials/*.md"), *ROOT.glob("bundles/[!_]*/docs/README.md")]:
        assert f'href="{page.relative_to(ROOT).with_suffix(".html")}"' in start


def test_links_lead_to_pages_and_files_of_the_site(site):
    start = (site / "index.html").read_text(encoding="utf-8")
    assert 'href="docs/inputs.html"' in start and not re.search(r'href="[^":]*\.md"', start)
    (schema,) = re.findall(r'href="([^"]*result\.schema\.json)"', start)
    assert (site / schema).is_file()


def test_the_public_names_are_explained(site):
    page = (site / "docs" / "api.html").read_text(encoding="utf-8")
    assert all(f'id="caveat.{name}"' in page for name in caveat.__all__)


def test_no_page_loads_anything_from_elsewhere(site):
    texts = {path: path.read_text(encoding="utf-8") for suffix in ("html", "css") for path in site.rglob(f"*.{suffix}")}
    everything = [(path.name, target) for path, text in texts.items() for target in loaded(text)]
    assert len(everything) > 100
    assert [found for found in everything if ELSEWHERE.match(found[1])] == []


@pytest.mark.parametrize(
    "text",
    [
        '<script async src="https://example.org/a.js">',
        '<link rel="stylesheet" href="//example.org/a.css">',
        "@font-face { src: url(https://example.org/a.woff) }",
        '@import "https://example.org/a.css";',
        "<img alt='a' src='http://example.org/a.png'>",
    ],
)
def test_what_is_loaded_from_elsewhere_is_noticed(text):
    (target,) = loaded(text)
    assert ELSEWHERE.match(target)
