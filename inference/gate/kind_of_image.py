"""The gate's hard step: an image of another kind than the network was trained on gets no number."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monai.transforms import Transform

from caveat.reasons import StudyRefused

from .gate import Limit
from .kind_limits import KindLimits

OTHER_KIND = "NOT_THIS_KIND"
BEYOND = {"above": "at most", "below": "at least"}


class KindOfImaged(Transform):
    """Refuse a study whose scores lie beyond the bundle's hard limits: a network answers on any picture.

    Adds to `sampling` the `kind_limits` that were kept (their sha256, or None). Where there are no limits of this network the
    result is flagged KIND_NOT_CHECKED.

    Args:
        limits: folder that may hold files of `KindLimits`, one for each network of the bundle.
        bundle: facts of the bundle that runs: weights_sha256, preprocessing_sha256.
        refuse: False flags NOT_THIS_KIND instead, so that it can be measured how wrong the numbers would be.

    Raises:
        StudyRefused: CORRUPT, when made: a file is another one; NOT_THIS_KIND, when called.
    """

    def __init__(self, limits: str | Path, bundle: Mapping[str, Any], refuse: bool = True) -> None:
        found = [KindLimits.read(path) for path in sorted(Path(limits).glob(KindLimits.pattern))]
        self.limits = next((one for one in found if one is not None and one.belongs_to(bundle)), None)
        self.refuse = refuse

    def __call__(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Args: data: study with the `result` of `ScoreStudyd`. Returns: the same study, its result extended."""
        result = dict(data["result"])
        if self.limits is None:
            result["flags"] = sorted({*result["flags"], "KIND_NOT_CHECKED"})
        else:
            broken = self.limits.broken_by(result["study_scores"])
            if broken and self.refuse:
                raise StudyRefused(OTHER_KIND, "; ".join(_beyond(limit, result["study_scores"]) for limit in broken))
            result["flags"] = sorted({*result["flags"], *([OTHER_KIND] if broken else [])})
        sha256 = self.limits.sha256 if self.limits is not None else None
        return dict(data) | {"result": result | {"sampling": dict(result["sampling"]) | {"kind_limits": sha256}}}


def _beyond(limit: Limit, scores: Mapping[str, float]) -> str:
    """ "feature_distance 41.2, measured is at most 12.5"."""
    return f"{limit.name} {scores[limit.name]:.4g}, measured is {BEYOND[limit.direction]} {limit.threshold:.4g}"
