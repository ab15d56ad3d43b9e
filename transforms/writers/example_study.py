"""A small finished study, as the inferer and the way back to the input's grid leave it: what the contract hands every writer."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor

DRAWS = 4
DRAWN = ("hypotheses", "ordered_hypotheses", "samples")


def example_study(kind: str = "picture", affine: np.ndarray | None = None, classes: int = 2) -> dict[str, Any]:
    """Concentric discs or balls whose radius differs from draw to draw.

    Args:
        kind: "picture" (40 x 30, colour) or "nifti" (20 x 16 x 12, one channel).
        affine: of the grid, (4, 4); without it pixels for a picture, and 1 x 1.5 x 2 mm for a volume.
        classes: with three or more, each class lies inside the one before.

    Returns:
        `name`, `number`, `input`, `probability`, `segmentation`, four maps, `region`, `hypotheses`, `ordered_hypotheses`,
        `samples`, `result`.
    """
    shape = (40, 30) if kind == "picture" else (20, 16, 12)
    if affine is None:
        affine = np.eye(4) if kind == "picture" else np.diag([1.0, 1.5, 2.0, 1.0])
    axes = np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")
    distance = np.sqrt(sum((axis - 0.45 * n) ** 2 for axis, n in zip(axes, shape, strict=True)))
    draws = np.stack([_labels(distance, 4 + 0.7 * draw, classes) for draw in range(DRAWS)])
    image = 200 * np.exp(-distance / 8) + 5 * (axes[0] % 3)
    study = _maps(draws, classes)
    study["region"] = (distance < 0.6 * max(shape))[None].astype(np.uint8)
    study["input"] = np.repeat(image[None], 3 if kind == "picture" else 1, axis=0).astype(np.float32)
    grids = {key: MetaTensor(torch.as_tensor(value), affine=torch.as_tensor(affine)) for key, value in study.items()}
    grids["input"].meta |= _meta(kind, shape, affine)
    areas = [float((draw > 0).sum()) for draw in draws]
    value = float((study["segmentation"] > 0).sum())
    middle = [float(n) / 2 for n in shape]
    result = _result(areas, value, "pixels" if kind == "picture" else "mL", middle, _in_world(middle, affine))
    result["classes"] = ["background", "disc", *(f"ring {ring}" for ring in range(2, classes))]
    stacked = torch.as_tensor(draws)
    return {"name": "example", "number": 0, **grids, "result": result, **{name: stacked.clone() for name in DRAWN}}


def _labels(distance: np.ndarray, radius: float, classes: int) -> np.ndarray:
    return np.stack([distance < radius / label for label in range(1, classes)]).sum(axis=0, dtype=np.uint8)


def _maps(draws: np.ndarray, classes: int) -> dict[str, np.ndarray]:
    """Probability, segmentation and the uncertainty maps of label maps that are nine tenths sure."""
    sure = 0.9 * (draws[:, None] == np.arange(classes).reshape(-1, *[1] * (draws.ndim - 1))) + 0.1 / classes
    mean = sure.mean(axis=0)
    entropy = -(mean * np.log(mean)).sum(axis=0)
    expected = -(sure * np.log(sure)).sum(axis=1).mean(axis=0)
    maps = {
        "entropy": entropy,
        "expected_entropy": expected,
        "mutual_information": entropy - expected,
        "variance": sure.var(axis=0).max(axis=0),
    }
    return {
        "probability": mean.astype(np.float32),
        "segmentation": mean.argmax(axis=0)[None].astype(np.uint8),
        **{name: value[None].astype(np.float32) for name, value in maps.items()},
    }


def _meta(kind: str, shape: tuple[int, ...], affine: np.ndarray) -> dict[str, Any]:
    picture = kind == "picture"
    return {
        "spacing_source": "" if picture else "NIfTI header",
        "spacing_mm": None if picture else np.linalg.norm(affine[:3, :3], axis=0).tolist(),
        "input_sha256": "5eed" * 16,
        "input_kind": kind,
        "input_shape": list(shape),
        "flags": ["NO_PIXEL_SPACING"] if picture else [],
    }


def _in_world(index: list[float], affine: np.ndarray) -> list[float]:
    return (affine[: len(index), : len(index)] @ index + affine[: len(index), 3]).tolist()


def _result(values: list[float], value: float, unit: str, index: list[float], point: list[float]) -> dict[str, Any]:
    draws = {"n": len(values), "mean": float(np.mean(values)), "sd": float(np.std(values, ddof=1)), "values": values}
    spread = f"from {min(values):.0f} to {max(values):.0f}"
    covariance = np.eye(len(point)).tolist()
    return {
        "schema": "caveat-result-1",
        "status": "OK",
        "reasons": [],
        "sampling": {
            "sampler": "Ensemble",
            "source": "model",
            "draws": len(values),
            "seed": 0,
            "roi_size": [16] * len(point),
            "overlap": 0.25,
            "blending": "gaussian",
            "align": 1,
            "precision": "float32",
            "device": "cpu",
            "chunk": len(values),
            "budget_mib": 512,
        },
        "lesions": [{"unit": unit, "value": value, "existence": 0.75, "draws": draws, "centre": point}],
        "answers": [
            {
                "kind": "measurement",
                "name": "disc",
                "title": "Disc",
                "unit": unit,
                "value": value,
                "value_on_input_grid": value,
                "draws": draws,
                "region": None,
                "simultaneous_region": None,
                "statement": f"Disc: {value:.0f} {unit} ({len(values)} draws {spread}, not calibrated)",
                "classes": [1],
            },
            {
                "kind": "landmark",
                "name": "centre",
                "title": "centre",
                "unit": "pixels" if unit == "pixels" else "mm",
                "value": point,
                "index_on_input_grid": index,
                "outside_image": False,
                "draws": {"n": len(values), "mean": point, "covariance": covariance, "values": [point] * len(values)},
                "heatmap_covariance": covariance,
                "total_covariance": (2 * np.eye(len(point))).tolist(),
                "mean_distance_to_mean": 0.0,
                "heatmap_activation": 0.1,
                "region": None,
                "simultaneous_region": None,
                "statement": "Centre: found (not calibrated)",
            },
        ],
        "study_scores": {"pooled_pairwise_dice": 0.9},
        "gate": None,
        "flags": ["GRID_MATTERS"],
    }
