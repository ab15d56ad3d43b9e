"""`caveat view`, asked as its page asks, over a real socket."""

from __future__ import annotations

import csv
import json
import multiprocessing
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

for needed in ("starlette", "uvicorn", "httpx"):
    pytest.importorskip(needed, reason="pip install 'caveat[serve]' httpx")

import httpx  # noqa: E402
from made_runs import run, studies  # noqa: E402
from serving import ASKS, answering  # noqa: E402

from caveat.cli import main  # noqa: E402
from caveat.reasons import StudyRefused  # noqa: E402
from caveat.serve.guard import REPORT_POLICY  # noqa: E402
from caveat.serve.reader_notes import LONGEST_NOTE, Note, ReaderNotes  # noqa: E402
from caveat.serve.view import make_viewer  # noqa: E402
from caveat.transforms.writers.report_html import ReportHtmlWriter  # noqa: E402
from caveat.transforms.writers.result_json import ResultJsonWriter  # noqa: E402

TOKEN = "a-token"


@pytest.fixture
def viewed(tmp_path) -> Iterator[tuple[Path, httpx.Client]]:
    """A run of two studies, and who looks at it."""
    run(tmp_path, studies("a", "b"), writers=(ResultJsonWriter(), ReportHtmlWriter()))
    with answering(make_viewer(tmp_path, TOKEN)) as http:
        http.get("/", params={"token": TOKEN})
        yield tmp_path, http


def told(http: httpx.Client) -> dict[str, dict]:
    answer = http.get("/studies")
    assert answer.status_code == 200, answer.text
    return {study["name"]: study for study in answer.json()}


def note(http: httpx.Client, number: int, **stated: object) -> int:
    return http.put(f"/studies/{number}/note", content=json.dumps(stated), headers=ASKS).status_code


def test_nothing_is_shown_without_the_token(viewed):
    _, http = viewed
    http.cookies.clear()
    for path in ("/", "/studies", "/studies/1/files/result.json", "/static/view.js"):
        assert http.get(path).status_code == 401, path
    assert http.get("/", params={"token": TOKEN}, follow_redirects=True).status_code == 200


def test_two_runs_are_looked_at_side_by_side(viewed):
    """A browser keeps cookies by machine, not by port: the first page was locked out by the second, its notes lost."""
    run_, http = viewed
    with answering(make_viewer(run_, "another-token")) as second:
        other = f"{second.base_url}"
        assert http.get(f"{other}/", params={"token": "another-token"}, follow_redirects=True).status_code == 200
        assert http.get("/studies").status_code == http.get(f"{other}/studies").status_code == 200
        assert note(http, 1, looked_at=True, note="kept") == 204


def test_every_study_stands_with_what_its_result_says_and_its_files(viewed):
    folder, http = viewed
    assert "caveat" in http.get("/").text
    for number, name in enumerate(("a", "b"), start=1):
        study, result = told(http)[name], json.loads((folder / name / "result.json").read_text())
        assert study["number"] == number and study["statements"] == [answer["statement"] for answer in result["answers"]]
        assert study["files"] == ["report.html", "result.json"] and not study["looked_at"] and study["note"] == ""
        assert http.get(f"/studies/{number}/files/result.json").json() == result
    assert http.get("/studies/1/files/report.html").headers["content-security-policy"] == REPORT_POLICY


def test_only_what_the_program_wrote_for_a_study_is_handed_out(viewed):
    folder, http = viewed
    (folder / "a" / "letter.txt").write_text("of somebody else")
    (folder / "c").mkdir()
    (folder / "c" / "result.json").write_bytes((folder / "a" / "result.json").read_bytes())
    for place in ("1/files/letter.txt", "1/files/files.json", "1/files/..%2frun.json", "3/files/result.json", "0/changed"):
        assert http.get(f"/studies/{place}").status_code == 404, place
    assert sorted(told(http)) == ["a", "b"]


def edited(file: Path, **changed: object) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | changed))


