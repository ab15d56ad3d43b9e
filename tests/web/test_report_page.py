"""The slices of a report in a browser: `make test-web`."""

from __future__ import annotations

import pytest

pytest.importorskip("playwright", reason="playwright is not installed; make test-web installs it")

from browsing import MARKS, SIZES, Watched, is_too_wide, unnamed
from playwright.sync_api import Page, expect

from caveat.transforms.writers.example_study import example_study
from caveat.transforms.writers.report_html import ReportHtmlWriter

pytestmark = MARKS
SHOWN = ".slice:visible"


@pytest.fixture
def report(watched, tmp_path) -> Watched:
    """The report of a volume that a gate judged, opened as a file."""
    study = example_study("nifti")
    checks = [{"name": "shading", "value": 0.863, "threshold": 0.767, "direction": "above", "passed": False}]
    study["result"]["gate"] = {"accepted": False, "n": 614, "joint_bound": 0.1, "checks": checks}
    ReportHtmlWriter(longest=400).write(study, tmp_path)
    watched.page.goto((tmp_path / "report.html").as_uri())
    return watched


def number(page: Page) -> int:
    """Of the slice that is shown."""
    assert page.locator(SHOWN).count() == 1
    return int(page.locator(SHOWN).inner_text().split()[-1])


def go_through(page: Page) -> None:
    """Whatever runs scripts or not."""
    first = number(page)
    page.locator(SHOWN).click()
    page.keyboard.press("ArrowRight")
    assert number(page) == first + 1
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert number(page) == first - 1
    page.locator("#slices input").last.hover()
    assert number(page) > first + 1
    page.locator("h1").hover()
    assert number(page) == first - 1, "what was only pointed at does not stay"


def test_slices_are_gone_through_by_keyboard_and_pointer(report):
    go_through(report.page)
    assert unnamed(report.page) == [] and report.hosts == {""} and report.complaints == []


def test_they_need_no_script(browser, tmp_path):
    ReportHtmlWriter(longest=400).write(example_study("nifti"), tmp_path)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((tmp_path / "report.html").as_uri())
    go_through(page)
    context.close()


def test_the_wheel_turns_them_once_they_were_clicked_and_else_the_page(report):
    page = report.page
    page.locator(SHOWN).scroll_into_view_if_needed()
    page.locator(SHOWN).hover()
    first, top = number(page), page.evaluate("scrollY")
    page.mouse.wheel(0, -60)
    page.wait_for_function(f"scrollY < {top}")
    assert number(page) == first
    page.locator(SHOWN).click()
    page.mouse.wheel(0, 60)
    expect(page.locator(SHOWN)).to_contain_text(f"slice {first + 1}")


def test_what_is_outlined_is_chosen_for_slices_too(report):
    page = report.page
    expect(page.locator(f"{SHOWN} .draws")).to_be_visible()
    page.locator("label[for=choose-photograph]").click()
    expect(page.locator(f"{SHOWN} .draws")).to_be_hidden()
    page.locator("label[for=choose-outline]").click()
    expect(page.locator(f"{SHOWN} .outline")).to_be_visible()


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
def test_the_page_fits_the_screen(report, size):
    report.page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
    assert not is_too_wide(report.page)
