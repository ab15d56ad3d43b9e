"""The table of the retinal bundle's docs, from stored predictions and the observers' masks.

    python benchmarks/retinal_vessels_table.py --predictions out/retinal_vessels -o out/retinal_vessels_table

writes table.md (means with intervals, Dice of each image), single_values.md (each image's value behind every mean) and table.json
(everything). Methods and groups stand in retinal_vessels_table.yaml; a method that is not there whole stands in the table as
"not predicted". CAVEAT_DATA names the folder of the data sets (default ../shared/data).
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from frame import DATA

from caveat.bundle_folders import find_bundle
from caveat.inference.evaluation.evaluate import (
    PREDICTION,
    Evaluation,
    Metric,
    evaluate,
    mean_over_units,
    score_over_studies,
    summarise,
)
from caveat.inference.evaluation.evaluation_config import read_evaluation
from caveat.inference.evaluation.evaluation_files import interval, plain
from caveat.inference.evaluation.markdown import markdown_table, shown
from caveat.inference.figures.error_finding import ONE_MINUS_LARGEST
from caveat.inference.metrics.error_detection import finds_errors, one_minus_largest
from caveat.inference.metrics.terciles import TERCILES
from caveat.inference.metrics.thin_vessels import CONTRAST
from caveat.inference.stored.stored_study import StoredStudy, read_map, read_results
from caveat.inference.stored.truths import Truth

OBSERVERS = ("observer 1", "observer 2")
FOLDS = range(7)
FINDS = "AUROC for wrong pixels, "
OF_ONE_NETWORK = f"{FINDS}1 - max p of the one network"
MAPS = (ONE_MINUS_LARGEST, "entropy", "expected_entropy", "mutual_information", "variance")
THIN, ALL, WIDTH = "vessels up to 2 pixels wide", "all vessels", "drawn less true width, pixels"


def calibration_columns(region: str) -> dict[str, str]:
    """Heads and metrics of both calibration errors, for both kinds, and of the Brier score."""
    columns = {}
    for kind in ("foreground", "top label"):
        columns[f"expected, {kind}"] = f"expected calibration error, equal-width, 15 bins, {kind}, {region}"
        columns[f"adaptive, {kind}"] = f"adaptive calibration error, equal-mass, 15 bins, {kind}, {region}"
    return columns | {"Brier score": f"Brier score, {region}"}


SEGMENTATION = {name: name for name in ("Dice", "sensitivity", "specificity", "AUC")}
SECTIONS: list[tuple[str, str, dict[str, str]]] = [
    *(("Segmentation", observer, SEGMENTATION) for observer in OBSERVERS),
    *(
        (
            f"Calibration error in the {region} (expected: equal-width, adaptive: equal-mass, 15 bins)",
            "observer 1",
            calibration_columns(region),
        )
        for region in ("field of view", "band around vessels")
    ),
    (
        "AUROC of each map for the method's own wrong pixels",
        "observer 1",
        {name: FINDS + name for name in MAPS} | {"1 - max p of the one network": OF_ONE_NETWORK},
    ),
    ("Risk-coverage area over pixels, risk: wrong", "observer 1", {name: f"AURC over pixels, {name}" for name in MAPS}),
    (
        "Recall of thin vessels (1 to 2 pixels wide) by third of the entropy on their centre line",
        "observer 1",
        {"centre-line pixels": f"{THIN}: centre-line pixels", "recall": f"{THIN}: recall"}
        | {f"{third} third": f"{THIN}: recall, {third} tercile of entropy" for third in (*TERCILES, CONTRAST)},
    ),
    (
        "Drawn less true width, pixels, along all vessels found, by third of the entropy",
        "observer 1",
        {"all": f"{ALL}: {WIDTH}"}
        | {f"{third} third": f"{ALL}: {WIDTH}, {third} tercile of entropy" for third in (*TERCILES, CONTRAST)},
    ),
    (
        "Vessel area as a share of the truth, and field of view",
        "observer 1",
        {
            "bias": "vessel area: error, share of the truth",
            "absolute error": "vessel area: absolute error",
            "truth within the draws' range": "vessel area: truth within the range of the draws",
            "Dice of the field of view": "Dice of the field of view found",
        },
    ),
]


def main() -> None:
    """Score every run, write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--predictions", type=Path, required=True, help="folder of the runs' folders")
    parser.add_argument("--runs", type=Path, default=Path(__file__).with_suffix(".yaml"))
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    settings = read_evaluation(find_bundle("retinal_vessels") / "configs" / "evaluate.yaml")
    groups = yaml.safe_load(options.runs.read_text(encoding="utf-8"))["groups"]
    scored = {group["title"]: score_group(group, options.predictions, settings) for group in groups}
    table = "\n\n".join(group_text(title, methods, settings) for title, methods in scored.items()) + "\n"
    singles = "\n\n".join(f"## {title}\n\n{single_values(methods)}" for title, methods in scored.items()) + "\n"
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "table.json").write_text(json.dumps(plain(scored), indent=1) + "\n", encoding="utf-8")
    (options.output / "table.md").write_text(table, encoding="utf-8")
    (options.output / "single_values.md").write_text(singles, encoding="utf-8")
    print(table)


