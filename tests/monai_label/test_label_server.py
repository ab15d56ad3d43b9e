"""The real server with our app, asked by MONAI Label's own client: `make test-monailabel`."""

from __future__ import annotations

import email
import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

pytest.importorskip("monailabel", reason="monailabel is not installed; make monai-label has an environment of its own for it")

import requests
import SimpleITK
import skimage
from phantoms import write_head, write_lung_crop
from served import Served

from caveat.cli import main
from caveat.listing.annotation_journal import read_journal

pytestmark = pytest.mark.monailabel
HIPPOCAMPUS, RETINA, SKULL, HEAD = "hippocampus_volume", "retinal_vessels", "cephalometric_landmarks", "tumour_volume"
LESION = "lung_lesions"
BUNDLES = [HIPPOCAMPUS, RETINA, SKULL, HEAD, LESION]
CALLS = json.loads((Path(__file__).parent / "viewers.json").read_text(encoding="ascii"))
"""As the sources of MONAI Label's plug-ins make them: Slicer's recorded from its client, OHIF's written after it."""
SCANS = ("314", "189", "190")


@pytest.fixture(scope="module")
def data() -> Path:
    from conftest import data_folder

    return data_folder()


@pytest.fixture(scope="module")
def studies(data, tmp_path_factory) -> Path:
    """A datastore of three hippocampi, a picture of each kind, a head, and two images that cannot be measured."""
    folder = tmp_path_factory.mktemp("studies")
    for scan in SCANS:
        shutil.copy(data / "hippocampus" / "images" / f"hippocampus_{scan}.nii.gz", folder / f"hip{scan}.nii.gz")
    shutil.copy(Path(skimage.__file__).parent / "data" / "retina.jpg", folder / "retina.jpg")
    shutil.copy(data / "cephalograms" / "images" / "001.jpg", folder / "skull.jpg")
    for name, write in (("head.nii.gz", write_head), ("lung.nii.gz", write_lung_crop)):
        shutil.copy(write(tmp_path_factory.mktemp("made") / name, seed=1), folder / name)
    whole = nibabel.load(folder / "hip314.nii.gz")
    voxels = np.asarray(whole.dataobj).astype(np.float32)
    voxels[0, 0, 0] = np.nan
    nibabel.save(nibabel.Nifti1Image(voxels, whole.affine), folder / "nan.nii.gz")
    (folder / "cut.nii.gz").write_bytes((folder / "hip314.nii.gz").read_bytes()[:2000])
    return folder


@pytest.fixture(scope="module")
def server(studies, tmp_path_factory) -> Iterator[Served]:
    with Served(str(studies), BUNDLES, tmp_path_factory.mktemp("server")) as one:
        yield one


@pytest.fixture
def client(server, tmp_path) -> Any:
    from monailabel.client import MONAILabelClient

    return MONAILabelClient(server.url, tmpdir=str(tmp_path))


@pytest.fixture(scope="module")
def predicted(studies, tmp_path_factory) -> Any:
    """Folder of what `caveat predict` says of an image; each is measured once."""
    known: dict[tuple[str, ...], Path] = {}

    def of(bundle: str, image: Path, *options: str) -> Path:
        if (bundle, str(image), *options) not in known:
            out = tmp_path_factory.mktemp("predicted") / "out"
            fixed = (
                ["--device", "cpu", "--workers", "0", "--maps", "none"]
                if bundle != SKULL
                else ["--device", "cpu", "--workers", "0"]
            )
            assert main(["predict", bundle, "-i", str(image), "-o", str(out), *fixed, *options]) == 0
            (result,) = out.glob("*/result.json")
            known[(bundle, str(image), *options)] = result.parent
        return known[(bundle, str(image), *options)]

    return of


def voxels(path: str | Path) -> np.ndarray:
    return SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))


def assert_same_answers(said: dict[str, Any], folder: Path) -> None:
    stored = json.loads((folder / "result.json").read_text())
    assert said["caveat"]["status"] == stored["status"] and said["caveat"]["flags"] == stored["flags"]
    assert said["caveat"]["input"]["sha256"] == stored["input"]["sha256"]
    for one, other in zip(said["caveat"]["answers"], stored["answers"], strict=True):
        assert one["statement"] == other["statement"]
        np.testing.assert_allclose(one["value"], other["value"], rtol=1e-5)
        assert (one["region"] or {}).get("record") == (other["region"] or {}).get("record")


