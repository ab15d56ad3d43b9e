"""From a folder of stored predictions to figures, on small made-up studies."""

import argparse
import json
import math
from pathlib import Path

import nibabel
import numpy as np
import pytest
import tifffile
from PIL import Image

from caveat.commands import evaluate as command
from caveat.inference.evaluation.evaluate import Evaluation, evaluate
from caveat.inference.evaluation.evaluation_config import read_evaluation
from caveat.inference.evaluation.evaluation_files import save_evaluation, to_csv, to_json, to_markdown
from caveat.inference.figures.overlap import overlap
from caveat.inference.metrics.overlap import dice
from caveat.inference.stored.stored_study import read_results
from caveat.inference.stored.truths import MaskTruths
from caveat.reasons import StudyRefused

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "bundles" / "retinal_vessels" / "configs" / "evaluate.yaml"
SHAPE = (64, 72)
RATERS = ["observer 1", "observer 2"]


def vessels(number, wide=6):
    """A wide and a thin line, moved a little from study to study."""
    mask = np.zeros(SHAPE, bool)
    mask[10 + number : 10 + number + wide, 4:68] = True
    mask[40 + number : 42 + number, 4:68] = True
    return mask


def write_mask(path, mask):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask).save(path)


def result_of(sha256, mask, draws=5, status="OK"):
    area = float(mask.sum())
    values = [area - 20 + 10 * k for k in range(draws)]
    return {
        "schema": "caveat-result-1",
        "status": status,
        "reasons": [{"code": "NO_FIELD_OF_VIEW", "message": "", "what_to_do": ""}] if status == "REFUSED" else [],
        "input": {"sha256": sha256, "kind": "picture", "shape": list(SHAPE), "spacing_mm": None, "affine": np.eye(4).tolist()},
        "bundle": {"name": "retinal_vessels", "version": "0.1.0", "weights_sha256": "w"},
        "sampling": {"sampler": "Ensemble", "source": "model", "draws": draws, "seed": 0, "chunk": len(sha256)},
        "measurements": [{"name": "vessel area", "unit": "pixels", "value": area, "draws": {"n": draws, "values": values}}],
        "study_scores": {"pooled_pairwise_dice": 0.9},
    }


