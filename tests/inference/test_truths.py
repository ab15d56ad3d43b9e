"""A label lies on the study's grid whichever way its axes run, and nowhere else."""

from __future__ import annotations

import gzip
import itertools
import json

import nibabel as nib
import numpy as np
import pytest
from nibabel.orientations import apply_orientation, inv_ornt_aff
from phantoms import oblique_affine
from PIL import EpsImagePlugin, Image

from caveat.inference.stored import truths
from caveat.inference.stored.list_part import results_by_sha256
from caveat.inference.stored.stored_study import StoredStudy, read_map
from caveat.inference.stored.truths import MaskTruths, on_grid
from caveat.reasons import StudyRefused
from caveat.transforms.output.study_seal import StudySeal

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


def test_a_label_is_no_program(tmp_path, monkeypatch):
    """Pillow knows PostScript by its first bytes, whatever the file is called, and hands it to Ghostscript."""
    interpreter = tmp_path / "bin" / "gs"
    interpreter.parent.mkdir()
    interpreter.write_text(f"#!/bin/sh\ntouch {tmp_path}/it_was_run\nexit 1\n")
    interpreter.chmod(0o755)
    monkeypatch.setenv("PATH", str(interpreter.parent), prepend=":")
    monkeypatch.setattr(EpsImagePlugin, "gs_binary", None)  # it is looked for once
    (tmp_path / "label.png").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n")
    with pytest.raises(StudyRefused, match="CORRUPT"):
        read_map(tmp_path / "label.png")
    assert not (tmp_path / "it_was_run").exists()


@pytest.mark.parametrize("name", ["label.TIF", "label.tif", "label.tiff", "label.bmp", "label.gif", "label.PNG"])
def test_a_label_is_read_by_what_it_is(name, tmp_path):
    """A suffix in capitals too, as some systems write it; in black and white it says 0 and 1."""
    drawn = np.zeros((6, 5), np.uint8)
    drawn[2:4, 1:3] = 255
    Image.fromarray(drawn).save(tmp_path / name)
    assert np.array_equal(read_map(tmp_path / name)[0], drawn > 0)


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


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("high", [255, 256, 65280, 65535])
def test_a_mask_of_sixteen_bits_is_the_mask_that_was_drawn(tmp_path, suffix, high):
    """65280 is 0 in its lower 8 bits, and 256 is."""
    drawn = np.zeros((6, 7), np.uint16)
    drawn[2:4, 3:5] = high
    Image.fromarray(drawn).save(tmp_path / f"mask{suffix}")
    study = StoredStudy("", {"input": {}}, {"segmentation": np.zeros((6, 7), np.uint8)})
    truth = MaskTruths().read({"label": f"mask{suffix}"}, tmp_path, study)[0]
    assert np.array_equal(truth.mask, drawn > 0)


def test_labels_of_sixteen_bits_keep_their_numbers_or_are_refused(tmp_path):
    labels = np.array([[0, 1, 2], [257, 1, 2]], np.uint16)  # 257 is 1 in its lower 8 bits
    Image.fromarray(labels).save(tmp_path / "label.png")
    assert np.array_equal(read_map(tmp_path / "label.png")[0], labels)
    study = StoredStudy("", {"input": {}}, {"segmentation": np.zeros((2, 3), np.uint8)})
    with pytest.raises(StudyRefused, match="LABEL_WITHOUT_CLASS: .*other values: 1"):
        MaskTruths(classes=[1, 2]).read({"label": "label.png"}, tmp_path, study)
    with pytest.raises(ValueError, match="at most 256"):
        MaskTruths(classes=[1, 257])


def test_a_picture_of_one_bit_is_black_and_white(tmp_path):
    drawn = np.array([[True, False], [False, False]])
    Image.fromarray(drawn).save(tmp_path / "bit.png")
    assert read_map(tmp_path / "bit.png")[0].tolist() == [[1, 0], [0, 0]]


def test_a_label_may_lack_a_class_only_where_the_bundle_says_so(tmp_path):
    stored = np.where(LABELS % 2, 3, 0).astype(np.int16)
    nib.save(nib.Nifti1Image(stored, AFFINE), tmp_path / "label.nii")
    entry = {"label": "label.nii"}
    with pytest.raises(StudyRefused, match="LABEL_WITHOUT_CLASS"):
        MaskTruths(classes=[1, 3]).read(entry, tmp_path, STUDY)
    (truth,) = MaskTruths(classes=[1, 3], may_lack=True).read(entry, tmp_path, STUDY)
    np.testing.assert_array_equal(truth.labels, stored)
    with pytest.raises(StudyRefused, match="LABEL_WITHOUT_CLASS"):
        MaskTruths(classes=[1, 2], may_lack=True).read(entry, tmp_path, STUDY)


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nii", "a.tif", "a.png"])
@pytest.mark.parametrize("content", [b"", b"no image", "cut"], ids=["empty", "strange", "cut"])
def test_a_label_that_cannot_be_read_is_refused_without_its_name(name, content, tmp_path):
    nib.save(nib.Nifti1Image(np.ones((4, 4, 4), np.uint8), np.eye(4)), tmp_path / "whole.nii.gz")
    path = tmp_path / name
    path.write_bytes((tmp_path / "whole.nii.gz").read_bytes()[:60] if content == "cut" else content)
    with pytest.raises(StudyRefused, match="CORRUPT") as refusal:
        read_map(path)
    assert "a.n" not in str(refusal.value) and str(tmp_path) not in str(refusal.value)


@pytest.mark.parametrize("name", ["huge.nii", "huge.nii.gz"])
def test_a_label_that_declares_more_than_its_file_can_hold_takes_no_memory(name, tmp_path):
    header = nib.Nifti1Header()
    header.set_data_shape((30000, 30000, 300))
    content = header.binaryblock[:344] + b"n+1\0" + bytes(1000)
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    with pytest.raises(StudyRefused, match="declares more"):
        read_map(tmp_path / name)


def test_a_mask_that_was_put_there_later_is_not_the_network_s(tmp_path):
    """Another study's, or one that somebody drew over."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for file in ("segmentation.nii.gz", "entropy.nii.gz"):
            (tmp_path / name / file).write_text(f"{file} of {name}")
        result = {"input": {"sha256": name}, "status": "REFUSED", "answers": []}
        (tmp_path / name / "result.json").write_text(json.dumps(result))
        StudySeal.of(tmp_path / name, "run", 1, name).write(tmp_path / name)
    assert set(results_by_sha256(tmp_path, {"a", "b"})) == {"a", "b"}
    (tmp_path / "a" / "entropy.nii.gz").unlink()  # for want of room
    (tmp_path / "a" / "beside.txt").write_text("a note")
    assert set(results_by_sha256(tmp_path, {"a", "b"})) == {"a", "b"}
    (tmp_path / "a" / "segmentation.nii.gz").write_bytes((tmp_path / "b" / "segmentation.nii.gz").read_bytes())
    with pytest.raises(StudyRefused, match="CORRUPT: files of a study were changed"):
        results_by_sha256(tmp_path, {"a", "b"})
    assert set(results_by_sha256(tmp_path, {"b"})) == {"b"}