def test_the_server_says_what_it_has(server):
    models = server.get("/info/")["models"]
    assert set(models) == {
        *BUNDLES,
        *(f"{name}_levels" for name in (HIPPOCAMPUS, RETINA, HEAD, LESION)),
        f"{LESION}_at_point",
    }
    assert models[HIPPOCAMPUS]["labels"] == {"anterior": 1, "posterior": 2} and models[HIPPOCAMPUS]["dimension"] == 3
    assert models[f"{LESION}_at_point"]["type"] == "deepgrow" and models[f"{LESION}_at_point"]["dimension"] == 3
    assert models[HIPPOCAMPUS]["config"]["sampler"][0] == "ensemble"
    assert len(models[SKULL]["labels"]) == 19 and models[SKULL]["dimension"] == 2


@pytest.mark.parametrize("extension,dtype", [("", ""), (".nii", "uint16"), (".nrrd", "uint8"), (".nii.gz", "float32")])
def test_a_mask_is_that_of_predict_in_the_form_that_was_asked_for(extension, dtype, client, predicted, studies):
    asked = {"result_extension": extension, "result_dtype": dtype, "result_compress": False}
    file, said = client.infer(HIPPOCAMPUS, "hip314", params={name: value for name, value in asked.items() if value})
    expected = predicted(HIPPOCAMPUS, studies / "hip314.nii.gz") / "segmentation.nii.gz"
    one, other = SimpleITK.ReadImage(file), SimpleITK.ReadImage(str(expected))
    assert (
        file.endswith(extension or ".nii.gz")
        and one.GetPixelIDTypeAsString()
        == {
            "": "8-bit unsigned integer",
            "uint8": "8-bit unsigned integer",
            "uint16": "16-bit unsigned integer",
            "float32": "32-bit float",
        }[dtype]
    )
    np.testing.assert_array_equal(voxels(file), voxels(expected))
    for facts in ("GetSpacing", "GetOrigin", "GetDirection"):
        np.testing.assert_allclose(getattr(one, facts)(), getattr(other, facts)(), atol=1e-5)
    assert said["label_names"] == {"anterior": 1, "posterior": 2}
    assert_same_answers(said, expected.parent)
    assert "90 % interval" in said["text"] and said["caveat"]["gate"]["accepted"] is True


def test_dicom_goes_through_our_own_reader(client, predicted, data, tmp_path):
    folder = data / "hippocampus_dicom" / "study1"
    packed = tmp_path / "series.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for file in sorted(folder.rglob("*.dcm")):
            archive.write(file, file.name)
    file, said = client.infer(HIPPOCAMPUS, "", params={}, file=str(packed))
    expected = predicted(HIPPOCAMPUS, folder)
    np.testing.assert_array_equal(voxels(file), voxels(expected / "segmentation.nii.gz"))
    assert (
        said["caveat"]["answers"][0]["statement"] == json.loads((expected / "result.json").read_text())["answers"][0]["statement"]
    )
    series = SimpleITK.ImageSeriesReader()
    series.SetFileNames(series.GetGDCMSeriesFileNames(str(folder)))
    shown, ours = series.Execute(), SimpleITK.ReadImage(file)
    assert shown.GetSize() == ours.GetSize()
    for corner in ((0, 0, 0), tuple(size - 1 for size in shown.GetSize())):
        np.testing.assert_allclose(
            shown.TransformIndexToPhysicalPoint(corner), ours.TransformIndexToPhysicalPoint(corner), atol=1e-3
        )


def test_nested_levels_hold_each_other(client):
    file, said = client.infer(f"{HIPPOCAMPUS}_levels", "hip314", params={})
    labels = voxels(file)
    assert list(said["label_names"].values()) == [1, 2, 3, 4, 5, 6] and "anterior, all draws" in said["label_names"]
    drawn = said["caveat"]["answers"][0]["draws"]["values"]
    everywhere, somewhere = int(np.isin(labels, (1, 4)).sum()) / 1000, int((labels > 0).sum()) / 1000
    assert everywhere < min(drawn) < max(drawn) < somewhere, "mL of voxels of 1 mm"


