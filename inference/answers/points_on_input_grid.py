"""The way back of landmarks: onto the input's own grid, and into mm where its spacing is known."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from monai.transforms import Transform

from ...transforms.files.answers import LANDMARK, landmarks_of
from ..engine.study_grid import spacing_is_known
from ..targets.point_statement import point_statement

OUTSIDE = "LANDMARK_OUTSIDE_IMAGE"


class PointsOnInputGridd(Transform):
    """Bring the points of a landmark bundle to the input: through the affine matrices that MONAI's transforms keep.

    Reads the flattened answer of `SamplingInferer` (keys `pred_*`, which it takes away), `orig_key`, the image on the network
    grid, and `input`, the image as loaded. Adds `result`, a dictionary, in which every landmark of `answers` has

    - `unit`, and in it `value`, the draws, the covariances (unit squared) and `mean_distance_to_mean`: mm where the spacing is
      known, else pixels or voxels of the input, from the middle of its first element;
    - `index_on_input_grid`: the value in elements of the input's grid, rows and columns for pictures;
    - `outside_image`: whether it lies beyond the image, or so near its edge (one element of the network grid) that it cannot be
      told from a landmark beyond; then `value` is None, `statement` gives no number
      and LANDMARK_OUTSIDE_IMAGE is among the flags.

    Study scores, means over the landmarks: `mean_distance_to_mean` (for more than one draw), `heatmap_spread`, the root of
    the trace of the heatmaps' covariance, both in the points' unit; `heatmap_activation`.

    Args:
        orig_key: the image that went through the preprocessing.
    """

    def __init__(self, orig_key: str) -> None:
        self.orig_key = orig_key

    def __call__(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Args: data: decollated study. Returns: the study without its `pred_*` keys, with `result`."""
        out = {key: value for key, value in data.items() if not str(key).startswith("pred_")}
        image = data["input"]
        axes = image.ndim - 1
        to_world = _matrix(data[self.orig_key].affine, axes)
        grid = InputGrid(to_world, _matrix(image.affine, axes), tuple(image.shape[1:]))
        unit = "mm" if spacing_is_known(image.meta) else ("pixels" if axes == 2 else "voxels")
        result = json.loads(data["pred_result"])
        answers = [grid.state(entry, unit) if entry["kind"] == LANDMARK else entry for entry in result["answers"]]
        points = landmarks_of({"answers": answers})
        flags = {
            *image.meta.get("flags", []),
            *result.get("flags", []),
            *([OUTSIDE] if any(point["outside_image"] for point in points) else []),
        }
        scores = result["study_scores"] | scores_of(points)
        about = {"answers": answers, "study_scores": scores, "flags": sorted(flags)}
        return out | {"result": {"status": "OK", "reasons": [], "gate": None} | result | about}


class InputGrid:
    """The input's grid as points of the network grid are brought to it.

    Args:
        to_world: (axes + 1, axes + 1), index on the network grid to mm, or to pixels.
        input_to_world: the same of the input's grid.
        size: elements of the input per axis.
    """

    def __init__(self, to_world: np.ndarray, input_to_world: np.ndarray, size: Sequence[int]) -> None:
        self.linear, self.offset = to_world[:-1, :-1], to_world[:-1, -1]
        self.to_index = np.linalg.inv(input_to_world)
        self.size = np.asarray(size)
        self.edge = np.abs(self.to_index[:-1, :-1] @ self.linear).sum(axis=1)  # of an element of the network grid

    def state(self, entry: Mapping[str, Any], unit: str) -> dict[str, Any]:
        """A landmark's answer of `result.json`. Args: entry: of `Landmarks`. unit: of the result."""
        value = self._place(entry["value"])
        index = self.to_index[:-1, :-1] @ value + self.to_index[:-1, -1]
        outside = bool(np.any(index < self.edge - 0.5) or np.any(index > self.size - 0.5 - self.edge))
        places = self._place(entry["draws"]["values"])
        distance = float(np.linalg.norm(places - value, axis=-1).mean()) if len(places) > 1 else None
        draws = {
            "n": entry["draws"]["n"],
            "mean": value.tolist(),
            "covariance": self._spread(entry["draws"]["covariance"]),
            "values": places.tolist(),
        }
        stated = {
            "unit": unit,
            "value": None if outside else value.tolist(),
            "index_on_input_grid": index.tolist(),
            "outside_image": outside,
            "draws": draws,
            "heatmap_covariance": self._spread(entry["heatmap_covariance"]),
            "total_covariance": self._spread(entry["total_covariance"]),
            "mean_distance_to_mean": distance,
        }
        return {
            **entry,
            **stated,
            "statement": point_statement(entry["name"], unit, value.tolist(), len(places), distance, outside),
        }

    def _place(self, positions: Sequence[Any]) -> np.ndarray:
        """Args: positions: (..., axes) on the network grid. Returns: the same in mm, or in pixels."""
        return np.asarray(positions) @ self.linear.T + self.offset

    def _spread(self, covariance: Sequence[Sequence[float]] | None) -> list[list[float]] | None:
        return None if covariance is None else (self.linear @ np.asarray(covariance) @ self.linear.T).tolist()


def scores_of(points: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Study scores, see `PointsOnInputGridd`; no points, no scores."""
    if not points:
        return {}
    scores = {
        "heatmap_spread": _mean([math.sqrt(np.trace(point["heatmap_covariance"])) for point in points]),
        "heatmap_activation": _mean([point["heatmap_activation"] for point in points]),
    }
    distances = [point["mean_distance_to_mean"] for point in points]
    return scores if None in distances else scores | {"mean_distance_to_mean": _mean(distances)}


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _matrix(affine: Any, axes: int) -> np.ndarray:
    """An affine matrix of so many axes. Args: affine: (4, 4) or (1, 4, 4)."""
    matrix = np.asarray(affine, dtype=np.float64).reshape(4, 4)
    kept = [*range(axes), 3]
    return matrix[np.ix_(kept, kept)]
