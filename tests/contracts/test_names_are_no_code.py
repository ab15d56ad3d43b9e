"""A name of a file is never run as code, in no front end: MONAI's config parser evaluates every text that begins with "$"."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from hostile_names import HOSTILE, MARKER
from lesion_bundle import small_bundle
from phantoms import fundus, write_lung_crop
from PIL import Image

from caveat.bundle_folders import ALLOW_LIST, shipped_bundles
from caveat.cli import main
from caveat.inference.stored.stored_study import read_results

POINT = ("--point", "-12,-12,5")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    """Small networks of random weights, and what is evaluated written too."""
    bundle = small_bundle(tmp_path_factory.mktemp("bundles"))
    config = bundle / "configs" / "inference.yaml"
    settings = yaml.safe_load(config.read_text(encoding="utf-8"))
    settings["writers"].append({"_target_": "caveat.transforms.writers.segmentation.SegmentationWriter"})
    config.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    return bundle


@pytest.fixture
def names(bundle, tmp_path, monkeypatch) -> Path:
    """A folder of crops with hostile names in one with a hostile name, their list beside it; where a name would leave its mark
    is the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(ALLOW_LIST, str(bundle.parent))
    monkeypatch.setenv("CAVEAT_DATA", str(tmp_path))
    folder = tmp_path / HOSTILE[0]
    folder.mkdir()
    (tmp_path / "labels").mkdir()
    made = tmp_path.parent / f"{tmp_path.name}.nii.gz"
    entries = []
    for number, name in enumerate(HOSTILE):
        content = write_lung_crop(made, seed=number).read_bytes()
        (folder / f"{name}.nii.gz").write_bytes(content)
        (tmp_path / "labels" / f"{name}.nii.gz").write_bytes(
            (made.with_name(made.name.replace(".nii", "_label.nii"))).read_bytes()
        )
        entries.append(
            {
                "image": f"{folder.name}/{name}.nii.gz",
                "label": [f"labels/{name}.nii.gz"] * 4,
                "unit": name,
                "sha256": hashlib.sha256(content).hexdigest(),
            }
        )
    parts = {
        "test": entries,
        "calibration": entries,
        HOSTILE[0]: entries[:3],
        "training": entries[:2],
        "early_stopping": entries[2:4],
    }
    drawn = {"units": "consecutive", "blind": True}
    (tmp_path / f"{HOSTILE[0]}.json").write_text(json.dumps(parts | {"drawn": drawn}))
    return folder


def nothing_was_run(tmp_path: Path) -> bool:
    return not (tmp_path / MARKER).exists()


def all_measured(out: Path) -> bool:
    results = read_results(out).values()
    return len(results) == len(HOSTILE) and all(result["status"] != "REFUSED" for result in results)


def test_predict_a_folder(bundle, names, tmp_path, capsys):
    assert main(["predict", str(bundle), "-i", names.name, "-o", HOSTILE[1], *POINT, "--draws", "1", "--workers", "0"]) == 0
    assert nothing_was_run(tmp_path) and all_measured(tmp_path / HOSTILE[1])
    assert "Traceback" not in capsys.readouterr().err


def test_predict_one_file_with_a_mask_and_a_record_of_hostile_names(bundle, names, tmp_path):
    mask = f"labels/{HOSTILE[0]}.nii.gz"
    os.rename(tmp_path / mask, tmp_path / f"{HOSTILE[0]}.nii.gz")
    image, out = f"{names.name}/{HOSTILE[0]}.nii.gz", "$out"
    assert main(["predict", str(bundle), "-i", image, "-o", out, "--point", f"{HOSTILE[0]}.nii.gz", "--draws", "1"]) == 0
    assert nothing_was_run(tmp_path) and len(read_results(Path("$out"))) == 1
    assert main(["predict", str(bundle), "-i", image, "-o", "$2", *POINT, "--record", names.name]) == 2  # it holds no record
    assert nothing_was_run(tmp_path)


def test_predict_a_list_then_evaluate_and_calibrate(bundle, names, tmp_path, capsys):
    listed = f"{HOSTILE[0]}.json"
    assert (
        main(
            ["predict", str(bundle), "--data", listed, "--split", "test", "-o", "$out", *POINT, "--draws", "2", "--workers", "0"]
        )
        == 0
    )
    assert nothing_was_run(tmp_path) and all_measured(tmp_path / "$out")
    assert (
        main(
            [
                "predict",
                str(bundle),
                "--data",
                listed,
                "--split",
                HOSTILE[0],
                "-o",
                "$one",
                *POINT,
                "--draws",
                "2",
                "--workers",
                "0",
            ]
        )
        == 0
    )
    for command in ("evaluate", "calibrate", "audit"):
        main([command, str(bundle), "-p", "$out", "--data", listed])
        assert nothing_was_run(tmp_path)
        said = capsys.readouterr().err
        assert "Traceback" not in said and "UNEXPECTED_ERROR" not in said


