"""`measurements` and `points`: how results stated their answers before `answers`, and still do beside it for one version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .answers import LANDMARK, MEASUREMENT, landmarks_of, measurements_of

NEW = ("kind", "simultaneous_region")
"""What an older measurement did not have."""


def older_keys(result: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The older keys of a result. A value that is null in `answers` is a number here, as it was: 0, or where draws lay."""
    return {
        "measurements": [_older_measurement(answer) for answer in measurements_of(result)],
        "points": [_older_point(answer) for answer in landmarks_of(result)],
    }


def answers_of_older(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The answers of a result that was stored without them."""
    return [*map(_of_measurement, result.get("measurements", ())), *map(_of_point, result.get("points", ()))]


def _older_measurement(answer: Mapping[str, Any]) -> dict[str, Any]:
    older = {("interval" if key == "region" else key): value for key, value in answer.items() if key not in NEW}
    return older | {key: 0.0 for key in ("value", "value_on_input_grid") if answer.get(key) is None}


def _older_point(answer: Mapping[str, Any]) -> dict[str, Any]:
    older = {key: value for key, value in answer.items() if key not in ("kind", "title")}
    return older | ({"value": answer["draws"]["mean"]} if answer["value"] is None else {})


def _of_measurement(entry: Mapping[str, Any]) -> dict[str, Any]:
    answer = {("region" if key == "interval" else key): value for key, value in entry.items()}
    if answer.get("region"):
        answer["region"] = {"kind": "interval", **answer["region"]}
    if "threshold" not in entry:  # of what is undecided, nothing is an answer
        answer |= {key: None for key in ("value", "value_on_input_grid") if entry.get(key) == 0}
    return {"kind": MEASUREMENT, "region": None, "simultaneous_region": None} | answer


def _of_point(entry: Mapping[str, Any]) -> dict[str, Any]:
    unseen = {"value": None} if entry.get("outside_image") else {}
    return {"kind": LANDMARK, "title": entry["name"], **entry, **unseen}
