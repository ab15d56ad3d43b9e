"""The bundle of landmarks from files to results, with small networks of random weights."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dicom_phantoms import clean_series, radiograph, radiograph_picture, write
from landmark_bundle import small_bundle
from monai.bundle import verify_metadata, verify_net_in_out
from phantoms import cephalogram, fundus, nifti_bytes, picture_bytes, write_cephalogram
from result_schema import read_valid

from caveat.cli import main

SCHEMA = Path(__file__).resolve().parents[2] / "inference" / "meta_schema_20240725.json"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    return small_bundle(tmp_path_factory.mktemp("bundles"))


@pytest.fixture
def predict(bundle, tmp_path, monkeypatch, capsys):
    """Run `caveat predict` on a folder, or on a list. Returns: results by the study's name."""
    monkeypatch.setenv("CAVEAT_BUNDLES", f"{bundle.parent}:{tmp_path}")

    def run(out: str, *options: str, bundle: Path = bundle) -> dict[str, dict[str, Any]]:
        assert main(["predict", str(bundle), *options, "-o", str(tmp_path / out), "--device", "cpu", "--workers", "0"]) == 0
        assert "Traceback" not in capsys.readouterr().err
        return {path.parent.name: read_valid(path) for path in (tmp_path / out).glob("*/result.json")}

    return run


def codes(result: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in result["reasons"]]


def indices(result: dict[str, Any]) -> np.ndarray:
    return np.array([point["index_on_input_grid"] for point in result["answers"]])


def test_monai_verifies_it(bundle):
    verify_metadata(meta_file=str(bundle / "configs" / "metadata.json"), filepath=str(SCHEMA))
    config = str(bundle / "configs" / "inference.yaml")
    verify_net_in_out("network_def", meta_file=str(bundle / "configs" / "metadata.json"), config_file=config, device="cpu", n=4)


@pytest.fixture
def data_list(tmp_path, monkeypatch):
    """Six phantoms, whose spacing the list states."""
    parts: dict[str, list[dict[str, Any]]] = {"training": [], "early_stopping": []}
    for number in range(6):
        image = write_cephalogram(tmp_path / f"film{number}.png", seed=number)
        sha256 = hashlib.sha256(image.read_bytes()).hexdigest()
        entry = {"image": image.name, "spacing_mm": [0.2, 0.2], "unit": str(number), "sha256": sha256}
        parts["early_stopping" if number > 3 else "training"].append(entry)
    path = tmp_path / "list.json"
    path.write_text(json.dumps(parts | {"all": [entry for part in parts.values() for entry in part]}))
    monkeypatch.setenv("CAVEAT_DATA", str(tmp_path))
    return path


def test_an_image_of_a_list_is_measured_in_the_spacing_that_the_list_states(predict, data_list):
    film = predict("out", "--data", str(data_list), "--split", "early_stopping")["film4"]
    assert film["input"]["spacing_source"] == "stated by the data list" and film["answers"][0]["unit"] == "mm"
    np.testing.assert_allclose([point["value"] for point in film["answers"]], 0.2 * indices(film), rtol=1e-4)


def test_a_film_in_three_equal_channels_is_measured_as_the_grey_one(predict, tmp_path):
    (tmp_path / "films").mkdir()
    grey = cephalogram()
    for name, pixels in (("grey", grey), ("colour", np.repeat(grey[..., None], 3, axis=-1))):
        (tmp_path / "films" / f"{name}.png").write_bytes(picture_bytes(pixels))
    films = predict("out", "-i", str(tmp_path / "films"), "--spacing", "1")
    assert films["colour"]["answers"] == films["grey"]["answers"] and films["grey"]["status"] == "OK"


