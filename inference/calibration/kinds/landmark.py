"""A place in the image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ....transforms.files.answers import LANDMARK
from ...targets.point_statement import point_statement
from ..answers import place_of
from .answer_kind import AnswerKind, floats


class LandmarkKind(AnswerKind):
    """It counts with the place it was decoded to also where the image does not show it."""

    kind: ClassVar[str] = LANDMARK
    share_one_record: ClassVar[bool] = True

    def facts(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "value": floats(place_of(entry)),
            "draws": tuple(map(floats, entry["draws"]["values"])),
            "covariance": tuple(map(floats, entry["total_covariance"])),
            "outside": bool(entry["outside_image"]),
        }

    def sentence(self, entry: Mapping[str, Any], withheld: str) -> str:
        place, draws, distance = place_of(entry), entry["draws"]["n"], entry["mean_distance_to_mean"]
        about = (entry["name"], entry["unit"], place, draws, distance, entry["outside_image"])
        return point_statement(*about, entry["region"], withheld)
