"""Hard limits: made of seen images alone, a margin beyond the most extreme of them; what lies beyond is refused."""

from __future__ import annotations

import copy
import math

import pytest
from landmark_bundle import SOURCE

from caveat.inference.gate.gate import Check
from caveat.inference.gate.kind_limits import KindLimits, KindSettings, build_kind_limits, read_kind_settings
from caveat.inference.gate.kind_of_image import KindOfImaged
from caveat.reasons import StudyRefused

BUNDLE = {"name": "b", "weights_sha256": "0123456789abcdef", "preprocessing_sha256": "p"}
SETTINGS = KindSettings([Check("far", "above"), Check("sure", "below")], 1.5)


def result(far: float, sure: float, **bundle: str) -> dict:
    """As ScoreStudyd leaves it."""
    return {
        "status": "OK",
        "study_scores": {"far": far, "sure": sure},
        "bundle": BUNDLE | bundle,
        "sampling": {"draws": 5},
        "flags": ["NO_PIXEL_SPACING"],
    }


UNITS = [result(2.0, 0.5), result(4.0, 0.3), result(3.0, 0.9)]


@pytest.fixture
def limits() -> KindLimits:
    return build_kind_limits(UNITS, SETTINGS)


@pytest.fixture
def folder(limits, tmp_path):
    limits.write(tmp_path / limits.file_name)
    return tmp_path


def refusal(function, *arguments) -> StudyRefused:
    with pytest.raises(StudyRefused) as refused:
        function(*arguments)
    return refused.value


def test_a_limit_is_the_most_extreme_unit_widened_by_the_margin(limits):
    far, sure = limits.limits
    assert (far.name, far.direction, far.threshold) == ("far", "above", pytest.approx(6.0))
    assert (sure.name, sure.direction, sure.threshold) == ("sure", "below", pytest.approx(0.2))
    assert limits.n == 3
    assert all(not limits.broken_by(unit["study_scores"]) for unit in UNITS)


def test_a_check_of_both_sides_has_two_limits():
    both = build_kind_limits(UNITS, KindSettings([Check("far", "both")], 2.0))
    assert [(limit.direction, limit.threshold) for limit in both.limits] == [("below", 1.0), ("above", 8.0)]


def test_what_lies_beyond_is_refused_in_numbers(folder):
    study = {"result": result(6.1, 0.1), "name": "hip"}
    refused = refusal(KindOfImaged(folder, BUNDLE), study)
    assert refused.code == "NOT_THIS_KIND"
    assert refused.found == "far 6.1, measured is at most 6; sure 0.1, measured is at least 0.2"


def test_where_nothing_is_to_be_refused_it_is_flagged(folder):
    flagged = KindOfImaged(folder, BUNDLE, refuse=False)
    assert flagged({"result": result(6.1, 0.1)})["result"]["flags"] == ["NOT_THIS_KIND", "NO_PIXEL_SPACING"]
    assert flagged({"result": result(6.0, 0.2)})["result"]["flags"] == ["NO_PIXEL_SPACING"]


def test_inside_the_limits_a_result_says_which_were_kept(folder, limits):
    study = {"result": result(6.0, 0.2)}
    before = copy.deepcopy(study)
    kept = KindOfImaged(folder, BUNDLE)(study)["result"]
    assert kept["sampling"] == {"draws": 5, "kind_limits": limits.sha256} and kept["flags"] == ["NO_PIXEL_SPACING"]
    assert study == before


def test_one_network_has_no_spread_and_is_judged_by_the_rest(folder):
    gate, single = KindOfImaged(folder, BUNDLE), result(3.0, 0.5)
    del single["study_scores"]["far"]
    assert gate({"result": single})["result"]["status"] == "OK"
    single["study_scores"]["sure"] = 0.1
    assert refusal(gate, {"result": single}).code == "NOT_THIS_KIND"