def test_what_is_no_cephalogram_is_refused_once_the_network_has_limits(predict, data_list, tmp_path, capsys):
    bundle, options = small_bundle(tmp_path / "own"), ("--data", str(data_list), "--split", "all")
    first = predict("first", *options, bundle=bundle)
    assert all("KIND_NOT_CHECKED" in result["flags"] for result in first.values())
    reference = ["reference", str(bundle), "--data", str(data_list), "-o", str(bundle / "calibration")]
    assert main([*reference, "features", "-p", str(tmp_path / "first")]) == 0
    predict("second", *options, bundle=bundle)
    assert main([*reference, "kind", "-p", str(tmp_path / "second")]) == 0
    assert "limits of 6 of 6 images" in capsys.readouterr().out

    folder = tmp_path / "in"
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (240, 194), dtype=np.uint8)
    (folder / "noise.png").write_bytes(picture_bytes(noise))
    write_cephalogram(folder / "film.png", seed=3)
    third = predict("third", "-i", str(folder), bundle=bundle)
    film, refused = third["film"], third["noise"]
    assert film["status"] == "OK" and film["sampling"]["kind_limits"] and "KIND_NOT_CHECKED" not in film["flags"]
    assert refused["status"] == "REFUSED" and codes(refused) == ["NOT_THIS_KIND"]
    assert refused["answers"] == [] and "feature_distance" in refused["reasons"][0]["message"]
    assert refused["input"]["sha256"] == hashlib.sha256((folder / "noise.png").read_bytes()).hexdigest()
    fourth = predict("fourth", "-i", str(folder / "film.png"), "--sampler", "dropout", "--draws", "2", bundle=bundle)
    assert "KIND_NOT_CHECKED" not in fourth["film"]["flags"], "the same weights"


def test_a_radiograph_is_measured_in_the_plane_that_its_header_names(predict, tmp_path):
    folder, picture = tmp_path / "in", radiograph_picture()
    folder.mkdir()
    spacing = {"ImagerPixelSpacing": [0.15, 0.15]}
    write([radiograph("DX", **spacing)], folder / "positive")
    write(
        [radiograph("CR", "MONOCHROME1", StudyInstanceUID="2.25.7", SeriesInstanceUID="2.25.8", **spacing)], folder / "negative"
    )
    (folder / "picture.png").write_bytes(picture_bytes(picture.astype(np.uint16)))
    results = predict("out", "-i", str(folder))
    key = (tmp_path / "out" / "key.csv").read_text().split()
    place = {row.split(",")[2]: row.split(",")[1] for row in key[1:]}
    positive, negative, plain = (
        results[place[name]] for name in ("positive/image0001.dcm", "negative/image0001.dcm", "picture.png")
    )
    assert positive["input"]["kind"] == "radiograph"
    assert positive["input"]["spacing_source"] == "detector plane (ImagerPixelSpacing)"
    assert plain["answers"][0]["unit"] == "pixels" and "NO_PIXEL_SPACING" in plain["flags"]
    for result in (positive, negative):
        np.testing.assert_allclose(indices(result), indices(plain), atol=1e-3)
        values = np.array([point["value"] for point in result["answers"]])
        np.testing.assert_allclose(values, 0.15 * indices(result), atol=1e-3)
        assert {point["unit"] for point in result["answers"]} == {"mm"}


def test_other_files_are_refused_before_the_network_sees_them(predict, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "colour.png").write_bytes(picture_bytes(fundus()[0]))
    (folder / "volume.nii").write_bytes(nifti_bytes())
    write([radiograph("DX", Modality="MG", StudyInstanceUID="2.25.8")], folder / "mammogram")
    write(clean_series(study=2), folder / "tomography")
    results = predict("out", "-i", str(folder))
    found = {result["reasons"][0]["code"] for result in results.values()}
    assert len(results) == 4 and all(result["status"] == "REFUSED" and not result["answers"] for result in results.values())
    assert found == {"WRONG_CHANNELS", "NOT_THIS_KIND", "WRONG_MODALITY"}


@pytest.mark.parametrize("options", [["--keep-draws"], ["--allow-gaps"], ["--series", "0"], ["--point", "1,2,3"]])
def test_what_landmarks_do_not_have_is_wrong_usage(options, bundle, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CAVEAT_BUNDLES", str(bundle.parent))
    write_cephalogram(tmp_path / "film.png")
    assert main(["predict", str(bundle), "-i", str(tmp_path / "film.png"), "-o", str(tmp_path / "out"), *options]) == 2
    assert capsys.readouterr().err.startswith("caveat: WRONG_USAGE: ")
