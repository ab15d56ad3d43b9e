"""A Dask cluster of two processes: the same bytes, a worker that dies costs a try, a poisoned study is given up."""

from __future__ import annotations

import logging
import os
import zipfile
from pathlib import Path

import pytest
import requests
from phantoms import fundus, picture_bytes
from poison import POINT, poisoned_bundle, state, write_crops

from caveat.bundle_folders import ALLOW_LIST
from caveat.cli import main
from caveat.reasons import StudyRefused
from caveat.run.cluster import Cluster, Seen, measure_there
from caveat.run.crew import Limits
from caveat.run.job import Job
from caveat.transforms.study.discover import find_studies
from caveat.transforms.study.input_sha256 import input_glimpse

TESTS = Path(__file__).resolve().parents[1]


@pytest.mark.slow
def test_a_cluster_that_loses_a_worker_writes_what_one_process_writes(tmp_path, monkeypatch, capsys):
    distributed = pytest.importorskip("distributed")
    bundle = poisoned_bundle(tmp_path / "bundles")
    monkeypatch.setenv(ALLOW_LIST, str(bundle.parent))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")]))
    given = write_crops(tmp_path / "in", *(f"slow{i}" for i in range(4)), "broken")
    command = ["predict", str(bundle), "-i", str(given), *POINT, "--device", "cpu"]
    assert main([*command, "-o", str(tmp_path / "alone"), "--workers", "0"]) == 0
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        seen, outcome_of = [], Cluster._outcome

        def one_dies(self, future, study):
            """Kill a Dask worker in the middle, its crew with it."""
            if not seen:
                next(iter(cluster.workers.values())).process.process._process.kill()
            seen.append(study["number"])
            return outcome_of(self, future, study)

        monkeypatch.setattr(Cluster, "_outcome", one_dies)
        assert main([*command, "-o", str(tmp_path / "there"), "--scheduler", cluster.scheduler_address]) == 0
    assert state(tmp_path / "there") == state(tmp_path / "alone")
    assert sorted(seen) == [1, 2, 3, 4, 5]


@pytest.mark.slow
def test_a_poisoned_study_is_given_up_on_a_local_cluster(tmp_path, monkeypatch, capsys):
    pytest.importorskip("distributed")
    bundle = poisoned_bundle(tmp_path / "bundles")
    monkeypatch.setenv(ALLOW_LIST, str(bundle.parent))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")]))
    given = write_crops(tmp_path / "in", "a", "crash_MILLER")
    command = ["predict", str(bundle), "-i", str(given), "-o", str(tmp_path / "out"), *POINT, "--device", "cpu"]
    assert main([*command, "--scheduler", "local", "--workers", "2", "--anonymous-names"]) == 0
    said = capsys.readouterr()
    assert "study 2, " in said.err and "WORKER_DIED" in said.err and "MILLER" not in said.err + said.out


@pytest.mark.parametrize("changed", ["in/eye.png", "out/run.json"])
def test_a_machine_that_sees_another_disk_there_measures_nothing(changed, tmp_path):
    """Under one path lies another patient's image, or another folder for the results."""
    for name in ("in/eye.png", "out/run.json"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("here")
    job = Job(tmp_path, (), {"output_dir": tmp_path / "out"})
    study = {"number": 1, "image": str(tmp_path / "in" / "eye.png")}
    seen = Seen.of(job, study)
    assert Seen.of(job, study) == seen
    (tmp_path / changed).write_text("else")
    answer = measure_there(job, Limits(1, 1), {}, study, seen)
    assert isinstance(answer, StudyRefused) and answer.code == "OUTPUT_OF_ANOTHER_RUN" and "sees other files" in answer.found


def test_two_volumes_that_begin_and_end_in_air_are_two(tmp_path):
    air, image = bytes(2**17), tmp_path / "head.nii"
    image.write_bytes(air + b"one" * 2**15 + air)
    one = input_glimpse(str(image))
    image.write_bytes(air + b"two" * 2**15 + air)
    assert input_glimpse(str(image)) != one


@pytest.mark.slow
def test_dask_says_only_what_is_wrong(caplog, monkeypatch):
    pytest.importorskip("distributed")
    dask = logging.getLogger("distributed")
    monkeypatch.setattr(dask, "propagate", True)  # as where Dask is imported after our own logging has begun
    monkeypatch.setattr(dask, "level", logging.INFO)
    with Cluster("local", 1, Job(Path(), (), {}, 1, False), Limits(60, 2**32)):
        pass
    assert [record for record in caplog.records if record.levelno < logging.ERROR] == []


@pytest.mark.slow
def test_a_local_cluster_shows_no_pages():
    """Whoever else is on this machine could read what runs, at a port that everybody knows."""
    pytest.importorskip("distributed")
    with Cluster("local", 1, Job(Path(), (), {}, 1, False), Limits(60, 2**32)) as cluster:
        cluster.client.wait_for_workers(1)
        known = cluster.client.scheduler_info()
        ports = [one["services"]["dashboard"] for one in (known, *known["workers"].values())]
        found = {requests.get(f"http://127.0.0.1:{port}/health", timeout=9).status_code for port in ports}
    assert 8787 not in ports and found == {404}


def test_other_machines_are_told_nothing_that_only_this_one_sees(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile("export.zip", "w") as archive:
        archive.writestr("eye.png", picture_bytes(fundus()[0]))
    Path("eye.png").write_bytes(picture_bytes(fundus()[0]))
    cluster = Cluster("tcp://scheduler:8786", 1, None, None)
    unpacked, whole = find_studies(".")
    assert cluster._as_seen_from_there(whole)["image"] == str(tmp_path / "eye.png")
    with pytest.raises(StudyRefused, match="WRONG_USAGE"):
        cluster._as_seen_from_there(unpacked)