def test_a_click_is_measured_in_the_bundles_own_box(client, predicted, studies):
    voxel = [15, 16, 2]
    point = (nibabel.load(studies / "lung.nii.gz").affine @ [*voxel, 1])[:3]
    clicked, said = client.infer(f"{LESION}_at_point", "lung", params={"foreground": [[9, 9, 2], voxel], "background": []})
    expected = predicted(LESION, studies / "lung.nii.gz", "--point", ",".join(map(str, point)))
    np.testing.assert_array_equal(voxels(clicked), voxels(expected / "segmentation.nii.gz"))
    assert_same_answers(said, expected)
    assert said["caveat"]["input"]["crop"]["source"] == "point"
    hypotheses = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(expected / "hypotheses.nii.gz")))
    last = len(said["caveat"]["hypotheses"])
    chosen, _ = client.infer(f"{LESION}_at_point", "lung", params={"foreground": [voxel], "hypothesis": last})
    np.testing.assert_array_equal(voxels(chosen), hypotheses[-1])
    assert len(hypotheses) == last


def test_answers_stand_in_names_where_asked_for(client):
    _, said = client.infer(HIPPOCAMPUS, "hip314", params={"answers_in_names": True, "level": 0.8})
    first, second = said["label_names"]
    assert first.startswith("anterior: ") and " mL (80 % " in first and second.startswith("posterior: ")
    assert all(len(name) <= 64 for name in said["label_names"])


def test_draws_and_seed_are_the_clients_to_choose(client):
    asked = [{"sampler": "dropout", "draws": 3, "seed": seed} for seed in (1, 1, 2)]
    answers = [client.infer(HIPPOCAMPUS, "hip314", params=one)[1]["caveat"] for one in asked]
    values = [one["answers"][0]["draws"]["values"] for one in answers]
    assert values[0] == values[1] != values[2] and len(values[0]) == 3 and answers[0]["sampling"]["seed"] == 1


@pytest.mark.parametrize(
    "image,params,code",
    [
        ("nan", {}, "NON_FINITE_VOXELS"),
        ("cut", {}, "TRUNCATED"),
        ("nobody", {}, "UNREADABLE_FILE"),
        ("/etc/hostname", {}, "UNREADABLE_FILE"),
        ("../../../../etc/hostname", {}, "UNREADABLE_FILE"),
        ("hip314", {"image": "/etc/hostname"}, "UNREADABLE_FILE"),
        ("retina", {}, "NOT_THIS_KIND"),
        ("hip314", {"draws": -1}, "WRONG_USAGE"),
        ("hip314", {"draws": "$import os"}, "WRONG_USAGE"),
        ("hip314", {"sampler": "$__import__('os')"}, "WRONG_USAGE"),
        ("hip314", {"result_extension": ".exe"}, "WRONG_USAGE"),
        ("hip314", {"level": 0.999}, ""),
        ("hip314", {"hypothesis": 2}, "WRONG_USAGE"),
        ("hip314", {"point": [900, 0, 0]}, "ROI_OUTSIDE_IMAGE"),
    ],
)
def test_a_refusal_has_its_code_and_what_to_do(image, params, code, server):
    asked = {"params": {"image": image, "output": "json"}, "data": {"params": json.dumps(params)}}
    answer = requests.post(f"{server.url}/infer/{HIPPOCAMPUS}", **asked, timeout=300)
    if code:
        detail = answer.json()["detail"]
        assert answer.status_code == 422 and detail.startswith(code) and "hint: " in detail and "hostname" not in detail
    else:
        assert answer.ok and answer.json()["caveat"]["answers"][0]["region"] is None, "34 subjects promise no 99.9 %"
    assert server.get("/info/")["name"] == "caveat"


def test_a_file_beside_the_datastore_is_not_read(server, studies):
    outside = studies.parent / "secret.nii.gz"
    shutil.copy(studies / "hip314.nii.gz", outside)
    for image in (str(outside), f"../{outside.name}", str(studies / "hip314.nii.gz")):
        answer = requests.post(f"{server.url}/infer/{HIPPOCAMPUS}", params={"image": image, "output": "json"}, timeout=60)
        assert answer.status_code == 422 and answer.json()["detail"].startswith("UNREADABLE_FILE")