def test_a_score_that_is_no_number_is_beyond_every_limit(folder):
    assert refusal(KindOfImaged(folder, BUNDLE), {"result": result(math.nan, 0.5)}).code == "NOT_THIS_KIND"


@pytest.mark.parametrize("key", ["weights_sha256", "preprocessing_sha256"])
def test_limits_of_another_network_are_not_used_and_that_is_said(key, folder):
    kept = KindOfImaged(folder, BUNDLE | {key: "other"})({"result": result(1e6, 0.0)})["result"]
    assert kept["flags"] == ["KIND_NOT_CHECKED", "NO_PIXEL_SPACING"] and kept["sampling"]["kind_limits"] is None


def test_without_limits_it_is_said_that_nothing_was_checked(tmp_path):
    assert "KIND_NOT_CHECKED" in KindOfImaged(tmp_path / "none", BUNDLE)({"result": result(1e6, 0.0)})["result"]["flags"]


def test_each_network_of_a_bundle_has_its_own_file(folder):
    other = {"weights_sha256": "fedcba9876543210"}
    second = build_kind_limits([unit | {"bundle": BUNDLE | other} for unit in UNITS], KindSettings([Check("far", "above")], 1.0))
    second.write(folder / second.file_name)
    assert len(list(folder.glob("kind_*.json"))) == 2
    study = {"result": result(5.0, 0.5)}
    assert KindOfImaged(folder, BUNDLE)(study)["result"]["status"] == "OK"
    assert refusal(KindOfImaged(folder, BUNDLE | other), study).code == "NOT_THIS_KIND"


def test_the_file_gives_the_same_limits_back(folder, limits):
    assert KindLimits.read(folder / limits.file_name) == limits
    assert limits.file_name == "kind_01234567.json"


@pytest.mark.parametrize("text", ["", "[]", '{"schema": "other"}', '{"schema": "caveat-kind-limits-1", "limits": 3}'])
def test_a_file_that_is_something_else_is_refused(text, tmp_path):
    (tmp_path / "kind_0.json").write_text(text)
    assert refusal(KindOfImaged, tmp_path, BUNDLE).code == "CORRUPT"


def test_what_makes_no_limits_is_refused():
    nameless = result(1.0, 0.5)
    del nameless["study_scores"]["far"]
    unknown = result(1.0, 0.5)
    unknown["study_scores"]["sure"] = None
    for given, code in (
        ([], "GATE_SCORE_MISSING"),
        ([{"status": "REFUSED"}], "GATE_SCORE_MISSING"),
        ([*UNITS, nameless], "GATE_SCORE_MISSING"),
        ([*UNITS, unknown], "GATE_SCORE_MISSING"),
        ([*UNITS, result(1.0, 0.5, weights_sha256="other")], "MIXED_PREDICTIONS"),
    ):
        assert refusal(build_kind_limits, given, SETTINGS).code == code
    assert build_kind_limits([*UNITS, {"status": "REFUSED"}], SETTINGS).n == 3
    with pytest.raises(ValueError, match="negative"):
        build_kind_limits([result(-1.0, 0.5)], KindSettings([Check("far", "below")], 1.5))


@pytest.mark.parametrize("checks,margin", [([], 1.5), ([Check("far", "above")], 0.9), ([Check("far", "above")], math.nan)])
def test_settings_that_widen_nothing_are_an_error(checks, margin):
    with pytest.raises(ValueError, match="margin"):
        KindSettings(checks, margin)


def test_the_settings_of_the_bundle_depend_on_no_spacing(tmp_path):
    settings = read_kind_settings(SOURCE / "configs" / "kind.yaml")
    assert settings.margin >= 1
    in_the_points_unit = {"mean_distance_to_mean", "heatmap_spread"}
    assert not in_the_points_unit & {check.name for check in settings.checks}
    assert refusal(read_kind_settings, tmp_path / "kind.yaml").code == "WRONG_USAGE"
