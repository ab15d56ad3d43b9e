"""PooledCovariance: how the errors of each landmark spread, over units that no record is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from caveat.reasons import StudyRefused

from .calibration_part import refuse_broken, source_of
from .identity import differences, identity_of_points, one_identity
from .point_case import PointCase, read_point_cases
from .point_settings import PointCalibration
from .record_file import file_name_of, read_sealed, seal, unseal

SCHEMA = "caveat-pooled-covariance-1"
NOT_ITS_OWN = "feature_reference"
"""A fact of an identity on which no error depends: the gate's, which may be made later."""


@dataclass(frozen=True)
class PooledCovariance:
    """The pooled part of an ellipse's shape, see `regions.shape_matrix`.

    It decides how long and how wide ellipses are to each other, not what they promise: that holds for any matrix that is fixed
    without the calibration units.

    Args:
        names: of the landmarks.
        matrices: per landmark (axes, axes), mm2: mean over images of e e', e the error. About zero and not about the mean error,
            since the ellipse lies around the predicted position.
        n: images.
        identity: of the predictions, without `NOT_ITS_OWN`.
        provenance: part of the list and sha256 of its images, which no record may be made of.
    """

    names: tuple[str, ...]
    matrices: tuple[tuple[tuple[float, ...], ...], ...]
    n: int
    identity: Mapping[str, Any]
    provenance: Mapping[str, Any]

    @property
    def file_name(self) -> str:
        """See `file_name_of`."""
        return file_name_of(self.identity, "pooled covariance")

    def to_json(self) -> dict[str, Any]:
        """As JSON, with its checksum last."""
        return seal({"schema": SCHEMA, **vars(self)})

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> PooledCovariance:
        """The inverse of `to_json`. Raises: StudyRefused: RECORD_EDITED."""
        facts = unseal(stored)
        matrices = tuple(tuple(map(tuple, matrix)) for matrix in facts["matrices"])
        about = {key: facts[key] for key in ("n", "identity", "provenance")}
        return cls(names=tuple(facts["names"]), matrices=matrices, **about)


def pool_errors(
    predictions: Path, data_list: Path, split: str, settings: PointCalibration, dataset_dir: Path
) -> PooledCovariance:
    """The pooled covariance of a part of a data list, such as the one that stopped the training.

    Raises:
        StudyRefused: TOO_FEW_UNITS for fewer images than axes and one; MIXED_PREDICTIONS, RECORD_MISMATCH, DUPLICATE_PREDICTION,
            WRONG_USAGE; of any image those of `MUST_BE_MENDED`.
    """
    read = read_point_cases(predictions, data_list, split, settings.truths, dataset_dir, settings.names)
    refuse_broken(read.left_out)
    axes = read.cases[0].positions.shape[1] if read.cases else 2
    if len(read.cases) <= axes:
        raise StudyRefused("TOO_FEW_UNITS", f"{len(read.cases)} images, {axes + 1} are needed for a covariance")
    identity = one_identity([identity_of_points(result, result["bundle"]) for result in read.results])
    errors = np.array([case.truth - case.positions for case in read.cases])
    matrices = np.einsum("nla,nlb->lab", errors, errors) / len(errors)
    return PooledCovariance(
        names=tuple(settings.names),
        matrices=tuple(tuple(map(tuple, matrix)) for matrix in matrices.tolist()),
        n=len(errors),
        identity=_own(identity),
        provenance=source_of(data_list, split, read.left_out) | {"images_sha256": sorted(case.sha256 for case in read.cases)},
    )


def pooled_for(place: Path, identity: Mapping[str, Any], cases: Sequence[PointCase]) -> PooledCovariance:
    """The one that belongs to predictions.

    Args:
        place: a folder of them. identity: of the predictions. cases: that are to be calibrated on.

    Raises:
        StudyRefused: NO_POOLED_COVARIANCE where there is none; UNITS_SEEN_IN_TRAINING where it was made of these cases;
            RECORD_EDITED.
    """
    every = [PooledCovariance.from_json(stored) for stored in read_sealed(place, SCHEMA)]
    own = [pooled for pooled in every if not differences(pooled.identity, _own(identity))]
    if not own:
        raise StudyRefused("NO_POOLED_COVARIANCE", f"{len(every)} are there, none of these weights and settings")
    shared = {case.sha256 for case in cases} & set(own[0].provenance["images_sha256"])
    if shared:
        raise StudyRefused("UNITS_SEEN_IN_TRAINING", f"{len(shared)} images made the pooled covariance")
    return own[0]


def _own(identity: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in identity.items() if key != NOT_ITS_OWN}
