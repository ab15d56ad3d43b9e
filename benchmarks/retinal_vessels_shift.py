"""Does the study's score notice that a photograph is not like those of training?

    python benchmarks/retinal_vessels_shift.py corrupt -o out/shifted_images
    for name in $(ls out/shifted_images); do caveat predict retinal_vessels -i out/shifted_images/$name -o out/shift/$name; done
    caveat predict retinal_vessels -i ../shared/data/hrf/images -o out/shift/hrf
    python benchmarks/retinal_vessels_shift.py score --clean out/retinal_vessels/ensemble --shifted out/shift -o out/shift_table

The first writes the test images of CHASE_DB1 blurred, darkened and rotated by the strengths of retinal_vessels_shift.yaml; the
last writes shift.md and shift.json: AUROC of every score for "shifted", each set against the clean images, with single values.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from frame import DATA, LISTS
from PIL import Image
from scipy import ndimage

from caveat.inference.evaluation.evaluation_files import plain
from caveat.inference.evaluation.markdown import markdown_table, shown
from caveat.inference.metrics.auc import auroc
from caveat.inference.stored.list_part import run_of
from caveat.inference.stored.stored_study import StoredStudy, read_results, read_study
from caveat.reasons import StudyRefused

STRENGTHS = Path(__file__).with_name("retinal_vessels_shift.yaml")
LIST = LISTS / "chase_db1.json"
DISAGREEMENT = "1 - pooled pairwise Dice"


def main() -> None:
    """One of the two steps."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    steps = parser.add_subparsers(required=True)
    corrupting = steps.add_parser("corrupt", help="write the corrupted pictures, a folder for each corruption and strength")
    corrupting.set_defaults(run=lambda options: write_corrupted(options.output))
    scoring = steps.add_parser("score", help="AUROC of stored predictions of shifted against clean pictures")
    scoring.add_argument("--clean", type=Path, required=True, help="predictions of the clean test images")
    scoring.add_argument("--shifted", type=Path, required=True, help="folder with one folder of predictions for each set")
    scoring.set_defaults(run=lambda options: write_scores(options.clean, options.shifted, options.output))
    for step in (corrupting, scoring):
        step.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    options.run(options)


def write_corrupted(output: Path) -> None:
    """Write every test image in every corruption and strength as PNG."""
    images = [DATA / entry["image"] for entry in json.loads(LIST.read_text(encoding="utf-8"))["test"]]
    for name, strengths in yaml.safe_load(STRENGTHS.read_text(encoding="utf-8")).items():
        for strength in strengths:
            folder = output / f"{name}_{strength}"
            folder.mkdir(parents=True, exist_ok=True)
            for path in images:
                picture = CORRUPTIONS[name](np.asarray(Image.open(path)), strength)
                Image.fromarray(picture).save(folder / f"{path.stem}.png")
            print(folder)


