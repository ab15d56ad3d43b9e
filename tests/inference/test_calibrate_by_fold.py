"""From the stored predictions of K networks and a list with folds to a record of cross-validation, and to an interval of it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from calibration_phantoms import (
    BUNDLE,
    MEASUREMENTS,
    ML,
    SAMPLING,
    case,
    result_of,
    settings,
    write_list,
    write_result,
    write_stored,
)

from caveat.cli import main
from caveat.inference.calibration.apply_records import ApplyRecordsd
from caveat.inference.calibration.calibrate import calibrate
from caveat.inference.calibration.record import read_records
from caveat.inference.calibration.record_file import write_record
from caveat.inference.calibration.scores.absolute import Absolute
from caveat.inference.calibration.scores.fitted import Fitted
from caveat.inference.calibration.scores.log import Log
from caveat.inference.calibration.scores.size import Size
from caveat.inference.calibration.scores.spread import Spread
from caveat.inference.calibration.seen import read_seen
from caveat.inference.evaluation.evaluate_coverage import evaluate_coverage
from caveat.inference.evaluation.figures import FIRST_LINE
from caveat.inference.evaluation.settings import Coverage
from caveat.inference.evaluation.source import Source
from caveat.inference.evaluation.tables import record_line
from caveat.inference.gate.gate import Check
from caveat.inference.stored.truths import MaskTruths
from caveat.reasons import StudyRefused

K = 5


@pytest.fixture
def stored(tmp_path):
    """Twelve subjects of one scan each, dealt to five folds."""
    entries = write_stored(tmp_path, units=12, scans=1, part="training")
    for number in range(12):
        change(tmp_path, number, sampling=SAMPLING | {"members": K})
    write_list(tmp_path, training=[entry | {"fold": number % K} for number, entry in enumerate(entries)])
    write_seen(tmp_path, {entry["sha256"]: [k for k in range(K) if k != number % K] for number, entry in enumerate(entries)})
    return tmp_path


def write_seen(root, seen):
    (root / "calibration").mkdir(exist_ok=True)
    (root / "calibration" / "seen.json").write_text(json.dumps(seen))


def entries_of(root):
    return json.loads((root / "list.json").read_text())["training"]


def result(root, number):
    return json.loads((root / "out" / f"scan{number:03}" / "result.json").read_text())


def change(root, number, **facts):
    write_result(root / "out" / f"scan{number:03}", result(root, number) | facts)


def run(root, **more):
    chosen = settings(**{"truths": MaskTruths(classes=(1, 2)), "score": Absolute(), "networks": K, "levels": (0.8,), **more})
    return calibrate(root / "out", root / "list.json", "training", chosen, root / "data", read_seen(root))


def refused(root, code, **more):
    with pytest.raises(StudyRefused) as refusal:
        run(root, **more)
    assert refusal.value.code == code
    return refusal.value.found


def test_each_unit_is_judged_by_the_network_that_has_not_seen_it(stored):
    whole = run(stored)[0]
    assert (whole.record.n, whole.record.networks, whole.record.identity["sampler"]) == (12, K, "Ensemble")
    rows = sorted((case.fold, abs(case.draws[case.fold] - case.truth)) for (case,) in whole.rows)
    assert [fold for fold, _ in rows] == list(whole.record.strata[0][0].folds) == sorted(number % K for number in range(12))
    assert [far for _, far in rows] == pytest.approx(list(whole.record.strata[0][0].scores["either"]))


def test_an_interval_says_what_is_proven(stored):
    made = run(stored)[0].record
    write_record(made, stored / made.file_name)
    new = result_of("new", 120, 100) | {"sampling": SAMPLING | {"members": K}}
    told = ApplyRecordsd(stored / made.file_name, 0.8, BUNDLE)({"result": new})["result"]["answers"][0]
    interval = told["region"]
    assert told["value"] == pytest.approx(220 * ML) and interval["lower"] < told["value"] < interval["upper"]
    assert (interval["n"], interval["networks"], interval["proven"]) == (12, K, pytest.approx(1 - 2 * (12 - 11 + 5) / 17))
    assert "cross-validated on 12 subjects, proven for 29 %" in told["statement"]
    sure = ApplyRecordsd(stored / made.file_name, 0.7, BUNDLE, guaranteed=True)({"result": new})["result"]["answers"][0]
    assert sure["region"]["proven"] >= 0.4
    half = ApplyRecordsd(stored / made.file_name, 0.5, BUNDLE)({"result": new})["result"]
    assert half["answers"][0]["region"] is None and half["flags"] == ["NOTHING_PROVEN"]


def test_a_gate_withholds_and_takes_no_unit_from_the_record(stored):
    made = run(stored, checks=[Check("noise", "above")])[0].record
    assert made.n == 12 and made.gate is not None
    assert not made.gate.judge({"noise": 1e9}).accepted


def test_the_gate_asks_of_each_unit_the_network_that_has_not_seen_it(stored):
    """Networks that have seen a unit are sure of it: their mean would set a limit that new studies fail too often."""
    for number in range(12):
        of_networks = [0.1] * K
        of_networks[number % K] = 1.0 + number
        change(stored, number, study_scores={"draw_entropy": 0.1}, draw_scores={"draw_entropy": of_networks})
    made = run(stored, checks=[Check("draw_entropy", "above")])[0].record
    assert made.n == 12 and [limit.threshold for limit in made.gate.limits] == [12.0]
    assert made.gate.judge({"draw_entropy": 11.5}).accepted and not made.gate.judge({"draw_entropy": 12.5}).accepted


def test_a_network_that_found_nothing_has_no_entropy_and_the_unit_is_most_extreme(stored):
    for number in range(12):
        change(stored, number, study_scores={"draw_entropy": 1.0}, draw_scores={"draw_entropy": [1.0] * K})
    change(stored, 0, draw_scores={"draw_entropy": [None] + [1.0] * (K - 1)})
    assert "draw entropy" in refused(stored, "GATE_SCORE_MISSING", checks=[Check("draw_entropy", "above")]).replace("_", " ")


def test_a_width_may_follow_the_entropy_of_the_own_network(stored):
    for number in range(12):
        of_networks = [5.0] * K
        of_networks[number % K] = 1.0
        change(stored, number, study_scores={"draw_entropy": 4.2}, draw_scores={"draw_entropy": of_networks})
    score = Fitted(centre={"log_value": 1.0}, log_width={"draw_entropy": 1.0}, offset=0.001)
    whole = run(stored, score=score)[0]
    plain = run(stored, score=replace(score, log_width={"intercept": 1.0}))[0]
    assert whole.record.strata == plain.record.strata  # every unit's own entropy is 1


def test_a_unit_in_which_the_networks_together_find_nothing_is_in_the_record(stored):
    empty = result_of("sha003", 0, 0)
    for entry in empty["answers"]:
        entry["draws"]["values"] = [0.0, 0.0, 0.0, 0.01, 0.0]
    change(stored, 3, status="NOTHING_FOUND", answers=empty["answers"])
    whole = run(stored)[0]
    assert whole.record.n == 12
    assert next(case for (case,) in whole.rows if case.sha256 == "sha003").value == 0


BUNDLE_CONFIGS = {
    "metadata.json": '{"truth": "as the phantoms have it"}',
    "inference.yaml": """
