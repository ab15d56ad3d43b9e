"""The page in a browser, as a user meets it: `make test-web`."""

from __future__ import annotations

import io
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

for needed in ("starlette", "uvicorn", "httpx", "playwright"):
    pytest.importorskip(needed, reason=f"{needed} is not installed; make test-web installs it")

from browsing import MARKS, PATIENCE_MS, SIZES, is_too_wide, unnamed  # noqa: E402
from dicom_grid import Grid  # noqa: E402
from dicom_phantoms import clean_series, set_pixels, write  # noqa: E402
from phantoms import hippocampus_crop, write_fundus, write_hippocampus_crop  # noqa: E402
from playwright.sync_api import Locator, Page  # noqa: E402
from serving import Client, Stub, serving  # noqa: E402

from caveat.serve.job import Job  # noqa: E402
from caveat.transforms.writers.example_study import example_study  # noqa: E402
from caveat.transforms.writers.image import ImageWriter  # noqa: E402
from caveat.transforms.writers.report_html import ReportHtmlWriter  # noqa: E402
from caveat.transforms.writers.result_json import ResultJsonWriter  # noqa: E402
from caveat.transforms.writers.segmentation import SegmentationWriter  # noqa: E402

pytestmark = MARKS
MEASURED_MS = 600_000


def ask(page: Page, client: Client, bundle: str, *uploads: Path) -> None:
    page.goto(str(client.http.base_url))
    page.check(f"#task-{bundle}")
    page.set_input_files("#files", [str(path) for path in uploads])
    page.click("#go")


def shown(page: Page) -> None:
    page.wait_for_selector("#results:not([hidden])", timeout=MEASURED_MS)
    page.wait_for_selector(".view[data-ready]", timeout=PATIENCE_MS)


class Drawn(Stub):
    """Writes a study whose structure lies to one side, as the bundles' writers do."""

    study: dict

    async def __call__(self, job: Job, seconds: float) -> str:
        folder = job.results / "study-0001"
        folder.mkdir(parents=True)
        for writer in (ImageWriter(), SegmentationWriter(), ResultJsonWriter(), ReportHtmlWriter()):
            writer.write(self.study, folder)
        return ""


def to_one_side(first_axis: int) -> dict:
    """A volume whose structure lies 5 mm off the middle. Args: first_axis: 1 where voxels run to the right, -1 to the left."""
    study = example_study("nifti", np.diag([first_axis, 1.0, 1.0, 1.0]), classes=3)
    moved = {key: value.roll((5, 3), dims=(-3, -2)) for key, value in study.items() if hasattr(value, "roll")}
    for key, value in moved.items():
        if hasattr(study[key], "meta"):
            value.meta.update(study[key].meta)
    return study | moved


def place_of_colour(element: Locator) -> np.ndarray:
    """Where what is coloured lies, from the middle of an element to the right and down, in its own widths and heights."""
    pixels = np.asarray(Image.open(io.BytesIO(element.screenshot())).convert("RGB")).astype(int)
    rows, columns = np.nonzero(pixels.max(axis=2) - pixels.min(axis=2) > 70)
    assert len(rows) > 50, "something is coloured"
    bounds = np.array([[columns.min(), columns.max()], [rows.min(), rows.max()]])
    return (bounds.mean(axis=1) - np.array(pixels.shape[1::-1]) / 2) / (bounds[:, 1] - bounds[:, 0])


