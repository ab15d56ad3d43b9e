"""A study's folder is there whole or not at all, and says nothing that it should not."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
import torch

from caveat.reasons import REASONS, StudyRefused
from caveat.transforms.drawing import outlines, views
from caveat.transforms.files.stored_result import EMPTY_RESULT
from caveat.transforms.output.run_index import write_run_index
from caveat.transforms.output.study_folder import WriteStudyd
from caveat.transforms.writers.example_study import example_study
from caveat.transforms.writers.maps import MapsWriter
from caveat.transforms.writers.preview import PreviewWriter
from caveat.transforms.writers.report_html import ReportHtmlWriter
from caveat.transforms.writers.result_json import ResultJsonWriter
from caveat.transforms.writers.segmentation import SegmentationWriter
from caveat.transforms.writers.writer import Writer

BUNDLE = {"name": "discs", "version": "0.1.0", "weights_sha256": "0" * 64}


class Fails(Writer):
    def write(self, study, folder: Path) -> None:
        (folder / "half.txt").write_text("half")
        raise RuntimeError("the disk is full")

    @classmethod
    def example(cls) -> Fails:
        return cls()


def all_writers() -> list[Writer]:
    return [w.example() for w in (SegmentationWriter, MapsWriter, ResultJsonWriter, PreviewWriter, ReportHtmlWriter)]


def result_of(folder: Path) -> dict:
    return json.loads((folder / "result.json").read_text())


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_result_is_completed_in_the_order_of_the_schema(tmp_path):
    study = example_study("nifti")
    WriteStudyd(tmp_path, [ResultJsonWriter()], BUNDLE)(study)
    result = result_of(tmp_path / "example")
    assert list(result) == [*EMPTY_RESULT, "measurements", "points"]
    assert result["bundle"] == BUNDLE
    assert result["input"] == {
        "sha256": "5eed" * 16,
        "kind": "nifti",
        "shape": [20, 16, 12],
        "spacing_mm": [1.0, 1.5, 2.0],
        "spacing_source": "NIfTI header",
        "affine": [[1.0, 0.0, 0.0, 0.0], [0.0, 1.5, 0.0, 0.0], [0.0, 0.0, 2.0, 0.0], [0.0, 0.0, 0.0, 1.0]],
    }


def test_the_side_of_the_body_stands_in_the_result_where_it_is_known(tmp_path):
    study = example_study("nifti")
    study["input"].meta["body_side"] = "left"
    WriteStudyd(tmp_path, [ResultJsonWriter()], BUNDLE)(study)
    assert result_of(tmp_path / "example")["input"]["body_side"] == "left"


def test_preview_and_report_show_one_drawing(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(views, "draw_outlines", lambda *given: drawn.append(given) or outlines.draw_outlines(*given))
    study = example_study()
    ReportHtmlWriter(longest=80).write(study, tmp_path)
    alone = len(drawn)
    WriteStudyd(tmp_path, [PreviewWriter(longest=80), ReportHtmlWriter(longest=80)])(study)
    of_the_thumbnail = 2  # draws and segmentation
    assert len(drawn) == 2 * alone + of_the_thumbnail and alone > 0


def test_what_the_inferer_left_unsaid_has_its_place(tmp_path):
    study = example_study()
    study["result"] = {"status": "NOTHING_FOUND", "answers": study["result"]["answers"]}
    WriteStudyd(tmp_path, all_writers(), BUNDLE)(study)
    result = result_of(tmp_path / "example")
    assert list(result) == [*EMPTY_RESULT, "measurements", "points"]
    assert [reason["code"] for reason in result["reasons"]] == ["NOTHING_FOUND"]
    assert write_run_index(tmp_path, ["example"])["nothing_found"] == 1


def test_facts_that_batching_turned_into_tensors_are_plain_again(tmp_path):
    study = example_study("nifti")
    study["input"].meta |= {
        "input_shape": [torch.tensor(20), torch.tensor(16), torch.tensor(12)],
        "spacing_mm": torch.tensor([1.0, 1.5, 2.0]),
    }
    WriteStudyd(tmp_path, [ResultJsonWriter()])(study | {"number": torch.tensor(3)})
    assert result_of(tmp_path / "example")["input"]["shape"] == [20, 16, 12]
    assert json.loads((tmp_path / "example" / "files.json").read_text())["number"] == 3


def test_flags_of_the_input_join_those_of_the_result_once(tmp_path):
    study = example_study("picture")
    study["input"].meta["flags"] = ["NO_PIXEL_SPACING", "GRID_MATTERS"]
    WriteStudyd(tmp_path, [ResultJsonWriter()])(study)
    assert result_of(tmp_path / "example")["flags"] == ["GRID_MATTERS", "NO_PIXEL_SPACING"]


def test_returns_the_study_untouched(tmp_path):
    study = example_study()
    before = copy.deepcopy(study["result"])
    assert WriteStudyd(tmp_path, all_writers(), BUNDLE)(study) is study
    assert study["result"] == before


@pytest.mark.parametrize("kind", ["picture", "nifti"])
def test_two_runs_give_equal_bytes(kind, tmp_path):
    for run in ("first", "second run"):
        write = WriteStudyd(tmp_path / run, all_writers(), BUNDLE)
        write(example_study(kind))
        write.refuse({"name": "bad", "number": 1}, StudyRefused("CORRUPT"))
    first, second = files(tmp_path / "first"), files(tmp_path / "second run")
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def test_an_exception_in_the_second_writer_leaves_no_folder(tmp_path):
    write = WriteStudyd(tmp_path, [ResultJsonWriter(), Fails()])
    with pytest.raises(RuntimeError, match="disk is full"):
        write(example_study())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("made", ["folder", "file", "link", "dangling link"])
def test_what_stands_in_the_place_of_a_study_is_left_as_it_is(made, tmp_path):
    out, place = tmp_path / "out", tmp_path / "out" / "example"
    own = tmp_path / "own"
    own.mkdir()
    (own / "thesis.txt").write_text("ten years")
    out.mkdir()
    if made == "folder":
        own.rename(place)
    elif made == "file":
        place.write_text("ten years")
    else:
        place.symlink_to(own if made == "link" else tmp_path / "nowhere")
    before = files(tmp_path)
    with pytest.raises(StudyRefused) as refusal:
        WriteStudyd(out, [ResultJsonWriter()])(example_study())
    assert refusal.value.code == "OUTPUT_OCCUPIED"
    assert files(tmp_path) == before and [path.name for path in out.iterdir()] == ["example"]


def test_a_refusal_of_the_output_is_none_of_the_study(tmp_path):
    write = WriteStudyd(tmp_path, [ResultJsonWriter()])
    with pytest.raises(StudyRefused, match="OUTPUT_NOT_WRITABLE"):
        write.refuse({"name": "x", "number": 1}, StudyRefused("OUTPUT_NOT_WRITABLE"))
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def standing(tmp_path):
    """A writer of a run, and an entry whose folder it wrote. Returns: both."""
    write = WriteStudyd(tmp_path, [ResultJsonWriter()], BUNDLE)
    write.facts = {"settings": {"draws": 4}}
    entry = {"name": "example", "number": 0, "input_sha256": "a1"}
    write(example_study() | entry)
    return write, entry


def test_a_whole_folder_of_this_run_and_this_input_stands(standing):
    write, entry = standing
    outcome, edited = write.stands(entry)
    assert not edited and (outcome.number, outcome.status, outcome.reused) == (0, "OK", True)


def test_a_study_of_which_a_file_is_gone_is_done_again(standing, tmp_path):
    write, entry = standing
    (tmp_path / "example" / "result.json").unlink()
    assert write.stands(entry) == (None, True)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_was_being_deleted_when_the_run_was_killed_is_nobody_s(standing, tmp_path, monkeypatch):
    """Between its last file and itself."""
    write, entry = standing
    (tmp_path / "example" / "result.json").unlink()
    with monkeypatch.context() as killed, pytest.raises(KeyboardInterrupt):
        killed.setattr(Path, "rmdir", lambda path: (_ for _ in ()).throw(KeyboardInterrupt))
        write.stands(entry)
    assert list(tmp_path.iterdir()) == [tmp_path / "example"]
    assert write.stands(entry) == (None, False)
    write(example_study() | entry)
    assert write.stands(entry)[0].status == "OK"


def test_a_folder_that_cannot_be_deleted_is_of_the_output(standing, tmp_path, monkeypatch):
    write, entry = standing
    (tmp_path / "example" / "result.json").unlink()
    monkeypatch.setattr(Path, "rmdir", lambda path: (_ for _ in ()).throw(OSError))
    with pytest.raises(StudyRefused, match="OUTPUT_NOT_WRITABLE"):
        write.stands(entry)


@pytest.mark.parametrize("other", [{"input_sha256": "b2"}, {"number": 1}])
def test_a_measurement_of_another_input_is_neither_kept_nor_replaced(other, standing, tmp_path):
    """Another patient under the same name would be mixed into the run, or take the place of a finished result."""
    write, entry = standing
    before = files(tmp_path)
    with pytest.raises(StudyRefused, match="OUTPUT_OF_ANOTHER_RUN: .*another file"):
        write.stands(entry | other)
    assert files(tmp_path) == before


def test_a_study_that_was_refused_is_done_again_when_its_file_is_mended(tmp_path):
    write = WriteStudyd(tmp_path, [ResultJsonWriter()])
    entry = {"name": "x", "number": 3, "input_sha256": "a1"}
    write.refuse(entry, StudyRefused("TRUNCATED"))
    assert write.stands(entry)[0].reasons == ("TRUNCATED",)
    assert write.stands(entry | {"input_sha256": "b2"}) == (None, False) and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("whose", ["another run's", "nobody's", "a note beside", "drawn over", "a folder"])
def test_what_this_run_did_not_write_is_never_deleted(whose, standing, tmp_path):
    write, entry = standing
    if whose == "another run's":
        write.facts = {"settings": {"draws": 5}}
    elif whose == "nobody's":
        (tmp_path / "example" / "files.json").unlink()
    elif whose == "drawn over":
        (tmp_path / "example" / "result.json").write_text((tmp_path / "example" / "result.json").read_text() + " ")
    elif whose == "a folder":
        (tmp_path / "example" / "result.json").unlink()
        (tmp_path / "example" / "result.json").mkdir()
    else:
        (tmp_path / "example" / "note.txt").write_text("looked at by M.")
        (tmp_path / "example" / "result.json").write_text("{}")
    with pytest.raises(StudyRefused) as refusal:
        write.stands(entry)
    assert refusal.value.code == "OUTPUT_OCCUPIED"
    assert (tmp_path / "example" / "result.json").exists()


def test_a_seal_that_names_files_elsewhere_is_none(standing, tmp_path):
    """Somebody's files.json must not make this program delete somebody's files."""
    write, entry = standing
    seal = tmp_path / "example" / "files.json"
    seal.write_text(seal.read_text().replace("result.json", "../precious"))
    (tmp_path / "precious").write_text("")
    with pytest.raises(StudyRefused, match="OUTPUT_OCCUPIED"):
        write.stands(entry | {"input_sha256": "b2"})
    assert (tmp_path / "precious").is_file()


def test_a_study_that_a_machine_gave_up_is_tried_again(tmp_path):
    write = WriteStudyd(tmp_path, [ResultJsonWriter()])
    entry = {"name": "x", "number": 3, "input_sha256": "a1"}
    write.refuse(entry, StudyRefused("STUDY_TOO_LONG"))
    assert write.outcome(entry).reasons == ("STUDY_TOO_LONG",)
    assert write.stands(entry) == (None, False)


def test_a_refusal_gives_the_code_and_what_to_do_but_no_path_and_no_number(tmp_path):
    WriteStudyd(tmp_path, all_writers(), BUNDLE).refuse(
        {"name": "x", "number": 1, "image": "/ward/Miller.png"}, StudyRefused("CORRUPT")
    )
    assert sorted(path.name for path in (tmp_path / "x").iterdir()) == ["files.json", "report.html", "result.json"]
    result = result_of(tmp_path / "x")
    assert list(result) == [*EMPTY_RESULT, "measurements", "points"]
    assert result["status"] == "REFUSED" and result["answers"] == [] and result["input"] == {}
    assert result["reasons"] == [
        {"code": "CORRUPT", "message": REASONS["CORRUPT"].meaning, "what_to_do": REASONS["CORRUPT"].what_to_do}
    ]
    report = (tmp_path / "x" / "report.html").read_text()
    assert "CORRUPT" in report and "Refused" in report
    assert "Miller" not in report and "/ward" not in report and "Not a medical device" in report


def test_a_refusal_after_reading_says_what_is_known_of_the_input(tmp_path):
    WriteStudyd(tmp_path, all_writers()).refuse(
        example_study() | {"result": None}, StudyRefused("NO_FIELD_OF_VIEW", "3 % of the picture")
    )
    result = result_of(tmp_path / "example")
    assert result["input"]["sha256"] == "5eed" * 16
    assert result["reasons"][0]["message"].endswith(": 3 % of the picture")


@pytest.mark.parametrize(
    "name", ["=cmd()", "<script>alert(1)</script>".replace("/", "_"), "n" * 251, "line\nbreak", "%41#?&", "ü 例", "a'b\"c"]
)
def test_hostile_names_are_only_names_of_folders(name, tmp_path):
    WriteStudyd(tmp_path, all_writers())(example_study() | {"name": name})
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == [name]
    assert name not in (tmp_path / name / "report.html").read_text() or name == "%41#?&"


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "a\\b", ".hidden", "a\0b", "/etc"])
def test_a_name_that_is_no_visible_folder_is_a_mistake_of_the_caller(name, tmp_path):
    with pytest.raises(ValueError, match="folder"):
        WriteStudyd(tmp_path / "out", [ResultJsonWriter()])(example_study() | {"name": name})
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("where", ["file", "file/below", "/proc/caveat"])
def test_an_output_that_cannot_be_written_is_refused_before_any_work(where, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StudyRefused) as refusal:
        WriteStudyd(tmp_path / where, [])
    assert refusal.value.code == "OUTPUT_NOT_WRITABLE"
    assert str(tmp_path) not in str(refusal.value)


def test_numbers_are_rounded_and_what_is_none_is_null(tmp_path):
    study = example_study()
    study["result"]["study_scores"] = {"a": 1 / 3, "b": float("nan"), "c": 123456789.0, "d": 7}
    WriteStudyd(tmp_path, [ResultJsonWriter()])(study)
    assert result_of(tmp_path / "example")["study_scores"] == {"a": 0.333333, "b": None, "c": 123457000.0, "d": 7}
