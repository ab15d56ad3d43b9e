"""Whether a stored result is whole: read once here, where whatever is wrong with it is the file's fault and no other thing's."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from caveat.reasons import REASONS, StudyRefused

from ..stored.list_part import results_by_sha256
from .apply_records import KEYS
from .case import case_of


def whole_results(predictions: Path, wanted: set[str]) -> dict[str, tuple[Path, dict[str, Any]]]:
    """As `results_by_sha256`. Raises: StudyRefused: also CORRUPT where one is half, or lists what no result of ours does."""
    found = results_by_sha256(predictions, wanted)
    if half := sum(not is_whole(result) for _, result in found.values()):
        raise StudyRefused("CORRUPT", f"{half} of {len(found)} result.json are not as this program writes them")
    return found


def is_whole(result: Mapping[str, Any]) -> bool:
    """Whether all is there, in its form, that figures, records and audits are made of."""
    try:
        if result["status"] == "REFUSED":
            return result["reasons"][0]["code"] in REASONS
        answers = [_is_answer(answer, result) for answer in result["answers"]]
        scores = [score is None or isinstance(score, int | float) for score in result["study_scores"].values()]
        listed = isinstance(result["answers"], list) and all(answers) and all(scores)
        return listed and result["status"] in ("OK", "NOTHING_FOUND") and _has_place(result["input"])
    except (LookupError, TypeError, ValueError, AttributeError):
        return False


def _is_answer(answer: Mapping[str, Any], result: Mapping[str, Any]) -> bool:
    with contextlib.suppress(StudyRefused):  # such as of draws that are no numbers, which leaves out the study alone
        case_of(answer, result)
    named = all(isinstance(answer[key], str) for key in ("name", "unit"))
    regions = [region for region in map(answer.get, KEYS.values()) if region is not None]
    return named and all(isinstance(region["record"], str) and 0 < region["level"] < 1 for region in regions)


def _has_place(facts: Mapping[str, Any]) -> bool:
    """Of the input."""
    affine = np.array(facts["affine"], dtype=float)
    placed = affine.shape == (4, 4) and bool(np.isfinite(affine).all()) and np.linalg.det(affine) != 0
    shape = facts["shape"]
    sized = isinstance(shape, list) and all(type(size) is int and size > 0 for size in shape)
    return placed and sized and isinstance(facts.get("spacing_source", ""), str)
