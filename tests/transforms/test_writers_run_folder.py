"""OUT belongs to one run: what is there stays, and another run is refused with nothing changed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from made_runs import FACTS, run, studies

from caveat.reasons import StudyRefused
from caveat.transforms.output.run_folder import RunFolder
from caveat.transforms.study.studies import Studies


def state(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def code_of(*arguments, **options) -> str:
    with pytest.raises(StudyRefused) as refusal:
        run(*arguments, **options)
    return refusal.value.code


def test_the_manifest_is_there_first_and_sealed_last(tmp_path):
    folder = RunFolder.begin(tmp_path / "out", FACTS, studies("a", "b"))
    stored = json.loads((tmp_path / "out" / "run.json").read_text())
    assert stored == {"schema": "caveat-run-1", **FACTS, "studies": [{"number": 1, "name": "a"}, {"number": 2, "name": "b"}]}
    folder.journal.close()
    assert run(tmp_path / "out", studies("a", "b"), resume=True) == {"measured": 2, "nothing_found": 0, "refused": 0}
    stored = json.loads((tmp_path / "out" / "run.json").read_text())
    assert stored["sealed"] is True and [study["input"] for study in stored["studies"]] == ["a", "b"]


def test_a_second_run_is_refused_and_nothing_changes(tmp_path):
    run(tmp_path, studies("a", "b"))
    before = state(tmp_path)
    for listed, facts in ((studies("a", "b"), FACTS), (studies("c"), {**FACTS, "bundle": {"name": "another"}})):
        assert code_of(tmp_path, listed, facts=facts) == "OUTPUT_OF_ANOTHER_RUN"
    assert state(tmp_path) == before


OTHER_RUNS = (
    "settings",
    "bundle",
    "versions",
    "one study more",
    "another file under the number",
    "another spacing in the list",
    "another sha256 in the list",
)


@pytest.mark.parametrize("other", OTHER_RUNS)
def test_only_the_same_run_is_resumed(other, tmp_path):
    run(tmp_path, studies("a", "b"), only=1)
    before = state(tmp_path)
    listed, facts = studies("a", "b"), FACTS | ({other: {"x": 1}} if other in FACTS else {})
    if other == "one study more":
        listed = studies("a", "b", "c")
    if other == "another spacing in the list":
        listed = Studies({**study, "spacing_mm": [0.5, 0.5]} for study in listed)
    if other == "another sha256 in the list":
        listed = Studies({**study, "sha256": "b2"} for study in listed)
    if other == "another file under the number":
        listed = Studies({**study, "place": f"elsewhere/{study['place']}"} for study in listed)
    assert code_of(tmp_path, listed, resume=True, facts=facts) == "OUTPUT_OF_ANOTHER_RUN"
    assert state(tmp_path) == before


def test_a_file_that_was_still_being_copied_keeps_the_number_it_was_named_by(tmp_path):
    """No reader knew it when the run began. It would not go on otherwise, and 800 studies would be measured again."""
    halfway = Studies({**study, "name": name} for study, name in zip(studies("a", "b"), ("a", "study-0002")))
    run(tmp_path, halfway, only=1)
    assert run(tmp_path, studies("a", "b"), resume=True)["measured"] == 2
    assert (tmp_path / "study-0002" / "result.json").is_file() and not (tmp_path / "b").exists()
    (tmp_path / "key.csv").unlink()
    assert code_of(tmp_path, studies("a", "b"), resume=True) == "OUTPUT_OF_ANOTHER_RUN", "names alone tell studies apart now"


def test_a_list_that_says_the_same_is_the_same_run(tmp_path):
    said = Studies({**study, "spacing_mm": [0.1, 0.3], "sha256": "a1"} for study in studies("a", "b"))
    run(tmp_path, said, only=1)
    assert run(tmp_path, said, resume=True)["measured"] == 2
    assert run(tmp_path, said, resume=True)["measured"] == 2, "sealed or not"
    assert json.loads((tmp_path / "run.json").read_text())["studies"][0]["spacing_mm"] == [0.1, 0.3]


@pytest.mark.parametrize("resume", [False, True])
def test_a_run_that_was_killed_while_it_wrote_its_first_word_leaves_nothing(resume, tmp_path):
    """What is no run.json being written is not of this run: none has begun."""
    for left in ("journal.jsonl", ".run.json.4711.partial", f".{'0a' * 8}.partial"):
        (tmp_path / left).touch()
    run(tmp_path, studies("a"), resume=resume)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == [f".{'0a' * 8}.partial"]


def test_a_stopped_run_goes_on_and_ends_as_one_that_was_not(tmp_path):
    run(tmp_path / "whole", studies("a", "b", "c"))
    assert run(tmp_path / "out", studies("a", "b", "c"), only=1)["measured"] == 1
    assert "sealed" not in json.loads((tmp_path / "out" / "run.json").read_text())
    for left in (f".{'0a' * 8}.partial", ".run.json.4711.partial"):  # of what was being written when it was killed
        (tmp_path / "out" / left).mkdir()
    (tmp_path / "out" / ".mine.partial").mkdir()
    assert run(tmp_path / "out", studies("a", "b", "c"), resume=True)["measured"] == 3
    assert [path.name for path in (tmp_path / "out").iterdir() if path.name.startswith(".")] == [".mine.partial"]
    whole, resumed = state(tmp_path / "whole"), state(tmp_path / "out")
    assert {name for name in whole | resumed if whole.get(name) != resumed.get(name)} == {"journal.jsonl"}
    lines = [json.loads(line) for line in (tmp_path / "out" / "journal.jsonl").read_text().splitlines()]
    assert [(line["study"], line["reused"]) for line in lines] == [(1, False), (1, True), (2, False), (3, False)]


def test_nothing_to_resume_is_a_run_that_begins(tmp_path):
    assert run(tmp_path / "out", studies("a"), resume=True)["measured"] == 1
    (tmp_path / "killed").mkdir()
    (tmp_path / "killed" / "journal.jsonl").touch()
    assert run(tmp_path / "killed", studies("a"), resume=True)["measured"] == 1


@pytest.mark.parametrize("name", ["run", "A", "index.html", "summary.csv", "key.csv", "journal.jsonl", "notes.csv", "a"])
def test_what_is_in_the_way_is_refused_before_the_first_study(name, tmp_path):
    """Upper and lower case count as equal: some file systems do not tell them apart."""
    in_the_way = tmp_path / ("run.json" if name == "run" else name)
    in_the_way.write_text("mine")
    before = state(tmp_path)
    expected = "OUTPUT_OF_ANOTHER_RUN" if name == "run" else "OUTPUT_OCCUPIED"
    assert code_of(tmp_path, studies("a"), resume=name == "run") == expected
    assert state(tmp_path) == before


def test_what_is_not_in_the_way_stays(tmp_path):
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "a.png").write_text("mine")
    run(tmp_path, studies("a"))
    assert (tmp_path / "scans" / "a.png").read_text() == "mine"


def test_two_processes_do_not_share_a_folder(tmp_path):
    folder = RunFolder.begin(tmp_path, FACTS, studies("a"))
    code = (
        "import sys; from pathlib import Path; from caveat.reasons import StudyRefused\n"
        "from caveat.transforms.output.journal import Journal\n"
        "try: Journal.open(Path(sys.argv[1]))\n"
        "except StudyRefused as refusal: print(refusal.code)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "journal.jsonl")]
    answer = subprocess.run(command, capture_output=True, text=True, env=os.environ, check=True)
    assert answer.stdout.strip() == "OUTPUT_OF_ANOTHER_RUN"
    assert code_of(tmp_path, studies("a"), resume=True) == "OUTPUT_OF_ANOTHER_RUN"
    folder.journal.close()
    assert run(tmp_path, studies("a"), resume=True)["measured"] == 1


def test_a_journal_that_is_a_link_is_not_written(tmp_path):
    """Neither when a run begins nor when it goes on: the lines would stand in somebody's file."""
    (tmp_path / "mine").write_text("ten years")
    (tmp_path / "new").mkdir()
    run(tmp_path / "old", studies("a"))
    for out in (tmp_path / "new", tmp_path / "old"):
        (out / "journal.jsonl").unlink(missing_ok=True)
        (out / "journal.jsonl").symlink_to(tmp_path / ("mine" if out.name == "old" else "nowhere"))
        assert code_of(out, studies("a"), resume=True) == "OUTPUT_NOT_WRITABLE"
    assert (tmp_path / "mine").read_text() == "ten years" and not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("made", ["pipe", "folder", "dangling link"])
