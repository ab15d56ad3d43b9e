"""`caveat reference`: what gate and regions compare a study with, from images that the networks have seen."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..bundle_folders import find_bundle
from ..exit_status import ExitStatus
from ..reasons import StudyRefused
from .output_folder import make_folder
from .stated_path import stated_path
from .stored_predictions import add_run_and_list, check_run_and_list, refuse_other_bundle

FOLDER = "reference"


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "reference",
        help="for makers of bundles: what the gate compares an image with, from stored predictions of training images",
    )
    parser.add_argument("bundle", metavar="BUNDLE", help="name of a shipped bundle, or path of a bundle folder")
    parser.add_argument(
        "what",
        choices=tuple(MAKERS),
        help="features: where the encoder's features of training images lie, for the gate's distance; kind: limits beyond which "
        "an image is of another kind, as the bundle's kind.yaml says; covariance: of the errors of landmarks, for ellipses",
    )
    add_run_and_list(parser, "folder that caveat predict wrote, of one run", "data list")
    parser.add_argument(
        "--split",
        metavar="NAME",
        help="part of the list: images that trained the networks or stopped their training, none that calibrates or tests them "
        "(default: training; of kind early_stopping too, of covariance early_stopping alone)",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=stated_path,
        metavar="FOLDER",
        help=f"folder for it (default: OUT/{FOLDER}; the bundle looks into its own calibration/)",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Make one of them."""
    bundle = find_bundle(options.bundle)
    check_run_and_list(options)
    if options.output is None and os.path.islink(options.predictions / FOLDER):
        raise StudyRefused(
            "OUTPUT_OCCUPIED", f"{FOLDER} among the predictions is a link to another folder; name that one with -o"
        )
    from ..run_bundle import quieten_libraries

    quieten_libraries()
    refuse_other_bundle(options.predictions, bundle)
    return MAKERS[options.what](options, bundle, options.output or options.predictions / FOLDER)


def write_features(options: argparse.Namespace, bundle: Path, output: Path) -> int:
    """Write features.json. Raises: StudyRefused: as `build_reference`; OUTPUT_NOT_WRITABLE."""
    from ..inference.gate.reference import build_reference

    results, asked = seen_results(options, ("training",))
    reference = build_reference(results)
    make_folder(output)
    reference.write(output / "features.json")
    print(f"features of {reference.n} of {asked} images; {output / 'features.json'}")
    return ExitStatus.OK


def write_kind(options: argparse.Namespace, bundle: Path, output: Path) -> int:
    """Write limits of the kind of image. Raises: StudyRefused: WRONG_USAGE, and as `build_kind_limits`; OUTPUT_NOT_WRITABLE."""
    from ..inference.gate.kind_limits import build_kind_limits, read_kind_settings

    settings = read_kind_settings(bundle / "configs" / "kind.yaml")
    results, asked = seen_results(options, ("training", "early_stopping"))
    limits = build_kind_limits(results, settings)
    make_folder(output)
    limits.write(output / limits.file_name)
    for limit in limits.limits:
        print(f"another kind of image: {limit.name} {limit.direction} {limit.threshold:.4g}")
    print(f"limits of {limits.n} of {asked} images; {output / limits.file_name}")
    return ExitStatus.OK


def seen_results(options: argparse.Namespace, parts: Sequence[str]) -> tuple[list[dict[str, Any]], int]:
    """Stored results of the part that was named, or of `parts`. Returns: them; how many images the list has there.

    Raises:
        StudyRefused: as `refuse_held_out`, `results_by_sha256` and `refuse_other_spacing`.
    """
    from ..inference.calibration.calibration_part import refuse_held_out
    from ..inference.stored.list_part import read_entries, refuse_other_spacing, results_by_sha256

    parts = [options.split] if options.split else parts
    refuse_held_out(options.data, parts)
    entries = [entry for part in parts for entry in read_entries(options.data, part)]
    results = results_by_sha256(options.predictions, {entry["sha256"] for entry in entries})
    for entry in entries:
        if entry["sha256"] in results:
            refuse_other_spacing(entry, results[entry["sha256"]][1])
    return [result for _, result in results.values()], len(entries)


def write_covariance(options: argparse.Namespace, bundle: Path, output: Path) -> int:
    """Write the pooled covariance of landmarks. Raises: StudyRefused: WRONG_USAGE, and as `pool_errors`; OUTPUT_NOT_WRITABLE."""
    from ..inference.calibration.calibration_part import refuse_held_out
    from ..inference.calibration.pooled_covariance import pool_errors
    from ..inference.calibration.record_file import write_record
    from ..inference.calibration.settings import read_calibration
    from ..transforms.study.discover import data_root

    config = bundle / "configs" / "calibrate.yaml"
    settings = read_calibration(config) if config.is_file() else None
    if settings is None or not settings.of_landmarks:
        raise StudyRefused("WRONG_USAGE", "covariance is for bundles of landmarks")
    split = options.split or "early_stopping"
    refuse_held_out(options.data, [split])
    pooled = pool_errors(options.predictions, options.data, split, settings, data_root())
    make_folder(output)
    write_record(pooled, output / pooled.file_name)
    print(f"errors of {len(pooled.names)} landmarks in {pooled.n} images; {output / pooled.file_name}")
    return ExitStatus.OK


MAKERS = {"features": write_features, "kind": write_kind, "covariance": write_covariance}