def test_stress(bundle, names, tmp_path):
    """The networks find nothing, so no study can be scored in the end."""
    listed, out = f"{HOSTILE[0]}.json", Path("$out")
    main(
        ["stress", str(bundle), "--data", listed, "--split", HOSTILE[0], "--corruption", "blur", "--levels", "1", "-o", str(out)]
    )
    assert nothing_was_run(tmp_path)
    assert [len(read_results(out / name / "predictions")) for name in ("clean_0", "blur_1")] == [3, 3]


def test_score_and_check(bundle, names, tmp_path):
    for name in HOSTILE:
        image, mask = f"{names.name}/{name}.nii.gz", f"labels/{name}.nii.gz"
        assert main(["score", str(bundle), "-i", image, "--mask", mask, "--samples", "1", "--draws", "1", *POINT]) == 0
    assert main(["check", names.name, "--key", "$key"]) == 0
    assert nothing_was_run(tmp_path) and (tmp_path / "$key" / "key.csv").is_file()


def test_list_makes_and_checks(names, tmp_path, capsys):
    made = f"{HOSTILE[1]}.json"
    options = ("--labels", "labels", "--root", ".", "--unit", "(?s)(.+)", "--parts", "training=0.5,test=0.5")
    main(["list", "-i", names.name, *options, "-o", made])
    listed = json.loads((tmp_path / made).read_text())
    assert {Path(entry["image"]).name for part in listed.values() for entry in part} == {f"{name}.nii.gz" for name in HOSTILE}
    main(["list", "--check", made, "--root", "."])
    assert nothing_was_run(tmp_path) and "Traceback" not in capsys.readouterr().err


def test_train(tmp_path, monkeypatch, capfd, logging_given_back):
    """On small photographs, of which the network sees one window."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(ALLOW_LIST, str(tmp_path / "bundles"))
    shutil.copytree(shipped_bundles()["retinal_vessels"] / "configs", tmp_path / "bundles" / "eyes" / "configs")
    for name, changed in (("inference", {"diameter": 240}), ("train", {"window": [64, 64]})):
        config = tmp_path / "bundles" / "eyes" / "configs" / f"{name}.yaml"
        settings = yaml.safe_load(config.read_text(encoding="utf-8"))
        config.write_text(yaml.safe_dump(settings | changed, sort_keys=False), encoding="utf-8")
    pixels, vessels, _ = fundus(450, 470, seed=0)
    (tmp_path / HOSTILE[0]).mkdir()
    for name in HOSTILE:
        Image.fromarray(pixels).save(tmp_path / HOSTILE[0] / f"{name}.png")
        Image.fromarray(vessels.astype(np.uint8) * 255).save(tmp_path / HOSTILE[0] / f"{name}_label.png")
    entries = [{"image": f"{name}.png", "label": f"{name}_label.png", "unit": name} for name in HOSTILE]
    (tmp_path / f"{HOSTILE[0]}.json").write_text(json.dumps({"training": entries, "early_stopping": entries[:1]}))
    budget = ("--epochs", "2", "--iterations", "1", "--batch", "1", "--device", "cpu")
    common = ("train", "bundles/eyes", "--data", f"{HOSTILE[0]}.json", "--root", HOSTILE[0], *budget)
    assert main([*common, "-o", "$trained"]) == 0
    assert nothing_was_run(tmp_path) and (tmp_path / "$trained" / "best.pt").is_file()
    os.rename("$trained/best.pt", f"{HOSTILE[1]}.pt")
    assert main([*common, "-o", "$again", "--start", f"{HOSTILE[1]}.pt"]) == 0
    assert nothing_was_run(tmp_path) and "Traceback" not in capfd.readouterr().err


def test_bundle_run_of_monai_below_its_folder(bundle, names, tmp_path):
    """The folder itself is a config value: one that begins with such a sign is written ./$x."""
    config = bundle / "configs" / "inference.yaml"
    answer = subprocess.run(
        [
            *(sys.executable, "-m", "monai.bundle", "run", "--config_file", str(config), "--bundle_root", str(bundle)),
            *("--dataset_dir", f"./{names.name}", "--output_dir", "./$out", "--point", "[-12,-12,5]", "--inferer::draws", "1"),
        ],
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    assert nothing_was_run(tmp_path) and all_measured(tmp_path / "$out")
