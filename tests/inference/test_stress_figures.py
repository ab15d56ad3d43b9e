"""Figures of a stress run, from predictions written by hand."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from caveat.inference.calibration.identity import identity_of, identity_of_target
from caveat.inference.calibration.record import MARGINAL, SIMULTANEOUS, Record
from caveat.inference.calibration.scores.absolute import Absolute
from caveat.inference.calibration.split_stratum import SplitStratum
from caveat.inference.calibration.units import unit_hash
from caveat.inference.gate.gate import Gate, Limit
from caveat.inference.metrics.interval_coverage import CheckedPart, coverage_band
from caveat.inference.stored.truths import MaskTruths
from caveat.inference.stress.degraded import LIST, Degradation
from caveat.inference.stress.stress import StressSettings, score_sets
from caveat.inference.stress.stress_files import save_stress
from caveat.inference.stress.stress_set import CLEAN, PREDICTIONS, StressSet
from caveat.inference.stress.summary import summarise
from caveat.inference.targets.area import Area
from caveat.reasons import StudyRefused
from caveat.transforms.files.older_keys import answers_of_older

SHAPE = (10, 20)
TRUE = 100
UNITS, SCANS = 12, 2
NAME = "vessel area"
LEVEL = 0.9


def write_set(folder: Path, lost: int, weights: str = "w") -> StressSet:
    """Every scan loses `lost` of its 100 true pixels and one more per unit; its doubt is what it lost. Unit 0 is refused."""
    truth = np.zeros(SHAPE, np.uint8)
    truth[:5] = 1
    folder.mkdir(parents=True)
    Image.fromarray(truth).save(folder / "truth.png")
    entries = []
    for unit in range(UNITS):
        for scan in range(SCANS):
            name, sha256 = f"scan{unit:02d}{scan}", f"{folder.name}{unit}{scan}"
            entries.append({"image": f"{name}.png", "label": ["truth.png"], "unit": f"eye {unit}", "sha256": sha256})
            missing = min(lost + (unit if lost else 0), 99)
            found = truth.copy()
            found.ravel()[:missing] = 0
            study = folder / PREDICTIONS / name
            study.mkdir(parents=True)
            Image.fromarray(found).save(study / "segmentation.png")
            result = {
                "status": "OK",
                "reasons": [],
                "input": {"sha256": sha256, "shape": list(SHAPE), "affine": np.eye(4).tolist(), "spacing_source": ""},
                "bundle": {"name": "toy", "weights_sha256": weights, "preprocessing_sha256": "p"},
                "sampling": {"sampler": "Toy", "draws": 2, "seed": 0},
                "measurements": [
                    {
                        "name": NAME,
                        "unit": "pixels",
                        "value": TRUE - missing,
                        "draws": {"values": [TRUE - missing, TRUE - missing]},
                    }
                ],
                "study_scores": {"structure_entropy": float(missing), "pooled_pairwise_dice": 1.0},
                "flags": [],
            }
            if unit == 0 and lost:
                result |= {"status": "REFUSED", "reasons": [{"code": "LOW_RESOLUTION"}]}
            (study / "result.json").write_text(json.dumps(result))
    (folder / LIST).write_text(json.dumps({"test": entries}))
    return StressSet(folder, folder / PREDICTIONS)


def record_for(one: StressSet) -> Record:
    """Half-width 10 at 90 % from 19 units; the gate turns away an entropy above 15."""
    result = json.loads(next(one.predictions.glob("*/result.json")).read_text())
    scores = SplitStratum(math.inf, {"either": tuple(sorted([*range(-7, 10), 10.0, 11.0]))})
    gate = Gate((Limit("structure_entropy", "above", 15.0),), 0.1, 0.1, 19)
    identity = identity_of(result, result["bundle"], result["measurements"][0])
    made_of = {"salt": "salt", "unit_hashes": [unit_hash("eye 99", "salt")], "images_sha256": ["another"]}
    about = {"seed": 0, "made_of": made_of}
    return Record((NAME,), "pixels", "eye", Absolute(), "two-sided", MARGINAL, ((scores,),), (0.9,), gate, identity, about)


@pytest.fixture
def sets(tmp_path):
    done = {CLEAN: 0, Degradation("blur", 1.0): 4, Degradation("blur", 2.0): 40}
    return {one: write_set(tmp_path / f"{one.corruption}{one.strength:g}", lost) for one, lost in done.items()}


def settings(*records: Record) -> StressSettings:
    return StressSettings(MaskTruths(), [Area(NAME, "Vessels", [1])], records, LEVEL)


@pytest.fixture
def table(sets):
    return score_sets(sets, "test", settings(record_for(sets[CLEAN])))


def test_each_set_has_its_means(table):
    clean, mild, strong = summarise(table)["sets"]
    assert clean["measured"] == 24 and clean["left_out"] == clean["refused"] == {} and clean["dice"] == 1 and clean["bias"] == 0
    assert (mild["studies"], mild["measured"], mild["refused"], mild["left_out"]) == (24, 22, {"LOW_RESOLUTION": 2}, {})
    lost = np.arange(1, UNITS) + 4.0
    assert mild["bias"] == pytest.approx(-lost.mean() / TRUE)
    assert mild["error"] == pytest.approx(lost.mean() / TRUE)
    assert mild["dice"] == pytest.approx(np.mean(2 * (TRUE - lost) / (2 * TRUE - lost)))
    assert mild["study_scores"]["structure_entropy"] == pytest.approx(lost.mean())
    assert strong["corruption"] == "blur" and strong["strength"] == 2.0


def test_coverage_is_counted_per_unit_with_and_without_the_gate(table):
    clean, mild, strong = summarise(table)["sets"]
    assert clean["units"] == clean["accepted_units"] == 12 and clean["coverage"] == 1 and clean["size"] == 20
    assert mild["units"] == 11 and mild["accepted_units"] == 11  # 15 at most
    assert mild["coverage"] == mild["coverage_accepted"] == pytest.approx(6 / 11)  # 5 to 10 of 5 to 15 are inside
    assert strong["coverage"] == 0 and strong["accepted"] == 0
    assert math.isnan(strong["coverage_accepted"]) and strong["band"] == []
    low, high = clean["band"]
    assert 0.4 < low < 0.9 and high == 1 and clean["band_at_once"] == []


def test_the_gate_is_told_from_the_error_that_it_prevents_and_a_refused_study_is_stopped(table):
    """Of 24 images at each strength 2 are refused; the gate accepts all others at the weak one and none at the strong one."""
    found = summarise(table)
    clean, mild, strong = found["sets"]
    assert (clean["passed"], mild["passed"], strong["passed"]) == (1, pytest.approx(22 / 24), 0)
    (_, blurred) = found["prevented"]
    assert blurred["refused"] == {"LOW_RESOLUTION": 4} and blurred["passed"] == pytest.approx(22 / 48)
    assert blurred["error_accepted"] == pytest.approx(0.1) and blurred["error_stopped"] == pytest.approx(0.46)
    weak, far = found["detection"]
    assert weak["stopped"] == pytest.approx(2 / 24) and far["stopped"] == 1 and far["stopped_clean"] == 0
    assert weak["auroc"]["structure_entropy"] == 1 and weak["auroc"]["pooled_pairwise_dice"] == pytest.approx(13 / 24)
    means = {entry["score"]: entry for entry in found["means"]}
    assert (
        means["error"]["pearson"] == pytest.approx(np.corrcoef([0, 1, 2], [0, 0.1, 0.46])[0, 1]) and means["error"]["sets"] == 3
    )


def test_what_is_promised_of_several_measurements_at_once_is_judged(sets):
    """The second area loses twice as much as the first: 10 to 30 pixels at the weak strength, of which 10 are inside."""
    for path in (path for one in sets.values() for path in one.predictions.glob("*/result.json")):
        stored = json.loads(path.read_text())
        lost = 2 * (TRUE - stored["measurements"][0]["value"])
        stored["measurements"].append(stored["measurements"][0] | {"name": "second area", "value": TRUE - lost})
        path.write_text(json.dumps(stored))
    one, names = record_for(sets[CLEAN]), (NAME, "second area")
    identity = identity_of_target(stored | {"answers": answers_of_older(stored)}, stored["bundle"], names)
    at_once = replace(one, names=names, promise=SIMULTANEOUS, identity=identity)
    targets = [Area(name, "Vessels", [1]) for name in names]
    found = summarise(score_sets(sets, "test", StressSettings(MaskTruths(), targets, [one, at_once], LEVEL)))["sets"]
    clean, mild, strong = (entry for entry in found if entry["target"] == f"{NAME} and second area")
    assert clean["at_once"] == 1 and clean["band_at_once"] and mild["at_once_accepted"] == pytest.approx(1 / 11)
    assert mild["error"] == pytest.approx(1.5 * (np.arange(1, UNITS) + 4.0).mean() / TRUE)
    assert strong["accepted"] == 0 and math.isnan(strong["coverage"]) and math.isnan(strong["bias"])
    assert [entry["coverage"] for entry in found if entry["target"] == NAME][:2] == [1, pytest.approx(6 / 11)]


def test_a_measurement_of_nothing_counts_in_no_coverage(sets):
    for number in range(SCANS):
        path = sets[CLEAN].predictions / f"scan03{number}" / "result.json"
        stored = json.loads(path.read_text())
        stored["measurements"][0] |= {"value": 0.0, "draws": {"values": [0.0, 0.0]}}
        path.write_text(json.dumps(stored))
    table = score_sets({CLEAN: sets[CLEAN]}, "test", settings(record_for(sets[Degradation("blur", 1.0)])))
    empty = [row for row in table.rows if row["value"] == 0]
    assert len(empty) == 2 and all(row["covered"] is row["accepted"] is None and not row["first"] for row in empty)
    assert {row["code"] for row in empty} == {"NOTHING_FOUND"}
    (clean,) = summarise(table)["sets"]
    assert (
        clean["measured"] == 24 and clean["units"] == clean["accepted_units"] == 11 and clean["passed"] == pytest.approx(22 / 24)
    )


def test_a_score_that_knows_the_error_is_told_from_one_that_does_not(table):
    found = {(entry["score"], entry["corruption"]): entry for entry in summarise(table)["scores"]}
    knowing, ignorant = found["structure_entropy", "all"], found["pooled_pairwise_dice", "all"]
    assert knowing["spearman_pooled"] == pytest.approx(1) and knowing["spearman_per_image"] == pytest.approx(1)
    assert knowing["E-AURC"] == pytest.approx(0, abs=1e-12) and knowing["AURC"] < knowing["AURC_random"]
    assert knowing["n"] == 24 + 22 + 22 and knowing["images"] == 22  # unit 0 has one set alone
    assert math.isnan(ignorant["spearman_pooled"]) and ignorant["AURC"] == pytest.approx(ignorant["AURC_random"])
    assert found["structure_entropy", "blur"]["spearman_strength"] > 0.9


def test_a_record_of_other_weights_gives_no_interval(sets, tmp_path):
    other = record_for(write_set(tmp_path / "other", 0, weights="v"))
    table = score_sets(sets, "test", settings(other))
    assert table.source["records"] == {} and not any(band for bands in table.bands.values() for band in bands.values())
    assert all(row["covered"] is None for row in table.rows)
    assert all(row["accepted"] is (False if row["code"] else None) for row in table.rows)
    assert all(math.isnan(entry[key]) for entry in summarise(table)["sets"] for key in ("coverage", "accepted", "passed"))


def test_each_study_is_judged_by_its_own_record(sets):
    """Half of the units have a spacing: a record of its own, ten times as wide."""
    mild, narrow = sets[Degradation("blur", 1.0)], record_for(sets[CLEAN])
    for unit in range(6, UNITS):
        for scan in range(SCANS):
            path = mild.predictions / f"scan{unit:02d}{scan}" / "result.json"
            stored = json.loads(path.read_text())
            stored["sampling"]["grid_spacing_mm"] = [1.0, 1.0]
            path.write_text(json.dumps(stored))
    scores = SplitStratum(math.inf, {"either": tuple(100.0 for _ in range(9))})
    wide = replace(narrow, strata=((scores,),), identity=narrow.identity | {"grid_spacing_mm": [1.0, 1.0]})
    table = score_sets({CLEAN: mild}, "test", settings(narrow, wide))
    widths = {row["unit"]: row["size"] for row in table.rows if not row["code"]}
    assert {unit: width > 50 for unit, width in widths.items()} == {f"eye {unit}": unit >= 6 for unit in range(1, UNITS)}
    assert table.source["records"] == {NAME: sorted([narrow.checksum, wide.checksum])}
    first = [row for row in table.rows if row["first"]]
    assert sum(row["covered"] for row in first) == 11 and len(first) == 11
    parts = [CheckedPart(5, 18, 19), CheckedPart(6, 9, 9)]  # units 1 to 5, and 6 to 11; ranks of 90 % of 19 and of 9
    band = [covered / 11 for covered in coverage_band(parts)]
    assert table.bands[CLEAN.corruption, CLEAN.strength, NAME] == {"band": band, "band_at_once": []}
    assert table.bands == score_sets({CLEAN: mild}, "test", settings(wide, narrow)).bands


def test_units_that_made_the_record_are_refused(sets):
    record = record_for(sets[CLEAN])
    made_of = record.provenance["made_of"] | {"unit_hashes": [unit_hash("eye 3", "salt")], "images_sha256": ["clean040"]}
    seen = replace(record, provenance={"seed": 0, "made_of": made_of})
    with pytest.raises(StudyRefused, match="UNITS_SEEN_IN_CALIBRATION: 1 units and 1 images"):
        score_sets(sets, "test", settings(seen))


def test_what_could_not_be_degraded_is_counted(sets):
    refused = [{"unit": "eye 77", "code": "TRUNCATED", "found": "12 of 90 bytes"}]
    table = score_sets(sets | {CLEAN: replace(sets[CLEAN], refused=refused)}, "test", settings())
    clean, mild, _ = summarise(table)["sets"]
    assert clean["left_out"] == {"TRUNCATED": 1} and clean["measured"] == 24
    assert mild["left_out"] == {} and mild["refused"] == {"LOW_RESOLUTION": 2}


def test_files_say_the_same(table, tmp_path):
    said = save_stress(table, tmp_path)
    stored = json.loads((tmp_path / "stress.json").read_text())
    assert stored["source"]["records"] and len(stored["rows"]) == 72 and stored["left_out"] == []
    assert stored["sets"][2]["coverage_accepted"] is None
    rows = list(csv.DictReader((tmp_path / "stress.csv").open()))
    assert len(rows) == 72 and rows[0]["corruption"] == "clean" and float(rows[0]["dice"]) == 1
    assert rows[24]["code"] == "LOW_RESOLUTION" and rows[24]["value"] == rows[24]["dice"] == "" and rows[24]["accepted"] == "0"
    text = (tmp_path / "stress.md").read_text()
    assert text == said
    assert "| blur | 2 | 22 | 2 LOW_RESOLUTION | 0 | 0.701 | -0.460 | 0.460 |" in text and "nan" not in text
    assert "| 0 | 11 | 0 | - | - |" in text, "coverage of 11 units, none accepted"
    assert "within |" not in text and "at once" not in text.partition("Means over")[0], "no column of what landmarks alone have"
    for name in ("dice", "error", "coverage", "accepted", "scores", "mean_scores", "risk_coverage"):
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert not (tmp_path / "at_once.png").exists()


def test_sets_of_other_weights_are_not_mixed(sets, tmp_path):
    other = write_set(tmp_path / "other", 4, weights="v")
    with pytest.raises(StudyRefused, match="MIXED_PREDICTIONS"):
        score_sets(sets | {Degradation("blur", 3.0): other}, "test", settings())


def test_nothing_predicted_is_said(tmp_path):
    clean = write_set(tmp_path / "clean", 0)
    (clean.folder / LIST).write_text(
        json.dumps({"test": [{"image": "a.png", "label": ["truth.png"], "unit": "u", "sha256": "none"}]})
    )
    with pytest.raises(StudyRefused, match="NOT_PREDICTED: no study of any set could be scored: 1 NOT_PREDICTED"):
        score_sets({CLEAN: clean}, "test", settings())
