"""Stored predictions of the bone bundle beside their truths, body by body."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from bone_soft_tissue_classical import Example, choose, segment
from bone_soft_tissue_predict import OUT, PREPARED, list_of
from frame import parsed_bundle
from PIL import Image

from caveat.inference.stored.list_part import read_entries, results_by_sha256


@dataclass(frozen=True)
class Body:
    """All images of one body, brought to one shape: outside the image the truth is the collimator.

    Args:
        name: of the CT. part: of the body.
        probability: (images, classes, rows, columns).
        labels: (images, rows, columns).
        lowest: probability of soft tissue of the most cautious network, (images, rows, columns).
    """

    name: str
    part: str
    probability: np.ndarray
    labels: np.ndarray
    lowest: np.ndarray

    @property
    def is_trunk(self) -> bool:
        """Chest or abdomen."""
        return self.part == "trunk"

    @property
    def soft(self) -> np.ndarray:
        """Probability of soft tissue, (images, rows, columns)."""
        return self.probability[:, 2]

    def in_field(self, stride: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Pixels inside the true field. Returns: probability (classes, n), truth (n,)."""
        labels, probability = self.labels[:, ::stride, ::stride], self.probability[:, :, ::stride, ::stride]
        field = labels > 0
        return np.moveaxis(probability, 1, 0)[:, field], labels[field]


@dataclass(frozen=True)
class Method:
    """One way to segment. Args: name, parameters (0 where it has none), CPU seconds an image; bodies it was tested on."""

    name: str
    parameters: int
    seconds: float
    bodies: Sequence[Body]


def bodies_of(predictions: Path, fold: int, part: str) -> list[Body]:
    """Predictions of one part of a fold's list. Args: predictions: folder of one run."""
    entries = read_entries(list_of(fold), part)
    found = results_by_sha256(predictions, {entry["sha256"] for entry in entries})
    images: dict[tuple[str, str], list[tuple[np.ndarray, ...]]] = {}
    for entry in entries:
        maps = [tifffile.imread(found[entry["sha256"]][0] / f"{name}.tif") for name in ("probability", "lowest_probability")]
        truth = np.asarray(Image.open(PREPARED / entry["label"][0]))
        images.setdefault((entry["unit"], entry["stratum"]), []).append((maps[0], truth, maps[1]))
    return [Body(name, stratum, *_stacked(pairs)) for (name, stratum), pairs in images.items()]


def _stacked(images: Sequence[tuple[np.ndarray, ...]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Args: images: probability (classes, rows, columns), truth and lowest probability (rows, columns) of each."""
    size = np.max([truth.shape for _, truth, _ in images], axis=0)
    probability = np.zeros((len(images), len(images[0][0]), *size), np.float32)
    labels, lowest = np.zeros((len(images), *size), np.uint8), np.zeros((len(images), *size), np.float32)
    probability[:, 0] = 1
    for index, (found, truth, least) in enumerate(images):
        rows, columns = truth.shape
        probability[index, :, :rows, :columns], labels[index, :rows, :columns] = found, truth
        lowest[index, :rows, :columns] = least
    return probability, labels, lowest


def classical(bundle: Path, folds: Sequence[int]) -> Method:
    """The method without a network on the bodies of some folds, its thresholds from the bodies that stopped their training."""
    preprocessing = parsed_bundle(bundle, None, {}).get_parsed_content("preprocessing")

    def examples(fold: int, part: str) -> list[tuple[dict[str, Any], Example]]:
        entries = read_entries(list_of(fold), part)
        loaded = [preprocessing({"image": str(PREPARED / e["image"]), "label": str(PREPARED / e["label"][0])}) for e in entries]
        return [
            (entry, Example(study["image"].numpy(), study["label"][0].numpy().astype(np.uint8)))
            for entry, study in zip(entries, loaded, strict=True)
        ]

    images: dict[tuple[str, str], list[tuple[np.ndarray, ...]]] = {}
    seconds = []
    for fold in folds:
        chosen = choose([example for _, example in examples(fold, "early_stopping")])
        for entry, example in examples(fold, "test"):
            start = time.process_time()
            found = segment(example.image, *chosen)
            seconds.append(time.process_time() - start)
            sure = np.stack([found == index for index in range(4)]).astype(np.float32)
            images.setdefault((entry["unit"], entry["stratum"]), []).append((sure, example.labels, sure[2]))
    bodies = [Body(name, stratum, *_stacked(pairs)) for (name, stratum), pairs in images.items()]
    return Method("classical (thresholds, watershed of edges, morphology)", 0, float(np.mean(seconds)), bodies)


def methods(bundle: Path) -> list[Method]:
    """What was compared on the same bodies: `compared.json` beside the predictions says what and at what cost."""
    file = OUT / "compared.json"
    compared = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []
    found = [
        Method(
            entry["name"],
            entry["parameters"],
            entry["seconds"],
            [body for fold in entry["folds"] for body in bodies_of(OUT / entry["predictions"].format(fold), fold, "test")],
        )
        for entry in compared
    ]
    folds = compared[0]["folds"] if compared else []
    return [*found, classical(bundle, folds)] if folds else []
