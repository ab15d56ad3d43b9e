"""`caveat train`: a bundle's network on a data list of one's own."""

from __future__ import annotations

import argparse
import os
import traceback
from pathlib import Path
from typing import Any

from ..bundle_folders import find_bundle
from ..devices import check_device
from ..exit_status import ExitStatus, RunFailed
from ..reasons import StudyRefused
from .stated_path import stated_input, stated_path


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser("train", help="train a bundle's network on a data list")
    parser.add_argument(
        "bundle", metavar="BUNDLE", help="name of a shipped bundle, or path of a bundle folder; its train.yaml is used"
    )
    parser.add_argument(
        "--data", type=stated_input, required=True, metavar="LIST", help="data list with the parts training and early_stopping"
    )
    parser.add_argument(
        "--root",
        type=stated_input,
        metavar="FOLDER",
        help="what the list's paths start from (default: CAVEAT_DATA, or what the bundle's train.yaml names)",
    )
    parser.add_argument(
        "-o", "--output", type=stated_path, required=True, metavar="FOLDER", help="folder for budget and checkpoints"
    )
    parser.add_argument(
        "--fold", type=int, metavar="K", help="leave out the entries that state this fold (default: train on all)"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on where a training in this folder was stopped, if there is one"
    )
    parser.add_argument("--start", type=stated_input, metavar="CHECKPOINT", help="begin with the network of an earlier training")
    parser.add_argument("--seed", type=int, metavar="N", help="of weights, augmentation and order (default: 0)")
    for name, what in (("epochs", "epochs"), ("iterations", "steps of an epoch"), ("batch", "windows of a step")):
        parser.add_argument(f"--{name}", type=int, metavar="N", help=f"{what} (default: the bundle's budget)")
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="auto takes CUDA where there is one (default)"
    )
    parser.add_argument(
        "--overlay",
        action="append",
        default=[],
        metavar="NAME",
        help="of the bundle's train_NAME.yaml: another sampler or budget",
    )
    parser.add_argument("--verbose", action="store_true", help="where settings are wrong, show which: the whole traceback")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Train, and say where the network is."""
    bundle = find_bundle(options.bundle)
    overlays = [f"train_{Path(name).name}" for name in options.overlay]
    check_usage(options, bundle, overlays)
    check_device(options.device)
    from ..train_bundle import train_bundle

    try:
        best = train_bundle(bundle, overlays, overrides(options))
    except (StudyRefused, RunFailed):
        raise
    except Exception as error:
        if options.verbose:
            traceback.print_exception(error)
        raise
    print(f"best network: {best}")
    return ExitStatus.OK


def check_usage(options: argparse.Namespace, bundle: Path, overlays: list[str]) -> None:
    """What can be said to be wrong before any library is loaded. Raises: StudyRefused: WRONG_USAGE."""
    for config in ("train", *overlays):
        if not os.path.isfile(bundle / "configs" / f"{config}.yaml"):
            raise StudyRefused("WRONG_USAGE", f"this bundle has no {config}.yaml")
    if not options.data.is_file():
        raise StudyRefused("WRONG_USAGE", "--data names no file")
    if options.root is not None and not options.root.is_dir():
        raise StudyRefused("WRONG_USAGE", "--root names no folder")
    if options.start is not None and not options.start.is_file():
        raise StudyRefused("WRONG_USAGE", "--start names no file")
    for name in ("epochs", "iterations", "batch"):
        stated = getattr(options, name)
        if stated is not None and stated < 1:
            raise StudyRefused("WRONG_USAGE", f"--{name} must be at least 1, got {stated}")
    if not options.resume and options.output.is_dir() and any(options.output.iterdir()):
        raise StudyRefused("WRONG_USAGE", "the output folder is not empty; name another, or go on in it with --resume")


def overrides(options: argparse.Namespace) -> dict[str, Any]:
    """What the options change in the bundle's config; what was not said is not changed."""
    import torch

    root = options.root or (Path(os.environ["CAVEAT_DATA"]) if "CAVEAT_DATA" in os.environ else None)
    said = {
        "list_file": options.data,
        "dataset_dir": root,
        "ckpt_dir": options.output,
        "fold": options.fold,
        "start": options.start,
        "seed": options.seed,
        "epochs": options.epochs,
        "iterations": options.iterations,
        "batch": options.batch,
        "device": None if options.device == "auto" else torch.device(options.device),
    }
    return {key: value for key, value in said.items() if value is not None}
