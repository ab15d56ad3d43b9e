"""The sentence a clinician reads."""

from __future__ import annotations

import pytest

from caveat.inference.targets.statement import number, statement

SPACE = "\u202f"


@pytest.mark.parametrize(
    "value,digits,text",
    [
        (31240.2, 4, f"31{SPACE}240"),
        (3.3312, 4, "3.331"),
        (29894, 3, f"29{SPACE}900"),
        (0.01234, 3, "0.0123"),
        (999.96, 4, f"1{SPACE}000"),
        (0, 3, "0"),
    ],
)
def test_numbers_have_significant_digits_and_groups(value, digits, text):
    assert number(value, digits) == text


def test_draws_are_never_called_an_interval():
    text = statement("Vessels", "pixels", 31240, [29900, 32600, 31000])
    assert text == f"Vessels: 31{SPACE}240 pixels (3 draws from 29{SPACE}900 to 32{SPACE}600, not calibrated)"


def test_a_calibrated_interval_names_level_truth_and_units():
    truth = "as the rater of Bergen outlines it"
    interval = {"level": 0.9, "lower": 3.05, "upper": 3.61, "n": 36, "unit": "subject", "truth": truth}
    text = statement("Hippocampus", "mL", 3.33, [3.2, 3.4], interval)
    assert text == f"Hippocampus: 3.33 mL (90 % interval 3.05 to 3.61 {truth}, calibrated on 36 subjects)"


@pytest.mark.parametrize(
    ("value", "lower", "upper", "said"),
    [
        (3.4331, 3.0161, 3.8503, "3.43 mL (90 % interval 3.01 to 3.86 "),
        (3.4331, 3.0161, 3.85, "3.43 mL (90 % interval 3.01 to 3.85 "),
        (31240.2, 29955.0, 32601.0, f"31{SPACE}200 mL (90 % interval 29{SPACE}900 to 32{SPACE}700 "),
        (3.4331, 3.4329, 3.4333, "3.433 mL (90 % interval 3.432 to 3.434 "),
        (0.0, 0.0, 0.52, "0.00 mL (90 % interval 0.00 to 0.52 "),
        (108.2, 51.42, 227.7, "108 mL (90 % interval 51 to 228 "),
        (2.0, 2.0, 2.0, "2.000 mL (90 % interval 2.000 to 2.000 "),
        (3.4331, 3.0161, None, "3.43 mL (90 % bound: at least 3.01 "),
        (3.4331, None, 9.9, "3.4 mL (90 % bound: at most 9.9 "),
    ],
)
def test_a_number_has_the_digits_that_its_interval_supports_and_ends_move_outward(value, lower, upper, said):
    interval = {"level": 0.9, "lower": lower, "upper": upper, "n": 36, "unit": "subject", "truth": "as drawn"}
    assert f"Head: {said}as drawn" in statement("Head", "mL", value, [value + 0.001], interval)


def test_one_network_says_that_it_is_one():
    assert statement("Vessels", "%", 8.2, [8.2]) == "Vessels: 8.200 % (one network, no draws, not calibrated)"


def test_nothing_found_is_never_a_number_whatever_the_draws_hold():
    assert statement("Head", "mL", None, [0, 0]) == "Head: nothing found. This is not a measurement of zero."
    text = statement("Head", "mL", None, [0, 0.25, 0.5])
    assert text == "Head: nothing found. This is not a measurement of zero. 2 of 3 draws hold some, up to 0.5000 mL."


def test_what_is_counted_is_said_in_whole_numbers():
    assert statement("Nuclei", "nuclei", 15.0, [14.0, 16.0]) == "Nuclei: 15 nuclei (2 draws from 14 to 16, not calibrated)"
    truth = "as a biologist outlines them"
    interval = {"level": 0.9, "lower": 13.0, "upper": 19.0, "n": 54, "unit": "field of view", "truth": truth}
    text = statement("Nuclei", "nuclei", 15.0, [14.0, 16.0], interval)
    assert text == f"Nuclei: 15 nuclei (90 % interval 13 to 19 {truth}, calibrated on 54 fields of view)"
    assert statement("Nuclei", "nuclei", None, [0.0, 2.0]).endswith("1 of 2 draws hold some, up to 2 nuclei.")
    assert statement("Head", "mL", 3.0, [3.0, 3.25]) == "Head: 3.000 mL (2 draws from 3.000 to 3.250, not calibrated)"