@pytest.mark.parametrize("name", ["run.json", "journal.jsonl", "a/files.json"])
def test_what_is_no_file_is_neither_read_nor_replaced(made, name, tmp_path):
    """A pipe of that name would never answer."""
    (tmp_path / name).parent.mkdir(exist_ok=True)
    if made == "pipe":
        os.mkfifo(tmp_path / name)
    elif made == "folder":
        (tmp_path / name).mkdir()
    else:
        (tmp_path / name).symlink_to("nowhere")
    before = os.lstat(tmp_path / name)
    assert code_of(tmp_path, studies("a"), resume=True).startswith("OUTPUT_")
    assert os.lstat(tmp_path / name) == before


@pytest.mark.parametrize("name", ["run.json", "a/files.json", "a/result.json"])
def test_what_is_too_deep_to_be_read_is_none_of_ours(name, tmp_path):
    run(tmp_path, studies("a"))
    (tmp_path / name).write_text("[" * 100_000)
    expected = "OUTPUT_OF_ANOTHER_RUN" if name == "run.json" else "OUTPUT_OCCUPIED"
    assert code_of(tmp_path, studies("a"), resume=True) == expected


def test_an_output_that_vanished_ends_the_run(tmp_path):
    folder = RunFolder.begin(tmp_path / "out", FACTS, studies("a"))
    (tmp_path / "out").rename(tmp_path / "gone")
    with pytest.raises(StudyRefused) as refusal:
        folder.finish()
    assert refusal.value.code == "OUTPUT_NOT_WRITABLE"


def test_a_resumed_run_that_ends_early_keeps_what_was_done_in_its_tables(tmp_path):
    """It came to one study of two; the other one stands there whole all the same."""
    whole = run(tmp_path, studies("a", "b"))
    tables = {name: (tmp_path / name).read_bytes() for name in ("summary.csv", "index.html")}
    assert run(tmp_path, studies("a", "b"), resume=True, only=1) == whole
    assert {name: (tmp_path / name).read_bytes() for name in tables} == tables
    assert "sealed" not in json.loads((tmp_path / "run.json").read_text()), "not all was looked at again"