name: phantoms
weights_sha256: w
measurements:
  - {_target_: caveat.inference.targets.volume.Volume, name: whole volume, title: Whole, classes: [1, 2]}
  - {_target_: caveat.inference.targets.volume.Volume, name: first volume, title: 'Part, the first', classes: [1]}
""",
    "calibrate.yaml": """
calibration:
  _target_: caveat.inference.calibration.settings.Calibration
  truths: {_target_: caveat.inference.stored.truths.MaskTruths, classes: [1, 2]}
  targets: '@measurements'
  score: {_target_: caveat.inference.calibration.scores.log.Log, offset: 0.001}
  unit: subject
  levels: [0.8]
  networks: 5
""",
}


def test_the_command_takes_the_training_part_and_says_what_is_proven(stored, monkeypatch, capsys):
    monkeypatch.setenv("CAVEAT_BUNDLES", str(stored))
    monkeypatch.setenv("CAVEAT_DATA", str(stored / "data"))
    (stored / "configs").mkdir()
    for name, text in BUNDLE_CONFIGS.items():
        (stored / "configs" / name).write_text(text)
    command = ["calibrate", str(stored), "-p", str(stored / "out"), "--data", str(stored / "list.json")]
    assert main(command) == 0
    assert "proven at 80 %" in capsys.readouterr().out
    assert [record.networks for record in read_records(stored / "out/records")] == [K, K]
    assert main([*command, "--levels", "0.5"]) == 2
    assert "WRONG_USAGE" in (said := capsys.readouterr().err) and "proves nothing" in said


class TestRefused:
    def test_a_network_that_saw_its_own_fold_if_only_to_stop(self, stored):
        seen = json.loads((stored / "calibration" / "seen.json").read_text())
        seen["sha004"] = [0, 1, 2, 3, 4]
        write_seen(stored, seen)
        assert "1 images were seen by the network of their own fold" in refused(stored, "UNITS_SEEN_IN_TRAINING")

    def test_a_list_of_images_that_any_network_may_have_seen(self, stored):
        write_seen(stored, ["sha004"])
        assert "does not say which network" in refused(stored, "WRONG_USAGE")

    def test_a_bundle_that_does_not_say_what_its_networks_saw(self, stored):
        (stored / "calibration" / "seen.json").unlink()
        refused(stored, "WRONG_USAGE")

    def test_a_patient_in_two_folds(self, stored):
        entries = entries_of(stored)
        entries[1]["unit"] = entries[0]["unit"]
        write_list(stored, training=entries)
        assert refused(stored, "UNITS_SEEN_IN_TRAINING").startswith("1 units lie in two folds")

    def test_a_patient_that_stopped_every_network(self, stored):
        entries = entries_of(stored)
        write_list(stored, training=entries, early_stopping=[entries[2] | {"sha256": "another scan"}])
        assert "1 in a part that every network has seen" in refused(stored, "UNITS_SEEN_IN_TRAINING")

    @pytest.mark.parametrize("fold", [None, -1, K, "0", True, 1.0])
    def test_an_entry_without_a_fold_of_these_networks(self, stored, fold):
        entries = entries_of(stored)
        entries[3]["fold"] = fold
        write_list(stored, training=entries)
        said = refused(stored, "WRONG_USAGE")
        assert "entry 4" in said and ("count from 1" in said) is (fold == K)

    @pytest.mark.parametrize("sampling", [{}, {"members": 1}, {"members": 2}, {"members": K, "draws": 7}])
    def test_predictions_of_other_networks(self, stored, sampling):
        for number in range(12):
            change(stored, number, sampling=SAMPLING | sampling)
        assert "the settings speak of 5" in refused(stored, "WRONG_USAGE")

    def test_a_width_of_draws_where_each_network_has_one(self, stored):
        assert "no spread" in refused(stored, "WRONG_USAGE", score=Spread(0.1))

    def test_too_few_units(self, stored):
        assert refused(stored, "TOO_FEW_UNITS", levels=(0.95,)) == "12 subjects, 19 are needed at 95 % (two-sided)"

    def test_a_unit_that_was_not_predicted(self, stored):
        (stored / "out/scan003/result.json").unlink()
        refused(stored, "NOT_PREDICTED")


class TestPreparations:
    """A bundle that tells heads with skull from stripped ones, and measures millilitres where it can and voxels elsewhere."""

    @pytest.fixture
    def two_kinds(self, stored):
        for number in range(12):
            prepared = {"preparation": "stripped" if number < 6 else "with skull"}
            change(stored, number, input=result(stored, number)["input"] | prepared)
        return stored

    def test_each_has_a_record_of_its_own(self, two_kinds):
        whole = [entry.record for entry in run(two_kinds, one_recipe=True) if entry.record.names == ("whole volume",)]
        assert [(record.n, record.identity["preparation"]) for record in whole] == [(6, "stripped"), (6, "with skull")]
        for record in whole:
            write_record(record, two_kinds / record.file_name)
        new = result_of("new", 120, 100) | {"sampling": SAMPLING | {"members": K}}
        for preparation, expected in (("stripped", whole[0].checksum), ("unclear", None)):
            given = new | {"input": new["input"] | {"preparation": preparation}}
            told = ApplyRecordsd(two_kinds, 0.8, BUNDLE)({"result": given})["result"]
            assert (told["answers"][0]["region"] or {}).get("record") == expected
        assert "RECORD_MISMATCH" in told["flags"]

    def test_a_record_of_ratios_speaks_for_millilitres_and_for_voxels(self, stored):
        made = run(stored, score=Log(1e-9), any_unit=True)[0].record
        write_record(made, stored / made.file_name)
        stated = result_of("new", 120, 100) | {"sampling": SAMPLING | {"members": K}}
        unknown = json.loads(json.dumps(stated))
        unknown["sampling"]["grid_spacing_mm"] = None
        for entry in unknown["answers"]:
            entry["unit"], entry["value"] = "voxels", entry["value"] / ML
            entry["draws"]["values"] = [value / ML for value in entry["draws"]["values"]]
        ends = []
        for given in (stated, unknown):
            told = ApplyRecordsd(stored / made.file_name, 0.8, BUNDLE)({"result": given})["result"]
            interval = told["answers"][0]["region"]
            ends.append((interval["lower"], interval["upper"]))
        assert ends[1] == pytest.approx([end / ML for end in ends[0]])

    def test_a_distance_is_tied_to_its_unit(self):
        with pytest.raises(ValueError, match="score of ratios"):
            settings(Absolute(), any_unit=True)

    def test_an_own_width_in_logarithms(self):
        one = case(10.0, draws=(8.0, 10.0, 12.5))
        width = np.std(np.log([9.0, 11.0, 13.5]), ddof=1) + 0.1
        score = Fitted({"log_value": 1.0}, {"log_spread": 1.0}, offset=1.0, floor=0.1)
        assert score.excess(one, 21.0)[1] == pytest.approx(np.log(22 / 11) / width)


def test_it_is_evaluated_on_units_that_no_network_has_seen(stored):
    """Three further subjects; baselines are calibrated on the record's own units, by fold too."""
    record = run(stored, one_recipe=True)[0].record
    more = stored / "more"
    entries = write_stored(more, units=3, scans=1, part="test")
    for number, entry in enumerate(entries):
        entry |= {"sha256": f"new {number}", "unit": f"somebody {number}", "label": [f"new_{entry['label'][0]}"]}
        given = json.loads((more / "out" / f"scan{number:03}" / "result.json").read_text())
        given["input"]["sha256"], given["sampling"] = entry["sha256"], SAMPLING | {"members": K}
        write_result(stored / "out" / f"new{number}", given)
    (more / "data" / "labels").rename(stored / "data" / "new_labels")
    write_list(stored, training=entries_of(stored), test=entries)
    baselines = {"size": Size(0.1)}
    chosen = Coverage(MEASUREMENTS, (0.5, 0.8), baselines=baselines, plotted_level=0.8)
    source = Source(stored / "out", stored / "list.json", stored / "data", MaskTruths(classes=(1, 2)))
    section = evaluate_coverage(source, "test", [record], chosen)["sections"][0]
    assert (section["record"]["networks"], section["resplits"]) == (K, [])
    assert "by cross-validation of 5 networks: at 80 % 50 % are proven" in record_line(section)
    rows = {(row["method"], row["level"]): row for row in section["figures"] if row["studies"] == FIRST_LINE}
    assert rows["calibrated", 0.8]["n"] == 3 and rows["calibrated", 0.8]["fewest"] is not None
    assert rows["calibrated", 0.5]["without"] == 3
    assert rows["size", 0.8]["n"] == 3 and rows["size", 0.8]["mean_width"] != rows["calibrated", 0.8]["mean_width"]
    with pytest.raises(StudyRefused, match="UNITS_SEEN_IN_CALIBRATION"):
        evaluate_coverage(source, "training", [record], chosen, stated=True)
    knows = replace(source, seen={"new 1": frozenset({3})})  # by one of the networks, in no fold
    section = evaluate_coverage(knows, "test", [record], chosen)["sections"][0]
    assert section["record"] is None and section["no_record"] == "UNITS_SEEN_IN_TRAINING: 1 images"
