"""`caveat predict` as a user meets it: what is refused, what is counted, what is said."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import pytest
import skimage
from phantoms import defective_files, fundus, picture_bytes, write_fundus, write_nifti
from result_schema import read_valid

from caveat.cli import main
from caveat.commands import predict
from caveat.transforms.study.discover import find_studies

WRONG = {
    "overlap": ["--overlap", "1.5"],
    "no draws": ["--draws", "0"],
    "an engine of the processor on a GPU": ["--engine", "openvino", "--device", "cuda"],
    "window off the stride": ["--roi-size", "100,100"],
    "window of three axes": ["--roi-size", "64,64,64"],
    "window in words": ["--roi-size", "large"],
    "unknown sampler": ["--sampler", "oracle"],
    "negative spacing": ["--spacing", "-1"],
    "a point in a bundle of whole images": ["--point=1,2,3"],
    "a box in a bundle of whole images": ["--roi", "0,1,0,1,0,1"],
}
WRONG_OF_VOLUMES = {
    "two numbers": ["--point", "1,2"],
    "no number": ["--point=nan,1,2"],
    "in words": ["--roi", "left"],
    "upside down": ["--roi=-30,-40,0,50,0,40"],
    "a level in per cent": ["--level", "90"],
    "no record": ["--record", "nowhere"],
    "a folder without a record": ["--record", str(Path(__file__).parent)],
    "a file of something else": ["--record", str(Path(__file__).parents[2] / "data_lists" / "hippocampus.json")],
}


@pytest.mark.parametrize("options", WRONG.values(), ids=WRONG.keys())
def test_wrong_usage_is_said_in_one_line_with_status_2(options, tmp_path, capsys):
    write_fundus(tmp_path / "a.png")
    status = main(["predict", "retinal_vessels", "-i", str(tmp_path / "a.png"), "-o", str(tmp_path / "out"), *options])
    said = capsys.readouterr()
    assert status == 2 and said.out == ""
    assert said.err.startswith("caveat: WRONG_USAGE: ") and "\n\nhint: " in said.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("options", WRONG_OF_VOLUMES.values(), ids=WRONG_OF_VOLUMES.keys())
def test_what_is_no_box_no_point_and_no_record_is_said_before_the_first_study(options, tmp_path, capsys):
    write_nifti(tmp_path / "a.nii.gz")
    assert main(["predict", "hippocampus_volume", "-i", str(tmp_path / "a.nii.gz"), "-o", str(tmp_path / "out"), *options]) == 2
    assert capsys.readouterr().err.startswith("caveat: WRONG_USAGE: ")
    assert not (tmp_path / "out").exists()


def test_a_sampler_that_was_not_trained_says_so_before_the_first_study(tmp_path, capsys):
    write_nifti(tmp_path / "a.nii.gz")
    options = ["-i", str(tmp_path / "a.nii.gz"), "-o", str(tmp_path / "out"), "--sampler", "low_rank_logits"]
    assert main(["predict", "hippocampus_volume", *options]) == 2
    said = capsys.readouterr().err
    assert said.startswith("caveat: WEIGHTS_NOT_TRAINED: ") and "caveat info" in said
    assert not (tmp_path / "out").exists()
    main(["info", "hippocampus_volume"])
    assert "low_rank_logits noise that many voxels share (settings alone: not trained yet)" in capsys.readouterr().out


def test_negative_places_reach_the_bundle(tmp_path):
    parser = argparse.ArgumentParser()
    predict.add_parser(parser.add_subparsers())
    write_nifti(tmp_path / "a.nii.gz")
    common = ["predict", "hippocampus_volume", "-i", str(tmp_path / "a.nii.gz"), "-o", str(tmp_path / "out")]
    said = predict.overrides(parser.parse_args([*common, "--point=-30.5,4,-5"]))
    assert said["point"] == [-30.5, 4.0, -5.0] and "roi" not in said
    assert predict.overrides(parser.parse_args([*common, "--roi=-40,-10,0,50,0,40"]))["roi"] == [-40, -10, 0, 50, 0, 40]
    assert not {"point", "roi"} & set(predict.overrides(parser.parse_args(common)))


@pytest.mark.parametrize("bundle,code", [("no_such_bundle", "BUNDLE_NOT_FOUND"), (None, "BUNDLE_NOT_TRUSTED")])
def test_only_known_bundles_run(bundle, code, tmp_path, capsys):
    """A bundle is code: its expressions would run while its config is read."""
    if bundle is None:
        configs = tmp_path / "mine" / "configs"
        configs.mkdir(parents=True)
        marker = tmp_path / "ran"
        (configs / "metadata.json").write_text("{}")
        (configs / "inference.yaml").write_text(f"imports: [\"$open('{marker}', 'w')\"]\n")
        bundle = str(tmp_path / "mine")
    write_fundus(tmp_path / "a.png")
    assert main(["predict", bundle, "-i", str(tmp_path / "a.png"), "-o", str(tmp_path / "out")]) == 2
    assert f"caveat: {code}: " in capsys.readouterr().err
    assert not (tmp_path / "ran").exists()


def test_output_inside_the_input_is_refused(tmp_path, capsys):
    write_fundus(tmp_path / "a.png")
    assert main(["predict", "retinal_vessels", "-i", str(tmp_path), "-o", str(tmp_path / "out")]) == 2
    assert "OUTPUT_NOT_WRITABLE" in capsys.readouterr().err


def mixed_folder(folder: Path, good: int, bad: int) -> dict[str, str]:
    """Good photographs and files with one defect each. Returns: the expected first reason by study, "" for the good."""
    folder.mkdir()
    expected = {}
    for number in range(good):
        expected[f"good{number:03d}"] = ""
        write_fundus(folder / f"good{number:03d}.png", seed=number)
    defects = [(name, made) for name, made in defective_files().items() if not name.endswith(".dcm")]  # which are numbered
    for number in range(bad):
        name, (content, code) = defects[number % len(defects)]
        stem, _, ending = name.partition(".")
        expected[f"{stem}_{number:03d}"] = "NOT_THIS_KIND" if ".nii" in name else code  # this bundle takes pictures
        (folder / f"{stem}_{number:03d}.{ending}").write_bytes(content)
    (folder / "notes.txt").write_text("not an image")
    names = {study["place"]: study["name"] for study in find_studies(folder)}
    return {names[next(place for place in names if place.startswith(f"{stem}."))]: code for stem, code in expected.items()}


def check_run(folder: Path, out: Path, expected: dict[str, str], capsys) -> None:
    """One row a study at least; refused with the reason expected; one line of counts; no traceback."""
    options = ["--sampler", "single", "--device", "cpu", "--workers", "0"]
    assert main(["predict", "retinal_vessels", "-i", str(folder), "-o", str(out), *options]) == 0
    said = capsys.readouterr()
    refused = sum(code != "" for code in expected.values())
    assert (
        said.out.splitlines()[-1]
        == f"{len(expected) - refused} measured, 0 nothing found, {refused} refused; {out / 'index.html'}"
    )
    assert "Traceback" not in said.err and said.err.count("\nstudy ") + 1 == len(expected), "a line a study"
    with (out / "summary.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["study"] for row in rows} == set(expected)
    for row in rows:
        assert row["reasons"].split(";")[0] == expected[row["study"]], row
        assert (row["value"] != "") == (row["status"] == "OK")
    assert sum(row["status"] == "OK" for row in rows) == 2 * (len(expected) - refused)  # area, and share of the field


def test_a_mixed_folder_is_counted_right(tmp_path, capsys):
    expected = mixed_folder(tmp_path / "in", good=2, bad=len(defective_files()) - 1)
    check_run(tmp_path / "in", tmp_path / "out", expected, capsys)


@pytest.mark.slow
def test_a_hundred_mixed_files_are_counted_right(tmp_path, capsys):
    expected = mixed_folder(tmp_path / "in", good=60, bad=40)
    check_run(tmp_path / "in", tmp_path / "out", expected, capsys)


def test_what_is_no_fundus_photograph_is_refused(tmp_path, capsys):
    """Refused before the network sees it: a part of a photograph, a thumbnail, another kind of picture."""
    pixels = fundus()[0]
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "part.png").write_bytes(picture_bytes(pixels[60:120, 60:120]))
    (folder / "thumbnail.png").write_bytes(picture_bytes(pixels))
    (folder / "cat.png").write_bytes(picture_bytes(skimage.data.chelsea()))
    (folder / "grey.png").write_bytes(picture_bytes(pixels[..., 0]))
    assert (
        main(
            [
                "predict",
                "retinal_vessels",
                "-i",
                str(folder),
                "-o",
                str(tmp_path / "out"),
                "--sampler",
                "single",
                "--workers",
                "0",
            ]
        )
        == 0
    )
    assert "0 measured, 0 nothing found, 4 refused" in capsys.readouterr().out
    results = {path.parent.name: read_valid(path) for path in (tmp_path / "out").glob("*/result.json")}
    codes = {name: result["reasons"][0]["code"] for name, result in results.items()}
    expected = {"part": "NO_FIELD_OF_VIEW", "thumbnail": "LOW_RESOLUTION", "cat": "NO_FIELD_OF_VIEW", "grey": "WRONG_CHANNELS"}
    assert codes == expected
    assert all(result["answers"] == [] for result in results.values())
