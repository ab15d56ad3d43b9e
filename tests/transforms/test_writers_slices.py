"""The slices of a report: which there are, how they lie, how one goes through them, and how large they make the page."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from caveat.transforms.drawing.scale_bar import scale_bar
from caveat.transforms.drawing.slices import MOST_SLICES, slices_of
from caveat.transforms.drawing.views import Scene
from caveat.transforms.writers.example_study import example_study
from caveat.transforms.writers.report_html import ReportHtmlWriter

SHAPE = (24, 20, 60)
TURNED = np.array([[0, 0, 1.0, 0], [-1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]])


def study_with(mask: slice, draws: slice, affine: np.ndarray | None = None, axis: int = 2) -> dict:
    """A volume of which mask and draws fill some slices of an axis."""
    affine = np.eye(4) if affine is None else affine

    def filled(part: slice) -> torch.Tensor:
        labels = torch.zeros(SHAPE, dtype=torch.uint8)
        labels.movedim(axis, 0)[part] = 1
        return labels

    image = torch.as_tensor(np.random.default_rng(0).random((1, *SHAPE), np.float32))
    return {
        "result": example_study("nifti")["result"],
        "input": MetaTensor(image, affine=torch.as_tensor(affine), meta={"spacing_mm": [1.0, 1.0, 1.0]}),
        "segmentation": filled(mask)[None],
        "hypotheses": torch.stack([filled(mask), filled(draws)]),
        "region": torch.ones(1, *SHAPE, dtype=torch.uint8),
    }


def numbers(study: dict) -> list[int]:
    return slices_of(Scene(study), 48).numbers


def page_of(study: dict, tmp_path, **options) -> str:
    ReportHtmlWriter(**({"longest": 96} | options)).write(study, tmp_path)
    return (tmp_path / "report.html").read_text(encoding="utf-8")


def test_they_are_those_in_which_the_mask_or_a_draw_has_something_and_one_at_either_end():
    assert numbers(study_with(slice(10, 14), slice(11, 17))) == list(range(9, 18))
    assert numbers(study_with(slice(0, 4), slice(0, 2))) == [0, 1, 2, 3, 4]


def test_they_are_counted_along_the_body_however_the_file_lies():
    """The file's second axis runs to the head here, of a voxel as large as the others."""
    study = study_with(slice(4, 8), slice(4, 8), TURNED, axis=1)
    found = slices_of(Scene(study), 48)
    assert found.plane == "axial" and found.numbers == list(range(3, 9))


def test_too_many_are_thinned_out_evenly_about_the_middle():
    found = slices_of(Scene(study_with(slice(2, 58), slice(2, 58))), 48)
    assert len(found.numbers) <= MOST_SLICES and set(np.diff(found.numbers)) == {found.step} == {3}
    assert found.numbers[found.first] == 30


def test_where_nothing_was_found_they_go_through_all_that_was_measured():
    study = study_with(slice(0), slice(0))
    assert numbers(study)[0] <= 2 and numbers(study)[-1] >= 57
    study["region"][..., :20] = 0
    study["region"][..., 30:] = 0
    study["result"]["input"] = {"crop": {"source": "box", "box_mm": [0.0] * 6}}
    assert numbers(study) == list(range(20, 30))


def test_what_only_a_draw_has_is_gone_through_too():
    found = slices_of(Scene(study_with(slice(0), slice(5, 7))), 48)
    assert found.numbers == [4, 5, 6, 7] and found.first == 3, "the nearest to the middle of the volume"


def test_a_picture_has_none(tmp_path):
    assert slices_of(Scene(example_study("picture")), 48) is None
    assert 'id="slices"' not in page_of(example_study("picture"), tmp_path)


def test_each_has_a_control_with_a_name_and_one_is_shown(tmp_path):
    page = page_of(study_with(slice(10, 14), slice(11, 17)), tmp_path)
    controls = re.findall(r'<input type="radio" name="slice" [^>]*>', page)
    assert [re.search('aria-label="([^"]*)"', one)[1] for one in controls] == [f"axial slice {n}" for n in range(9, 18)]
    assert sum("checked" in one for one in controls) == 1
    assert len(re.findall('<label class="slice" for="slice-', page)) == len(controls)


def test_the_window_is_stated(tmp_path):
    study = study_with(slice(10, 14), slice(11, 17))
    study["input"][:] = torch.linspace(-1000, 1000, study["input"].numel()).reshape(study["input"].shape)
    assert "Grey values: -990 and less are black, 990 and more white." in page_of(study, tmp_path)


def test_a_study_of_noise_makes_a_page_below_four_megabytes(tmp_path):
    shape = (512, 512, 30)
    study = study_with(slice(0), slice(0))
    noise = torch.as_tensor(np.random.default_rng(0).uniform(-1000, 1000, (1, *shape)).astype(np.float32))
    study["input"] = MetaTensor(noise, affine=torch.eye(4), meta={"spacing_mm": [1.0, 1.0, 1.0]})
    stripes = (torch.arange(512) % 40 < 12)[:, None, None].expand(shape).to(torch.uint8)
    study["segmentation"] = stripes[None]
    study["hypotheses"] = torch.stack([stripes.roll(shift, 0) for shift in range(5)])
    study["region"] = torch.ones(1, *shape, dtype=torch.uint8)
    assert len(page_of(study, tmp_path, longest=1000)) < 4e6


@pytest.mark.parametrize(
    ("width_mm", "length_mm", "text"),
    [(35.0, 10.0, "10 mm"), (240.0, 50.0, "50 mm"), (3.4, 1.0, "1 mm"), (70.0, 20.0, "20 mm"), (0.5, 0.1, "0.1 mm")],
)
def test_a_scale_bar_has_a_round_length_and_the_width_of_it(width_mm, length_mm, text):
    bar = scale_bar(width_mm)
    assert bar.text == text and bar.width == pytest.approx(100 * length_mm / width_mm, abs=1e-3)


def test_without_a_spacing_there_is_no_scale_bar(tmp_path):
    assert 'class="bar-of-scale"' in page_of(example_study("nifti"), tmp_path)
    assert 'class="bar-of-scale"' not in page_of(example_study("picture"), tmp_path)
