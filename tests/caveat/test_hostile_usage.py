"""What a shell can put into an option, or leave out of a process: one line and a status, and never a traceback."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from phantoms import write_fundus

from caveat.cli import main

LONG = "n" * 300
OUT_OF_ONE = ("-p", "out", "--data", "list.json")
PLACES = {
    "input": ["predict", "retinal_vessels", "-i", "{}", "-o", "new"],
    "output": ["predict", "retinal_vessels", "-i", "eye.png", "-o", "{}"],
    "bundle": ["predict", "{}", "-i", "eye.png", "-o", "new"],
    "list": ["predict", "retinal_vessels", "--data", "{}", "--split", "test", "-o", "new"],
    "record": ["predict", "hippocampus_volume", "-i", "eye.png", "-o", "new", "--record", "{}"],
    "point": ["predict", "hippocampus_volume", "-i", "eye.png", "-o", "new", "--point", "{}"],
    "roi": ["predict", "hippocampus_volume", "-i", "eye.png", "-o", "new", "--roi", "{}", "--label", "1"],
    "mask": ["score", "lung_lesions", "-i", "eye.png", "--mask", "{}"],
    "predictions": ["evaluate", "retinal_vessels", "-p", "{}", "--data", "list.json"],
    "list to calibrate": ["calibrate", "retinal_vessels", "-p", "out", "--data", "{}"],
    "settings": ["calibrate", "retinal_vessels", *OUT_OF_ONE, "--settings", "{}"],
    "audit": ["audit", "hippocampus_volume", *OUT_OF_ONE, "--record", "{}"],
    "overlay": ["train", "retinal_vessels", "--data", "list.json", "-o", "new", "--overlay", "{}"],
    "start": ["train", "retinal_vessels", "--data", "list.json", "-o", "new", "--start", "{}"],
    "images to list": ["list", "-i", "{}", "-o", "new.json"],
    "list to check": ["list", "--check", "{}"],
    "input to check": ["check", "{}"],
    "key": ["check", "eye.png", "--key", "{}"],
    "bundle to tell of": ["info", "{}"],
}


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """The current folder: a photograph, an empty list, an empty folder of predictions, links in a circle."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CAVEAT_DATA", ".")
    write_fundus(tmp_path / "eye.png")
    (tmp_path / "list.json").write_text(json.dumps({"test": [], "calibration": []}))
    (tmp_path / "out").mkdir()
    for one, other in (("loop", "pool"), ("pool", "loop")):
        (tmp_path / one).symlink_to(other)
    return tmp_path


def answer_of(arguments: list[str]) -> int:
    """Status of a command, argparse's own included."""
    try:
        return main(arguments)
    except SystemExit as end:
        return int(end.code or 0)


@pytest.mark.parametrize(
    "name",
    [LONG, "loop", "loop/below", f"eye.png/{LONG}", ""],
    ids=["long", "loop", "below a loop", "below a file", "of a variable that is not set"],
)
@pytest.mark.parametrize("command", PLACES.values(), ids=PLACES.keys())
def test_a_name_that_nothing_can_have_is_wrong_usage(command, name, here, capsys):
    assert answer_of([part.format(name) for part in command]) == 2
    said = capsys.readouterr().err
    assert said and "Traceback" not in said
    assert not (here / "new").exists() and not (here / "new.json").exists()


@pytest.mark.parametrize("command", [name for name in PLACES if name not in ("output", "bundle", "key", "bundle to tell of")])
def test_what_may_never_answer_is_not_read(command, here, capsys):
    os.mkfifo(here / "pipe")
    for place in ("pipe", "/dev/zero"):
        assert answer_of([part.format(place) for part in PLACES[command]]) == 2
        said = capsys.readouterr().err
        assert said and "Traceback" not in said


def test_folders_of_the_environment_are_checked_like_options(here, monkeypatch, capsys):
    for name in (LONG, "loop"):
        monkeypatch.setenv("CAVEAT_DATA", name)
        monkeypatch.setenv("CAVEAT_BUNDLES", name)
        assert answer_of(["predict", "retinal_vessels", "--data", "list.json", "--split", "test", "-o", "new"]) == 2
        assert answer_of(["info", "out"]) == 2
        assert "Traceback" not in capsys.readouterr().err


