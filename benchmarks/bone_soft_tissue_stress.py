"""What `caveat stress` left of the bone bundle's answers, pixel by pixel: accuracy, and whether the threshold still holds.

Its run lies in `out/bone_soft_tissue/stress`, on the list's part `stress`: two views of each body that no network saw.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from bone_soft_tissue_predict import COUNTED, OUT, SOFT_TISSUE
from PIL import Image

from caveat.inference.evaluation.markdown import markdown_table, shown
from caveat.inference.gate.kind_of_image import OTHER_KIND
from caveat.inference.stored.list_part import read_entries, results_by_sha256
from caveat.inference.stress.degraded import LIST
from caveat.inference.stress.stress_set import PREDICTIONS

PART, UNDECIDED = "stress", 4
HEAD = ("accuracy", "Dice soft tissue", "Dice bone", "loss at the threshold", "undecided of soft", "mean doubt", "noise")


def stress_text() -> str:
    """A table, the clean images first; where nothing was run, a line that says so."""
    sets = sorted(sets_of(OUT / "stress"), key=lambda one: (one[0] != "clean", *one[:2]))
    if not sets:
        return "Not made: `caveat stress` has not run."
    head = ["corruption", "strength", *HEAD, "flagged, of limbs", "accuracy trunk"]
    return markdown_table(head, [row_of(*one) for one in sets])


def sets_of(run: Path) -> Iterator[tuple[str, float, Path]]:
    """Corruption, strength and folder of each set of a run."""
    for place in run.glob(f"*/{LIST}"):
        name, _, strength = place.parent.name.rpartition("_")
        yield name, float(strength), place.parent


def row_of(name: str, strength: float, folder: Path) -> list[str]:
    """Means over the limbs' images, how many of them are flagged, and the trunk's accuracy."""
    entries = read_entries(folder / LIST, PART)
    found = results_by_sha256(folder / PREDICTIONS, {entry["sha256"] for entry in entries})
    images = [(entry["stratum"], figures_of(entry, folder, found[entry["sha256"]][0])) for entry in entries]
    limbs = [figures for stratum, figures in images if stratum != "trunk"]
    trunk = [figures["accuracy"] for stratum, figures in images if stratum == "trunk"]
    flagged = sum(figures["flagged"] for figures in limbs)
    means = [shown(mean_of(limbs, key)) for key in HEAD]
    return [name, f"{strength:g}", *means, f"{flagged:g} of {len(limbs)}", shown(float(np.mean(trunk)))]


def mean_of(images: Sequence[Mapping[str, float]], key: str) -> float:
    """Of the images that have it; NaN where none does."""
    known = [figures[key] for figures in images if np.isfinite(figures[key])]
    return float(np.mean(known)) if known else np.nan


def figures_of(entry: Mapping[str, Any], folder: Path, predicted: Path) -> dict[str, float]:
    """Figures of one image. Args: predicted: folder of its result."""
    result = json.loads((predicted / "result.json").read_text(encoding="utf-8"))
    truth, labels = (np.asarray(Image.open(path)) for path in (folder / entry["label"][0], predicted / "segmentation.png"))
    flagged = OTHER_KIND in result["flags"]
    said, decided = np.where(labels == UNDECIDED, SOFT_TISSUE, labels), labels == SOFT_TISSUE
    out = {"accuracy": (said == truth)[truth > 0].mean(), "flagged": float(flagged)}
    for key, label in (("Dice soft tissue", SOFT_TISSUE), ("Dice bone", 3)):
        hit = ((said == label) & (truth == label)).sum()
        out[key] = 2 * hit / ((said == label).sum() + (truth == label).sum())
    out["loss at the threshold"] = np.nan if flagged else decided[np.isin(truth, COUNTED)].mean()
    out["undecided of soft"] = np.nan if flagged else (labels == UNDECIDED).sum() / max((said == SOFT_TISSUE).sum(), 1)
    scores = result["study_scores"]
    return out | {"mean doubt": scores["mean_doubt"], "noise": scores["noise"]}
