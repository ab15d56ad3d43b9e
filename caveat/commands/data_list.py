"""`caveat list`: a data list from folders, or a check of one."""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..exit_status import ExitStatus
from ..reasons import StudyRefused
from ..transforms.files.whole_file import write_text
from .channel_names import add_channel_names, channel_names
from .stated_path import stated_input, stated_path

if TYPE_CHECKING:
    from ..listing.annotated import Annotated

TRAINING = "training"
PARTS = "training=0.6,early_stopping=0.1,calibration=0.15,test=0.15"


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser("list", help="make a data list from folders of images and masks, or check one")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "-i", "--input", type=stated_input, metavar="IMAGES", help="folder of images, searched through; DICOM studies too"
    )
    what.add_argument(
        "--monai-label",
        type=stated_input,
        metavar="STUDIES",
        help="datastore of `caveat label`: its final labels; those that may serve no promise go into the part training",
    )
    add_channel_names(parser)
    what.add_argument("--check", type=stated_input, metavar="LIST", help="look through a data list instead of making one")
    parser.add_argument(
        "--labels",
        type=stated_input,
        action="append",
        default=[],
        metavar="FOLDER",
        help="folder of masks named like their images; again for a further rater",
    )
    parser.add_argument(
        "--points",
        type=stated_input,
        metavar="FOLDER",
        help="folder of tables of landmarks named like their images: CSV with the columns rater, name, axis0, axis1",
    )
    unit = parser.add_mutually_exclusive_group()
    unit.add_argument(
        "--unit", metavar="PATTERN", help="regular expression that finds the patient in a file's place, such as '(sub-[0-9]+)'"
    )
    unit.add_argument(
        "--units", type=stated_input, metavar="CSV", help="table with the columns image (place below IMAGES) and unit"
    )
    parser.add_argument("--parts", default=PARTS, metavar="NAME=SHARE,...", help=f"shares of the units (default: {PARTS})")
    parser.add_argument("--folds", type=int, metavar="K", help="also state a fold, from 0, for each unit of the part training")
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="of parts and folds, which depend on it and the units' names alone (default: 0)",
    )
    parser.add_argument(
        "--root",
        type=stated_input,
        metavar="FOLDER",
        help="what the list's paths start from (default: CAVEAT_DATA; where that is not set IMAGES, with --check ../shared/data)",
    )
    parser.add_argument("-o", "--output", type=stated_path, metavar="LIST", help="file to write")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write or check a list, and say what can be done with it."""
    from ..transforms.study.discover import DATA_ROOT

    if options.check is not None:
        return check(options.check, root_of(options, Path(DATA_ROOT)))
    if options.output is None:
        raise StudyRefused("WRONG_USAGE", "-o says where the list is written")
    if os.path.lexists(options.output):
        raise StudyRefused("WRONG_USAGE", "the file to write is there already; a list is fixed once")
    parts, drawn = make(options)
    try:
        write_text(options.output, json.dumps(parts | drawn, indent=1) + "\n")
    except OSError as error:
        raise StudyRefused("OUTPUT_NOT_WRITABLE") from error
    if options.unit is None and options.units is None:
        print("each image counts as a unit of its own: where patients have several, say which by --unit or --units\n")
    root = root_of(options, options.input or options.monai_label)
    print(f"its paths start from {root.resolve()}, which CAVEAT_DATA has to name when it is used\n")
    return tell(parts, root)


def root_of(options: argparse.Namespace, otherwise: Path) -> Path:
    """What the list's paths start from."""
    return options.root or Path(os.environ.get("CAVEAT_DATA", otherwise))


