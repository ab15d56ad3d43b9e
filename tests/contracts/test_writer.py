"""The contract of `Writer`, for every concrete subclass that the package has."""

from __future__ import annotations

import copy
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from discover import concrete_subclasses

from caveat.transforms.writers.example_study import example_study
from caveat.transforms.writers.writer import Writer


def every_writer() -> list[type[Writer]]:
    return concrete_subclasses(Writer, "caveat.transforms.writers")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


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
kinds = pytest.mark.parametrize("kind", ["picture", "nifti"])


def test_the_package_has_writers():
    assert len(every_writer()) >= 7


@writers
@kinds
def test_writes_files_into_the_folder_alone(writer, kind, tmp_path):
    folder = tmp_path / "study"
    folder.mkdir()
    writer.example().write(example_study(kind), folder)
    assert contents(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["study"]


@writers
@kinds
def test_leaves_the_study_as_it_was(writer, kind, tmp_path):
    study = example_study(kind)
    before = copy.deepcopy(study)
    writer.example().write(study, tmp_path)
    assert same(before, study)


@writers
@kinds
def test_two_runs_give_equal_bytes(writer, kind, tmp_path):
    for name in ("first", "a second one"):
        (tmp_path / name).mkdir()
        writer.example().write(example_study(kind), tmp_path / name)
    assert contents(tmp_path / "first") == contents(tmp_path / "a second one")


@writers
@kinds
def test_no_name_and_no_path_stand_in_a_file(writer, kind, tmp_path):
    canary = "Canary^Patient"
    study = example_study(kind) | {"name": canary, "image": f"/ward/{canary}.png"}
    study["input"].meta["filename_or_obj"] = f"/ward/{canary}.png"
    writer.example().write(study, tmp_path)
    for name, content in contents(tmp_path).items():
        assert canary.encode() not in content, name
        assert canary not in name


@writers
@kinds
def test_what_a_study_does_not_have_is_left_out(writer, kind, tmp_path):
    whole = example_study(kind)
    whole["result"] |= {"answers": [], "lesions": []}
    kept = ("name", "number", "input", "result")
    writer.example().write({key: whole[key] for key in kept}, tmp_path)
    written = {Path(name).name.split(".")[0] for name in contents(tmp_path)}
    assert not written & ({*whole, "points", "lesions"} - {*kept})


@writers
@kinds
def test_nothing_found_is_written_too(writer, kind, tmp_path):
    study = example_study(kind)
    study["result"] |= {"status": "NOTHING_FOUND", "reasons": [{"code": "NOTHING_FOUND", "message": "", "what_to_do": ""}]}
    for key in ("segmentation", "hypotheses", "samples", "mutual_information", "variance"):
        study[key] = torch.zeros_like(study[key])
    assert files_of(writer, study, tmp_path / "nothing") == files_of(writer, example_study(kind), tmp_path / "found")


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
