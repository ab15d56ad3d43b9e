"""What a nodule's crop alone says of its volume: the row "crop extents only" beside the lung lesion bundle's intervals.

    python benchmarks/lung_lesions_extents.py -o out/lung_lesions_extents

The crops of the set end a few slices beyond the raters' outlines, so their depth gives the volume away. The logarithm of the
mean volume is fitted to the logarithms of the three extents on the training nodules; intervals as wide as the size says come
from the calibration patients, and are checked on the test patients, one nodule a patient, as the bundle's are. Nodules
whose union reaches neither end of the crop are a group of their own. No image is looked at.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from frame import PREPARED
from lung_lesions_predict import LIST
from sklearn.linear_model import LinearRegression

from caveat.bundle_folders import find_bundle
from caveat.inference.calibration.calibrate import fit_record
from caveat.inference.calibration.case import Case
from caveat.inference.calibration.record import MARGINAL
from caveat.inference.calibration.rows import Row, first_line
from caveat.inference.calibration.scores.size import Size
from caveat.inference.calibration.settings import Calibration, read_calibration
from caveat.inference.evaluation.evaluation_config import read_coverage
from caveat.inference.evaluation.evaluation_files import plain
from caveat.inference.evaluation.figures import figures_of, groups_of
from caveat.inference.evaluation.markdown import markdown_table, shown
from caveat.inference.evaluation.methods import Method
from caveat.inference.evaluation.settings import Coverage
from caveat.inference.stored.list_part import read_entries
from caveat.inference.stored.stored_study import StoredStudy
from caveat.inference.stored.true_value import true_value
from caveat.inference.targets.target import Target

NAME = "crop extents only"
SCORE = Size(offset=0.02)
"""mL. There are no draws whose spread could set the width."""


def main() -> None:
    """Fit, calibrate, check, write figures.json and figures.md."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", default="lung_lesions", help="name or folder (default: the shipped one)")
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    configs = find_bundle(options.bundle) / "configs"
    calibration = replace(read_calibration(configs / "calibrate.yaml"), score=SCORE)
    coverage = read_coverage(configs / "evaluate.yaml")
    parts = {
        part: [read_nodule(entry, calibration) for entry in read_entries(LIST, part)]
        for part in ("training", "calibration", "test")
    }
    *_, mean_volume = calibration.targets
    predict = fit(
        [nodule["extents"] for nodule in parts["training"]], [nodule["truths"][mean_volume.name] for nodule in parts["training"]]
    )
    rows = [row for measurement in calibration.targets for row in check(measurement, parts, predict, calibration, coverage)]
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "figures.json").write_text(json.dumps(plain(rows), indent=1) + "\n", encoding="utf-8")
    head = ("measurement", "studies", "level", "n", "coverage", "mean_width", "interval_score")
    text = markdown_table(
        head, [[shown(row[key]) if isinstance(row[key], float) else str(row[key]) for key in head] for row in rows]
    )
    (options.output / "figures.md").write_text(text + "\n", encoding="utf-8")
    print(text)


def read_nodule(entry: Mapping[str, Any], calibration: Calibration) -> dict[str, Any]:
    """Extents of the crop in mm, and the truth of each measurement. Args: entry: of the data list."""
    stored = nibabel.load(PREPARED / entry["image"])
    spacing = stored.header.get_zooms()
    grid = {"shape": stored.shape, "affine": stored.affine.tolist(), "spacing_source": "NIfTI header"}
    study = StoredStudy("", {"input": grid}, {"segmentation": np.zeros(stored.shape, np.uint8)})
    truth = calibration.truths.read(entry, PREPARED, study)[0]
    truths = {measurement.name: true_value(measurement, truth, study.result) for measurement in calibration.targets}
    about = {key: entry[key] for key in ("unit", "sha256", "stratum")}
    return about | {"extents": np.multiply(stored.shape, spacing), "truths": truths}


def fit(extents: Sequence[np.ndarray], volumes: Sequence[float]) -> Any:
    """Log volume as a linear function of log extents. Returns: from extents (n, 3) in mm to volumes, in their own unit."""
    model = LinearRegression().fit(np.log(extents), np.log(volumes))
    return lambda measured: np.exp(model.predict(np.log(measured)))


def check(
    measurement: Target, parts: Mapping[str, Sequence[dict[str, Any]]], predict: Any, calibration: Calibration,
    coverage: Coverage,
) -> list[dict[str, Any]]:  # fmt: skip
    """Figures of one measurement at each level, of one nodule a patient and of its groups."""
    rows = {part: rows_of(parts[part], measurement, predict) for part in ("calibration", "test")}
    record = fit_record((measurement.name,), first_line(rows["calibration"], calibration.seed)[0], calibration, SCORE)
    method, groups = Method(record, NAME), groups_of(*first_line(rows["test"], calibration.seed))
    return [
        {"measurement": measurement.name, "studies": group}
        | figures_of(method, members, level, coverage, MARGINAL, promised=number == 0)
        for number, (group, members) in enumerate(groups.items())
        for level in coverage.levels
    ]


def rows_of(nodules: Sequence[dict[str, Any]], measurement: Target, predict: Any) -> list[Row]:
    """A row a nodule, whose only draw is the value."""
    values = predict([nodule["extents"] for nodule in nodules]).tolist()
    about = [{key: nodule[key] for key in ("unit", "sha256", "stratum")} for nodule in nodules]
    return [
        (Case(study="", value=value, draws=(value,), truth=nodule["truths"][measurement.name], **facts),)
        for value, nodule, facts in zip(values, nodules, about, strict=True)
    ]


if __name__ == "__main__":
    main()
