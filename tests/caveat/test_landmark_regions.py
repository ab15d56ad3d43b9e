"""The bundle of landmarks from predictions to regions, with small networks of random weights."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from landmark_bundle import small_bundle
from phantoms import write_cephalogram
from result_schema import read_valid

from caveat.cli import main

PARTS = {"training": 3, "early_stopping": 3, "calibration": 7, "test": 2}


@pytest.fixture
def bundle(tmp_path, monkeypatch) -> Path:
    """A bundle, and a list of phantoms whose landmarks a rater has placed somewhere."""
    monkeypatch.setenv("CAVEAT_DATA", str(tmp_path))
    monkeypatch.setenv("CAVEAT_BUNDLES", str(tmp_path))
    monkeypatch.chdir(tmp_path)  # where `prepared` lies
    (tmp_path / "prepared").mkdir()
    bundle = small_bundle(tmp_path)
    names = yaml.safe_load((bundle / "configs/inference.yaml").read_text())["landmarks"]
    entries: list[dict[str, Any]] = []
    for number in range(sum(PARTS.values())):
        image = write_cephalogram(tmp_path / f"film{number}.png", seed=number)
        sha256 = hashlib.sha256(image.read_bytes()).hexdigest()
        table = [f"{rater},{name},{100 + 5 * i},{90 + number}" for rater in ("senior", "junior") for i, name in enumerate(names)]
        (tmp_path / f"prepared/{number}.csv").write_text("\n".join(["rater,name,axis0,axis1", *table]) + "\n")
        about = {"points": f"{number}.csv", "spacing_mm": [0.2, 0.2], "unit": str(number), "sha256": sha256}
        entries.append({"image": image.name, **about})
    parts, start = {}, 0
    for part, count in PARTS.items():
        parts[part], start = entries[start : start + count], start + count
    (tmp_path / "list.json").write_text(json.dumps(parts | {"all": entries}))
    return bundle


def run(*command: str) -> int:
    return main([str(part) for part in command])


def test_from_images_to_regions_and_their_check(bundle, tmp_path, capsys):
    said = ("--data", "list.json")
    predict = ("predict", bundle, *said, "--split", "all", "--device", "cpu", "--workers", "0")
    assert run(*predict, "-o", "first") == 0
    assert run("reference", bundle, "features", *said, "-p", "first", "-o", bundle / "calibration") == 0
    assert run("reference", bundle, "covariance", *said, "-p", "first", "-o", bundle / "calibration") == 0
    assert run(*predict, "-o", "second") == 0
    assert run("calibrate", bundle, *said, "-p", "second", "--levels", "0.5", "-o", "records") == 0, capsys.readouterr().err
    assert sorted(path.name for path in Path("records").iterdir()) == [
        f"ensemble_5_draws_{shape}_{promise}.json" for shape in ("disc", "ellipse") for promise in ("marginal", "simultaneous")
    ]
    third = ("predict", bundle, "-i", "film8.png", "--spacing", "0.2", "--record", "records", "--device", "cpu", "--workers", "0")
    assert run(*third, "--level", "0.5", "-o", "third") == 0
    result = read_valid(Path("third/film8/result.json"))
    names = ["mean_distance_to_mean", "heatmap_spread", "feature_distance"]
    assert [check["name"] for check in result["gate"]["checks"]] == names
    assert result["gate"]["accepted"], "an image that the limits were made of lies at them at most"
    inside = [not point["outside_image"] for point in result["answers"]]
    assert any(inside) and [bool(point["region"]) for point in result["answers"]] == inside
    assert [bool(point["simultaneous_region"]) for point in result["answers"]] == inside
    assert ["(50 % within" in point["statement"] for point in result["answers"]] == inside
    assert run(*third, "--level", "0.99", "-o", "fourth") == 0
    assert "TOO_FEW_UNITS" in read_valid(Path("fourth/film8/result.json"))["flags"]
    config = bundle / "configs/inference.yaml"
    config.write_text(config.read_text().replace("region_shape: disc", "region_shape: ellipse"))
    assert run(*third, "--level", "0.5", "-o", "fifth") == 0
    ellipses = [point["region"] for point in read_valid(Path("fifth/film8/result.json"))["answers"] if point["region"]]
    assert ellipses and {ellipse["kind"] for ellipse in ellipses} == {"ellipse"}
    assert run("evaluate", bundle, *said, "-p", "second", "--record", "records") == 0
    coverage = json.loads(Path("second/evaluation.json").read_text())["coverage"]
    assert [section["units"] for section in coverage["sections"]] == [2] * 4 and Path("second/regions.png").is_file()