def score_group(group: Mapping[str, Any], root: Path, settings: Evaluation) -> dict[str, Any]:
    """Rows, means and figures over studies of every method; None for one that is not there whole. Args: group: of the YAML."""
    folders = {name: [root / f"{begins}_fold{fold}" for fold in FOLDS] for name, begins in group["methods"].items()}
    single = [folder for folder in next(iter(folders.values())) if folder.is_dir()]
    settings = dataclasses.replace(settings, metrics=[*settings.metrics, one_network_metric(single)])
    there = {name: all(folder.is_dir() for folder in runs) for name, runs in folders.items()}
    units = group.get("units")
    return {name: score_method(runs, root, units, settings) if there[name] else None for name, runs in folders.items()}


def score_method(runs: Sequence[Path], root: Path, units: Sequence[str] | None, settings: Evaluation) -> dict[str, Any]:
    """All folds of one method, merged. Args: root: with the folds' lists. units: that count; None for all."""
    tables = [evaluate(run, root / f"fold{fold}.json", "test", settings, DATA) for fold, run in zip(FOLDS, runs, strict=True)]
    rows = sorted((row for table in tables for row in table.rows), key=lambda row: row["study"])
    rows = [row for row in rows if units is None or row["unit"] in units]
    return {
        "sources": [table.source for table in tables],
        "left_out": [row for table in tables for row in table.left_out],
        "rows": rows,
        "means": summarise(rows, settings),
        "over_studies": score_over_studies(rows, settings),
    }


def one_network_metric(folders: Sequence[Path]) -> Metric:
    """A metric: how well the one network's 1 - max p finds the wrong pixels of the method at hand, on the same images."""
    found = {result["input"].get("sha256"): folder for root in folders for folder, result in read_results(root).items()}

    def metric(study: StoredStudy, truth: Truth) -> dict[str, float]:
        folder = found.get(study.result["input"]["sha256"]) if study.result else None
        if folder is None or not (folder / "probability.tif").is_file():
            return {}
        values = one_minus_largest(read_map(folder / "probability.tif")[0])
        return {OF_ONE_NETWORK: finds_errors(values, study.mask, truth.mask, truth.region)["auroc"]}

    return metric


def group_text(title: str, methods: Mapping[str, Any], settings: Evaluation) -> str:
    """All tables of one group of runs."""
    done = [scored for scored in methods.values() if scored]
    if not done:
        return f"## {title}\n\nNot predicted."
    units = {row["unit"] for row in done[0]["rows"]}
    parts = [
        f"## {title}",
        f"{len(studies_of(methods))} images of {len(units)} children; mean over images, {settings.level:.0%} interval",
    ]
    parts[-1] += " by bootstrap over the children in brackets."
    for name, scored in methods.items():
        parts += [f"{name}: entry {row['entry']} is left out, {row['code']}." for row in (scored or {}).get("left_out", [])]
    for section, against, columns in SECTIONS:
        parts += [f"### {section}, against {against}", section_table(methods, against, columns)]
    parts += ["### Dice of each image, against observer 1", each_image(methods, "observer 1", "Dice")]
    parts += ["### Telling poor studies by their pooled pairwise Dice, risk 1 - Dice, against observer 1", studies_table(methods)]
    return "\n\n".join([*parts, "### The best map against 1 - max p of the one network", child_by_child(methods, settings)])


def studies_of(methods: Mapping[str, Any]) -> list[str]:
    """Names of the studies of the first method that was predicted."""
    done = next((scored for scored in methods.values() if scored), None)
    return list(dict.fromkeys(row["study"] for row in done["rows"])) if done else []


def readings(methods: Mapping[str, Any], against: str) -> dict[str, dict[str, dict[str, Any]] | None]:
    """Means by metric of every method, and of the other observers on the same images."""
    out = {name: scored and means_of(scored, PREDICTION, against) for name, scored in methods.items()}
    done = next((scored for scored in methods.values() if scored), None)
    return out | {rater: means for rater in OBSERVERS if done and (means := means_of(done, rater, against))}


