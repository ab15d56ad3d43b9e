"""Names that a client gives to images and labels name no place outside the datastore."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest

pytest.importorskip("monailabel", reason="monailabel is not installed; make monai-label has an environment of its own for it")

import caveat.monai_label.pydicom_alias  # noqa: F401, I001
from fastapi import HTTPException

from caveat.monai_label.datastore import FolderDatastore

pytestmark = pytest.mark.monailabel


@pytest.fixture
def store(tmp_path) -> FolderDatastore:
    """Of one image, with another one and a list beside it that no client may replace."""
    (tmp_path / "inner").mkdir()
    for place in (tmp_path / "inner" / "one.nii.gz", tmp_path / "uploaded.nii.gz"):
        nibabel.save(nibabel.Nifti1Image(np.ones((4, 4, 4), np.uint8), np.eye(4)), place)
    found = FolderDatastore(str(tmp_path / "inner"), extensions=("*.nii.gz",), auto_reload=False)
    (tmp_path / "inner" / "journal.nii.gz").write_text("not listed")
    found.classes = [{"organ": 1}]
    return found


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["../evil", "{outside}/evil", "labels/final/one", "..", ".hidden", "a\\b", "journal", "one"])
def test_an_image_is_written_into_the_datastore_alone(name, store, tmp_path):
    before = contents(tmp_path)
    with pytest.raises(HTTPException) as refused:
        store.add_image(name.format(outside=tmp_path), str(tmp_path / "uploaded.nii.gz"), {})
    assert refused.value.status_code == 422 and contents(tmp_path) == before


@pytest.mark.parametrize("tag", ["..", "../..", "{outside}/tag", "", ".", "final/x"])
def test_a_label_is_written_below_the_labels_alone(tag, store, tmp_path):
    before = contents(tmp_path)
    with pytest.raises(HTTPException) as refused:
        store.save_label("one", str(tmp_path / "uploaded.nii.gz"), tag.format(outside=tmp_path), {})
    assert refused.value.status_code == 422 and contents(tmp_path) == before


def test_plain_names_are_taken(store, tmp_path):
    assert store.add_image("two", str(tmp_path / "uploaded.nii.gz"), {}) == "two"
    assert store.save_label("one", str(tmp_path / "uploaded.nii.gz"), "final", {}) == "one"


def test_a_label_of_another_size_is_not_kept(store, tmp_path):
    nibabel.save(nibabel.Nifti1Image(np.ones((4, 5, 4), np.uint8), np.eye(4)), tmp_path / "of_another.nii.gz")
    with pytest.raises(HTTPException) as refused:
        store.save_label("one", str(tmp_path / "of_another.nii.gz"), "final", {})
    assert "LABEL_OFF_GRID" in refused.value.detail and not list((tmp_path / "inner").rglob("labels/*/*.nii.gz"))


@pytest.mark.parametrize("odd", [5, "organ", [{"name": ["organ"], "idx": 1}], [{"name": "organ", "idx": [1]}], [7]])
def test_odd_words_about_a_label_are_passed_over(odd, store, tmp_path):
    assert store.save_label("one", str(tmp_path / "uploaded.nii.gz"), "final", {"label_info": odd}) == "one"
