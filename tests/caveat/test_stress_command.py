"""`caveat stress` as a user meets it; the network's part is played by a threshold."""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from landmark_bundle import SOURCE
from phantoms import fundus, write_hippocampus_crop
from PIL import Image

from caveat.cli import main
from caveat.commands import stress
from caveat.inference.stress.made_from import taken
from caveat.transforms.files.nifti_maps import write_nifti
from caveat.transforms.landmarks.points_table import read_points, write_points
from caveat.transforms.study.inspect_study import inspect_study

STREAM = Path(__file__).resolve().parents[2] / "data_lists" / "hippocampus_stream.yaml"


@pytest.fixture
def data(tmp_path, monkeypatch):
    entries = []
    for number in range(3):
        image = write_hippocampus_crop(tmp_path / f"scan{number}.nii.gz", seed=number)
        sha256 = hashlib.sha256(image.read_bytes()).hexdigest()
        label = f"scan{number}_label.nii.gz"
        entries.append({"image": image.name, "label": [label], "unit": f"subject {number}", "sha256": sha256})
    (tmp_path / "list.json").write_text(json.dumps({"test": entries, "calibration": entries}))
    monkeypatch.setenv("CAVEAT_DATA", str(tmp_path))
    return tmp_path / "list.json"


def threshold(options, bundle, data_list, output) -> int:
    """In the place of the bundle's workflow: what is grey is hippocampus."""
    for number, entry in enumerate(json.loads(data_list.read_text())["test"]):
        found = inspect_study(data_list.parent / entry["image"])
        voxels = found.image.voxels[0]
        labels = ((voxels > 85) & (voxels < 120)).astype(np.uint8)
        labels[:, :25] *= 2
        study = output / f"scan{number}"
        study.mkdir(parents=True, exist_ok=True)
        write_nifti(study / "segmentation.nii.gz", labels, found.image.affine)
        volumes = {"hippocampus volume": labels > 0, "anterior volume": labels == 1, "posterior volume": labels == 2}
        measured = [
            {"name": name, "unit": "mL", "value": mask.sum() / 1000, "draws": {"values": []}} for name, mask in volumes.items()
        ]
        result = {
            "status": "OK",
            "reasons": [],
            "input": {
                "sha256": entry["sha256"],
                "shape": list(voxels.shape),
                "affine": found.image.affine.tolist(),
                "spacing_source": "pixdim",
            },
            "bundle": {"name": "hippocampus_volume", "weights_sha256": "w", "preprocessing_sha256": "p"},
            "sampling": {"sampler": "Threshold", "draws": 0, "seed": 0},
            "measurements": measured,
            "study_scores": {"noise": float(voxels.std())},
            "flags": [],
        }
        (study / "result.json").write_text(json.dumps(result))
    return 0


