"""The studies of a run in a browser: `make test-web`."""

from __future__ import annotations

import csv
from collections.abc import Iterator

import pytest

for needed in ("starlette", "uvicorn", "httpx", "playwright"):
    pytest.importorskip(needed, reason=f"{needed} is not installed; make test-web installs it")

from browsing import MARKS, PATIENCE_MS, SIZES, Watched, is_too_wide, unnamed  # noqa: E402
from made_runs import run, studies  # noqa: E402
from playwright.sync_api import Page, expect  # noqa: E402
from serving import answering  # noqa: E402

from caveat.serve.view import make_viewer  # noqa: E402
from caveat.transforms.writers.example_study import example_study  # noqa: E402
from caveat.transforms.writers.image import ImageWriter  # noqa: E402
from caveat.transforms.writers.preview import PreviewWriter  # noqa: E402
from caveat.transforms.writers.report_html import ReportHtmlWriter  # noqa: E402
from caveat.transforms.writers.result_json import ResultJsonWriter  # noqa: E402
from caveat.transforms.writers.samples import SamplesWriter  # noqa: E402
from caveat.transforms.writers.segmentation import SegmentationWriter  # noqa: E402

pytestmark = MARKS
WRITERS = (ImageWriter(), SegmentationWriter(), SamplesWriter(), PreviewWriter(), ReportHtmlWriter(), ResultJsonWriter())
TOKEN = "a-token"


@pytest.fixture
def viewed(watched, tmp_path) -> Iterator[tuple[Watched, str]]:
    """A run of three volumes, its table open."""
    run(tmp_path, studies("a", "b", "c"), writers=WRITERS, study=example_study("nifti"))
    with answering(make_viewer(tmp_path, TOKEN)) as http:
        watched.page.goto(f"{http.base_url}?token={TOKEN}")
        watched.page.wait_for_selector("#rows tr")
        yield watched, f"{http.base_url.host}:{http.base_url.port}"


def names(page: Page) -> list[str]:
    return page.locator("#rows td.name").all_inner_texts()


def test_the_keyboard_goes_through_a_run(viewed, tmp_path):
    watched, host = viewed
    page = watched.page
    assert names(page) == ["a", "b", "c"]
    for key in ("j", "j", "Enter"):
        page.keyboard.press(key)
    page.wait_for_selector(".view[data-ready]", timeout=PATIENCE_MS)
    assert page.locator("#place h2").inner_text() == "b: measured" and page.evaluate("location.hash") == "#2"
    for key in ("l", "n"):
        page.keyboard.press(key)
    page.keyboard.type("jk: the tail is missing")
    page.keyboard.press("Escape")
    expect(page.locator("#kept")).to_have_text("Kept.")
    page.locator("#place article").focus()
    page.keyboard.press("j")
    expect(page.locator("#place h2")).to_have_text("c: measured")
    assert page.input_value("#note") == "" and not page.is_checked("#looked")
    page.keyboard.press("Escape")
    expect(page.locator("#rows a", has_text="c")).to_be_focused()
    page.check("#unseen")
    assert names(page) == ["a", "c"]
    page.uncheck("#unseen")
    page.fill("#search", "TAIL")
    assert names(page) == ["b"]
    with (tmp_path / "notes.csv").open(newline="") as file:
        assert list(csv.reader(file))[1:] == [["b", "yes", "jk: the tail is missing"]]
    assert watched.hosts == {host} and not watched.complaints


def test_the_draws_are_shown_one_by_one(viewed):
    watched, _ = viewed
    page = watched.page
    page.click("#rows a")
    page.wait_for_selector(".view[data-ready]", timeout=PATIENCE_MS)
    assert not page.is_visible(".draw")
    page.select_option(".over", "samples")
    page.wait_for_selector(".draw", state="visible", timeout=PATIENCE_MS)
    seen = [page.locator(".canvas canvas").screenshot()]
    page.locator(".draw").fill("2")
    expect(page.locator(".draws output")).to_contain_text("2 of ")
    seen.append(page.locator(".canvas canvas").screenshot())
    assert seen[0] != seen[1], "these two draws differ"
    assert not watched.complaints


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
def test_everything_has_a_name_and_nothing_is_wider_than_the_page(size, viewed):
    page = viewed[0].page
    page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
    assert not is_too_wide(page) and unnamed(page) == []
    page.click("#rows a")
    page.wait_for_selector(".view[data-ready]", timeout=PATIENCE_MS)
    assert not is_too_wide(page) and unnamed(page) == []


def test_without_the_image_the_report_is_open(watched, tmp_path):
    run(tmp_path, studies("a"), writers=(ReportHtmlWriter(), ResultJsonWriter()))
    with answering(make_viewer(tmp_path, TOKEN)) as http:
        watched.page.goto(f"{http.base_url}?token={TOKEN}#1")
        frame = watched.page.frame_locator(".report iframe")
        assert frame.locator("h1, h2").first.inner_text(timeout=PATIENCE_MS)
        assert "--image" in watched.page.inner_text(".view")
