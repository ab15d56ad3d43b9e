"""What the benchmarks of the bundles share: where things lie, steps, weights, and predictions that are made once."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from monai.bundle import ConfigParser

from caveat.bundle_folders import choose_configs
from caveat.inference.stored.list_part import read_entries
from caveat.networks.weights.pack_members import pack
from caveat.run_bundle import run_bundle
from caveat.transforms.study.discover import DATA_ROOT, studies_from_list

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("CAVEAT_DATA", DATA_ROOT))
LISTS = ROOT / "data_lists"
PREPARED = ROOT / "prepared"
CHECKPOINTS = Path(os.environ.get("CAVEAT_CHECKPOINTS", ROOT / "checkpoints"))
FOLDS = (1, 2, 3, 4, 5)
TRAINED = ("training", "early_stopping")
"""Parts that a network has seen."""
Studies = list[dict[str, Any]]
Seen = Sequence[str] | Mapping[str, Sequence[int]]
RESULT, SEGMENTATION, MAPS = (
    {"_target_": f"caveat.transforms.writers.{name}"}
    for name in ("result_json.ResultJsonWriter", "segmentation.SegmentationWriter", "maps.MapsWriter")
)
"""Writers of what tables read; reports and previews are left out."""


def step_parser(doc: str | None, steps: Iterable[str], bundle: str | None = None) -> argparse.ArgumentParser:
    """A command of one step. Args: doc: of the module. bundle: default of an option --bundle, None for no option."""
    parser = argparse.ArgumentParser(description=str(doc).splitlines()[0])
    parser.add_argument("step", choices=tuple(steps))
    if bundle is not None:
        parser.add_argument("--bundle", default=bundle, help=f"name or folder (default: {bundle})")
    return parser


def parsed_bundle(bundle: Path, sampler: str | None, overrides: Mapping[str, Any]) -> ConfigParser:
    """Args: bundle: its folder. sampler: None for the bundle's own. overrides: of entries of the config, by their id."""
    config = ConfigParser()
    config.read_config([str(path) for path in choose_configs(bundle, sampler)])
    config.read_meta(str(bundle / "configs" / "metadata.json"))
    config.update({"bundle_root": str(bundle), **overrides})
    return config


def studies_of(data_list: Path, parts: Iterable[str], **more: Any) -> Studies:
    """The studies of several parts of a list. Args: more: see `studies_from_list`."""
    return [study for part in parts for study in studies_from_list(data_list, part, **more)]


def predict(bundle: Path, out: Path, studies: Studies, sampler: str | None, writers: Sequence[Any], **overrides: Any) -> None:
    """Predict into a folder on the CPU, unless every study stands there already, and print the counts.

    Args:
        bundle: its folder. out: folder below `ROOT`.
        studies: entries of a data list. sampler: None for the bundle's own.
        writers: of what the tables read. overrides: of further entries of the bundle's config.
    """
    if all((out / study["name"] / "result.json").is_file() for study in studies):
        return
    overrides |= {"datalist": studies, "output_dir": out, "resume": True, "device": "$torch.device('cpu')", "writers": [*writers]}
    counts, _ = run_bundle(bundle, choose_configs(bundle, sampler), overrides)
    print(out.relative_to(ROOT), counts, flush=True)


def pack_weights(bundle: Path, trainings: Iterable[Path], file: str = "model.pt", **more: str) -> None:
    """The best networks of some trainings into a file of the bundle, and print its sha256. Args: more: the prefix of `pack`."""
    (bundle / "models").mkdir(exist_ok=True)
    best = [training / "best.pt" for training in trainings]
    there = all(path.is_file() for path in best)
    print(file, pack(best, bundle / "models" / file, **more) if there else "not trained")


def weights_of(training: Path, folder: Path, **more: str) -> dict[str, str]:
    """The best network of one training as overrides of a bundle's config. Args: folder: gets the file. more: as above."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / f"{training.name}.pt"
    return {"weights_path": str(weights), "weights_sha256": pack([training / "best.pt"], weights, **more)}


def write_seen(bundle: Path, seen: Seen) -> None:
    """What `seen.json` says of the bundle's networks: the images, or which networks have seen each, counted from 0."""
    (bundle / "calibration").mkdir(exist_ok=True)
    text = json.dumps(sorted(seen) if isinstance(seen, Sequence) else seen, indent=1, sort_keys=True) + "\n"
    (bundle / "calibration" / "seen.json").write_text(text, encoding="utf-8")


def images_of(data_list: Path, parts: Iterable[str] = TRAINED) -> list[str]:
    """sha256 of the images of some parts of a list."""
    return [entry["sha256"] for part in parts for entry in read_entries(data_list, part)]


def seen_by_fold(lists: Iterable[Path], parts: Iterable[str] = TRAINED) -> dict[str, list[int]]:
    """Which fold networks have seen each image. Args: lists: of the folds, in the order of the networks."""
    seen: dict[str, list[int]] = {}
    for network, data_list in enumerate(lists):
        for sha256 in images_of(data_list, parts):
            seen.setdefault(sha256, []).append(network)
    return seen
