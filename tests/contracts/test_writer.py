"""The contract of `Writer`, for every concrete subclass that the package has."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from dicom_grid import Grid
from dicom_phantoms import clean_series, write
from discover import concrete_subclasses

from caveat.transforms.files.stored_result import WRITTEN
from caveat.transforms.writers.example_study import example_study
from caveat.transforms.writers.writer import Writer


def every_writer() -> list[type[Writer]]:
    return concrete_subclasses(Writer, "caveat.transforms.writers")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def study_of(kind: str, folder: Path) -> dict[str, Any]:
    """An example; of DICOM on the grid of a series that is written below the folder."""
    if kind != "dicom":
        return example_study(kind)
    grid = Grid((20, 16, 12), (1.0, 1.5, 2.0))
    paths = write(clean_series(grid, "MR"), folder / "series")
    return example_study("nifti", grid.affine) | {"dicom_files": json.dumps([str(path) for path in paths])}


def files_of(writer: type, study: dict, folder: Path) -> set[str]:
    folder.mkdir()
    writer.example().write(study, folder)
    return set(contents(folder))


def same(before: object, after: object) -> bool:
    if isinstance(before, torch.Tensor):
        return bool(torch.equal(before, after)) and before.dtype == after.dtype
    if isinstance(before, dict):
        return before.keys() == after.keys() and all(same(before[key], after[key]) for key in before)
    return before == after


writers = pytest.mark.parametrize("writer", every_writer(), ids=lambda writer: writer.__name__)
kinds = pytest.mark.parametrize("kind", ["picture", "nifti", "dicom"])


def test_the_package_has_writers():
    assert len(every_writer()) >= 7


@writers
@kinds
def test_writes_files_into_the_folder_alone(writer, kind, tmp_path):
    folder = tmp_path / "out" / "study"
    folder.mkdir(parents=True)
    study = study_of(kind, tmp_path)
    writer.example().write(study, folder)
    assert all(WRITTEN.fullmatch(name) for name in contents(folder)), "a search for images must know our files"
    assert bool(contents(folder)) == (kind == "dicom" or not writer.of_dicom)
    assert [path.name for path in folder.parent.iterdir()] == ["study"]


@writers
@kinds
def test_leaves_the_study_as_it_was(writer, kind, tmp_path):
    study = study_of(kind, tmp_path)
    before = copy.deepcopy(study)
    writer.example().write(study, tmp_path)
    assert same(before, study)


@writers
@kinds
def test_two_runs_give_equal_bytes(writer, kind, tmp_path):
    for name in ("first", "a second one"):
        (tmp_path / name).mkdir()
        writer.example().write(study_of(kind, tmp_path), tmp_path / name)
    assert contents(tmp_path / "first") == contents(tmp_path / "a second one")


@writers
@kinds
def test_no_name_and_no_path_stand_in_a_file(writer, kind, tmp_path):
    canary = "Canary^Patient"
    folder = tmp_path / "study"
    folder.mkdir()
    study = study_of(kind, tmp_path) | {"name": canary, "image": f"/ward/{canary}.png"}
    study["input"].meta["filename_or_obj"] = f"/ward/{canary}.png"
    writer.example().write(study, folder)
    for name, content in contents(folder).items():
        assert canary.encode() not in content, name
        assert canary not in name


@writers
@kinds
def test_what_a_study_does_not_have_is_left_out(writer, kind, tmp_path):
    whole = study_of(kind, tmp_path)
    whole["result"] |= {"answers": [], "lesions": []}
    kept = ("name", "number", "input", "result", "dicom_files")
    (tmp_path / "study").mkdir()
    writer.example().write({key: whole[key] for key in kept if key in whole}, tmp_path / "study")
    written = {Path(name).name.split(".")[0] for name in contents(tmp_path / "study")}
    assert not written & ({*whole, "points", "lesions"} - {*kept})


@writers
@kinds
def test_nothing_found_is_written_too(writer, kind, tmp_path):
    study = study_of(kind, tmp_path)
    study["result"] |= {"status": "NOTHING_FOUND", "reasons": [{"code": "NOTHING_FOUND", "message": "", "what_to_do": ""}]}
    for key in ("segmentation", "hypotheses", "samples", "mutual_information", "variance"):
        study[key] = torch.zeros_like(study[key])
    found = files_of(writer, study_of(kind, tmp_path), tmp_path / "found")
    assert files_of(writer, study, tmp_path / "nothing") == found - {"segmentation.dcm"}, "which would say that it is not there"


@writers
def test_a_study_of_one_draw_and_flat_image_is_written(writer, tmp_path):
    study = example_study("picture")
    study["hypotheses"], study["samples"] = study["hypotheses"][:1], study["samples"][:1]
    study["input"] = study["input"] * 0
    draws = study["result"]["answers"][0]["draws"]
    draws |= {"n": 1, "sd": None, "values": draws["values"][:1]}
    assert files_of(writer, study, tmp_path / "one") == files_of(writer, example_study("picture"), tmp_path / "several")
    texts = [content for name, content in contents(tmp_path / "one").items() if name.endswith((".csv", ".html", ".json"))]
    assert not any(re.search(rb"\b(nan|None)\b", text) for text in texts)


@pytest.mark.parametrize(
    "writer", [writer for writer in every_writer() if writer.of_refusals], ids=lambda writer: writer.__name__
)
def test_a_refusal_is_written_from_its_result_alone(writer, tmp_path):
    reason = {"code": "CORRUPT", "message": "m", "what_to_do": "w"}
    empty = {"answers": [], "sampling": {}, "study_scores": {}, "input": {}, "bundle": {}, "flags": []}
    result = {"schema": "caveat-result-1", "status": "REFUSED", "reasons": [reason], **empty}
    writer.example().write({"name": "x", "number": 1, "result": result}, tmp_path)
    assert all(b"CORRUPT" in content for content in contents(tmp_path).values())


def test_the_example_is_what_the_inferer_leaves():
    study = example_study("nifti", classes=3)
    assert study["probability"].shape == (3, 20, 16, 12)
    np.testing.assert_allclose(study["probability"].sum(0), 1, atol=1e-6)
    assert set(np.unique(study["segmentation"])) == {0, 1, 2}
