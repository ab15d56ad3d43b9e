"""`caveat calibrate`: records from stored predictions and truths."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..bundle_folders import find_bundle, read_metadata
from ..exit_status import ExitStatus
from ..reasons import StudyRefused
from .output_folder import make_folder
from .stated_path import stated_path
from .stored_predictions import add_run_and_list, check_run_and_list, refuse_other_bundle

if TYPE_CHECKING:
    from ..inference.calibration.seen import Seen
    from ..inference.calibration.settings import Calibration


DEFAULT_SETTINGS = "calibrate"


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "calibrate", help="make calibration records from stored predictions and the labels of a data list"
    )
    parser.add_argument(
        "bundle", metavar="BUNDLE", help="name of a shipped bundle, or path of a bundle folder; its calibrate.yaml is used"
    )
    add_run_and_list(parser, "folder that caveat predict wrote, of one run", "data list with labels and a unit for each image")
    parser.add_argument(
        "--split",
        metavar="NAME",
        help="part of the list (default: calibration; training for a record of cross-validation)",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=stated_path,
        metavar="FOLDER",
        help="folder for the records (default: OUT/records, with --settings NAME OUT/records_NAME)",
    )
    parser.add_argument(
        "--settings",
        default=DEFAULT_SETTINGS,
        metavar="NAME",
        help="which of the bundle's configs says how: score, sides, checks of the gate (default: calibrate, its calibrate.yaml)",
    )
    parser.add_argument(
        "--levels", metavar="L,...", help="levels that the records must serve, such as 0.5,0.8 (default: the bundle's)"
    )
    parser.add_argument(
        "--truth",
        metavar="WORDS",
        help='whose truth the labels are, in words that end a sentence: "as the neuroradiologist of our clinic outlines it"; '
        "bundle: as the bundle's own data have it (default: not stated, and every sentence says so)",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write one record a measurement, and print what they say."""
    bundle = find_bundle(options.bundle)
    config = bundle / "configs" / f"{Path(options.settings).name}.yaml"  # of the bundle alone: a config is code
    check_run_and_list(options)
    from ..run_bundle import quieten_libraries

    quieten_libraries()
    # Records of other settings do not replace those of the bundle's own.
    name = "records" if options.settings == DEFAULT_SETTINGS else f"records_{config.stem}"
    if options.output is None and os.path.islink(options.predictions / name):
        raise StudyRefused("OUTPUT_OCCUPIED", f"{name} among the predictions is a link to another folder; name that one with -o")
    output = options.output or options.predictions / name
    if not os.path.isfile(config):
        raise StudyRefused("WRONG_USAGE", f"the bundle has no {config.name}")
    refuse_other_bundle(options.predictions, bundle)
    from dataclasses import replace

    from ..inference.calibration.seen import read_seen
    from ..inference.calibration.settings import read_calibration
    from ..transforms.study.discover import data_root

    settings = read_calibration(config)
    if options.levels:
        try:
            settings = replace(settings, levels=read_levels(options.levels))
        except ValueError as error:  # a level at which cross-validation proves nothing
            raise StudyRefused("WRONG_USAGE", str(error)) from error
    return write_records(options, output, settings, data_root(), read_seen(bundle))


def write_records(options: argparse.Namespace, output: Path, settings: Calibration, dataset_dir: Path, seen: Seen) -> int:
    """Write a record for each target, promise and score, and print what they say."""
    from ..inference.calibration.calibrate import calibrate
    from ..inference.calibration.describe import describe
    from ..inference.calibration.record_file import write_record

    split = options.split or ("calibration" if settings.networks is None else "training")
    truth = whose_truth(options.truth, find_bundle(options.bundle))
    calibrated = calibrate(options.predictions, options.data, split, settings, dataset_dir, seen, truth)
    make_folder(output)
    for entry in calibrated:
        write_record(entry.record, output / entry.record.file_name)
    rows = [row for entry in calibrated for row in describe(entry.record, entry.rows)]
    print_table(rows)
    if bare := [entry.record.title for entry in calibrated if entry.record.empty_handed]:
        print(f"\nstrata with too few units give no region: {', '.join(bare)}")
    print(f"\ntruth: {truth}" + ("; say whose with --truth" if options.truth is None else ""))
    print(f"{len(calibrated)} records; {output}")
    return ExitStatus.OK


def whose_truth(said: str | None, bundle: Path) -> str:
    """Words for the record. Args: said: of the option. Raises: StudyRefused: WRONG_USAGE."""
    from ..inference.calibration.whose_truth import UNSTATED

    if said is None:
        return UNSTATED
    words = read_metadata(bundle).get("truth", "") if said == "bundle" else said.strip()
    if not words:
        raise StudyRefused("WRONG_USAGE", "--truth is empty, or the bundle's metadata state no truth")
    return words


def read_levels(text: str) -> tuple[float, ...]:
    """Levels separated by commas. Raises: StudyRefused: WRONG_USAGE."""
    try:
        levels = tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise StudyRefused("WRONG_USAGE", "--levels expects numbers separated by commas") from error
    if not all(0 < level < 1 for level in levels):
        raise StudyRefused("WRONG_USAGE", "--levels expects numbers between 0 and 1")
    return levels


def print_table(rows: list[dict[str, str]]) -> None:
    """Rows under their titles: units, and per level how wide intervals or regions are."""
    titles = list(dict.fromkeys(title for row in rows for title in row))
    widths = [max(len(title), *(len(row.get(title, "")) for row in rows)) for title in titles]
    for cells in (titles, *([row.get(title, "") for title in titles] for row in rows)):
        print("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip())
