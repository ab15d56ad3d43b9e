"""An Orthanc as the server's datastore: series are read by our own reader, and what caveat pushed is no label."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("monailabel", reason="monailabel is not installed; make monai-label has an environment of its own for it")

import requests
import SimpleITK
from pacs.orthanc import Orthanc
from pydicom import dcmread
from served import Served

from caveat.cli import main

pytestmark = pytest.mark.monailabel
HIPPOCAMPUS = "hippocampus_volume"
STUDIES = ("study1", "study2")


@pytest.fixture(scope="module")
def series(data) -> dict[str, Path]:
    """Folder of each series, by its identifier."""
    folders = [data / "hippocampus_dicom" / study for study in STUDIES]
    return {str(dcmread(next(folder.rglob("*.dcm"))).SeriesInstanceUID): folder for folder in folders}


@pytest.fixture(scope="module")
def data() -> Path:
    from conftest import data_folder

    return data_folder()


@pytest.fixture(scope="module")
def orthanc(series, tmp_path_factory) -> Iterator[Orthanc]:
    place = tmp_path_factory.mktemp("orthanc")
    if not Path("/usr/sbin/Orthanc").is_file():
        pytest.skip("apt-get install orthanc orthanc-dicomweb")
    one = Orthanc(place).start()
    for folder in series.values():
        one.push([dcmread(file) for file in sorted(folder.rglob("*.dcm"))])
    yield one
    one.kill()


@pytest.fixture(scope="module")
def server(orthanc, tmp_path_factory) -> Iterator[Served]:
    place = tmp_path_factory.mktemp("server")
    with Served(f"{orthanc.url}/dicom-web", [HIPPOCAMPUS], place, ["--cache", str(place / "cache")]) as one:
        yield one


@pytest.fixture
def client(server, tmp_path) -> Any:
    from monailabel.client import MONAILabelClient

    return MONAILabelClient(server.url, tmpdir=str(tmp_path))


@pytest.fixture(scope="module")
def predicted(series, tmp_path_factory) -> Path:
    """What `caveat predict` says of the first series, and its objects for an archive."""
    out = tmp_path_factory.mktemp("predicted") / "out"
    asked = ["--device", "cpu", "--workers", "0", "--maps", "none", "--dicom", "-o", str(out)]
    assert main(["predict", HIPPOCAMPUS, "-i", str(next(iter(series.values()))), *asked]) == 0
    (result,) = out.glob("*/result.json")
    return result.parent


def test_a_series_of_the_archive_is_measured_as_predict_does(client, series, predicted):
    file, said = client.infer(HIPPOCAMPUS, next(iter(series)), params={"result_extension": ".nrrd", "result_dtype": "uint8"})
    one, other = SimpleITK.ReadImage(file), SimpleITK.ReadImage(str(predicted / "segmentation.nii.gz"))
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(one), SimpleITK.GetArrayFromImage(other))
    np.testing.assert_allclose(one.GetOrigin(), other.GetOrigin(), atol=1e-4)
    stored = json.loads((predicted / "result.json").read_text())
    assert [answer["statement"] for answer in said["caveat"]["answers"]] == [answer["statement"] for answer in stored["answers"]]
    assert said["caveat"]["input"]["sha256"] == stored["input"]["sha256"]


@pytest.mark.parametrize("image", ["1.2.3", "../../../../../etc", "/etc"])
def test_what_the_archive_does_not_have_is_refused(image, server):
    answer = requests.post(f"{server.url}/infer/{HIPPOCAMPUS}", params={"image": image, "output": "json"}, timeout=60)
    assert answer.status_code == 422 and answer.json()["detail"].startswith("UNREADABLE_FILE")


def test_our_own_segmentation_is_no_label_and_an_annotators_is(server, client, orthanc, series, predicted, tmp_path):
    first, second = series
    assert main(["send", str(predicted.parent), f"{orthanc.url}/dicom-web"]) == 0
    assert "SEG" in orthanc.modalities()
    assert requests.post(f"{server.url}/scoring/{HIPPOCAMPUS}_doubt", json={}, timeout=60).ok
    state = server.wait_for("scoring")
    assert state["status"] == "DONE", state["details"]
    strategy = f"{HIPPOCAMPUS}_disagreement"
    assert {client.next_sample(strategy, {})["id"] for _ in series} == {first, second}
    file, _ = client.infer(HIPPOCAMPUS, second, params={})
    labels = [{"name": "anterior", "idx": 1}, {"name": "posterior", "idx": 2}]
    client.save_label(second, file, tag="final", params={"label_info": labels})
    assert orthanc.modalities().count("SEG") == 2
    with Served(server.studies, server.bundles, tmp_path, server.options) as again:  # whose list of labels is not a minute old
        asked = requests.post(f"{again.url}/activelearning/{strategy}", json={}, timeout=60)
        assert {asked.json()["id"]} == {first}
