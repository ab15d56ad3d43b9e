"""`caveat check`: can these images be read, and if not, why; and what a reason code means."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..exit_status import ExitStatus
from ..reasons import REASONS, StudyRefused

if TYPE_CHECKING:
    from ..transforms.reader import Stated

TITLES = ("number", "name", "kind", "size", "spacing", "verdict")


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "check", help="check whether images can be read, without measuring them; or explain a reason code"
    )
    parser.add_argument("input", nargs="?", type=Path, metavar="INPUT", help="an image, or a folder that is searched through")
    parser.add_argument("--explain", metavar="CODE", help="print what a reason code means and what to do")
    parser.add_argument("--spacing", metavar="MM,...", help="pixel size for images that carry none (default: none, so pixels)")
    parser.add_argument(
        "--assume-orientation", action="store_true", help="accept NIfTI files that state no orientation (default: refuse them)"
    )
    parser.add_argument("--anonymous-names", action="store_true", help="number the images (default: name them after their files)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print a table with a row for each image, or explain one code."""
    if (options.explain is None) == (options.input is None):
        raise StudyRefused("WRONG_USAGE", "give INPUT, or --explain CODE")
    if options.explain is not None:
        return explain(options.explain)
    from ..transforms.discover import find_studies

    stated = read_stated(options)
    studies = find_studies(options.input, anonymous=options.anonymous_names)
    rows, codes = [], set()
    for study in studies:
        row, code = check_one(study, stated)
        rows.append(row)
        codes.add(code)
    print_table([TITLES, *rows])
    refused = sum(row[-1] != "ok" and not row[-1].startswith("ok, ") for row in rows)
    print(f"\n{len(rows) - refused} can be read, {refused} refused")
    for code in sorted(codes - {""}):
        print(f"\n{code}: {REASONS[code].meaning}\n  {REASONS[code].what_to_do}")
    return ExitStatus.OK


def explain(code: str) -> int:
    """Print one reason."""
    reason = REASONS.get(code.upper())
    if reason is None:
        print(f"caveat: no such reason code; there are {', '.join(sorted(REASONS))}", file=sys.stderr)
        return ExitStatus.USAGE
    print(f"{code.upper()}: {reason.meaning}\n\nhint: {reason.what_to_do}")
    return ExitStatus.OK


def read_stated(options: argparse.Namespace) -> Stated:
    """What the options say of images that do not say it themselves.

    Raises:
        StudyRefused: WRONG_USAGE.
    """
    from ..transforms.reader import Stated

    try:
        return Stated(tuple(float(part) for part in (options.spacing or "").split(",") if part), options.assume_orientation)
    except ValueError:
        raise StudyRefused("WRONG_USAGE", "--spacing expects numbers above zero, separated by commas") from None


def check_one(study: dict[str, Any], stated: Stated) -> tuple[tuple[str, ...], str]:
    """Check one study.

    Returns:
        Its row of the table, and the code it is refused with, "" where it is not.
    """
    from ..transforms.checks.intensity import refuse_constant
    from ..transforms.inspect_study import inspect_study

    start = (str(study["number"]), study["name"])
    try:
        found = inspect_study(study["image"], stated)
        refuse_constant(found.image.voxels)
    except StudyRefused as refusal:
        return (*start, "", "", "", str(refusal)), refusal.code
    except Exception as error:  # whatever one image raises, the next ones are checked; texts of libraries may quote the file
        return (*start, "", "", "", f"UNEXPECTED_ERROR: {type(error).__name__}"), "UNEXPECTED_ERROR"
    image = found.image
    channels = f", {len(image.voxels)} channels" if len(image.voxels) > 1 else ""
    size = " x ".join(str(length) for length in image.voxels.shape[1:]) + channels
    spacing = " x ".join(f"{length:.4g}" for length in image.spacing_mm or ())
    stated_as = f"{spacing} mm ({image.spacing_source})" if spacing else "unknown: pixels"
    return (*start, found.kind, size, stated_as, ", ".join(["ok", *image.flags])), ""


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as their longest cell; the last as long as it is."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(TITLES) - 1)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True)]
        print("  ".join(cells).rstrip())
