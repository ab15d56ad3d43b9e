"""PointCase: one study's predicted landmarks, and their truths where they are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from caveat.reasons import StudyRefused

from ..point_truths import PointTruths
from ..stored_study import StoredStudy
from .case import Predicted, predicted_study, read_each


@dataclass(frozen=True, eq=False)
class PointCase:
    """What a region's shape may look at. Numbers are in mm and mm2.

    Args:
        study: name of its folder. unit: what is exchangeable; "" for a study that is being predicted.
        sha256: of the image.
        positions: (landmarks, axes). A landmark that the image does not show counts with the position it was decoded to: it never
            gets a region, but to leave out what was not found would make the others' regions too small.
        covariances: (landmarks, axes, axes), `total_covariance`: of heat maps and draws.
        outside: (landmarks,) bool, not shown by the image.
        scores: the study's scores by name; None where one is undefined.
        truth: (landmarks, axes), None where it is not known.
    """

    study: str
    unit: str
    sha256: str
    positions: np.ndarray
    covariances: np.ndarray
    outside: np.ndarray
    scores: Mapping[str, float | None] = field(default_factory=dict)
    truth: np.ndarray | None = None


@dataclass(frozen=True)
class PointCases:
    """The cases of one part of a data list.

    Args:
        cases: in the order of the list. results: `result.json` of the same studies in the same order.
        left_out: of each entry of the list that has no case, see `left_out_row`.
    """

    cases: list[PointCase]
    results: list[Mapping[str, Any]]
    left_out: list[dict[str, Any]]


def point_case_of(result: Mapping[str, Any], **more: Any) -> PointCase:
    """The landmarks of one result. Args: more: what the result does not say.

    Raises:
        StudyRefused: NON_FINITE_DRAWS.
    """
    points = result["points"]
    positions = np.array([point["value"] for point in points], dtype=float)
    covariances = np.array([point["total_covariance"] for point in points], dtype=float)
    bad = ~(np.isfinite(positions).all(axis=1) & np.isfinite(covariances).all(axis=(1, 2)))
    if bad.any():
        raise StudyRefused("NON_FINITE_DRAWS", f"{bad.sum()} of {len(points)} landmarks")
    outside = np.array([point["outside_image"] for point in points], dtype=bool)
    about = {"study": "", "unit": "", "sha256": "", **more}
    return PointCase(**about, positions=positions, covariances=covariances, outside=outside, scores=result["study_scores"])


def read_point_cases(
    predictions: Path, data_list: Path, split: str, truths: PointTruths, dataset_dir: Path, names: Sequence[str]
) -> PointCases:
    """Every predicted study of a split, matched by the image's sha256. Where there are several raters the first one is the truth.

    Args:
        predictions: folder that `caveat predict` wrote.
        data_list: MONAI's form. split: a part of it.
        truths: reads the truth of an entry. dataset_dir: what the list's paths are relative to.
        names: of the bundle's landmarks.

    Raises:
        StudyRefused: DUPLICATE_PREDICTION, MIXED_PREDICTIONS, WRONG_USAGE; what concerns one study is a row of `left_out`.
    """
    return PointCases(
        *read_each(
            predictions, data_list, split, lambda entry, predicted: _read_case(entry, predicted, truths, dataset_dir, names)
        )
    )


def _read_case(
    entry: Mapping[str, Any], predicted: Predicted, truths: PointTruths, dataset_dir: Path, names: Sequence[str]
) -> PointCase:
    """Raises: StudyRefused: NOT_PREDICTED, the code of a refused study, NO_TRUTH, POINTS_INCOMPLETE, NO_PIXEL_SPACING,
    NON_FINITE_DRAWS."""
    folder, result = predicted_study(entry, predicted)
    if [point["name"] for point in result["points"]] != list(names):
        raise StudyRefused("NOT_PREDICTED", "the result has other landmarks than the bundle")
    truth = truths.read(entry, dataset_dir, StoredStudy(folder.name, result))[0]
    about = {key: entry[key] for key in ("unit", "sha256")} | {"study": folder.name}
    return point_case_of(result, **about, truth=np.array([truth.positions[name] for name in names]))
