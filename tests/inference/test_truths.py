"""A label lies on the study's grid whichever way its axes run, and nowhere else."""

from __future__ import annotations

import itertools

import nibabel as nib
import numpy as np
import pytest
from nibabel.orientations import apply_orientation, inv_ornt_aff
from phantoms import oblique_affine

from caveat.inference import truths
from caveat.inference.stored_study import StoredStudy
from caveat.inference.truths import on_grid
from caveat.reasons import StudyRefused

SHAPE = (7, 6, 5)
AFFINE = oblique_affine()
LABELS = np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE)
STUDY = StoredStudy("study", maps={"segmentation": np.zeros(SHAPE, np.uint8)}, result={"input": {"affine": AFFINE.tolist()}})


@pytest.mark.parametrize("axes", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("flips", [(1, 1, 1), (-1, -1, 1), (1, -1, -1)])
def test_a_label_in_another_order_of_axes_is_the_same_label(axes, flips, tmp_path):
    turn = np.stack([axes, flips], axis=1)
    turned = nib.Nifti1Image(apply_orientation(LABELS, turn), AFFINE @ inv_ornt_aff(turn, SHAPE))
    nib.save(turned, tmp_path / "label.nii.gz")
    np.testing.assert_array_equal(on_grid(tmp_path / "label.nii.gz", STUDY), LABELS)


@pytest.mark.parametrize("shift", [0.01, 1.0])
def test_a_label_beside_the_grid_is_refused(shift, tmp_path):
    off = AFFINE.copy()
    off[0, 3] += shift
    nib.save(nib.Nifti1Image(LABELS, off), tmp_path / "label.nii")
    with pytest.raises(StudyRefused, match="LABEL_OFF_GRID"):
        on_grid(tmp_path / "label.nii", STUDY)


@pytest.mark.parametrize("affine", [np.zeros((4, 4)), np.full((4, 4), np.nan)], ids=["zero", "nan"])
def test_a_label_that_lies_nowhere_is_refused(affine, monkeypatch, tmp_path):
    (tmp_path / "label.nii").touch()
    monkeypatch.setattr(truths, "read_map", lambda path: (LABELS, affine))
    with pytest.raises(StudyRefused, match="LABEL_OFF_GRID"):
        on_grid(tmp_path / "label.nii", STUDY)