def write_study(folder, sha256, truth, seed, draws=5, **more):
    """A prediction that is right but for noise near the borders."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    probability = np.clip(np.where(truth, 0.8, 0.1) + rng.normal(0, 0.2, SHAPE), 0.001, 0.999).astype(np.float32)
    entropy = -(probability * np.log(probability) + (1 - probability) * np.log(1 - probability))
    mutual = entropy * 0.1 if draws > 1 else np.zeros(SHAPE)
    maps = {"probability": probability, "entropy": entropy, "mutual_information": mutual, "variance": mutual * 0.5}
    for name, values in maps.items():
        tifffile.imwrite(folder / f"{name}.tif", values.astype(np.float32), compression="deflate")
    mask = probability > 0.5
    Image.fromarray(mask.astype(np.uint8)).save(folder / "segmentation.png")
    Image.fromarray(np.ones(SHAPE, np.uint8)).save(folder / "region.png")
    Image.fromarray(np.zeros((5, 5, 3), np.uint8)).save(folder / "preview.png")
    (folder / "result.json").write_text(json.dumps(result_of(sha256, mask, draws) | more))
    return mask


@pytest.fixture
def stored(tmp_path):
    """Four images of two children, all predicted; a list with both observers and a field of view."""
    entries = []
    for number in range(4):
        write_mask(tmp_path / f"data/o1/{number}.png", vessels(number))
        write_mask(tmp_path / f"data/o2/{number}.png", vessels(number, wide=4))
        field = np.ones(SHAPE, bool)
        field[:, :2] = False
        write_mask(tmp_path / f"data/fov/{number}.png", field)
        write_study(tmp_path / f"out/image{number}", f"sha{number}", vessels(number), number)
        entries.append(
            {"image": f"{number}.jpg", "label": [f"o1/{number}.png", f"o2/{number}.png"], "region": f"fov/{number}.png"}
            | {"unit": f"child {number // 2}", "sha256": f"sha{number}"}
        )
    write_list(tmp_path, entries)
    return tmp_path


def write_list(root, entries):
    (root / "list.json").write_text(json.dumps({"training": [], "test": entries}))


def entries_of(root):
    return json.loads((root / "list.json").read_text())["test"]


def run(root, settings=None):
    settings = settings or Evaluation(MaskTruths(RATERS), [overlap], resamples=100)
    return evaluate(root / "out", root / "list.json", "test", settings, root / "data")


def refused(root, folder="image0"):
    file = root / "out" / folder / "result.json"
    file.write_text(
        json.dumps({"status": "REFUSED", "reasons": [{"code": "NO_FIELD_OF_VIEW"}], "input": {"sha256": "sha0"}, "bundle": {}})
    )


def test_figures_of_every_study_against_every_rater(stored):
    table = run(stored)
    assert len(table.rows) == 4 * 3
    assert table.left_out == []
    predicted = np.asarray(Image.open(stored / "out/image2/segmentation.png")) > 0
    field = np.asarray(Image.open(stored / "data/fov/2.png"))
    by_hand = {"observer 1": dice(predicted, vessels(2), field), "observer 2": dice(predicted, vessels(2, wide=4), field)}
    rows = {
        row["against"]: row["metrics"]["Dice"]
        for row in table.rows
        if row["study"] == "image2" and row["reading"] == "prediction"
    }
    assert rows == by_hand


def test_observer_two_is_scored_against_observer_one_on_the_same_images(stored):
    rows = [row for row in run(stored).rows if row["reading"] == "observer 2"]
    assert {row["against"] for row in rows} == {"observer 1"}
    assert [row["metrics"]["Dice"] for row in rows] == pytest.approx([2 * (4 + 2) / (6 + 2 + 4 + 2)] * 4)


def test_the_mean_has_its_single_points_and_units(stored):
    mean = next(row for row in run(stored).means if (row["against"], row["metric"]) == ("observer 1", "Dice"))
    assert mean["mean"] == pytest.approx(np.mean(mean["values"]))
    assert (mean["n"], mean["units"], mean["undefined"], len(mean["values"])) == (4, 2, 0, 4)
    assert mean["lower"] <= mean["mean"] <= mean["upper"]


def test_the_bundles_own_settings_run_and_are_named_in_full(stored):
    table = run(stored, read_evaluation(CONFIG))
    names = table.rows[0]["metrics"]
    expected = ["AUC", "Dice of the field of view found", "Brier score, band around vessels", "AUROC for wrong pixels, variance"]
    expected += ["expected calibration error, equal-width, 15 bins, foreground, field of view"]
    expected += ["adaptive calibration error, equal-mass, 15 bins, top label, band around vessels"]
    expected += ["vessels up to 2 pixels wide: recall, highest tercile of entropy", "all vessels: drawn less true width, pixels"]
    expected += ["vessel area: error, share of the truth", "vessel area: truth within the range of the draws"]
    assert set(expected) <= set(names)
    assert all(math.isfinite(names[name]) for name in expected)
    assert {entry["against"] for entry in table.over_studies} == set(RATERS)


def test_entropy_and_one_minus_largest_rank_pixels_alike(stored):
    metrics = run(stored, read_evaluation(CONFIG)).rows[0]["metrics"]
    assert metrics["AUROC for wrong pixels, entropy"] == pytest.approx(metrics["AUROC for wrong pixels, 1 - max p"], abs=1e-3)


def test_maps_of_a_single_network_that_say_nothing_are_undefined(stored):
    (stored / "data/o1/9.png").write_bytes((stored / "data/o1/0.png").read_bytes())
    write_study(stored / "single/image0", "sha0", vessels(0), 0, draws=1)
    table = evaluate(stored / "single", stored / "list.json", "test", read_evaluation(CONFIG), stored / "data")
    assert math.isnan(table.rows[0]["metrics"]["AUROC for wrong pixels, variance"])
    assert len(table.left_out) == 3
    mean = next(row for row in table.means if row["metric"] == "AUROC for wrong pixels, variance")
    assert (mean["n"], mean["undefined"]) == (0, 1)
    save_evaluation(table, stored / "single")
    assert (
        json.loads((stored / "single/evaluation.json").read_text())["rows"][0]["metrics"]["AUROC for wrong pixels, variance"]
        is None
    )


def test_missing_and_refused_predictions_are_counted_and_listed(stored):
    refused(stored)
    (stored / "out/image1/result.json").unlink()
    table = run(stored)
    assert [(row["entry"], row["code"]) for row in table.left_out] == [(1, "NO_FIELD_OF_VIEW"), (2, "NOT_PREDICTED")]
    assert all(".jpg" not in said for said in (to_json(table), to_markdown(table))), "a path may name somebody"
    assert "2 of 4 images" in to_markdown(table)
    assert "2 images are not in the figures" in to_markdown(table)


@pytest.mark.parametrize("which", ["o1", "fov"])
def test_a_mask_off_the_grid_is_left_out(stored, which):
    write_mask(stored / f"data/{which}/0.png", np.ones((64, 71), bool))
    assert [row["code"] for row in run(stored).left_out] == ["LABEL_OFF_GRID"]


def test_a_study_without_a_segmentation_is_left_out(stored):
    (stored / "out/image0/segmentation.png").unlink()
    assert [(row["entry"], row["code"]) for row in run(stored).left_out] == [(1, "NOT_PREDICTED")]


def test_a_label_that_is_not_there_is_left_out(stored):
    (stored / "data/o2/3.png").unlink()
    assert [row["code"] for row in run(stored).left_out] == ["NO_TRUTH"]


def test_nothing_predicted_is_refused(stored):
    with pytest.raises(StudyRefused, match="NOT_PREDICTED: none of 4 images"):
        evaluate(stored / "data", stored / "list.json", "test", Evaluation(MaskTruths(RATERS), [overlap]), stored / "data")


def test_one_image_twice_is_refused(stored):
    write_study(stored / "out/copy", "sha1", vessels(1), 1)
    with pytest.raises(StudyRefused, match="DUPLICATE_PREDICTION"):
        run(stored)


UNREADABLE = [
    "[]",
    "null",
    "[" * 100_000,
    "{",
    "9" * 6000,
    '{"answers": [], "input": 7}',
    '{"answers": [], "input": {"sha256": []}, "status": "OK", "bundle": {}}',
    "{}",
    '{"answers": [], "status": "OK", "bundle": null}',
]


@pytest.mark.parametrize("text", UNREADABLE, ids=["list", "null", "deep", "half", "large", "input", "sha256", "empty", "bundle"])
def test_a_result_that_cannot_be_read_is_not_left_out(text, tmp_path):
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "result.json").write_text(text)
    with pytest.raises(StudyRefused, match="CORRUPT"):
        read_results(tmp_path)


def test_two_runs_in_one_folder_are_refused(stored):
    file = stored / "out/image3/result.json"
    result = json.loads(file.read_text())
    result["sampling"]["draws"] = 20
    file.write_text(json.dumps(result))
    with pytest.raises(StudyRefused, match="MIXED_PREDICTIONS"):
        run(stored)


def test_files_are_the_same_bytes_again_and_tell_no_path(stored):
    settings = read_evaluation(CONFIG)
    save_evaluation(run(stored, settings), stored / "out")
    names = ("evaluation.json", "evaluation.csv", "evaluation.md")
    first = [(stored / "out" / name).read_bytes() for name in names]
    save_evaluation(run(stored, settings), stored / "out")
    assert first == [(stored / "out" / name).read_bytes() for name in names]
    assert all(str(stored).encode() not in content for content in first)


def test_csv_has_a_row_per_study_reading_and_rater(stored):
    lines = to_csv(run(stored)).splitlines()
    assert len(lines) == 1 + 12
    assert lines[0] == "study,unit,reading,against,pooled_pairwise_dice,Dice,sensitivity,specificity"


def test_a_unit_is_no_formula(stored):
    """Lists come from others, and a spreadsheet program runs a cell that begins so."""
    table = run(stored)
    for row in table.rows:
        row["unit"] = "=HYPERLINK(A1)"
    assert ",'=HYPERLINK(A1)," in to_csv(table) and ",=" not in to_csv(table)


def test_volumes_are_matched_by_their_affine(tmp_path):
    affine, mask = np.diag([1.0, 1, 2, 1]), np.zeros((6, 6, 4), np.uint8)
    mask[2:4, 2:4, 1:3] = 1
    folder = tmp_path / "out/scan"
    folder.mkdir(parents=True)
    nibabel.save(nibabel.Nifti1Image(mask, affine), folder / "segmentation.nii.gz")
    result = result_of("shaV", mask) | {"input": {"sha256": "shaV", "affine": affine.tolist()}}
    (folder / "result.json").write_text(json.dumps(result))
    write_list(tmp_path, [{"image": "v.nii.gz", "label": "label.nii.gz", "unit": "1", "sha256": "shaV"}])
    (tmp_path / "data").mkdir()
    nibabel.save(nibabel.Nifti1Image(mask, affine), tmp_path / "data/label.nii.gz")
    settings = Evaluation(MaskTruths(["truth"]), [overlap])
    assert run(tmp_path, settings).rows[0]["metrics"]["Dice"] == 1
    nibabel.save(nibabel.Nifti1Image(mask, np.diag([-1.0, 1, 2, 1])), tmp_path / "data/label.nii.gz")
    with pytest.raises(StudyRefused, match="1 LABEL_OFF_GRID"):
        run(tmp_path, settings)


def test_command_saves_and_prints(stored, monkeypatch, capsys):
    monkeypatch.setenv("CAVEAT_DATA", str(stored / "data"))
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    arguments = ["evaluate", "retinal_vessels", "-p", str(stored / "out"), "--data", str(stored / "list.json")]
    options = parser.parse_args(arguments)
    assert options.run(options) == 0
    printed = capsys.readouterr().out
    assert "## Predictions against observer 2" in printed
    assert "## Observer 2 against observer 1" in printed
    assert (stored / "out/evaluation.json").is_file()
    options = parser.parse_args([*arguments, "--split", "nonsense"])
    with pytest.raises(StudyRefused, match="WRONG_USAGE"):
        options.run(options)


def test_every_mean_says_of_how_many_images_it_is(stored):
    Image.fromarray(np.zeros(SHAPE, np.uint8)).save(stored / "out/image2/segmentation.png")  # missed: no surface to be far from

    def distance(study, truth):
        return {"distance": 2.0 if study.mask.any() else math.nan, "missed": float(not study.mask.any())}

    settings = Evaluation(MaskTruths(RATERS), [distance])
    table = evaluate(stored / "out", stored / "list.json", "test", settings, stored / "data")
    lines = to_markdown(table).splitlines()
    assert "| distance | 3 of 4 | 2.00 | 2.00 to 2.00 | 2.00 2.00 - 2.00 |" in lines
    assert any(line.startswith("| missed | 4 | 0.250 |") for line in lines)
