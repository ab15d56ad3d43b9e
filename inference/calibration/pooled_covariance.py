"""PooledCovariance: how the errors of each landmark spread, over units that no record is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from caveat.reasons import StudyRefused

from .calibration_part import refuse_broken, source_of
from .identity import differences, identity_of_target, one_identity
from .read_cases import read_cases
from .record_file import Sealed, file_name_of, read_sealed, unseal

if TYPE_CHECKING:
    from .settings import Calibration

NOT_ITS_OWN = "feature_reference"
"""A fact of an identity on which no error depends: the gate's, which may be made later."""


@dataclass(frozen=True)
class PooledCovariance(Sealed):
    """The pooled part of an ellipse's shape, see `ellipse_distance.shape_matrix`.

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

    schema: ClassVar[str] = "caveat-pooled-covariance-1"
    names: tuple[str, ...]
    matrices: tuple[tuple[tuple[float, ...], ...], ...]
    n: int
    identity: Mapping[str, Any]
    provenance: Mapping[str, Any]

    @property
    def file_name(self) -> str:
        """See `file_name_of`."""
        return file_name_of(self.identity, "pooled covariance")

    def facts(self) -> dict[str, Any]:
        return dict(vars(self))

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> PooledCovariance:
        """The inverse of `to_json`. Raises: StudyRefused: RECORD_EDITED."""
        facts = unseal(stored)
        matrices = tuple(tuple(map(tuple, matrix)) for matrix in facts["matrices"])
        about = {key: facts[key] for key in ("n", "identity", "provenance")}
        return cls(names=tuple(facts["names"]), matrices=matrices, **about)


def pool_errors(predictions: Path, data_list: Path, split: str, settings: Calibration, dataset_dir: Path) -> PooledCovariance:
    """The pooled covariance of a part of a data list, such as the one that stopped the training.

    Raises:
        StudyRefused: TOO_FEW_UNITS for fewer images than axes and one; MIXED_PREDICTIONS, RECORD_MISMATCH, DUPLICATE_PREDICTION,
            WRONG_USAGE; of any image those of `MUST_BE_MENDED`.
    """
    read = read_cases(predictions, data_list, split, settings.truths, dataset_dir, settings.targets)
    refuse_broken(read.left_out)
    n = len(read.results)
    by_landmark = list(read.by_name.values())
    axes = len(by_landmark[0][0].place) if n else 2
    if n <= axes:
        raise StudyRefused("TOO_FEW_UNITS", f"{n} images, {axes + 1} are needed for a covariance")
    identity = one_identity([identity_of_target(result, result["bundle"], settings.names) for result in read.results])
    errors = np.array([[np.array(case.truth) - case.place for case in cases] for cases in by_landmark]).swapaxes(0, 1)
    matrices = np.einsum("nla,nlb->lab", errors, errors) / n
    return PooledCovariance(
        names=settings.names,
        matrices=tuple(tuple(map(tuple, matrix)) for matrix in matrices.tolist()),
        n=n,
        identity=_own(identity),
        provenance=source_of(data_list, split, read.left_out) | {"images_sha256": sorted(case.sha256 for case in by_landmark[0])},
    )


def pooled_for(place: Path, identity: Mapping[str, Any], images: frozenset[str]) -> PooledCovariance:
    """The one that belongs to predictions.

    Args:
        place: a folder of them. identity: of the predictions. images: sha256 of those that are to be calibrated on.

    Raises:
        StudyRefused: NO_POOLED_COVARIANCE where there is none; UNITS_SEEN_IN_TRAINING where it was made of these images;
            RECORD_EDITED.
    """
    every = [PooledCovariance.from_json(stored) for stored in read_sealed(place, PooledCovariance.schema)]
    own = [pooled for pooled in every if not differences(pooled.identity, _own(identity))]
    if not own:
        raise StudyRefused("NO_POOLED_COVARIANCE", f"{len(every)} are there, none of these weights and settings")
    shared = images & set(own[0].provenance["images_sha256"])
    if shared:
        raise StudyRefused("UNITS_SEEN_IN_TRAINING", f"{len(shared)} images made the pooled covariance")
    return own[0]


def _own(identity: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in identity.items() if key != NOT_ITS_OWN}
