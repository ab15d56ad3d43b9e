"""Out of an Orthanc, measured, and back into it: `make test-pacs`."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dicom_grid import Grid
from dicom_phantoms import clean_series
from pydicom import dcmread

pytest.importorskip("dicomweb_client", reason="dicomweb-client is not installed; it is part of caveat[test]")

from orthanc import STABLE_S, Orthanc
from stand_in import watch_of

from caveat.cli import main
from caveat.exit_status import RunFailed

pytestmark = pytest.mark.pacs
SMALL = Grid((12, 10, 8))
RESULTS = ["MR", "OT", "SEG", "SR"]
KILLS = 50


@pytest.fixture
def orthanc(tmp_path) -> Iterator[Orthanc]:
    server = Orthanc(tmp_path / "orthanc").start()
    yield server
    server.kill()


def objects_in(output: Path) -> list[Path]:
    return sorted(output.glob("0*/*/*.dcm"))


def test_the_machine_has_what_these_tests_are_for():
    assert shutil.which("dciodvfy"), "apt-get install dicom3tools"
    assert shutil.which("Orthanc") or Path("/usr/sbin/Orthanc").is_file(), "apt-get install orthanc orthanc-dicomweb"


def test_a_series_is_measured_once_and_its_objects_come_back_byte_for_byte(orthanc, tmp_path):
    orthanc.push(clean_series(SMALL, "MR"))
    orthanc.wait_until_stable()
    assert watch_of(orthanc.url, tmp_path / "out").run(lambda: False, 0.1, once=True) == 1
    written = objects_in(tmp_path / "out")
    assert len(written) == 6 and orthanc.modalities() == RESULTS
    for path in written:
        assert orthanc.stored(dcmread(path).SOPInstanceUID) == path.read_bytes()
    orthanc.wait_until_stable()
    before = orthanc.get("/statistics")["CountInstances"]
    assert watch_of(orthanc.url, tmp_path / "out").run(lambda: False, 0.1, once=True) == 0, "its own objects are no studies"
    assert orthanc.get("/statistics")["CountInstances"] == before
    assert not list((tmp_path / "out").glob("*.partial"))


def test_a_second_watch_from_the_beginning_adds_nothing(orthanc, tmp_path):
    orthanc.push(clean_series(SMALL, "MR"))
    orthanc.wait_until_stable()
    for output in ("first", "second"):
        assert watch_of(orthanc.url, tmp_path / output).run(lambda: False, 0.1, once=True) == 1
    assert [path.read_bytes() for path in objects_in(tmp_path / "first")] == [
        path.read_bytes() for path in objects_in(tmp_path / "second")
    ]
    assert orthanc.get("/statistics")["CountInstances"] == SMALL.shape[2] + 6


def test_a_study_that_arrives_in_two_halves_is_measured_whole(orthanc, tmp_path):
    series = clean_series(SMALL, "MR")
    orthanc.push(series[:5])
    orthanc.wait_until_stable()
    orthanc.push(series[5:])
    orthanc.wait_until_stable()
    assert watch_of(orthanc.url, tmp_path / "out").run(lambda: False, 0.1, once=True) == 1
    report = next(path for path in objects_in(tmp_path / "out") if path.name == "measurements.dcm")
    evidence = dcmread(report).CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence
    assert sum(len(one.ReferencedSOPSequence) for one in evidence) >= SMALL.shape[2]


def test_an_archive_that_dies_in_the_middle_is_asked_again(orthanc, tmp_path):
    for series in (1, 2):
        orthanc.push(clean_series(SMALL, "MR", series=series))
    orthanc.wait_until_stable()
    stop = threading.Event()
    watch = watch_of(orthanc.url, tmp_path / "out")
    measured: list[int] = []
    thread = threading.Thread(target=lambda: measured.append(watch.run(stop.is_set, 0.2, once=False)))
    thread.start()
    while not objects_in(tmp_path / "out"):
        time.sleep(0.01)
    orthanc.kill()
    time.sleep(1)
    orthanc.start()
    end = time.monotonic() + 120
    while orthanc.modalities() != sorted(2 * RESULTS) and time.monotonic() < end:
        time.sleep(0.2)
    stop.set()
    thread.join()
    assert orthanc.modalities() == sorted(2 * RESULTS)
    for path in objects_in(tmp_path / "out"):
        assert orthanc.stored(dcmread(path).SOPInstanceUID) == path.read_bytes()


def test_a_series_that_came_before_the_archive_was_ended_is_measured(orthanc, tmp_path):
    """Orthanc never says that it rests."""
    orthanc.push(clean_series(SMALL, "MR"))
    assert watch_of(orthanc.url, tmp_path / "out").run(lambda: False, 0.1, once=True) == 0
    orthanc.kill()
    orthanc.start()
    time.sleep(2 * STABLE_S)
    assert "StableSeries" not in {change["ChangeType"] for change in orthanc.get("/changes")["Changes"]}
    assert watch_of(orthanc.url, tmp_path / "out").run(lambda: False, 0.1, once=True) == 1
    assert orthanc.modalities() == RESULTS
    orthanc.wait_until_stable()
    time.sleep(STABLE_S)
    assert watch_of(orthanc.url, tmp_path / "out").run(lambda: False, 0.1, once=True) == 0


def test_two_patients_under_one_identifier_do_not_keep_the_later_series(orthanc, tmp_path):
    """DICOMweb answers 404 for both."""
    one, other = clean_series(SMALL, "MR"), clean_series(SMALL, "MR")
    for slice_ in other:
        slice_.PatientID = "corrected"
    later = clean_series(SMALL, "MR")
    for slice_ in later:
        for element in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
            setattr(slice_, element, f"{slice_[element].value}.9")
        slice_.file_meta.MediaStorageSOPInstanceUID = slice_.SOPInstanceUID
    for objects in (one, other, later):
        orthanc.push(objects)
        orthanc.wait_until_stable()
    with pytest.raises(RunFailed, match="2 series given up, .* 1 measured"):
        watch_of(orthanc.url, tmp_path / "out").run(lambda: False, 0.1, once=True)


def test_a_watch_that_is_killed_again_and_again_loses_nothing_and_does_nothing_twice(orthanc, tmp_path):
    for series in (1, 2, 3):
        orthanc.push(clean_series(SMALL, "MR", series=series))
    orthanc.wait_until_stable()
    code = Path(__file__).with_name("stand_in.py")
    command = [sys.executable, str(code), orthanc.url, str(tmp_path / "out")]
    moments = random.Random(0)
    for _ in range(KILLS):
        process = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL)
        time.sleep(moments.uniform(0, 8))
        process.kill()
        process.wait()
    subprocess.run(command, env=environment(), check=True, stdout=subprocess.DEVNULL)
    assert orthanc.modalities() == sorted(3 * RESULTS)
    assert orthanc.get("/statistics")["CountInstances"] == 3 * (SMALL.shape[2] + 6)


def environment() -> dict[str, str]:
    import os

    root = Path(__file__).resolve().parents[2]
    places = (str(root), str(root / "tests"), str(root / "tests" / "pacs"), os.environ.get("PYTHONPATH", ""))
    return os.environ | {"PYTHONPATH": os.pathsep.join(places)}


def test_the_command_measures_with_a_bundle_and_refuses_a_series_of_300_slices_in_words(orthanc, tmp_path, capfd):
    """Of which no crop is a hippocampus: a refusal goes back as a report too."""
    orthanc.push(clean_series(Grid((64, 64, 300), (1.0, 1.0, 1.0)), "MR"))
    orthanc.wait_until_stable()
    rules = tmp_path / "rules.yaml"
    rules.write_text("- {modality: MR, bundle: hippocampus_volume, smallest: 20}\n", encoding="utf-8")
    assert main(["watch", orthanc.url, "--rules", str(rules), "-o", str(tmp_path / "out"), "--once"]) == 0
    said = capfd.readouterr()
    assert said.out == "1 series measured\n" and "Phantom" not in said.err
    result = json.loads(next((tmp_path / "out").glob("0*/*/result.json")).read_text())
    assert result["status"] == "REFUSED" and orthanc.modalities() == ["MR", "OT", "SR"]