def test_eight_requests_at_once_get_what_one_gets(server):
    def ask(image: str) -> tuple[str, bytes]:
        answer = requests.post(f"{server.url}/infer/{HIPPOCAMPUS}", params={"image": image, "output": "image"}, timeout=900)
        answer.raise_for_status()
        return image, answer.content

    images = [f"hip{scan}" for scan in SCANS]
    alone = dict(map(ask, images))
    with ThreadPoolExecutor(8) as pool:
        for image, content in pool.map(ask, [images[number % 3] for number in range(8)]):
            assert content == alone[image]


def test_what_the_network_is_least_sure_of_is_served_first_and_a_label_is_kept(server, client, studies, tmp_path, capsys):
    first, _ = client.infer(HIPPOCAMPUS, "hip190", params={})
    served = [client.next_sample("random", {})["id"]]
    assert requests.post(f"{server.url}/scoring/{HIPPOCAMPUS}_doubt", json={}, timeout=60).ok
    assert server.wait_for("scoring")["status"] == "DONE"
    info = {
        image: server.get(f"/datastore/image/info?image={image}")
        for image in ("hip314", "hip189", "hip190", "nan", "cut", "retina")
    }
    numbers = {image: info[image]["caveat_hippocampus_volume"] for image in info}
    assert numbers["nan"]["refused"] == "NON_FINITE_VOXELS" and all(
        numbers[image]["refused"] for image in ("nan", "cut", "retina")
    )
    hips = [f"hip{scan}" for scan in SCANS]
    for doubt in ("disagreement", "mutual_information", "interval_width"):
        expected = sorted(hips, key=lambda image: -numbers[image][doubt])
        assert [client.next_sample(f"{HIPPOCAMPUS}_{doubt}", {})["id"] for _ in hips] == expected
    saved = client.save_label("hip190", first, tag="final", params={"label_info": [{"name": "anterior", "idx": 1}]})
    assert saved["image"] == "hip190" and server.get("/datastore/?output=stats")["completed"] == 1
    assert "hip190" not in [client.next_sample(f"{HIPPOCAMPUS}_disagreement", {})["id"] for _ in hips]
    events = [(one.event, one.image, one.by) for one in read_journal(studies)]
    assert ("served", served[0], "random") in events and ("saved", "hip190", "") in events
    assert ("shown", "hip190", HIPPOCAMPUS) in events
    out = tmp_path / "list.json"
    assert main(["list", "--monai-label", str(studies), "--root", str(studies), "--parts", "calibration=1", "-o", str(out)]) == 0
    assert "1 of 1 may serve no record and no audit" in capsys.readouterr().out
    assert [entry["image"] for entry in json.loads(out.read_text())["training"]] == ["hip190.nii.gz"]


def test_no_image_is_served_by_doubt_before_there_are_scores(server, studies):
    before = [one for one in read_journal(studies) if one.event == "served"]
    answer = requests.post(f"{server.url}/activelearning/{LESION}_disagreement", json={}, timeout=60)
    assert answer.status_code == 422 and f"/scoring/{LESION}_doubt" in answer.json()["detail"]
    assert [one for one in read_journal(studies) if one.event == "served"] == before


def test_what_is_no_label_or_replaces_an_image_is_refused_and_nothing_changes(server, client, studies, tmp_path, data):
    from monailabel.client.client import MONAILabelClientException

    good = data / "hippocampus" / "labels" / f"hippocampus_{SCANS[0]}.nii.gz"
    truth = SimpleITK.ReadImage(str(good))
    bad = {name: str(tmp_path / f"{name}.nii.gz") for name in ("levels", "text")}
    SimpleITK.WriteImage(truth * 30, bad["levels"])
    Path(bad["text"]).write_text("no image")
    swapped = {"label_info": [{"name": "posterior", "idx": 1}, {"name": "anterior", "idx": 2}]}
    before = {path: path.read_bytes() for path in studies.rglob("*") if path.is_file() and path.suffix != ".jsonl"}
    calls = [
        ("hip314", bad["levels"], {}, "LABEL_WITHOUT_CLASS"),
        ("hip314", str(good), swapped, "LABEL_WITHOUT_CLASS"),
        ("hip189", str(good), {}, "LABEL_OFF_GRID"),
        ("hip189", bad["text"], {}, "UNREADABLE_FILE"),
        ("nobody", str(good), {}, "UNREADABLE_FILE"),
    ]
    for image, file, params, code in calls:
        with pytest.raises(MONAILabelClientException, match=code):
            client.save_label(image, file, tag="final", params=params)
    with pytest.raises(MONAILabelClientException, match="has an image of this name"):
        client.upload_image(str(good), "hip189")
    assert {path: path.read_bytes() for path in before} == before
    unknown = requests.post(f"{server.url}/activelearning/{HIPPOCAMPUS}_doubt", json={}, timeout=60)
    assert unknown.status_code == 422 and f"{HIPPOCAMPUS}_disagreement" in unknown.json()["detail"]