def test_a_link_that_leads_out_of_the_run_and_a_pipe_are_not_handed_out(viewed):
    folder, http = viewed
    outside = folder.parent / f"{folder.name}_outside.json"
    outside.write_text("of somebody else")
    (folder / "a" / "link.json").symlink_to(outside)
    os.mkfifo(folder / "a" / "pipe.json")
    odd = ["link.json", "pipe.json", "x" * 5000, ".."]
    seal = json.loads((folder / "a" / "files.json").read_text())
    edited(folder / "a" / "files.json", files=seal["files"] | dict.fromkeys(odd, "0"))
    for name in odd[:-1]:
        assert http.get(f"/studies/1/files/{quote(name)}").status_code == 404, name
    assert sorted(http.get("/studies/1/changed").json()) == sorted(odd)


@pytest.mark.parametrize("files", [["result.json"], {"nul\0.json": "0"}, {"\ud800": "0"}, 5])
def test_a_list_of_files_that_is_none_of_ours_is_none(files, viewed):
    folder, http = viewed
    edited(folder / "a" / "files.json", files=files)
    assert sorted(told(http)) == ["b"] and http.get("/studies/1/changed").status_code == 404


def test_a_study_of_another_run_is_not_shown_as_one_of_this(viewed):
    folder, http = viewed
    edited(folder / "b" / "files.json", run="another")
    assert sorted(told(http)) == ["a"] and http.get("/studies/2/files/result.json").status_code == 404


@pytest.mark.parametrize(
    "changed",
    [
        {"status": ["OK"]},
        {"flags": 5},
        {"answers": [{}]},
        {"study_scores": {"pooled_pairwise_dice": "x"}},
        {"classes": ["background", "\ud800"]},
    ],
)
def test_a_result_that_is_none_is_named_and_no_note_is_blamed(changed, viewed):
    folder, http = viewed
    edited(folder / "a" / "result.json", **changed)
    answer = http.get("/studies")
    assert (answer.status_code, answer.text) == (409, "a result in this folder is not as caveat writes it")


ALIKE = [{"number": 1}, {"name": "a"}]
NO_NUMBERS = [{"number": [2]}, {"number": "2"}, {"number": True}, {"number": -1}, {"number": 0}, {"number": 10**9}]


@pytest.mark.parametrize("second", [*ALIKE, *NO_NUMBERS])
def test_a_run_whose_studies_are_not_told_apart_is_refused(second, tmp_path):
    run(tmp_path, studies("a", "b"))
    listed = json.loads((tmp_path / "run.json").read_text())["studies"]
    edited(tmp_path / "run.json", studies=[listed[0], listed[1] | second])
    with pytest.raises(StudyRefused, match="not the output of caveat predict"):
        make_viewer(tmp_path, "")


@pytest.mark.parametrize("number", ["-1", "0", "9" * 5000, "1e0", "١", "1%0a", "00000000000000000000001"])
def test_a_number_that_no_study_has_is_not_found(number, viewed):
    _, http = viewed
    for place in ("changed", "files/result.json"):
        assert http.get(f"/studies/{number}/{place}").status_code == 404
    assert http.put(f"/studies/{number}/note", content='{"looked_at": true, "note": ""}', headers=ASKS).status_code == 404


def test_a_run_is_read_once(tmp_path, monkeypatch):
    """While it goes on, another look would find another run.json."""
    run(tmp_path, studies("a", "b"))
    read, looks = Path.read_text, []
    monkeypatch.setattr(Path, "read_text", lambda path, *how, **named: looks.append(path.name) or read(path, *how, **named))
    make_viewer(tmp_path, TOKEN)
    assert looks.count("run.json") == 1


def _noted(path: Path, reader: str) -> None:
    for number in range(20):
        ReaderNotes(path).write(f"{reader}{number}", Note(True, "seen"))


def test_two_who_look_at_one_run_lose_no_note(tmp_path):
    readers = [multiprocessing.get_context("fork").Process(target=_noted, args=(tmp_path / "notes.csv", one)) for one in "ab"]
    for one in readers:
        one.start()
    for one in readers:
        one.join()
    assert len(ReaderNotes(tmp_path / "notes.csv").read()) == 40


def test_notes_that_a_spreadsheet_program_saved_are_read(tmp_path):
    """With a mark before the first title: the page said that it could not read them."""
    (tmp_path / "notes.csv").write_bytes(b"\xef\xbb\xbfstudy,looked_at,note\r\na,yes,seen\r\n")
    assert ReaderNotes(tmp_path / "notes.csv").read() == {"a": Note(True, "seen")}