@pytest.mark.parametrize("first_axis", [1, -1], ids=["voxels run to the right", "voxels run to the left"])
def test_the_mask_lies_on_the_side_that_the_report_shows(first_axis, watched, tmp_path):
    measure, page = Drawn(), watched.page
    measure.study = to_one_side(first_axis)
    with serving(tmp_path, measure) as client:
        ask(page, client, "hippocampus_volume", write_hippocampus_crop(tmp_path / "crop.nii.gz"))
        shown(page)
        page.select_option(".plane", "0")
        page.locator(".opacity").fill("1")
        time.sleep(1)
        of_viewer = place_of_colour(page.locator(".canvas canvas"))
        page.click(".report summary")
        report = page.frame_locator("iframe")
        report.locator("label[for=choose-outline]").click(timeout=PATIENCE_MS)
        of_report = place_of_colour(report.locator(".layers").first)
    assert abs(of_report[0]) > 0.25 and np.sign(of_report[0]) == -first_axis
    np.testing.assert_allclose(of_viewer, of_report, atol=0.12)
    assert watched.hosts == {f"127.0.0.1:{client.http.base_url.port}"}


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
def test_everything_has_a_name_and_nothing_is_wider_than_the_page(size, watched, tmp_path):
    measure, page = Drawn(), watched.page
    measure.study = to_one_side(1)
    page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
    with serving(tmp_path, measure) as client:
        page.goto(str(client.http.base_url))
        assert not is_too_wide(page) and unnamed(page) == []
        ask(page, client, "hippocampus_volume", write_hippocampus_crop(tmp_path / "crop.nii.gz"))
        shown(page)
        assert not is_too_wide(page) and unnamed(page) == []
        assert page.evaluate("document.activeElement.id") == "results", "the keyboard stands where the result begins"
        before = page.locator(".at").inner_text()
        page.focus(".slice")
        page.keyboard.press("ArrowRight")
        assert page.locator(".at").inner_text() != before


def test_a_page_that_is_closed_leaves_nothing(watched, tmp_path):
    with serving(tmp_path / "jobs", Stub()) as client:
        ask(watched.page, client, "retinal_vessels", write_fundus(tmp_path / "eye.png"))
        watched.page.wait_for_selector("#results:not([hidden])")
        assert client.folders()
        watched.page.close(run_before_unload=False)
        end = time.monotonic() + 20
        while client.folders() and time.monotonic() < end:
            time.sleep(0.1)
        assert client.folders() == []


def dicom_zip(path: Path) -> Path:
    """A made-up hippocampus as a zipped MR series."""
    image, _ = hippocampus_crop(1)
    stored = np.rint(20 * (image[::-1, ::-1] - image.min()))  # columns run to the left, rows to the back
    objects = clean_series(Grid(stored.shape, (1.0, 1.0, 1.0)), "MR")
    for index, header in enumerate(objects):
        set_pixels(header, stored[:, :, index].T)
    with zipfile.ZipFile(path, "w") as made:
        for file in write(objects, path.parent / "series"):
            made.write(file, file.name)
    return path


@pytest.mark.parametrize(
    "bundle, upload, sentence",
    [
        ("hippocampus_volume", lambda folder: write_hippocampus_crop(folder / "crop.nii.gz"), "Hippocampus, both parts"),
        ("hippocampus_volume", lambda folder: dicom_zip(folder / "study.zip"), "Hippocampus, both parts"),
        ("retinal_vessels", lambda folder: write_fundus(folder / "eye.png"), "Vessels: "),
        ("retinal_vessels", lambda folder: write_hippocampus_crop(folder / "crop.nii.gz"), "NOT_THIS_KIND"),
    ],
    ids=["NIfTI", "zip of DICOM", "photograph", "refused"],
)
def test_an_upload_goes_the_whole_way(bundle, upload, sentence, watched, tmp_path):
    page = watched.page
    (tmp_path / "jobs").mkdir()
    with serving(tmp_path / "jobs", options=("--device", "cpu")) as client:
        ask(page, client, bundle, upload(tmp_path))
        page.wait_for_selector("#results:not([hidden])", timeout=MEASURED_MS)
        assert sentence in page.inner_text("#results")
        if sentence == "NOT_THIS_KIND":
            assert "What to do" in page.inner_text(".reason")
        else:
            shown(page)
            assert page.locator(".files a").count() >= 5
        page.click("#results button")
        assert "deleted" in page.inner_text("#state")
    assert watched.hosts == {f"127.0.0.1:{client.http.base_url.port}"} and not watched.complaints
