"""Intervals of made-up studies against their truths: every figure by hand, by its distribution, or by its absence."""

import math
from dataclasses import replace

import matplotlib
import numpy as np
import pytest

from caveat.inference.calibration.calibrate import fit_records
from caveat.inference.calibration.case import Case
from caveat.inference.calibration.quantile import spacings
from caveat.inference.calibration.read_cases import Cases
from caveat.inference.calibration.record import MARGINAL, SHAPES, SIMULTANEOUS
from caveat.inference.calibration.rows import first_line, one_per_unit, rows_of
from caveat.inference.calibration.scores.absolute import Absolute
from caveat.inference.calibration.scores.size import Size
from caveat.inference.calibration.settings import Calibration
from caveat.inference.calibration.units import is_made_of
from caveat.inference.evaluation.baselines import scored_units, with_score
from caveat.inference.evaluation.chosen_record import calibration_units
from caveat.inference.evaluation.evaluate_coverage import section
from caveat.inference.evaluation.figures import FIRST_LINE, SECOND_LINE, figures_of, groups_of
from caveat.inference.evaluation.methods import CALIBRATED, QUANTILES_OF_DRAWS, Method
from caveat.inference.evaluation.plots import save_plots
from caveat.inference.evaluation.settings import Coverage
from caveat.inference.evaluation.tables import coverage_sections
from caveat.inference.gate.gate import Check
from caveat.inference.metrics.interval_coverage import CheckedPart, coverage_band
from caveat.inference.targets.landmark import landmarks
from caveat.inference.targets.volume import Volume
from caveat.reasons import StudyRefused

NAME = "volume"
VOLUME = Volume(NAME, "Organ", [1])
SETTINGS = Coverage([VOLUME], levels=(0.5, 0.8, 0.9), baselines={"size": Size(0.1)}, resplits=20, resamples=200)