def caveat(*arguments: str, shell: str = "", **options) -> subprocess.CompletedProcess:
    """The command in a process of its own. Args: shell: what is done to its streams."""
    command = ["bash", "-c", f'"$@" {shell}', "bash", sys.executable, "-m", "caveat", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


@pytest.mark.parametrize("shell", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_a_stream_that_was_closed_is_one_to_nowhere(shell, here):
    done = caveat("check", "eye.png", "--key", "key", shell=shell)
    assert done.returncode == 0 and done.stderr == ""
    assert (here / "key" / "key.csv").read_text() == "number,name,place\n1,eye,eye.png\n", "nothing was printed into a file"


def test_a_full_disk_behind_stdout_is_said(here):
    done = caveat("check", "eye.png", shell="> /dev/full")
    assert done.returncode == 1
    assert done.stderr == "caveat: the run failed: No space left on device\n"


def test_a_device_is_no_folder_of_results(here, capsys):
    for command in (["predict", "retinal_vessels", "-i", "eye.png", "-o", "{}"], ["check", "eye.png", "--key", "{}"]):
        for device in ("/dev/full", "/dev/null"):
            assert answer_of([part.format(device) for part in command]) == 2
            assert "OUTPUT_NOT_WRITABLE" in capsys.readouterr().err


def test_a_path_that_is_no_text_is_printed_in_escapes(here):
    """Names of old systems are bytes of no encoding."""
    write_fundus(here / os.fsdecode(b"M\xfcller.png"))
    done = caveat("check", os.fsdecode(b"M\xfcller.png"))
    assert done.returncode == 0 and "Traceback" not in done.stderr


def test_places_in_a_list_that_nothing_can_have_are_studies_that_are_refused(here, capsys):
    places = ["\ud800.png", "\udcff.png", "a\0b.png", LONG, "loop", "loop/a.png"]
    (here / "list.json").write_text(json.dumps({"test": [{"image": place} for place in places]}))
    command = ["predict", "retinal_vessels", "--data", "list.json", "--split", "test", "-o", "new", "--workers", "0"]
    for more in ([], ["--resume"]):
        assert answer_of([*command, "--sampler", "single", "--device", "cpu", *more]) == 0
        said = capsys.readouterr()
        assert said.out.startswith(f"0 measured, 0 nothing found, {len(places)} refused; ") and "Traceback" not in said.err


@pytest.mark.parametrize("full", ["disk", "no such folder"])
def test_a_temporary_folder_that_is_full_ends_a_run_before_it_begins(full, here):
    """Its archives would be studies in their own right, and a run that goes on with more room another one."""
    with zipfile.ZipFile(here / "export.zip", "w") as archive:
        archive.write(here / "eye.png", "Miller.png")
    (here / "tmp").mkdir()
    limit = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))} if full == "disk" else {}
    environment = os.environ | {"TMPDIR": "tmp" if full == "disk" else "nowhere"}
    for command in (["predict", "retinal_vessels", "-i", "export.zip", "-o", "new"], ["check", "export.zip"]):
        done = caveat(*command, env=environment, **limit)
        assert done.returncode == 2 and done.stderr.startswith(
            "caveat: OUTPUT_NOT_WRITABLE: the temporary folder, which TMPDIR names"
        )
    assert not (here / "new").exists() and not list((here / "tmp").iterdir())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_command_that_is_ended_leaves_nothing_in_the_temporary_folder(number, here):
    """It is ended while it looks at what it has unpacked."""
    with zipfile.ZipFile(here / "export.zip", "w") as archive:
        archive.write(here / "eye.png", "Miller.png")
    (here / "tmp").mkdir()
    code = (
        "import os, signal, sys\n"
        "from caveat.cli import main\n"
        "from caveat.transforms.study import inspect_study\n"
        "def ended(*given, **stated):\n"
        "    assert list(os.scandir('tmp'))\n"
        "    os.kill(os.getpid(), int(sys.argv[1]))\n"
        "inspect_study.inspect_study = ended\n"
        # Whoever started the tests may ignore them, as a shell does in the background, and nohup; that is inherited.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"
        "sys.exit(main(['check', 'export.zip']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(int(number))], env=os.environ | {"TMPDIR": "tmp"}, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (1, "caveat: stopped\n")
    assert not list((here / "tmp").iterdir())


def test_a_mistake_of_the_program_quotes_nothing(here, monkeypatch, capsys):
    from caveat.commands import check

    def wrong(options):
        raise ValueError("of Miller")

    monkeypatch.setattr(check, "read_stated", wrong)
    assert main(["check", "eye.png"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("caveat: UNEXPECTED_ERROR: ValueError") and "Miller" not in said and "Traceback" not in said