def test_a_note_longer_than_a_table_has_is_no_note_of_ours(tmp_path):
    (tmp_path / "notes.csv").write_text("study,looked_at,note\na,," + "x" * 200_000)
    with pytest.raises(ValueError):
        ReaderNotes(tmp_path / "notes.csv").read()


def test_a_study_that_is_not_done_comes_when_it_is(tmp_path):
    run(tmp_path, studies("a", "b"), only=1)
    with answering(make_viewer(tmp_path, "")) as http:
        assert sorted(told(http)) == ["a"]
        run(tmp_path, studies("a", "b"), resume=True)
        assert sorted(told(http)) == ["a", "b"]


def test_a_file_that_was_changed_is_named(viewed):
    folder, http = viewed
    assert http.get("/studies/1/changed").json() == []
    (folder / "a" / "report.html").write_text("another")
    assert http.get("/studies/1/changed").json() == ["report.html"]
    (folder / "a" / "report.html").unlink()
    assert http.get("/studies/1/changed").json() == ["report.html"]
    assert http.get("/studies/1/files/report.html").status_code == 404
    assert http.get("/studies/2/changed").json() == []


def test_notes_stand_beside_the_results_and_change_nothing_else(viewed):
    folder, http = viewed
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert note(http, 2, looked_at=True, note='=1+1, "so"\nand more ü') == 204
    assert note(http, 1, looked_at=True, note="") == 204
    assert note(http, 1, looked_at=False, note="") == 204
    with (folder / "notes.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [["study", "looked_at", "note"], ["b", "yes", '\'=1+1, "so"\nand more ü']]
    assert (
        told(http)["b"]["note"] == '=1+1, "so"\nand more ü' and told(http)["b"]["looked_at"] and not told(http)["a"]["looked_at"]
    )
    assert {path: path.read_bytes() for path in before} == before
    run(folder, studies("a", "b"), resume=True, writers=(ResultJsonWriter(), ReportHtmlWriter()))
    assert told(http)["b"]["looked_at"], "a run that goes on leaves the notes alone"


def test_what_is_no_note_is_refused(viewed):
    folder, http = viewed
    assert note(http, 3, looked_at=True, note="") == 404
    for stated in ({}, {"note": "x"}, {"looked_at": 1, "note": "x"}, {"looked_at": True, "note": 5}):
        assert note(http, 1, **stated) == 400, stated
    assert note(http, 1, looked_at=True, note="x" * (LONGEST_NOTE + 1)) == 400
    assert note(http, 1, looked_at=True, note="x" * 100 * LONGEST_NOTE) == 413
    for body in (b"", b"[]", b"\xff", b"[" * 5000):
        assert http.put("/studies/1/note", content=body, headers=ASKS).status_code == 400, body[:5]
    assert http.put("/studies/1/note", content=b"{}").status_code == 403, "asked by another site"
    assert not (folder / "notes.csv").exists()


def test_a_file_of_somebody_else_in_the_place_of_the_notes_is_left_alone(viewed):
    folder, http = viewed
    (folder / "notes.csv").write_text("patient,dose\n1,2\n")
    assert http.get("/studies").status_code == 409 and note(http, 1, looked_at=True, note="x") == 507
    assert (folder / "notes.csv").read_text() == "patient,dose\n1,2\n"


@pytest.mark.parametrize("text", ["", "=1+1", "'=1+1", "@a", "a\r\nb", "'", "''=", ",;\"'"])
def test_notes_come_back_as_they_were_written(text, tmp_path):
    notes = ReaderNotes(tmp_path / "notes.csv")
    notes.write("other", Note(True, "before"))
    notes.write("a", Note(True, text))
    assert notes.read() == {"other": Note(True, "before"), "a": Note(True, text)}


@pytest.mark.parametrize("there", [None, "{}", '{"studies": [{"number": 1, "name": "../x"}]}'])
def test_a_folder_that_is_no_run_is_refused(there, tmp_path, capsys):
    if there is not None:
        (tmp_path / "run.json").write_text(there)
    assert main(["view", str(tmp_path), "--port", "0"]) == 2
    assert "WRONG_USAGE: this folder is not the output of caveat predict" in capsys.readouterr().err.replace("\n", " ")
