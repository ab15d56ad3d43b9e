"""Figures of a slice by hand, what belongs to which stratum, and cells of the table."""

from __future__ import annotations

import numpy as np
import pytest
from lung_lesions_slices import slices_of
from lung_lesions_table import SECTIONS, difference, frequencies, mean, of_every_rater, of_four, reference_rows, score


def bars(*lengths: int) -> np.ndarray:
    """(masks, 1, 8), the first elements of a row."""
    return np.arange(8) < np.array(lengths)[:, None, None]


def test_a_slice_by_hand():
    """Raters drew 2 and 4 elements, which are 1/2 apart, and so do the draws: the first alone is 2 x 1/4 - 0 - 1/4."""
    row = score(bars(2, 4), bars(2, 4), None, "A")
    assert (row["marked"], row["raters"]) == (2, 2)
    assert row["metrics"]["energy distance V, 1 draw"] == pytest.approx(2 * 0.25 - 0.25)
    assert row["metrics"]["Hungarian-matched IoU"] == row["metrics"]["best Dice per rater"] == 1
    assert row["metrics"]["sample diversity"] == pytest.approx(0.5)
    assert row["metrics"]["Brier score"] == pytest.approx(2 * 0.25 / 8), "what two raters differ in cannot be avoided"


def test_the_probability_is_the_networks_own_where_there_is_one():
    row = score(bars(4), bars(4, 4), np.full((1, 8), 0.75), "A")
    assert row["metrics"]["expected calibration error, equal-width, 15 bins"] == pytest.approx(0.25)
    assert row["metrics"]["Brier score"] == pytest.approx((0.25**2 + 0.75**2) / 2)


def test_strata_and_cells():
    rows = [
        score(bars(4), bars(*drawn), None, unit) for unit, drawn in (("A", (4, 4, 4)), ("B", (4, 4, 4, 4)), ("C", (4, 0, 4, 4)))
    ]
    assert [of_every_rater(row) for row in rows] == [True, True, False]
    assert [of_four(row) for row in rows] == [False, True, False]
    assert mean(rows[:2], "energy distance V, 1 draw") == "0 (0 to 0)"
    assert mean(rows, "energy distance V, 16 draws") == "-", "no more draws than there are"
    assert mean(rows, "NCC with the raters") == "-", "one mask varies nowhere"


def test_only_slices_with_an_outline_are_cases(tmp_path):
    draws, raters = np.zeros((2, 4, 4, 3), bool), np.zeros((3, 4, 4, 3), bool)
    raters[1, 0, 0, 1], draws[:, 0, 0, 1] = True, True
    stored = {"draws": draws, "raters": raters, "probability": np.zeros((4, 4, 3), np.float16)}
    np.savez_compressed(tmp_path / "a.npz", unit="A", **stored)
    (case,) = slices_of(tmp_path)
    assert case.draws.all(axis=0).sum() == 1 and case.raters.sum() == 1 and case.probability.shape == (4, 4)
    assert (case.name, case.unit) == ("a slice 1", "A")
    rows = reference_rows(tmp_path)
    assert {name: len(found) for name, found in rows.items()}["majority (>= half) repeated"] == 1
    assert set(SECTIONS["Energy distance, form V"]) <= set(rows["union repeated"][0]["metrics"])


def test_differences_are_at_the_most_draws_of_both_and_one_mask_at_any_number():
    """Raters drew 2 and 4 elements: V is (1 - 2 p)^2 / 4 where the first has the share p of the draws."""
    even, one, both = ([score(bars(*draws), bars(2, 4), None, unit) for unit in "AB"] for draws in ((2, 4) * 8, (4,), (4, 4, 4)))
    assert difference(even, one) == "-0.250 (-0.250 to -0.250)" and difference(one, even) == "0.250 (0.250 to 0.250)"
    assert difference(even, both) == "-0.222 (-0.222 to -0.222)", "of three draws: shares 2/3 and 0"


def test_elements_by_the_share_of_the_draws():
    """Two slices of eight elements; both draws mark two of them, one marks two more, and half of the raters mark those four."""
    rows = [score(bars(2, 4), bars(4, 0), None, "A")] * 2
    *_, body = frequencies({"method": rows}).splitlines()
    assert [cell.strip() for cell in body.split("|")[1:-1]] == [
        "method", "0.00 of 8", "-", "-", "-", "0.50 of 4", "-", "-", "-", "-", "0.50 of 4",
    ]  # fmt: skip
