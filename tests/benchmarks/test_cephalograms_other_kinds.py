"""Images of other kinds: how a volume is projected, and how refusals are counted."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest
from cephalograms_other_kinds import made, projection, table


@pytest.mark.parametrize(("axis", "side"), [(0, slice(600, None)), (1, slice(None, 400))])
def test_a_projection_stands_upright_on_the_canvas_and_shows_no_table(axis, side, tmp_path):
    """A dense block at the head, the front and the right of the body, in a file whose axes run the other way (LPS)."""
    hounsfield, body = np.full((30, 40, 50), -1000, np.int16), np.zeros((30, 40, 50), np.uint8)
    hounsfield[2:28, 2:38, 2:48], body[2:28, 2:38, 2:48] = 0, 1
    hounsfield[3:7, 3:7, 42:47] = 1000
    hounsfield[:, 39, :] = 3000  # table
    for voxels, name in ((hounsfield, "case.nii.gz"), (body, "case_body.nii.gz")):
        nib.save(nib.Nifti1Image(voxels, np.diag([-2.0, -2.0, 2.0, 1.0])), tmp_path / name)
    film = projection(tmp_path / "case.nii.gz", axis)
    assert film.shape == (1200, 968) and film.dtype == np.uint8
    bright = film == film.max()
    assert bright[:300, side].sum() > 0.95 * bright.sum()
    assert film[600, 0] == 0 and film[600, 484] > 50


def test_pictures_made_by_formula_are_films_that_are_not_constant():
    pictures = dict(made())
    assert len(pictures) >= 10
    assert all(film.shape == (1200, 968) and film.dtype == np.uint8 and np.ptp(film) > 50 for film in pictures.values())
    again = dict(made())
    assert all(np.array_equal(film, again[name]) for name, film in pictures.items())


def test_the_table_counts_refusals_by_code(tmp_path):
    for name, code in {"a": "NOT_THIS_KIND", "b": "", "c": "NOT_THIS_KIND", "d": "WRONG_CHANNELS"}.items():
        status, reasons = ("REFUSED", [{"code": code}]) if code else ("OK", [])
        result = {"status": status, "reasons": reasons, "bundle": {"name": "cephalometric_landmarks"}}
        (tmp_path / "hips" / name).mkdir(parents=True)
        (tmp_path / "hips" / name / "result.json").write_text(json.dumps(result))
    assert table(tmp_path, ["hips"]).splitlines()[-1] == "| hips | 4 | 2 NOT_THIS_KIND, 1 WRONG_CHANNELS | 1 |"