def test_one_corruption_from_images_to_table(data, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(stress, "predict", threshold)
    command = ["stress", "hippocampus_volume", "--data", str(data), "-o", str(tmp_path / "out")]
    assert main([*command, "--corruption", "gaussian_noise", "--levels", "0.05,0.3"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("# hippocampus_volume under stress: 3 images of 3 units")
    assert said.out.strip().endswith("3 sets of 3 images; " + str(tmp_path / "out" / "stress.json"))
    stored = json.loads((tmp_path / "out" / "stress.json").read_text())
    whole = [entry for entry in stored["sets"] if entry["target"] == "hippocampus volume"]
    assert [entry["strength"] for entry in whole] == [0, 0.05, 0.3] and all(entry["measured"] == 3 for entry in whole)
    assert whole[0]["dice"] > whole[1]["dice"] > whole[2]["dice"]
    assert (tmp_path / "out" / "gaussian_noise_0.3" / "list.json").is_file()


LANDMARKS = SOURCE
NAMES = json.loads((LANDMARKS / "configs" / "metadata.json").read_text())["network_data_format"]["outputs"]["pred"]["channel_def"]


@pytest.fixture
def films(tmp_path, monkeypatch):
    """Two films without a spacing of their own, and two raters' landmarks below the folder that evaluate.yaml names."""
    random, rows = np.random.default_rng(0), [(rater, name) for rater in ("senior", "junior") for name in NAMES.values()]
    (tmp_path / "prepared").mkdir()
    entries = []
    for number in range(2):
        path = tmp_path / f"film{number}.png"
        Image.fromarray(fundus(60, 70, seed=number)[0][..., 1]).save(path)
        write_points(tmp_path / "prepared" / f"film{number}.csv", rows, random.uniform(10, 50, (len(rows), 2)))
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        entries.append({"image": path.name, "points": f"film{number}.csv", "unit": f"patient {number}", "sha256": sha256})
    (tmp_path / "films.json").write_text(json.dumps({"stress": entries}))
    monkeypatch.setenv("CAVEAT_DATA", str(tmp_path))
    monkeypatch.setenv("CAVEAT_BUNDLES", str(LANDMARKS.parent))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "films.json"


def blind(options, bundle, data_list, output) -> int:
    """In the place of the bundle's workflow: the middle of the film, whatever it shows."""
    for number, entry in enumerate(json.loads(data_list.read_text())["stress"]):
        truth = read_points(data_list.parent / entry["points"], "senior", list(NAMES.values()))
        none = {"region": None, "simultaneous_region": None, "outside_image": False, "total_covariance": [[1, 0], [0, 1]]}
        none |= {"draws": {"values": []}}
        points = [{"name": name, "unit": "mm", "value": [6.0, 7.0]} | none for name in NAMES.values()]
        result = {
            "status": "OK",
            "reasons": [],
            "input": {
                "sha256": entry["sha256"],
                "shape": [60, 70],
                "spacing_mm": entry["spacing_mm"],
                "affine": np.diag([0.2, 0.2, 1, 1]).tolist(),
            },
            "bundle": {"name": "cephalometric_landmarks", "weights_sha256": "w", "preprocessing_sha256": "p"},
            "sampling": {"sampler": "Blind", "draws": 0, "seed": 0},
            "points": points,
            "study_scores": {"heatmap_spread": float(np.linalg.norm(0.2 * truth - [6, 7], axis=1).mean())},
            "gate": None,
            "flags": [],
        }
        study = output / f"film{number}"
        study.mkdir(parents=True, exist_ok=True)
        (study / "result.json").write_text(json.dumps(result))
    return 0


def test_landmarks_from_images_to_table_and_the_images_serve_another_run(films, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(stress, "predict", blind)
    command = [
        "stress",
        str(LANDMARKS),
        "--data",
        str(films),
        "--split",
        "stress",
        "--corruption",
        "rotation",
        "--spacing",
        "0.2",
    ]
    command += ["--levels=-30,15", "--images", str(tmp_path / "images")]
    assert main([*command, "-o", str(tmp_path / "first")]) == 0
    said = capsys.readouterr()
    assert (
        said.out.startswith("# cephalometric_landmarks under stress: 2 images of 2 units")
        and "| rotation | -30 | 2 |" in said.out
    )
    stored = json.loads((tmp_path / "first" / "stress.json").read_text())
    assert [entry["strength"] for entry in stored["sets"]] == [0, -30, 15]
    assert all(row["study_scores"]["heatmap_spread"] == pytest.approx(row["error"], rel=1e-4) for row in stored["rows"])
    turned = tmp_path / "images" / "rotation_-30"
    assert not (tmp_path / "first" / "rotation_-30" / "images").exists() and (turned / "list.json").is_file()
    made = (turned / "images" / "film0.tif").stat().st_mtime_ns
    assert main([*command, "-o", str(tmp_path / "second")]) == 0
    assert (turned / "images" / "film0.tif").stat().st_mtime_ns == made
    assert (tmp_path / "second" / "stress.json").read_bytes() == (tmp_path / "first" / "stress.json").read_bytes()


def test_landmarks_are_judged_by_records_of_the_regions_that_results_state(tmp_path):
    shipped = Path(str(files("caveat.bundles"))) / "cephalometric_landmarks"
    bundle = tmp_path / "mine"
    shutil.copytree(shipped / "configs", bundle / "configs")
    options = argparse.Namespace(record=shipped / "calibration")
    assert {record.score.kind for record in stress.records_of(options, bundle)} == {"disc"}
    config = bundle / "configs" / "inference.yaml"
    config.write_text(config.read_text().replace("region_shape: disc", "region_shape: ellipse"))
    assert {record.score.kind for record in stress.records_of(options, bundle)} == {"ellipse"}


def test_a_bad_image_is_refused_and_counted_and_the_rest_goes_on(data, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(stress, "predict", threshold)
    first = tmp_path / "scan0.nii.gz"  # the first one, which also says how many axes images have
    first.write_bytes(first.read_bytes()[:100])
    command = ["stress", "hippocampus_volume", "--data", str(data), "-o", str(tmp_path / "out")]
    assert main([*command, "--corruption", "blur", "--levels", "1"]) == 0
    assert "2 images of 2 units" in capsys.readouterr().out
    stored = json.loads((tmp_path / "out" / "stress.json").read_text())
    assert [(entry["measured"], sum(entry["left_out"].values())) for entry in stored["sets"]] == [(2, 1)] * 8
    assert {row["unit"] for row in stored["left_out"]} == {"subject 0"} and "scan0.nii" not in json.dumps(stored)
    assert main(["stress", *command[1:4], "--stream", str(STREAM), "-o", str(tmp_path / "mixed")]) != 0
    assert "1 of 3 images" in capsys.readouterr().err, "a list with a hole would be a selection"


def test_a_stream_is_only_written(data, tmp_path, capsys):
    command = ["stress", "hippocampus_volume", "--data", str(data), "--stream", str(STREAM), "-o", str(tmp_path / "out")]
    assert main([*command, "--split", "calibration", "test"]) == 0
    assert "CAVEAT_DATA" in capsys.readouterr().out
    written = json.loads((tmp_path / "out" / "list.json").read_text())
    assert written["calibration"] and all("stratum" in entry for part in written.values() for entry in part)
    assert not list((tmp_path / "out").rglob("result.json"))


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("what", [("--stream", str(STREAM)), ("--corruption", "blur", "--levels", "1")], ids=["stream", "sets"])
@pytest.mark.parametrize("out", [".", "images", "clean_0"], ids=["the data", "among images", "where a set would be"])
def test_nothing_that_was_there_is_replaced(what, out, data, tmp_path, monkeypatch, capsys):
    """Degraded images keep their names, so in the folder of the data each would take the place of its own original."""
    monkeypatch.setattr(stress, "predict", threshold)
    for folder in ("images", "clean_0/images"):
        (tmp_path / folder).mkdir(parents=True)
        shutil.copy(tmp_path / "scan0.nii.gz", tmp_path / folder)
    before = contents(tmp_path)
    assert main(["stress", "hippocampus_volume", "--data", str(data), *what, "-o", str(tmp_path / out)]) == 2
    assert capsys.readouterr().err.startswith("caveat: OUTPUT_OCCUPIED: ")
    assert contents(tmp_path) == before


def test_a_folder_of_sets_is_of_one_list(data, tmp_path, monkeypatch, capsys):
    """Also a set's own list is another one: its images would be degraded twice, in place."""
    monkeypatch.setattr(stress, "predict", threshold)
    out = tmp_path / "out"
    command = ("stress", "hippocampus_volume", "--corruption", "blur", "--levels", "1", "-o", str(out), "--data")
    assert main([*command, str(data)]) == main([*command, str(data)]) == 0
    before = contents(out)
    assert main([*command, str(data), "--split", "calibration"]) == 2
    monkeypatch.setenv("CAVEAT_DATA", str(out / "blur_1"))
    assert main([*command, str(out / "blur_1" / "list.json")]) == 2
    assert capsys.readouterr().err.count("caveat: OUTPUT_OF_ANOTHER_RUN: ") == 2
    assert contents(out) == before


def test_no_link_is_followed_to_the_originals(data, tmp_path, capsys):
    command = ["stress", "hippocampus_volume", "--data", str(data), "--stream", str(STREAM), "-o", str(tmp_path / "out")]
    assert main(command) == 0
    before = data.with_name("scan0.nii.gz").read_bytes()
    (written,) = (tmp_path / "out" / "images").glob("scan0*")
    written.unlink()
    written.symlink_to(data.with_name("scan0.nii.gz"))
    assert main(command) == 2 and capsys.readouterr().err.startswith("caveat: OUTPUT_OCCUPIED: ")
    assert data.with_name("scan0.nii.gz").read_bytes() == before


def test_two_processes_do_not_share_a_folder(data, tmp_path, capsys):
    with taken(tmp_path / "out", {}):
        assert (
            main(["stress", "hippocampus_volume", "--data", str(data), "--stream", str(STREAM), "-o", str(tmp_path / "out")]) == 2
        )
    assert "another process is writing there" in capsys.readouterr().err


@pytest.mark.parametrize("key", ["label", "region", "points", "spacing_mm"])
def test_an_entry_that_states_what_cannot_be_is_wrong_usage(key, data, tmp_path, capsys):
    parts = json.loads(data.read_text())
    parts["test"][1][key] = 4
    data.write_text(json.dumps(parts))
    assert main(["stress", "hippocampus_volume", "--data", str(data), "--stream", str(STREAM), "-o", str(tmp_path / "out")]) == 2
    assert f"entry 2 of the list's part has a {key}" in capsys.readouterr().err


WRONG = {
    "no such corruption": ["--corruption", "haze"],
    "levels of all": ["--corruption", "all", "--levels", "1"],
    "levels in words": ["--corruption", "blur", "--levels", "much"],
    "two parts": ["--corruption", "blur", "--split", "test", "calibration"],
    "no such part": ["--corruption", "blur", "--split", "nonsense"],
    "a level of 1": ["--corruption", "blur", "--level", "1"],
    "no draws": ["--corruption", "blur", "--draws", "0"],
    "no such record": ["--corruption", "blur", "--record", "nowhere.json"],
    "no record there": ["--corruption", "blur", "--record", str(STREAM.parent)],
    "no CUDA": ["--corruption", "blur", "--device", "cuda"],
    "a window of two axes": ["--corruption", "blur", "--roi-size", "64,64"],
    "an overlap of 1": ["--corruption", "blur", "--overlap", "1"],
    "a stream with a sampler": ["--stream", str(STREAM), "--sampler", "dropout"],
    "a stream with a seed": ["--stream", str(STREAM), "--seed", "1"],
    "a stream with a spacing": ["--stream", str(STREAM), "--spacing", "0.2"],
    "a blur below zero": ["--corruption", "blur", "--levels=-1"],
    "no such stream": ["--stream", "nowhere.yaml"],
}


@pytest.mark.parametrize("options", WRONG.values(), ids=WRONG.keys())
def test_wrong_usage_is_said_before_anything_runs(options, data, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert main(["stress", "hippocampus_volume", "--data", str(data), "-o", str(tmp_path / "out"), *options]) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("caveat: WRONG_USAGE: ") and "\n\nhint: " in said.err


def test_the_run_is_made_as_the_options_say(data, tmp_path, monkeypatch):
    """Options of `caveat predict` reach the bundle under the same names."""
    seen = []
    monkeypatch.setattr("caveat.run_bundle.run_bundle", lambda bundle, configs, overrides: seen.append(overrides) or ({}, 0))
    parser = argparse.ArgumentParser()
    stress.add_parser(parser.add_subparsers())
    stated = ["--draws", "3", "--seed", "7", "--device", "cpu", "--roi-size", "32,32,32", "--overlap", "0.5"]
    command = ["stress", "hippocampus_volume", "--data", str(data), "--corruption", "blur", "-o", str(tmp_path / "out"), *stated]
    bundle = Path(str(files("caveat.bundles"))) / "hippocampus_volume"
    stress.predict(parser.parse_args(command), bundle, data, tmp_path / "out")
    wanted = {"inferer::draws": 3, "inferer::seed": 7, "inferer::roi_size": [32, 32, 32], "inferer::overlap": 0.5}
    assert wanted.items() <= seen[0].items() and seen[0]["device"] == "$torch.device('cpu')"
    assert "inferer::precision" not in seen[0] and seen[0]["output_dir"] == tmp_path / "out"


def test_a_bundle_without_truths_is_refused(data, tmp_path, monkeypatch, capsys):
    bundle = tmp_path / "bundles" / "mine"
    shutil.copytree(Path(str(files("caveat.bundles"))) / "hippocampus_volume" / "configs", bundle / "configs")
    (bundle / "configs" / "evaluate.yaml").unlink()
    monkeypatch.setenv("CAVEAT_BUNDLES", str(bundle.parent))
    assert main(["stress", str(bundle), "--data", str(data), "--corruption", "blur", "-o", str(tmp_path / "out")]) == 2
    assert "WRONG_USAGE" in capsys.readouterr().err
