"""The report: one page, whole in itself, that says what it should."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from caveat.transforms.drawing.class_names import parts
from caveat.transforms.writers.example_study import example_study
from caveat.transforms.writers.maps import MapsWriter
from caveat.transforms.writers.report_html import ReportHtmlWriter

NO_END = {"meta", "img", "input", "br", "circle", "line", "rect"}


class Outline(HTMLParser):
    """Collects text, sources and links, and whether every element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open, self.sources, self.links, self.text, self.balanced = [], [], [], [], True

    def handle_starttag(self, tag, attrs):
        self.sources += [value for name, value in attrs if name == "src"]
        self.links += [value for name, value in attrs if name == "href"]
        if tag not in NO_END:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in NO_END:
            self.balanced = self.balanced and bool(self.open) and self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.text.append(data)


def report(study, tmp_path, **options) -> tuple[str, Outline]:
    ReportHtmlWriter(**({"longest": 96} | options)).write(study, tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    outline = Outline()
    outline.feed(page)
    return re.sub(r"\s+", " ", " ".join(outline.text)), outline


@pytest.mark.parametrize("kind", ["picture", "nifti"])
def test_the_page_is_whole_in_itself(kind, tmp_path):
    _, outline = report(example_study(kind), tmp_path)
    assert outline.balanced and not outline.open
    assert all(source.startswith("data:image/") for source in outline.sources)
    assert {link for link in outline.links if not link.startswith("#")} == {"../index.html"}
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "http" not in page.replace("http-equiv", "") and "url(" not in page and "@import" not in page


def test_it_leads_to_the_files_beside_it_and_to_the_run(tmp_path):
    MapsWriter().write(example_study("nifti"), tmp_path)
    _, outline = report(example_study("nifti"), tmp_path)
    beside = {path.name for path in tmp_path.iterdir()} - {"report.html"}
    assert "entropy.nii.gz" in beside and beside | {"../index.html"} <= set(outline.links)


def test_the_order_is_image_statement_maps_gate_provenance(tmp_path):
    text, _ = report(example_study(), tmp_path)
    said = [
        "Where the draws disagree most",
        "Disc: ",
        "Maps",
        "No gate: no calibration record with checks fits this result",
        "How it was made",
        "Not a medical device",
    ]
    places = [text.index(words) for words in said]
    assert places == sorted(places)


def test_what_is_not_calibrated_is_said_so_and_what_is_names_its_units(tmp_path):
    study = example_study()
    text, _ = report(study, tmp_path)
    assert "not calibrated" in text and "interval" not in text and "no gate can see" not in text
    study["result"]["answers"][0]["region"] = {
        "level": 0.9,
        "lower": 50.0,
        "upper": 99.0,
        "record": "r",
        "n": 36,
        "unit": "patient",
        "truth": "as the rater of the phantoms has it",
        "networks": None,
    }
    text, _ = report(study, tmp_path)
    assert "the 90 % interval, calibrated on 36 patients" in text and "Its width comes from" not in text
    study["result"]["answers"][0]["region"]["own_coverage"] = [0.822, 0.974]
    assert "Nine in ten such records hold in 82 to 97 of 100 later studies like these." in report(study, tmp_path)[0]
    about = {"networks": 5, "proven": 0.729, "own_coverage": None, "date": "2026-01-31", "width_from": "the value alone"}
    study["result"]["answers"][0]["region"] |= about
    text, _ = report(study, tmp_path)
    assert "the 90 % interval, cross-validated on 36 patients, proven for 72 % (record of 2026-01-31). " in text
    assert "Its width comes from the value alone." in text
    assert "What no gate can see: the value is promised as the rater of the phantoms has it." in text and "caveat audit" in text


def test_what_holds_at_once_stands_beside_what_holds_alone(tmp_path):
    study = example_study("nifti")
    interval = {"level": 0.9, "lower": 1.0, "upper": 2.0, "n": 34, "unit": "subject", "networks": None, "sides": "two-sided"}
    entry = study["result"]["answers"][0]
    study["result"]["answers"] = [
        entry | {"title": title, "simultaneous_region": interval} for title in ("Anterior part", "Posterior part")
    ]
    text, _ = report(study, tmp_path)
    assert "In 90 of 100 studies all of these hold at once: anterior part 1 to 2 " in text
    assert "posterior part 1 to 2 " in text and "; calibrated on 34 subjects." in text


@pytest.mark.parametrize(
    ("source", "title"),
    [
        ("model", "what the model does not know"),
        ("rater", "disagreement between readings"),
        ("image", "sensitivity to the image"),
    ],
)
def test_mutual_information_is_named_after_what_varies(source, title, tmp_path):
    study = example_study()
    study["result"]["sampling"]["source"] = source
    assert title in report(study, tmp_path)[0]


def test_scales_are_stated(tmp_path):
    text, _ = report(example_study("nifti", classes=3), tmp_path)
    assert "1.10 = ln 3 nats" in text and "0.25" in text


def test_classes_are_named_and_each_has_its_colour(tmp_path):
    study = example_study("nifti", classes=3)
    text, _ = report(study, tmp_path)
    assert "Probability: disc" in text and "Probability: ring 2" in text and "Probability: background" not in text
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert all(f'<i style="background: {colour}"></i>{name}' in page for _, name, colour in parts(study))
    study["result"]["classes"] = []
    assert "Probability: label 1" in report(study, tmp_path)[0]
    assert parts(example_study("nifti")) == []


def test_of_a_cropped_study_the_crop_is_shown_and_where_it_lies(tmp_path):
    text, _ = report(example_study("nifti"), tmp_path)
    assert "The whole image." not in text and "Region measured" not in text
    study = example_study("nifti")
    study["region"][:] = 0
    study["region"][0, 4:14, 3:12, 2:9] = 1
    study["result"]["input"] = {"crop": {"source": "point", "box_mm": [4, 14, 4.5, 18, 4, 18]}}
    text, outline = report(study, tmp_path)
    assert "The whole image. Only what lies in the frame was measured, the bundle's own box around the point stated" in text
    assert "x 4 to 14, y 4.5 to 18, z 4 to 18 mm (around the point stated)" in text
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count('alt="The whole image, ') == 3 and outline.balanced


def test_flags_are_explained_with_what_to_do(tmp_path):
    study = example_study()
    study["result"]["flags"] = ["GRID_MATTERS", "NOT_IN_THE_TABLE"]
    text, _ = report(study, tmp_path)
    assert "GRID_MATTERS" in text and "What to do:" in text and "NOT_IN_THE_TABLE" in text and "2 notes" in text


def test_nothing_found_shows_no_number_as_a_statement(tmp_path):
    study = example_study()
    study["result"] |= {"status": "NOTHING_FOUND"}
    study["result"]["answers"][0] |= {"value": None, "statement": "Disc: 0 pixels"}
    text, _ = report(study, tmp_path)
    assert "Nothing found. This is not a measurement of zero." in text and "Disc: 0 pixels" not in text


def test_text_from_elsewhere_is_escaped(tmp_path):
    study = example_study()
    study["result"]["answers"][0] |= {"name": "<b>x</b>", "statement": "<script>alert(1)</script>"}
    check = {"name": "<i>", "value": 1.0, "threshold": 2.0, "direction": "above", "passed": True}
    study["result"]["gate"] = {"accepted": True, "n": 9, "joint_bound": 0.1, "checks": [check]}
    report(study, tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page and "<b>x" not in page and "<img src=x>" not in page and "<i>" not in page


def test_spacing_is_shown_with_its_source_or_as_unknown(tmp_path):
    study = example_study("nifti")
    study["result"]["input"] = {
        "kind": "nifti",
        "shape": [20, 16, 12],
        "spacing_mm": [1.0, 1.5, 2.0],
        "spacing_source": "NIfTI header",
    }
    assert "1 × 1.5 × 2 mm (NIfTI header)" in report(study, tmp_path)[0]
    study["result"]["input"] |= {"spacing_mm": None, "spacing_source": ""}
    assert "unknown: sizes are in pixels or voxels" in report(study, tmp_path)[0]


def test_a_large_picture_makes_a_page_below_four_megabytes(tmp_path):
    rng = np.random.default_rng(0)
    rows, columns = 1400, 2000
    noise = rng.uniform(0, 255, (3, rows, columns)).astype(np.float32)
    stripes = (np.arange(columns) % 40 < 6)[None] & (np.arange(rows) % 90 > 3)[:, None]
    draws = np.stack([np.roll(stripes, shift, axis=1) for shift in range(5)]).astype(np.uint8)
    study = example_study()
    study["input"] = MetaTensor(torch.as_tensor(noise), affine=torch.eye(4), meta=study["input"].meta)
    probability = draws.mean(axis=0, dtype=np.float32)
    study["probability"] = torch.as_tensor(np.stack([1 - probability, probability]))
    study["hypotheses"] = torch.as_tensor(draws)
    study["segmentation"] = torch.as_tensor((probability > 0.5).astype(np.uint8)[None])
    study["region"] = torch.ones(1, rows, columns, dtype=torch.uint8)
    for name in ("entropy", "expected_entropy", "mutual_information", "variance"):
        study[name] = torch.as_tensor(rng.uniform(0, 0.25, (1, rows, columns)).astype(np.float32))
    report(study, tmp_path, longest=1000)
    assert (tmp_path / "report.html").stat().st_size < 4e6
