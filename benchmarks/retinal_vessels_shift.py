"""Does the gate notice that a photograph is not like those of training?

    python benchmarks/retinal_vessels_predict.py shift
    python benchmarks/retinal_vessels_shift.py --predictions out/retinal_vessels -o out/retinal_vessels_shift

The first writes the photographs of children 11-14 blurred, darkened and turned by the strengths of retinal_vessels_shift.yaml,
and predicts them and HRF; the second writes shift.md and shift.json: how often a set passes the record's limit on draw_entropy,
and every single value. Of a photograph of CHASE_DB1 the value is that of the one network that has not seen the child, and the
limit the largest of the other 13 children. Of HRF it is the mean over all networks, as the gate has it.
"""

from __future__ import annotations

import argparse
import json
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
from caveat.inference.stored.list_part import read_entries, run_of
from caveat.inference.stored.stored_study import read_results
from caveat.reasons import StudyRefused

STRENGTHS = Path(__file__).with_name("retinal_vessels_shift.yaml")
LIST, FOLDS = LISTS / "chase_db1.json", LISTS / "chase_db1_cross_validation.json"
SCORE = "draw_entropy"


def main() -> None:
    """Write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--predictions", type=Path, required=True, help="folder with records/ and shift/")
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    write_scores(options.predictions, options.output)


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


def write_scores(predictions: Path, output: Path) -> None:
    """Score every set, write shift.md and shift.json. Raises: StudyRefused: MIXED_PREDICTIONS."""
    folders = {"clean": predictions / "records"} | {folder.name: folder for folder in sorted((predictions / "shift").iterdir())}
    read = {name: read_results(folder) for name, folder in folders.items()}
    refuse_mixed([result for results in read.values() for result in results.values()])
    entries = {Path(entry["image"]).stem: entry for entry in read_entries(FOLDS, "training")}
    sets = {
        name: {path.name: score(result, entries.get(path.name)) for path, result in results.items()}
        for name, results in read.items()
    }
    units = {name: entry["unit"] for name, entry in entries.items()}
    shares = {name: noticed(scores, sets["clean"], units) for name, scores in sets.items()}
    output.mkdir(parents=True, exist_ok=True)
    (output / "shift.json").write_text(json.dumps(plain({"sets": sets, "noticed": shares}), indent=1) + "\n", encoding="utf-8")
    (output / "shift.md").write_text(to_markdown(sets, shares), encoding="utf-8")
    print(to_markdown(sets, shares))


def refuse_mixed(results: Sequence[Mapping[str, Any]]) -> None:
    """All sets must come from the same weights and sampling. Raises: StudyRefused: MIXED_PREDICTIONS."""
    runs = {run_of(result) for result in results if result["status"] != "REFUSED"}
    if len(runs) > 1:
        raise StudyRefused("MIXED_PREDICTIONS", f"{len(runs)} different combinations of weights and sampling")


def score(result: Mapping[str, Any], entry: Mapping[str, Any] | None) -> float | None:
    """Of the network that has not seen the child, or the mean. Args: entry: of the list of folds. Returns: None where refused."""
    if result["status"] == "REFUSED":
        return None
    return result["study_scores"][SCORE] if entry is None else result["draw_scores"][SCORE][entry["fold"]]


def noticed(scores: Mapping[str, float | None], clean: Mapping[str, float | None], units: Mapping[str, str]) -> int:
    """How many pass the largest clean value of the other children. Args: units: of clean photographs, by name."""
    count = 0
    for name, value in scores.items():
        others = [known for other, known in clean.items() if known is not None and units[other] != units.get(name)]
        count += value is not None and value > max(others)
    return count


def to_markdown(sets: Mapping[str, Mapping[str, float | None]], shares: Mapping[str, int]) -> str:
    """How many were noticed, a row per set, then every single value."""
    rows = []
    for name, scores in sets.items():
        values = [value for value in scores.values() if value is not None]
        told = f"{shown(float(np.median(values)))} ({shown(min(values))} to {shown(max(values))})" if values else "-"
        rows.append([name, str(len(values)), str(len(scores) - len(values)), str(shares[name]), told])
    parts = [markdown_table(["set", "measured", "refused", "past the limit", f"{SCORE}: median (range)"], rows)]
    for name, scores in sets.items():
        parts.append(f"{name}: " + " ".join("refused" if value is None else shown(value) for value in scores.values()))
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    main()