@pytest.mark.parametrize("call", CALLS, ids=[f"{one['viewer']}-{one['call']}" for one in CALLS])
def test_a_viewers_own_call_is_answered(call, server):
    header = {"content-type": call["content_type"]} if call["content_type"] else {}
    body = call["body"].encode("latin-1")
    answer = requests.request(call["method"], f"{server.url}{call['path']}", data=body, headers=header, timeout=600)
    if call["call"] == "train status":
        assert answer.status_code == 404, "no training runs, which is how MONAI Label says so"
        return
    assert answer.status_code == 200
    if call["call"] in ("segmentation", "click"):
        label = label_in(answer)
        assert label.GetPixelIDTypeAsString() == "8-bit unsigned integer" and SimpleITK.GetArrayFromImage(label).any()
    else:
        assert answer.json()


def label_in(answer: requests.Response) -> SimpleITK.Image:
    """The image of an answer: Slicer asks for all, in parts, OHIF for the image alone."""
    content = answer.content
    if "multipart" in answer.headers["content-type"]:
        parts = email.message_from_bytes(b"content-type: " + answer.headers["content-type"].encode() + b"\r\n\r\n" + content)
        params, image = parts.get_payload()
        assert json.loads(params.get_payload())["text"]
        content = image.get_payload(decode=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "label.nrrd"
        path.write_bytes(content)
        return SimpleITK.ReadImage(str(path))


def test_a_network_is_trained_on_what_was_saved(server, client, data):
    for scan in SCANS:
        client.save_label(
            f"hip{scan}", str(data / "hippocampus" / "labels" / f"hippocampus_{scan}.nii.gz"), tag="final", params={}
        )
    budget = {"epochs": 1, "iterations": 1, "batch": 1}
    assert requests.post(f"{server.url}/train/{HIPPOCAMPUS}", json=budget, timeout=60).ok
    state = server.wait_for("train")
    assert state["status"] == "DONE", state["details"]
    assert list((server.place / "trained" / HIPPOCAMPUS).glob("*/network/best.pt"))


@pytest.mark.parametrize("bundle,image", [(RETINA, "retina.jpg"), (HEAD, "head.nii.gz")])
def test_every_bundle_that_segments_says_what_predict_says(bundle, image, client, predicted, studies):
    file, said = client.infer(bundle, image.split(".")[0], params={})
    folder = predicted(bundle, studies / image)
    (expected,) = folder.glob("segmentation.*")
    np.testing.assert_array_equal(voxels(file), voxels(expected))
    assert_same_answers(said, folder)


def test_landmarks_are_discs_with_names(client, predicted, studies):
    file, said = client.infer(SKULL, "skull", params={"result_extension": ".nrrd"})
    assert_same_answers(said, predicted(SKULL, studies / "skull.jpg"))
    labels, image = voxels(file), SimpleITK.ReadImage(str(studies / "skull.jpg"))
    assert labels.shape == image.GetSize()[::-1] and len(said["label_names"]) == 19
    for entry in said["caveat"]["answers"]:
        row, column = np.rint(entry["index_on_input_grid"]).astype(int)
        assert labels[row, column] > 0, entry["name"]
    sella = next(entry for entry in said["caveat"]["answers"] if entry["name"] == "Sella")
    middle = np.argwhere(labels == said["label_names"]["Sella"]).mean(axis=0)
    np.testing.assert_allclose(middle, sella["index_on_input_grid"], atol=1)
