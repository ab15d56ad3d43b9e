"""What happens in the night: studies that crash, hang or eat the memory, signals, and a run that goes on in the morning."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest
from poison import POINT, poisoned_bundle, state, write_crops

from caveat.bundle_folders import ALLOW_LIST
from caveat.cli import main

TESTS = Path(__file__).resolve().parents[1]
CANARY = "MILLER"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    return poisoned_bundle(tmp_path_factory.mktemp("bundles"))


@pytest.fixture
def predict(bundle, monkeypatch, capsys):
    """Runs the command in this process; its workers are others. Returns: status, what was printed, what was said on stderr."""
    monkeypatch.setenv(ALLOW_LIST, str(bundle.parent))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")]))

    def run(given: Path, out: Path, *options: str) -> tuple[int, str, str]:
        status = main(["predict", str(bundle), "-i", str(given), "-o", str(out), *POINT, "--device", "cpu", *options])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def codes(out: Path) -> dict[str, str]:
    """First reason by study, "" where it was measured."""
    results = {path.parent.name: json.loads(path.read_text()) for path in out.glob("*/result.json")}
    return {name: result["reasons"][0]["code"] if result["status"] == "REFUSED" else "" for name, result in results.items()}


def journal(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / "journal.jsonl").read_text().splitlines()]


def test_a_study_that_kills_its_worker_is_given_up_and_the_others_are_as_ever(predict, tmp_path):
    given = write_crops(tmp_path / "in", "a", "b", "broken", "once")
    assert predict(given, tmp_path / "alone", "--workers", "2")[0] == 0
    assert codes(tmp_path / "alone") == {"a": "", "b": "", "study-0003": "TRUNCATED", "once": ""}, "one death costs a try"
    write_crops(given, "a", "b", f"crash_{CANARY}")
    for name in ("broken", "once"):
        (given / f"{name}.nii.gz").unlink()
    status, _, said = predict(given, tmp_path / "out", "--workers", "2", "--anonymous-names")
    assert status == 0 and CANARY not in said
    assert codes(tmp_path / "out") == {"study-0001": "", "study-0002": "", "study-0003": "WORKER_DIED"}
    for name, number in (("a", 1), ("b", 2)):
        mine, other = state(tmp_path / "alone" / name), state(tmp_path / "out" / f"study-000{number}")
        assert {file for file in mine if mine[file] != other[file]} <= {"files.json"}
    told = b"".join(content for file, content in state(tmp_path / "out").items() if file != "key.csv")
    assert CANARY.encode() not in told and CANARY not in (tmp_path / "out" / "journal.jsonl").read_text()


def test_here_and_in_workers_the_bytes_are_the_same_and_a_resumed_run_does_nothing_twice(predict, tmp_path):
    given = write_crops(tmp_path / "in", "a", "broken")
    for out, workers in (("here", "0"), ("there", "2")):
        assert predict(given, tmp_path / out, "--workers", workers)[0] == 0
    assert state(tmp_path / "here") == state(tmp_path / "there")
    before = state(tmp_path / "there")
    assert predict(given, tmp_path / "there")[0] == 2, "another run of the same name"
    status, out, _ = predict(given, tmp_path / "there", "--resume", "--workers", "0", "--json")
    assert status == 0 and json.loads(out)["counts"] == {"measured": 0, "nothing_found": 1, "refused": 1}
    assert state(tmp_path / "there") == before and [line.get("reused") for line in journal(tmp_path / "there")][-2:] == [True] * 2
    drawn_over = tmp_path / "there" / "a" / "hypotheses.nii.gz"
    drawn_over.write_bytes(b"hours of work")
    status, _, said = predict(given, tmp_path / "there", "--resume", "--workers", "0")
    assert (status, drawn_over.read_bytes()) == (1, b"hours of work") and "OUTPUT_OCCUPIED" in said
    drawn_over.unlink()
    status, _, said = predict(given, tmp_path / "there", "--resume", "--workers", "0")
    assert status == 0 and state(tmp_path / "there") == before, "what is gone is made again"
    assert said.count("made again: files of it were gone") == 1
    assert [line.get("edited") for line in journal(tmp_path / "there")][-2:] == [True, False]


def test_a_run_does_not_go_on_with_a_bundle_that_was_edited(predict, bundle, tmp_path):
    """Half of its studies would be measured in another way, under one version."""
    given, config = write_crops(tmp_path / "in", "a"), bundle / "configs" / "inference.yaml"
    assert predict(given, tmp_path / "out", "--workers", "0")[0] == 0
    before, as_it_was = state(tmp_path / "out"), config.read_bytes()
    try:
        config.write_bytes(as_it_was + b"# edited\n")
        status, _, said = predict(given, tmp_path / "out", "--workers", "0", "--resume")
    finally:
        config.write_bytes(as_it_was)
    assert status == 2 and "OUTPUT_OF_ANOTHER_RUN: other settings.configs" in said and state(tmp_path / "out") == before


def test_every_study_refused_is_a_status_where_it_is_asked_for(predict, tmp_path):
    given = write_crops(tmp_path / "in", "broken")
    assert predict(given, tmp_path / "a", "--workers", "0")[0] == 0
    assert predict(given, tmp_path / "b", "--workers", "0", "--strict")[0] == 3


@pytest.mark.parametrize("left", ["nothing", "the folder"])
def test_an_input_that_vanished_ends_the_run(left, predict, tmp_path, monkeypatch):
    """Of a disk that was unplugged the folder stays in which it was seen."""
    given = write_crops(tmp_path / "in", "a", "b")
    from caveat.transforms.output.run_folder import RunFolder

    begin = RunFolder.begin

    def unplugged(*arguments):
        folder = begin(*arguments)
        given.rename(tmp_path / "unplugged")
        if left == "the folder":
            given.mkdir()
        return folder

    monkeypatch.setattr(RunFolder, "begin", unplugged)
    status, _, said = predict(given, tmp_path / "out", "--workers", "0")
    assert status == 1 and "INPUT_VANISHED" in said and "Traceback" not in said
    monkeypatch.undo()


def test_a_file_that_is_exchanged_while_it_is_read_is_neither_measured_nor_given_up(predict, tmp_path, monkeypatch):
    """Between its hash and its voxels: the numbers of one patient would stand under the hash of another."""
    given, others = write_crops(tmp_path / "in", "a"), write_crops(tmp_path / "others", "b", "a")
    from caveat.inference.answers import run_studies

    hashed = run_studies.input_sha256

    def exchanged(source):
        sha256 = hashed(source)
        (given / "a.nii.gz").rename(tmp_path / "a.nii.gz")
        (others / "a.nii.gz").rename(given / "a.nii.gz")
        return sha256

    monkeypatch.setattr(run_studies, "input_sha256", exchanged)
    predict(given, tmp_path / "out", "--workers", "0")
    assert codes(tmp_path / "out") == {"a": "INPUT_CHANGED"}
    monkeypatch.setattr(run_studies, "input_sha256", hashed)
    (tmp_path / "a.nii.gz").rename(given / "a.nii.gz")
    assert predict(given, tmp_path / "out", "--workers", "0", "--resume")[0] == 0
    assert codes(tmp_path / "out") == {"a": ""}


@pytest.mark.slow
def test_a_run_of_another_process_is_not_joined(predict, bundle, tmp_path):
    """Nor one of the same studies: whoever comes second changes nothing."""
    given = write_crops(tmp_path / "in", "slow0")
    command = [sys.executable, "-m", "caveat", "predict", str(bundle), "-i", str(given), "-o", str(tmp_path / "out"), *POINT]
    first = subprocess.Popen([*command, "--device", "cpu", "--workers", "1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not (tmp_path / "out" / "key.csv").is_file() and first.poll() is None:
        time.sleep(0.05)
    first.send_signal(signal.SIGSTOP)
    before = state(tmp_path / "out")
    for options in ([], ["--resume"], ["--resume", "--draws", "3"]):
        status, _, said = predict(given, tmp_path / "out", "--workers", "0", *options)
        assert status == 2 and "OUTPUT_OF_ANOTHER_RUN" in said
    assert state(tmp_path / "out") == before
    first.send_signal(signal.SIGCONT)
    first.communicate(timeout=300)
    assert first.returncode == 0 and codes(tmp_path / "out") == {"slow0": ""}


def test_a_worker_ends_with_a_run_that_was_killed():
    """Also where its study hangs, so that it does not read on its pipe."""
    hanging = (
        "import time; from caveat.run.worker import end_with_the_run; end_with_the_run(); print(1, flush=True); time.sleep(600)"
    )
    starting = (
        f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {hanging!r}]); print(p.pid, flush=True); p.wait()"
    )
    run = subprocess.Popen([sys.executable, "-c", starting], stdout=subprocess.PIPE, text=True)
    worker = psutil.Process(int(run.stdout.readline()))
    assert run.stdout.readline() == "1\n"
    run.kill()
    run.wait()
    worker.wait(timeout=60)
    run.stdout.close()


@pytest.mark.slow
def test_hangs_and_gluttons_are_given_up(predict, tmp_path):
    given = write_crops(tmp_path / "in", "a", "greedy", f"hang_{CANARY}")
    limits = ("--workers", "2", "--time-limit", "120", "--memory-limit", "2", "--anonymous-names")
    status, _, said = predict(given, tmp_path / "out", *limits)
    assert status == 0 and CANARY not in said
    assert codes(tmp_path / "out") == {"study-0001": "", "study-0002": "STUDY_TOO_LARGE", "study-0003": "STUDY_TOO_LONG"}


@pytest.mark.slow
def test_of_a_hundred_studies_with_twelve_poisoned_eighty_eight_are_done(predict, tmp_path):
    poison = [
        *(f"broken{i}_{CANARY}" for i in range(8)),
        f"raises0_{CANARY}",
        f"raises1_{CANARY}",
        f"crash_{CANARY}",
        f"hang_{CANARY}",
    ]
    given = write_crops(tmp_path / "in", *(f"a{i:02d}" for i in range(88)), *poison)
    status, printed, said = predict(
        given, tmp_path / "out", "--workers", "2", "--time-limit", "60", "--anonymous-names", "--draws", "1"
    )
    assert status == 1, "two failed unexpectedly"
    assert printed.splitlines()[-1].startswith("0 measured, 88 nothing found, 12 refused; ")
    found = Counter(codes(tmp_path / "out").values())
    assert found == {"": 88, "TRUNCATED": 8, "UNEXPECTED_ERROR": 2, "WORKER_DIED": 1, "STUDY_TOO_LONG": 1}
    told = b"".join(content for file, content in state(tmp_path / "out").items() if file != "key.csv")
    assert CANARY.encode() not in told and CANARY not in said + printed + (tmp_path / "out" / "journal.jsonl").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_run_that_is_stopped_goes_on(number, predict, bundle, tmp_path):
    given = write_crops(tmp_path / "in", *(f"slow{i}" for i in range(5)))
    command = [sys.executable, "-m", "caveat", "predict", str(bundle), "-i", str(given), "-o", str(tmp_path / "out"), *POINT]
    # Whoever started the tests may ignore some, as nohup does; that is inherited.
    heard = {"preexec_fn": lambda: signal.signal(number, signal.SIG_DFL)} if number != signal.SIGKILL else {}
    process = subprocess.Popen(
        [*command, "--device", "cpu", "--workers", "1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **heard
    )
    while not list((tmp_path / "out").glob("*/result.json")) and process.poll() is None:
        time.sleep(0.1)
    process.send_signal(number)
    said = b"".join(process.communicate(timeout=300)).decode()
    assert process.returncode == (-signal.SIGKILL if number == signal.SIGKILL else 1)
    assert "Traceback" not in said
    if number != signal.SIGKILL:
        assert "not begun" in said and (tmp_path / "out" / "index.html").is_file()
        assert len(codes(tmp_path / "out")) == len(journal(tmp_path / "out")) - 1 < 5
    assert predict(given, tmp_path / "out", "--resume")[0] == 0
    assert predict(given, tmp_path / "whole")[0] == 0
    assert state(tmp_path / "out") == state(tmp_path / "whole")
    assert any(line.get("reused") for line in journal(tmp_path / "out")), "what was done is kept"
