"""From stored landmarks and truths of units that no network has seen to records of their regions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .calibrate import NOTHING_SEEN, fit_gate_on, provenance_of, refuse_too_few
from .calibration_part import refuse_broken, refuse_seen, source_of
from .case import one_per_unit
from .identity import identity_of_points, one_identity
from .point_case import PointCase, PointCases, read_point_cases
from .point_record import PointRecord, scores_of
from .point_settings import PointCalibration
from .pooled_covariance import pooled_for
from .quantile import miss_rate, units_needed
from .region_shape import Disc, Ellipse, RegionShape
from .seen import Seen
from .whose_truth import UNSTATED


@dataclass(frozen=True)
class CalibratedPoints:
    """A record, and the cases that it was made of: one per unit, accepted by its gate."""

    record: PointRecord
    cases: list[PointCase]


def calibrate_points(
    predictions: Path,
    data_list: Path,
    split: str,
    settings: PointCalibration,
    dataset_dir: Path,
    seen: Seen = NOTHING_SEEN,
    truth: str = UNSTATED,
) -> list[CalibratedPoints]:
    """One record for each shape and promise.

    Args:
        predictions: folder that `caveat predict` wrote.
        data_list: MONAI's form. split: a part of it.
        dataset_dir: what the list's paths are relative to.
        seen: images that the networks have seen.
        truth: whose the labels are, see `truth_of`.

    Raises:
        StudyRefused: UNITS_SEEN_IN_TRAINING, TOO_FEW_UNITS, MIXED_PREDICTIONS, DUPLICATE_PREDICTION, RECORD_MISMATCH,
            GATE_SCORE_MISSING, NO_POOLED_COVARIANCE, WRONG_USAGE; of any unit those of `MUST_BE_MENDED`.
    """
    refuse_seen(data_list, split, seen)
    cases = read_point_cases(predictions, data_list, split, settings.truths, dataset_dir, settings.names)
    refuse_broken(cases.left_out)
    return fit_point_records(cases, settings, source_of(data_list, split, cases.left_out) | {"truth": truth})


def fit_point_records(cases: PointCases, settings: PointCalibration, source: Mapping[str, Any]) -> list[CalibratedPoints]:
    """Records of cases that were read already.

    Args:
        source: for the provenance; its `list_sha256` salts the units' hashes.

    Raises:
        StudyRefused: see `calibrate_points`.
    """
    first, _ = one_per_unit(cases.cases, settings.seed)
    gate, accepted = fit_gate_on(first, settings)
    level = max(settings.levels)
    refuse_too_few(len(accepted), units_needed(miss_rate(level)), settings.unit, level, "two-sided")
    identity = one_identity([identity_of_points(result, result["bundle"]) for result in cases.results])
    provenance = provenance_of(cases.cases, first, accepted, settings.seed, source)
    shapes = [shape_of(kind, settings, identity, cases.cases) for kind in settings.shapes]
    return [
        CalibratedPoints(
            PointRecord(
                names=tuple(settings.names),
                unit=settings.unit,
                shape=shape,
                promise=promise,
                scores=scores_of(shape, accepted, promise),
                levels=tuple(sorted(settings.levels)),
                gate=gate,
                identity=identity,
                provenance=provenance,
            ),
            accepted,
        )
        for shape in shapes
        for promise in settings.promises
    ]


def shape_of(kind: str, settings: PointCalibration, identity: Mapping[str, Any], cases: Sequence[PointCase]) -> RegionShape:
    """A shape by its name. Args: identity: of the predictions. cases: all that belong to the calibration units.

    Raises:
        StudyRefused: see `pooled_for`.
    """
    if kind == Disc.kind:
        return Disc()
    return Ellipse(pooled_for(Path(settings.pooled), identity, cases).matrices, settings.share, settings.floor)