def means_of(scored: Mapping[str, Any], reading: str, against: str) -> dict[str, dict[str, Any]]:
    """Mean entries by metric."""
    return {row["metric"]: row for row in scored["means"] if (row["reading"], row["against"]) == (reading, against)}


def section_table(methods: Mapping[str, Any], against: str, columns: Mapping[str, str]) -> str:
    """Mean and interval of some metrics, a row per method."""
    rows = []
    for name, means in readings(methods, against).items():
        if means is None:
            rows.append([name, "not predicted", *["-"] * (len(columns) - 1)])
        elif any(metric in means for metric in columns.values()):
            rows.append([name, *(cell(means.get(metric)) for metric in columns.values())])
    return markdown_table(["method", *columns], rows)


def cell(entry: Mapping[str, Any] | None) -> str:
    """Mean with interval (none for a single child), or "-"."""
    if not entry or not entry["n"]:
        return "-"
    return shown(entry["mean"]) if math.isnan(entry["lower"]) else f"{shown(entry['mean'])} ({interval(entry)})"


def each_image(methods: Mapping[str, Any], against: str, metric: str) -> str:
    """One metric, a row per method and a column per image."""
    rows = {name: means[metric]["values"] for name, means in readings(methods, against).items() if means and metric in means}
    return markdown_table(["method", *studies_of(methods)], [[name, *map(shown, values)] for name, values in rows.items()])


def single_values(methods: Mapping[str, Any]) -> str:
    """The single points behind all means."""
    lines = [f"In the order {', '.join(studies_of(methods))}."]
    for section, against, columns in SECTIONS:
        lines += ["", f"### {section}, against {against}", ""]
        for head, metric in columns.items():
            for name, means in readings(methods, against).items():
                if means and metric in means and means[metric]["n"]:
                    lines.append(f"- {head}, {name}: {' '.join(map(shown, means[metric]['values']))}")
    return "\n".join(lines)


def studies_table(methods: Mapping[str, Any]) -> str:
    """Risk-coverage area over studies, beside what a score without knowledge gets."""
    rows = []
    for name, scored in methods.items():
        entries = [entry["metrics"] for entry in (scored or {}).get("over_studies", []) if entry["against"] == "observer 1"]
        rows += [[name, *map(shown, metrics.values())] for metrics in entries]
    return markdown_table(["method", "AURC", "E-AURC", "AURC without knowledge"], rows)


def child_by_child(methods: Mapping[str, Any], settings: Evaluation) -> str:
    """Does a method's best map find wrong pixels better than the one network's 1 - max p?

    The best map is the one with the largest mean AUROC over these images: a description of them, not a choice for others.
    """
    single, *others = methods.items()
    lines = [
        "Mean difference of AUROC with its interval. The best map is chosen on these images: the difference is rather too large.",
        "",
    ]
    for name, scored in others:
        if scored and single[1]:
            lines += compare_by_child(name, by_image(scored), by_image(single[1]), settings)
    return "\n".join(lines)


def by_image(scored: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Rows of the predictions against observer 1 by the image's sha256."""
    return {row["sha256"]: row for row in scored["rows"] if (row["reading"], row["against"]) == (PREDICTION, "observer 1")}


def compare_by_child(name: str, own: Mapping[str, Any], single: Mapping[str, Any], settings: Evaluation) -> list[str]:
    """Two lines, each on its own wrong pixels and both on the method's, with the children on which the map is not better."""
    pairs = [(own[sha256], single[sha256]) for sha256 in own if sha256 in single]
    best = max(MAPS, key=lambda map_name: sum(row["metrics"][FINDS + map_name] for row, _ in pairs))
    sides = {
        "each on its own wrong pixels": [other["metrics"][FINDS + ONE_MINUS_LARGEST] for _, other in pairs],
        "both on the method's wrong pixels": [row["metrics"][OF_ONE_NETWORK] for row, _ in pairs],
    }
    lines = []
    for side, references in sides.items():
        differences = [
            (row["metrics"][FINDS + best] - value, row["unit"]) for (row, _), value in zip(pairs, references, strict=True)
        ]
        mean = mean_over_units(differences, settings)
        by_child = {
            child: mean_over_units([pair for pair in differences if pair[1] == child], settings) for _, child in differences
        }
        worse = [f"{child} ({entry['mean']:+.4f})" for child, entry in by_child.items() if entry["mean"] <= 0]
        verdict = f"not better on {', '.join(worse)}" if worse else f"better on every one of {len(by_child)} children"
        lines.append(f"- {name}, {best}, {side}: {mean['mean']:+.4f} ({interval(mean)}), {verdict}.")
    return lines


if __name__ == "__main__":
    main()