def made(units, seed, first_unit=0, scans=2, **sampling):
    """Studies whose error does not depend on their size; one score tells how noisy they are. Returns: `Cases`."""
    rng = np.random.default_rng(seed)
    cases, results = [], []
    for number in range(units * scans):
        truth = rng.uniform(2, 4)
        value = truth + rng.normal(0.05, 0.2)
        draws = tuple((value + rng.normal(0, 0.05, 5)).tolist())
        about = {"study": f"s{number}", "unit": f"subject {first_unit + number // scans}", "sha256": f"{first_unit}-{number}"}
        stratum = ("clean", "severe")[number // scans % 2]
        cases.append(Case(**about, value=value, draws=draws, scores={"noise": rng.random()}, truth=truth, stratum=stratum))
        results.append(
            {
                "sampling": {"sampler": "Ensemble", "draws": 5, **sampling},
                "bundle": {"weights_sha256": "w", "preprocessing_sha256": "p"},
                "answers": [{"kind": "measurement", "name": NAME, "unit": "mL"}],
            }
        )
    return Cases({NAME: cases}, {NAME: "mL"}, results, [])


def of_volume(evaluated, calibration, records, settings=SETTINGS, stated=False):
    return section((NAME,), MARGINAL, "interval", evaluated, calibration, records, settings, stated)


def rows(cases):
    return rows_of(cases.by_name, (NAME,))


def records_of(calibration, score=None, **more):
    settings = Calibration(None, [VOLUME], score or Absolute(), "subject", levels=(0.5, 0.8, 0.9), seed=3, **more)
    return [one.record for one in fit_records(calibration, settings, {"list_sha256": "salt"})]


@pytest.fixture(scope="module")
def parts():
    return made(36, 0), made(28, 1, first_unit=100)


@pytest.fixture(scope="module")
def found(parts):
    calibration, evaluated = parts
    records = records_of(calibration, checks=[Check("noise", "above")])
    return of_volume(evaluated, calibration, records, SETTINGS), records[0]


def figure(found, level=0.9, method=CALIBRATED, studies=FIRST_LINE, gate=False):
    wanted = {"level": level, "method": method, "studies": studies, "gate": gate}
    return next(row for row in found["figures"] if wanted.items() <= row.items())


def test_every_figure_of_the_first_line_is_that_by_hand(found, parts):
    first, _ = one_per_unit(rows(parts[1]), 3)
    q = sorted(abs(case.truth - case.value) for (case,) in with_gate_units(parts[0], found[1]))[
        math.ceil((found[1].n + 1) * 0.9 - 1e-9) - 1
    ]
    errors = np.array([abs(case.truth - case.value) for (case,) in first])
    row = figure(found[0])
    assert (row["n"], row["without"], row["covered"]) == (28, 0, int((errors <= q).sum()))
    assert row["fewest"] is row["most"] is None, "some of them the gate does not accept"
    assert row["mean_width"] == row["median_width"] == pytest.approx(2 * q)
    assert row["interval_score"] == pytest.approx(np.mean(2 * q + 20 * np.maximum(errors - q, 0)))
    k, row = spacings(found[1].n, 0.9, "two-sided"), figure(found[0], gate=True)
    assert (row["fewest"], row["most"]) == coverage_band([CheckedPart(row["n"], k, found[1].n)], claims=3)
    assert found[0]["units"] == 28
    assert found[0]["value"]["bias"] == pytest.approx(np.mean([case.value - case.truth for (case,) in first]))


def with_gate_units(calibration, record):
    return scored_units(record, one_per_unit(rows(calibration), 3)[0])


def test_only_accepted_studies_are_behind_the_gate(found, parts):
    limit = found[1].gate.limits[0].threshold
    first, rest = one_per_unit(rows(parts[1]), 3)
    quiet = sum(case.scores["noise"] <= limit for (case,) in first)
    assert found[0]["accepted"] == figure(found[0], gate=True)["n"] == quiet < 28
    assert figure(found[0], studies=SECOND_LINE, gate=True)["n"] == sum(case.scores["noise"] <= limit for (case,) in rest)


def test_a_band_stands_where_a_level_is_promised_and_nowhere_else(found, parts):
    banded = {(row["method"], row["studies"], row["gate"]) for row in found[0]["figures"] if row["fewest"] is not None}
    assert banded == {(CALIBRATED, FIRST_LINE, True), ("size", FIRST_LINE, True)}
    without_gate = of_volume(parts[1], parts[0], records_of(parts[0]), SETTINGS)["figures"]
    assert {(row["studies"], row["gate"]) for row in without_gate if row["fewest"] is not None} == {(FIRST_LINE, False)}
    assert not any(row["gate"] for row in without_gate), "without a gate all studies are accepted: one row says it"


def test_the_share_accepted_is_what_the_gate_promises_not_what_was_asked_for(parts):
    """36 units and three sides: of rank 1 each, 3 / 37 = 8.11 %, where 10 % were asked for."""
    checks = [Check("noise", "above"), Check("noise", "below"), Check("noise", "above")]
    found = of_volume(parts[1], None, records_of(parts[0], checks=checks), SETTINGS)
    assert "at least 91.8 % of studies like the calibration units" in "\n".join(sections_of(found))
    few = of_volume(parts[1], None, records_of(made(13, 2), checks=checks), SETTINGS)  # 3 / 14 is more than 10 %
    assert "at least 78.5 % of studies like the calibration units" in "\n".join(sections_of(few))


def test_raw_quantiles_of_the_draws_promise_nothing_and_cover_less(found):
    raw = figure(found[0], method=QUANTILES_OF_DRAWS)
    assert raw["fewest"] is None
    assert raw["coverage"] < figure(found[0])["coverage"] - 0.3


def test_groups_hold_each_study_of_the_first_line_once(parts):
    first, rest = one_per_unit(rows(parts[1]), 3)
    groups = groups_of(first, rest)
    thirds = [rows for name, rows in groups.items() if "third" in name]
    assert [len(rows) for rows in thirds] == [10, 9, 9]
    assert max(case.value for (case,) in thirds[0]) < min(case.value for (case,) in thirds[2])
    assert len(groups["stratum clean"]) + len(groups["stratum severe"]) == len(first) == len(rest) == 28


def test_a_baseline_that_is_the_records_own_score_differs_by_nothing(parts):
    calibration, evaluated = parts
    settings = replace(SETTINGS, baselines={"itself": Absolute(), "size": Size(0.1)})
    found = of_volume(evaluated, calibration, records_of(calibration), settings)["baselines"]
    itself = [row for row in found if row["against"] == "itself"]
    assert itself and all(row["difference"] == row["lower"] == row["upper"] == 0 for row in itself)
    assert any(row["difference"] != 0 for row in found)


def test_a_baseline_is_calibrated_as_calibrate_would(parts):
    calibration, _ = parts
    ours, sized = records_of(calibration)[0], records_of(calibration, Size(0.1))[0]
    assert with_score(ours, Size(0.1), with_gate_units(calibration, ours)) == sized


def test_resplits_stay_near_the_level_and_are_the_same_again(parts):
    calibration, evaluated = parts
    records = records_of(calibration, checks=[Check("noise", "above")])
    settings = replace(SETTINGS, resplits=100)
    found, again = (of_volume(evaluated, calibration, records, settings)["resplits"] for _ in range(2))
    assert found == again
    assert {(row["level"], row["gate"]) for row in found} == {(level, gate) for level in SETTINGS.levels for gate in (0, 1)}
    for row in found:
        assert row["divisions"] == 100 and (row["n"], row["evaluated"]) == (36, 28)
        assert row["level"] - 0.05 < row["mean"] < row["level"] + 0.08
        assert row["lowest"] < row["mean"] < row["highest"] <= 1


def test_a_division_whose_gate_cannot_be_fitted_is_skipped_and_not_counted(parts):
    calibration, evaluated = parts
    records = records_of(calibration, checks=[Check("noise", "above")])
    cases = [replace(case, scores={}) if case.unit < "subject 104" else case for case in evaluated.by_name[NAME]]
    found = of_volume(replace(evaluated, by_name={NAME: cases}), calibration, records, SETTINGS)["resplits"]
    gated, free = ([row["divisions"] for row in found if row["gate"] is gate] for gate in (True, False))
    assert set(free) == {20} and all(0 < divisions < 20 for divisions in gated)


@pytest.mark.parametrize("more", [{"strata": {NAME: [3.0]}}, {"strata": {NAME: [0.5]}, "stratified_by": "noise"}])
def test_a_record_in_strata_has_a_band_of_its_strata(parts, more):
    """By predicted size, and by a study score."""
    calibration, evaluated = parts
    record = records_of(calibration, **more)[0]
    assert len(record.strata[0]) == 2
    checked = Method(record).parts(rows(evaluated), 0.9)
    own = [record.stratum_of(0, row) for row in rows(evaluated)]
    assert [part.studies for part in checked] == [own.count(0), own.count(1)] and 0 < own.count(0) < len(own)
    assert [part.n for part in checked] == [stratum.n for stratum in record.strata[0]]
    assert f"36 subjects in 2 strata by {record.stratified_by}" in "\n".join(
        sections_of(of_volume(evaluated, None, [record], SETTINGS))
    )
    row = figures_of(Method(record), rows(evaluated), 0.5, SETTINGS, MARGINAL, promised=True)
    assert (row["fewest"], row["most"]) == coverage_band(Method(record).parts(rows(evaluated), 0.5), claims=3)
    found = of_volume(evaluated, calibration, [record], SETTINGS)
    assert 0.8 < next(row for row in found["resplits"] if row["level"] == 0.9)["mean"] <= 1


@pytest.mark.parametrize("sides", ["asymmetric", "lower", "upper"])
def test_other_sides_are_evaluated_too(parts, sides):
    calibration, evaluated = parts
    row = figure(of_volume(evaluated, calibration, records_of(calibration, sides=sides), SETTINGS))
    assert row["fewest"] <= row["covered"] <= row["most"]
    assert row["infinite"] == (sides == "lower")


def test_a_level_with_too_few_units_is_not_claimed(parts):
    calibration, evaluated = made(9, 0), parts[1]
    settings = replace(SETTINGS, levels=(0.5, 0.95))
    row = figure(of_volume(evaluated, calibration, records_of(calibration), settings), level=0.95)
    assert (row["n"], row["without"], row["fewest"]) == (0, 28, None) and math.isnan(row["coverage"])


@pytest.mark.parametrize("records, reason", [([], "NO_CALIBRATION_RECORD"), (None, "RECORD_MISMATCH: draws, sampler")])
def test_without_a_record_that_fits_there_are_raw_quantiles_alone(parts, records, reason):
    if records is None:
        records = records_of(made(36, 0, sampler="Dropout", draws=20))
    found = of_volume(parts[1], parts[0], records, SETTINGS)
    assert found["record"] is None and found["no_record"] == reason
    assert {row["method"] for row in found["figures"]} == {QUANTILES_OF_DRAWS}
    assert not found["power"] and not found["resplits"] and not found["baselines"]
    assert reason in "\n".join(sections_of(found))


def test_the_record_of_this_sampler_is_found_among_others(parts):
    other = records_of(made(36, 5, sampler="Dropout"))
    ours = records_of(parts[0])
    assert of_volume(parts[1], parts[0], [*other, *ours], SETTINGS)["record"]["checksum"] == ours[0].checksum


def test_without_predictions_of_the_calibration_part_the_record_is_still_checked(parts):
    found = of_volume(parts[1], None, records_of(parts[0]), SETTINGS)
    assert figure(found)["n"] == 28
    assert not found["resplits"] and not found["baselines"]


def test_units_that_the_record_was_not_made_of_are_no_pool_to_divide_anew(parts):
    """Of the list: here they are the evaluated ones themselves."""
    found = of_volume(parts[1], parts[1], records_of(parts[0]), SETTINGS)
    assert figure(found)["n"] == 28 and not found["resplits"] and not found["baselines"]


def test_units_that_made_the_record_are_no_check_of_it(parts):
    calibration, evaluated = parts
    records = records_of(calibration, checks=[Check("noise", "above")])
    with pytest.raises(StudyRefused, match="UNITS_SEEN_IN_CALIBRATION: 36 units and 72 images"):
        of_volume(calibration, None, records, SETTINGS, stated=True)
    left = of_volume(calibration, None, records, SETTINGS)
    assert left["record"] is None and left["no_record"] == "UNITS_SEEN_IN_CALIBRATION: 36 units and 72 images made the record"
    assert {row["method"] for row in left["figures"]} == {QUANTILES_OF_DRAWS} and not left["power"]
    seen = calibration.by_name[NAME][0]
    for change, count in (({"unit": seen.unit}, "1 units and 0 images"), ({"sha256": seen.sha256}, "0 units and 1 images")):
        cases = list(evaluated.by_name[NAME])
        cases[7] = replace(cases[7], **change)
        with pytest.raises(StudyRefused, match=f"UNITS_SEEN_IN_CALIBRATION: {count}"):
            of_volume(replace(evaluated, by_name={NAME: cases}), calibration, records, SETTINGS, stated=True)


def test_a_record_is_of_its_own_units_not_of_as_many_others(parts):
    record = records_of(parts[0], strata={NAME: [3.0]})[0]
    own = one_per_unit(rows(parts[0]), 3)[0]
    assert calibration_units(record, parts[0]) == scored_units(record, own) == own
    assert calibration_units(record, made(36, 7, first_unit=300)) == []
    assert not is_made_of(record, own[1:])
    assert not is_made_of(record, [(replace(own[0][0], sha256="another scan"),), *own[1:]])
    large = next(number for number, (case,) in enumerate(own) if case.value > 3)
    assert scored_units(record, [*own[:large], (replace(own[large][0], value=2.0),), *own[large + 1 :]]) is None


def test_a_study_in_which_the_structure_is_not_found_is_no_part_of_any_coverage(parts):
    sides = [replace(side, by_name={NAME: list(side.by_name[NAME])}) for side in parts]
    for side in sides:
        first, _ = one_per_unit(rows(side), 3)
        for number, case in enumerate(side.by_name[NAME]):
            if (case,) in (first[0], first[5]):  # these units are served by their other scan
                side.by_name[NAME][number] = replace(case, value=0.0, draws=(0.0,) * 5, counted=False)
    calibration, evaluated = sides
    record = records_of(calibration, checks=[Check("noise", "above")])[0]
    found = of_volume(evaluated, calibration, [record], SETTINGS)
    assert (found["units"], found["nothing_found"], figure(found)["of"]) == (28, 2, 28)
    assert found["baselines"] and found["resplits"]
    empty = [row for row in found["rows"] if row["components"][0]["value"] == 0]
    assert len(empty) == 2 and not any(row["first"] or row["components"][0]["intervals"] for row in empty)
    assert "28 units (26 further studies of them, 2 studies in which something was not found)" in "\n".join(sections_of(found))
    nothing = (replace(evaluated.by_name[NAME][0], value=0.0, counted=False),)
    assert Method().regions(nothing, 0.9) is None and Method(record).regions(nothing, 0.9) is None
    assert first_line(rows(evaluated), 3)[0] == one_per_unit([row for row in rows(evaluated) if row[0].value > 0], 3)[0]


def test_the_power_of_the_check_is_said(parts):
    calibration, evaluated = parts
    settings = replace(SETTINGS, levels=(0.5, 0.8, 0.9, 0.95))
    table = of_volume(evaluated, calibration, records_of(calibration), settings)["power"]
    row = next(row for row in table if (row["level"], row["claims"]) == (0.9, 4))
    chance = {entry["true_coverage"]: entry["chance"] for entry in row["noticed"]}
    assert (row["n"], row["fewest"]) == (28, 19)
    assert chance[0.7] == pytest.approx(0.3175, abs=1e-4)


def sections_of(found, size="width"):
    about = {
        "levels": SETTINGS.levels,
        "claims": {MARGINAL: 3},
        "confidence": 0.95,
        "left_out": [],
        "not_asked": [],
        "size": size,
    }
    return coverage_sections({**about, "sections": [found]})


def test_the_tables_name_record_band_and_units(found):
    text = "\n".join(sections_of(found[0]))
    row, accepted = figure(found[0]), figure(found[0], gate=True)
    assert f"Absolute, two-sided, {found[1].n} subjects" in text
    assert f"| all | 90% | {row['covered']} of 28 | - |" in text
    band = f"{accepted['fewest']} to {accepted['most']}"
    assert f"| accepted | 90% | {accepted['covered']} of {accepted['n']} | {band} |" in text
    assert "28 units" in text and "highest third by predicted size" in text and "stratum severe" in text


PARTS = [Volume("first", "First", [1]), Volume("second", "Second", [2])]


def pairs_of(cases):
    """Two measurements of each study: the volume, and one whose errors are twice as large."""
    second = [
        replace(case, name="second", value=2 * case.value, truth=2 * case.truth, draws=tuple(2 * draw for draw in case.draws))
        for case in cases.by_name[NAME]
    ]
    names = [{"kind": "measurement", "name": target.name, "unit": "mL"} for target in PARTS]
    results = [{**result, "answers": names} for result in cases.results]
    first = [replace(case, name="first") for case in cases.by_name[NAME]]
    return replace(
        cases, by_name={"first": first, "second": second}, units=dict.fromkeys(("first", "second"), "mL"), results=results
    )


def test_two_measurements_at_once_are_counted_where_both_lie_inside(parts):
    calibration, evaluated = map(pairs_of, parts)
    asked = Calibration(None, PARTS, Absolute(), "subject", levels=(0.5, 0.8, 0.9), promises=[SIMULTANEOUS], seed=3)
    record = fit_records(calibration, asked, {"list_sha256": "salt"})[0].record
    names = ("first", "second")
    settings = replace(SETTINGS, targets=PARTS, promises=(MARGINAL, SIMULTANEOUS))
    found = section(names, SIMULTANEOUS, "interval", evaluated, calibration, [record], settings)
    first, _ = one_per_unit(rows_of(evaluated.by_name, names), 3)
    reach = sorted(record.strata[0][0].scores["either"])[math.ceil(37 * 0.9) - 1]
    inside = [max(abs(case.value - case.truth) for case in row) <= reach for row in first]
    row = figure(found)
    assert (row["n"], row["covered"], row["mean_width"]) == (28, sum(inside), pytest.approx(2 * reach))
    assert (row["fewest"], row["most"]) == coverage_band([CheckedPart(28, spacings(36, 0.9, "two-sided"), 36)], claims=3)
    assert [one["covered"] for one in row["components"]] == [28, sum(inside)] and row["components"][0]["fewest"] is None
    assert math.isnan(row["interval_score"]) and found["value"] is None and found["baselines"] == []
    assert figure(found, method="size")["n"] == 28, "a baseline has its counts and widths, but no score to be compared by"
    assert {group["studies"] for group in found["figures"]} >= {FIRST_LINE, SECOND_LINE, "stratum clean", "stratum severe"}
    raw = figure(found, method=QUANTILES_OF_DRAWS)
    alone = figures_of(Method(), first, 0.9, settings, SIMULTANEOUS, promised=False)
    assert raw["mean_width"] > alone["mean_width"], "each at 95 %, so that both hold at 90 %"
    assert [row["evaluated"] for row in found["resplits"]] == [28] * 3 and {row["claims"] for row in found["power"]} == {1, 3}
    assert "## Coverage: first and second at once, mL" in "\n".join(sections_of(found))


def test_claims_of_each_promise_are_a_family_of_their_own():
    settings = Coverage(PARTS, promises=(MARGINAL, SIMULTANEOUS))
    assert (settings.claims(MARGINAL), settings.claims(SIMULTANEOUS)) == (6, 3)
    alone, both = [("first",), ("second",)], ("first", "second")
    assert list(settings.asked()) == [(one, MARGINAL, "interval") for one in alone] + [(both, SIMULTANEOUS, "interval")]
    assert [names for names, promise, _ in replace(settings, at_once=("first",)).asked() if promise == SIMULTANEOUS] == [
        ("first",)
    ]


@pytest.mark.parametrize(
    "wrong", [{"promises": ["at once"]}, {"at_once": ["third"]}, {"kinds": ["disc"]}, {"targets": landmarks(["Sella"])}]
)
def test_settings_that_ask_for_what_is_not_there(wrong):
    with pytest.raises(ValueError, match="promises must be|no target|intervals are of measurements"):
        Coverage(**{"targets": PARTS, **wrong})


def test_intervals_of_a_kind_of_their_own_are_of_measurements_too():
    assert Coverage(PARTS, kinds=["whole numbers"]).of_landmarks is False and SHAPES == ("disc", "ellipse")


def test_the_pictures_that_a_section_has(found, tmp_path):
    with matplotlib.rc_context({"text.usetex": True}):  # as a file among somebody's images has it, and nobody here LaTeX
        save_plots({"plotted_level": 0.9, "sections": [found[0]]}, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["coverage.png", "intervals.png"]