def make(options: argparse.Namespace) -> tuple[dict[str, list[dict[str, Any]]], dict[str, Any]]:
    """The list that the options ask for. Returns: its parts; how its units were drawn, where a server of annotations knows it."""
    from ..inference.audit.how_drawn import KEY
    from ..listing.entries import entries_of, images_in, labels_in, name_of, points_in
    from ..listing.parts import fold_of_each, part_of_each
    from ..listing.units import units_by_pattern, units_by_table

    shares = read_shares(options.parts)
    found = None if options.monai_label is None else saved(options)
    home = options.input or options.monai_label
    images = images_in(options.input, channel_names(options)) if found is None else [one.image for one in found]
    names = [name_of(image, home) for image in images]
    if options.units is not None:
        units = units_by_table(names, options.units)
    else:
        units = names if options.unit is None else units_by_pattern(names, options.unit)
    raters = [labels_in(folder) for folder in options.labels] if found is None else [[one.label for one in found]]
    trained_on = {unit for unit, one in zip(units, found or ()) if one.why_not}
    part_of = dict.fromkeys(trained_on, TRAINING)
    if set(units) - trained_on:
        part_of |= part_of_each(set(units) - trained_on, shares, options.seed)
    points = None if options.points is None else points_in(options.points)
    entries = entries_of(images, raters, units, root_of(options, home), points)
    shares = shares if TRAINING in shares or not trained_on else {TRAINING: 0.0, **shares}
    parts = {part: [entry for entry in entries if part_of[entry["unit"]] == part] for part in shares}
    if options.folds is not None:
        trained = parts.get("training", [])
        fold_of = fold_of_each([entry["unit"] for entry in trained], options.folds, options.seed)
        parts["training"] = [entry | {"fold": fold_of[entry["unit"]]} for entry in trained]
    ways = {one.drawn for unit, one in zip(units, found or ()) if unit not in trained_on}
    return parts, ({KEY: {"units": "random" if "random" in ways else "consecutive", "blind": True}} if ways else {})


def saved(options: argparse.Namespace) -> list[Annotated]:
    """The labels of a datastore, and how many of them may serve no promise. Raises: StudyRefused: WRONG_USAGE."""
    from ..listing.annotated import annotated

    if options.labels:
        raise StudyRefused("WRONG_USAGE", "--monai-label has labels of its own")
    found = annotated(options.monai_label)
    if not found:
        raise StudyRefused("NO_TRUTH", "no image of the datastore has a final label")
    for why, count in Counter(one.why_not for one in found if one.why_not).items():
        print(f"{count} of {len(found)} may serve no record and no audit, and go into {TRAINING}: {why}")
    return found


def check(data_list: Path, root: Path) -> int:
    """Print what is wrong with a list, and what it can be used for."""
    from ..inference.audit.how_drawn import KEY
    from ..transforms.study.data_list import read_list, read_part

    return tell({part: read_part(data_list, part, ()) for part in read_list(data_list) if part != KEY}, root)


def tell(parts: Mapping[str, Sequence[Mapping[str, Any]]], root: Path) -> int:
    """Print a line a part and a line a problem. Returns: FAILED where there is a problem."""
    from ..listing.check import problems_of, promises_of

    for part, entries in parts.items():
        units = len({str(entry.get("unit")) for entry in entries})
        labelled = sum(bool(entry.get("label")) for entry in entries)
        placed = sum(bool(entry.get("points")) for entry in entries)
        told = f"{placed} with landmarks" if placed and not labelled else f"{labelled} with labels"
        promise = f"; {promises_of(units)}" if part == "calibration" else ""
        print(f"{part}: {len(entries)} images of {units} units, {told}{promise}")
    problems = problems_of(parts, root)
    for problem in problems:
        print(f"{problem.part} {problem.number}: {problem.what}")
    print(f"\n{len(problems)} problems" if problems else "\nno problem found")
    return ExitStatus.FAILED if problems else ExitStatus.OK


def read_shares(text: str) -> dict[str, float]:
    """Shares by part. Raises: StudyRefused: WRONG_USAGE."""
    try:
        pairs = [part.split("=") for part in text.split(",")]
        return {name.strip(): float(share) for name, share in pairs}
    except ValueError:
        raise StudyRefused("WRONG_USAGE", "--parts expects NAME=SHARE, separated by commas") from None
