"""`caveat serve`, asked as a page asks it, over a real socket."""

from __future__ import annotations

import asyncio
import io
import json
import re
import socket
import threading
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

for needed in ("starlette", "uvicorn", "httpx"):
    pytest.importorskip(needed, reason="pip install 'caveat[serve]' httpx")

from phantoms import fundus, picture_bytes  # noqa: E402
from serving import ASKS, Stub, serving, until, write_result  # noqa: E402

from caveat.bundle_folders import shipped_bundles  # noqa: E402
from caveat.cli import main  # noqa: E402
from caveat.serve.guard import PAGE_POLICY, REPORT_POLICY  # noqa: E402
from caveat.serve.job import Job, State  # noqa: E402
from caveat.serve.jobs import Jobs  # noqa: E402
from caveat.serve.limits import Limits  # noqa: E402
from caveat.serve.predict import predict  # noqa: E402
from caveat.transforms.files.stored_result import read_result  # noqa: E402

PHOTOGRAPH = picture_bytes(fundus(64, 64)[0])


def archive(**files: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name, content in files.items():
            made.writestr(name, content)
    return file.getvalue()


def test_the_page_offers_each_installed_bundle_in_its_own_words(tmp_path):
    with serving(tmp_path, Stub()) as client:
        page = client.http.get("/").text
    assert re.findall(r'id="task-(\w+)"', page) == list(shipped_bundles())
    assert "Vessels in a colour fundus photograph: their area in pixels" in page
    assert "Not a medical device" in page and not re.search(r"(src|href)=\"(https?:)?//", page)


def test_bundles_that_the_user_allowed_are_offered_without_their_path(tmp_path, monkeypatch, capsys):
    metadata = {"task": "Mine <b>", "description": "measures mine"}
    for name, text in {"mine": json.dumps(metadata), "damaged": "{", "list": "[]"}.items():
        (tmp_path / "own" / name / "configs").mkdir(parents=True)
        (tmp_path / "own" / name / "configs" / "metadata.json").write_text(text)
    monkeypatch.setenv("CAVEAT_BUNDLES", str(tmp_path / "own"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    stub = Stub()
    with serving(tmp_path / "jobs", stub) as client:
        page = client.http.get("/").text
        client.followed(client.upload(PHOTOGRAPH, bundle="own-1"))
    assert re.findall(r'id="task-([\w-]+)"', page) == [*shipped_bundles(), "own-1"]
    assert "Mine &lt;b&gt;" in page and str(tmp_path) not in page
    assert stub.jobs[0].bundle == str(tmp_path / "own" / "mine")
    assert main(["info"]) == 0 and f"{tmp_path}/own/mine: measures mine" in capsys.readouterr().out


def test_an_upload_is_measured_and_its_result_is_told(tmp_path):
    stub = Stub()
    with serving(tmp_path, stub) as client:
        job = client.upload(PHOTOGRAPH)
        last = client.followed(job)[-1]
        assert last["state"] == "done" and last["reason"] is None
        (study,) = last["studies"]
        assert study["statements"] == ["A: 3 mL (not calibrated)"]
        assert study["files"] == ["report.html", "result.json"]
        assert [note["code"] for note in study["notes"]] == ["GRID_MATTERS"]
        assert client.http.get(f"{job}/1/result.json").json()["status"] == "OK"
        assert not stub.jobs[0].uploads.exists(), "the image is not kept beside its result"
    assert stub.seen == [{"000001": PHOTOGRAPH}]
    assert client.folders() == [], "nothing is left when the server ends"


def test_a_run_says_how_far_it_is_and_a_code_and_no_other_word(tmp_path, monkeypatch):
    run = tmp_path / "run"
    lines = (
        "study 1, 1 of 12: measured, 2 s",
        "study 2, 2 of 12: refused, 1 s; CORRUPT: Doe^John",
        "caveat: NO_INPUT_FOUND: Doe^John",
    )
    run.write_text("#!/bin/sh\n" + "".join(f"echo '{line}' >&2\n" for line in lines) + "exit 2\n")
    run.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(run))
    job = Job("a", tmp_path / "job", "retinal_vessels")
    assert asyncio.run(predict(job, 30)) == "NO_INPUT_FOUND" and job.progress == "2 of 12"
    run.write_text("#!/bin/sh\necho 'caveat: the run failed: OUTPUT_NOT_WRITABLE: No space left on device' >&2\nexit 1\n")
    assert asyncio.run(predict(job, 30)) == "OUTPUT_NOT_WRITABLE"
    told = Jobs(tmp_path, Limits()).tell(replace(job, state=State.RUNNING))
    assert told["progress"] == "2 of 12" and "Doe" not in str(told)


def test_files_are_numbered_and_archives_alone_keep_an_ending(tmp_path):
    stub, packed = Stub(), archive(a=b"1")
    with serving(tmp_path, stub) as client:
        client.followed(client.upload(b"one", packed, b""))
    assert stub.seen == [{"000001": b"one", "000002.zip": packed, "000003": b""}]


def test_a_refusal_is_a_result_and_a_run_without_one_has_a_reason(tmp_path):
    with serving(tmp_path / "a", Stub(status="REFUSED")) as client:
        (study,) = client.followed(client.upload(b"x"))[-1]["studies"]
        assert study["status"] == "REFUSED" and study["reasons"][0]["what_to_do"] == "w" and not study["statements"]
    with serving(tmp_path / "b", Stub(code="NO_INPUT_FOUND")) as client:
        last = client.followed(client.upload(b"x"))[-1]
        assert last["state"] == "failed" and last["reason"]["code"] == "NO_INPUT_FOUND" and last["reason"]["what_to_do"]


def test_a_run_that_ends_before_its_last_study_says_so(tmp_path):
    """Its other studies would be missed by nobody."""
    with serving(tmp_path, Stub(code="OUTPUT_NOT_WRITABLE", some=True)) as client:
        last = client.followed(client.upload(b"x", b"y"))[-1]
        assert last["state"] == "done" and len(last["studies"]) == 1 and last["reason"]["code"] == "OUTPUT_NOT_WRITABLE"


def test_a_study_has_its_number_whichever_others_are_missing(tmp_path):
    """Two of three were given up with the code that one of them has."""

    async def ends(job: Job, seconds: float) -> str:
        write_result(job.results / "study-0002", "REFUSED")
        entries = [{"number": number, "name": f"study-000{number}"} for number in (1, 2, 3)]
        (job.results / "run.json").write_text(json.dumps({"studies": entries}))
        return "CORRUPT"

    with serving(tmp_path, ends) as client:
        job = client.upload(b"x", b"y", b"z")
        last = client.followed(job)[-1]
        assert [study["number"] for study in last["studies"]] == [2] and last["reason"]["code"] == "CORRUPT"
        assert client.http.get(f"{job}/2/result.json").status_code == 200


def test_uploads_are_measured_one_after_the_other_in_their_order(tmp_path):
    stub = Stub(seconds=0.05)
    contents = [bytes([number]) * 100 for number in range(50)]
    with serving(tmp_path, stub) as client:
        jobs = [client.begin() for _ in contents]
        threads = [threading.Thread(target=client.put, args=pair) for pair in zip(jobs, contents, strict=True)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        [client.http.post(f"{job}/start", headers=ASKS) for job in jobs]
        told = client.followed(jobs[-1])
        waited = [event["before"] for event in told if event["state"] == "waiting"]
        assert waited[0] > 25 and waited == sorted(waited, reverse=True) and len(set(waited)) > 2
        assert all(client.followed(job)[-1]["state"] == "done" for job in jobs)
    assert [next(iter(seen.values())) for seen in stub.seen] == contents


@pytest.mark.parametrize("stated", [True, False], ids=["stated", "found while it streams"])
def test_what_is_too_large_is_refused_and_nothing_of_it_stays(stated, tmp_path):
    with serving(tmp_path, Stub(), Limits(bytes=100_000)) as client:
        job = client.begin()
        assert client.put(job, b"x" * 60_000).status_code == 204
        content = b"x" * 60_000
        answer = client.put(job, content if stated else iter([content[:50_000], content[50_000:]]))
        assert answer.status_code == 413 and "MiB" in answer.text
        assert client.http.post(f"{job}/start", headers=ASKS).status_code == 404
        assert client.folders() == []


def test_there_are_limits_of_number_and_time(tmp_path):
    with serving(tmp_path, Stub(), Limits(files=2, jobs=2, upload_seconds=3)) as client:
        job = client.begin()
        assert [client.put(job, b"x").status_code for _ in range(3)] == [204, 204, 413]
        jobs = [client.begin(), client.begin()]
        assert client.http.post("/jobs", params={"bundle": "retinal_vessels"}, headers=ASKS).status_code == 503

        def slowly():
            for _ in range(80):
                yield b"x"
                time.sleep(0.1)

        assert client.put(jobs[0], slowly()).status_code == 408
        assert until(lambda: client.folders() == []), "the one to which nothing came is gone too"


def test_other_sites_other_names_and_unknown_paths_get_nothing(tmp_path):
    with serving(tmp_path, Stub()) as client:
        job = client.upload(PHOTOGRAPH)
        client.followed(job)
        for method, path in (("POST", "/jobs?bundle=retinal_vessels"), ("PUT", f"{job}/files"), ("DELETE", job)):
            assert client.http.request(method, path).status_code == 403, "without the header"
        assert client.http.get("/", headers={"Host": "somebody.example"}).status_code == 400
        paths = ["/jobs/unknown/events", f"{job}/2/result.json", f"{job}/1/files.json", f"{job}/1/..%2f..%2frun.json"]
        for path in (*paths, f"{job}/1/%2e%2e", "/static/../app.py", "/static/%2e%2e/%2e%2e/app.py", "/elsewhere"):
            assert client.http.get(path).status_code == 404, path
        assert client.put(job, b"more").status_code == 409
        assert client.http.get(f"{job}/1/result.json").status_code == 200, "what was measured stays"


def test_only_tasks_and_numbers_reach_the_command(tmp_path):
    stub = Stub()
    with serving(tmp_path, stub, options=("--device", "cpu")) as client:
        for wrong in (
            {"bundle": "../x"},
            {"bundle": "retinal_vessels", "point": "1,2,$x"},
            {"bundle": "retinal_vessels", "spacing": "nan"},
        ):
            assert client.http.post("/jobs", params=wrong, headers=ASKS).status_code == 400
        client.followed(client.upload(b"x", spacing="0.20", point="-3,4,1e2"))
    assert stub.jobs[0].options == ["--device", "cpu", "--spacing=0.2", "--point=-3,4,100"]


def test_every_answer_tells_the_browser_to_keep_and_run_nothing_else(tmp_path):
    with serving(tmp_path, Stub()) as client:
        job = client.upload(PHOTOGRAPH)
        client.followed(job)
        for path in ("/", "/static/page.js", f"{job}/1/result.json", "/elsewhere"):
            headers = client.http.get(path).headers
            assert headers["content-security-policy"] == PAGE_POLICY and headers["cache-control"] == "no-store"
            assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
        report = client.http.get(f"{job}/1/report.html").headers
        assert report["content-security-policy"] == REPORT_POLICY and "sandbox" in REPORT_POLICY


def test_a_token_opens_the_page_once_and_then_a_cookie_does(tmp_path):
    with serving(tmp_path, Stub(), token="of-the-server") as client:
        for path in ("/", "/?token=wrong", "/static/page.js?token=of-the-server"):
            assert client.http.get(path).status_code == 401
        assert client.http.post("/jobs?bundle=retinal_vessels", headers=ASKS).status_code == 401
        answer = client.http.get("/?token=of-the-server")
        assert answer.status_code == 303 and answer.headers["location"] == "/"
        assert "HttpOnly" in answer.headers["set-cookie"] and "SameSite=strict" in answer.headers["set-cookie"]
        assert client.http.get("/").status_code == 200


def test_a_page_that_is_left_loses_its_result_and_stops_its_run(tmp_path):
    stub = Stub(seconds=600)
    with serving(tmp_path, stub, Limits(absent_seconds=1.5)) as client:
        job = client.upload(PHOTOGRAPH)
        for event in client.events(job):
            if event["state"] == "running":
                break
        assert until(lambda: client.folders() == [])
        assert client.http.get(f"{job}/events").status_code == 404
        stub.seconds = 0
        assert client.followed(client.upload(b"the next one"))[-1]["state"] == "done"


def test_a_page_that_listens_keeps_its_result_until_its_time_is_over(tmp_path):
    with serving(tmp_path, Stub(), Limits(absent_seconds=2, keep_seconds=4)) as client:
        job = client.upload(PHOTOGRAPH)
        told = list(client.events(job))
        assert [event["state"] for event in told][-2:] == ["done", "deleted"]
        assert client.folders() == []


def test_an_upload_is_not_started_while_a_file_of_it_comes_in(tmp_path):
    """A part of a study would be measured. What comes in two pieces, of which the first is short, is an archive all the same."""
    stub, packed = Stub(), archive(a=b"1")
    with serving(tmp_path, stub) as client:
        job = client.begin()
        client.put(job, b"one")
        with socket.create_connection(("127.0.0.1", client.http.base_url.port)) as raw:
            head = f"PUT {job}/files HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Caveat: 1\r\nContent-Length: {len(packed)}\r\n\r\n"
            raw.sendall(head.encode() + packed[:2])
            assert until(lambda: any(tmp_path.rglob("000002")))
            assert client.http.post(f"{job}/start", headers=ASKS).status_code == 409
            raw.sendall(packed[2:])
            assert b"204" in raw.recv(100)
        assert client.http.post(f"{job}/start", headers=ASKS).status_code == 202
        client.followed(job)
    assert stub.seen == [{"000001": b"one", "000002.zip": packed}]


def test_a_client_that_breaks_off_leaves_nothing(tmp_path):
    with serving(tmp_path, Stub()) as client:
        job = client.begin()
        port = client.http.base_url.port
        with socket.create_connection(("127.0.0.1", port)) as raw:
            head = f"PUT {job}/files HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Caveat: 1\r\nContent-Length: 1000\r\n\r\n"
            raw.sendall(head.encode() + b"x" * 10)
            assert until(lambda: any(path.stat().st_size for path in tmp_path.rglob("000001")) or len(client.folders()) == 1)
        assert until(lambda: client.folders() == [])


def test_a_folder_that_somebody_cleared_away_is_not_made_again_for_all_to_enter(tmp_path):
    """As what clears temporary folders does after some days; the new one had the usual rights."""
    root = tmp_path / "root"
    root.mkdir(mode=0o700)
    with serving(root, Stub()) as client:
        root.rmdir()
        assert client.http.post("/jobs?bundle=retinal_vessels", headers=ASKS).status_code == 507
        assert not root.exists()
        root.mkdir(mode=0o700)
        job = client.begin()
        assert [path.stat().st_mode & 0o777 for path in root.rglob("*")] == [0o700] * 2
        assert client.put(job, b"x").status_code == 204


def test_a_deleted_job_is_gone_while_it_waits_and_when_it_is_done(tmp_path):
    stub = Stub(seconds=0.5)
    with serving(tmp_path, stub) as client:
        jobs = [client.upload(bytes([number])) for number in range(3)]
        assert client.http.delete(jobs[1], headers=ASKS).status_code == 204
        assert client.followed(jobs[2])[-1]["state"] == "done"
        assert client.http.delete(jobs[2], headers=ASKS).status_code == 204
        assert client.http.get(f"{jobs[2]}/1/report.html").status_code == 404
    assert [seen["000001"] for seen in stub.seen] == [b"\0", b"\2"]


def test_an_upload_that_is_deleted_while_its_result_is_read_does_not_keep_the_later_ones(tmp_path, monkeypatch):
    with serving(tmp_path, Stub()) as client:

        def read_and_deleted(folder: Path) -> dict[str, Any] | None:
            found = read_result(folder)
            assert client.http.delete(job, headers=ASKS).status_code == 204
            return found

        monkeypatch.setattr("caveat.serve.found.read_result", read_and_deleted)
        job = client.begin()
        client.put(job, b"x")
        client.http.post(f"{job}/start", headers=ASKS)
        assert until(lambda: client.folders() == [])
        monkeypatch.undo()
        later = client.upload(b"the next one")
        assert until(lambda: next(client.events(later))["state"] == "done")


def test_a_photograph_and_what_is_no_image_go_the_whole_way(tmp_path):
    """By `caveat predict` in a process of its own."""
    with serving(tmp_path, options=("--sampler", "single", "--device", "cpu")) as client:
        job = client.upload(picture_bytes(fundus(450, 470)[0]))
        (study,) = client.followed(job)[-1]["studies"]
        assert study["status"] == "OK" and study["statements"][0].startswith("Vessels: ")
        assert {"image.png", "segmentation.png", "report.html", "result.json"} <= set(study["files"])
        assert client.http.get(f"{job}/1/image.png").content.startswith(b"\x89PNG")
        none = client.upload(b"no image at all")
        assert client.followed(none)[-1]["reason"]["code"] == "NO_INPUT_FOUND"


@pytest.mark.parametrize("wrong", [["--port", "700000"], ["--keep", "0"], ["--host", "no.such.host.invalid"]])
def test_wrong_usage_is_said_in_one_line(wrong, capsys):
    assert main(["serve", *wrong]) == 2
    assert capsys.readouterr().err.startswith("caveat: WRONG_USAGE: ")