def blurred(picture: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur in the picture's plane. Args: picture: uint8 (rows, columns, 3). sigma: pixels."""
    return to_uint8(ndimage.gaussian_filter(picture.astype(float), (sigma, sigma, 0)))


def darkened(picture: np.ndarray, factor: float) -> np.ndarray:
    """Every value times a factor. Args: picture: uint8 (rows, columns, 3). factor: below 1."""
    return to_uint8(picture * factor)


def rotated(picture: np.ndarray, degrees: float) -> np.ndarray:
    """Turned about the centre, the same size, linear interpolation. Args: picture: uint8 (rows, columns, 3)."""
    return to_uint8(ndimage.rotate(picture.astype(float), degrees, axes=(0, 1), reshape=False, order=1))


def to_uint8(picture: np.ndarray) -> np.ndarray:
    """Rounded and clipped to 0 to 255."""
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


CORRUPTIONS = {"blurred": blurred, "darkened": darkened, "rotated": rotated}


def write_scores(clean: Path, shifted: Path, output: Path) -> None:
    """Score every set, write shift.md and shift.json. Raises: StudyRefused: MIXED_PREDICTIONS."""
    refuse_mixed([clean, *(folder for folder in shifted.iterdir() if folder.is_dir())])
    sets = {"clean": score_set(clean)} | {
        folder.name: score_set(folder) for folder in sorted(shifted.iterdir()) if folder.is_dir()
    }
    found = {name: aurocs(sets["clean"]["scores"], scored["scores"]) for name, scored in sets.items() if name != "clean"}
    output.mkdir(parents=True, exist_ok=True)
    text = json.dumps(plain({"sets": sets, "auroc": found}), indent=1) + "\n"
    (output / "shift.json").write_text(text, encoding="utf-8")
    (output / "shift.md").write_text(to_markdown(sets, found), encoding="utf-8")
    print(to_markdown(sets, found))


def refuse_mixed(folders: Sequence[Path]) -> None:
    """All sets must come from the same weights and sampling. Raises: StudyRefused: MIXED_PREDICTIONS."""
    results = [result for folder in folders for result in read_results(folder).values()]
    runs = {run_of(result) for result in results if result["status"] != "REFUSED"}
    if len(runs) > 1:
        raise StudyRefused("MIXED_PREDICTIONS", f"{len(runs)} different combinations of weights and sampling")


def score_set(folder: Path) -> dict[str, Any]:
    """Scores of every measured study of a folder, by the study's name, and how many were refused, by code."""
    scores: dict[str, dict[str, float]] = {}
    refused: dict[str, int] = {}
    for path, result in read_results(folder).items():
        if result["status"] == "REFUSED":
            code = result["reasons"][0]["code"]
            refused[code] = refused.get(code, 0) + 1
        else:
            scores[path.name] = study_scores(read_study(path, result))
    return {"scores": scores, "refused": refused}


def study_scores(study: StoredStudy) -> dict[str, float]:
    """Scores of one study, larger is less like training.

    Returns:
        what the draws disagree on; each map's mean in the field of view, and in the mask, free of the vessels' length.
    """
    scores = {}
    if "pooled_pairwise_dice" in study.result["study_scores"]:
        scores[DISAGREEMENT] = 1 - study.result["study_scores"]["pooled_pairwise_dice"]
    for name, values in study.uncertainty_maps.items():
        for where, mask in (("field of view", study.maps["region"] > 0), ("vessels", study.mask)):
            scores[f"mean {name}, {where}"] = float(values[mask].mean()) if mask.any() else math.nan
    return scores


def aurocs(clean: Mapping[str, Mapping[str, float]], shifted: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """AUROC of each score for "shifted"; a score that is undefined for a study (no vessel found) leaves that study out."""
    found = {}
    for name in next(iter(clean.values())):
        negative, positive = (finite(study.get(name, math.nan) for study in studies.values()) for studies in (clean, shifted))
        found[name] = auroc(np.array(negative + positive), np.arange(len(negative) + len(positive)) >= len(negative))
    return found


def finite(values: Sequence[float]) -> list[float]:
    """Without what is not finite."""
    return [value for value in values if math.isfinite(value)]


def to_markdown(sets: Mapping[str, Any], found: Mapping[str, Mapping[str, float]]) -> str:
    """The AUROCs, a row per set, then every single value."""
    names = list(next(iter(sets["clean"]["scores"].values())))
    rows = []
    for name, values in found.items():
        refused = ", ".join(f"{count} {code}" for code, count in sets[name]["refused"].items()) or "0"
        rows.append([name, str(len(sets[name]["scores"])), refused, *(shown(values[score]) for score in names)])
    parts = [f'AUROC of each score for "shifted", against {len(sets["clean"]["scores"])} clean images (0.5: notices nothing).']
    parts += [markdown_table(["set", "measured", "refused", *names], rows), "## Single values"]
    for score in names:
        lines = [
            f"- {name}: {' '.join(shown(s.get(score, math.nan)) for s in scored['scores'].values())}"
            for name, scored in sets.items()
        ]
        parts += [f"{score}:", "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    main()
