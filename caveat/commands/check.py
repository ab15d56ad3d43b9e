"""`caveat check`: can these images be read, and if not, why; and what a reason code means."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..exit_status import ExitStatus
from ..reasons import REASONS, StudyRefused
from ..say import say
from .channel_names import add_channel_names, channel_names
from .stated_path import stated_input, stated_path

if TYPE_CHECKING:
    from ..transforms.image.study_image import Stated

PICTURE_AXES = 2
TITLES = ("number", "name", "series", "kind", "size (x, y, z)", "spacing (x, y, z)", "verdict")
Row = tuple[str, ...]
Length = TypeVar("Length", int, float)


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "check", help="check whether images can be read, without measuring them; or explain a reason code"
    )
    parser.add_argument(
        "input", nargs="?", type=stated_input, metavar="INPUT", help="an image, or a folder that is searched through"
    )
    add_channel_names(parser)
    parser.add_argument("--explain", metavar="CODE", help="print what a reason code means and what to do")
    parser.add_argument("--spacing", metavar="MM,...", help="pixel size for images that carry none (default: none, so pixels)")
    parser.add_argument(
        "--assume-orientation", action="store_true", help="accept NIfTI files that state no orientation (default: refuse them)"
    )
    parser.add_argument("--allow-gaps", action="store_true", help="interpolate missing slices of a DICOM series, flagged")
    parser.add_argument("--allow-tilt", action="store_true", help="resample a DICOM series taken with a tilted gantry, flagged")
    parser.add_argument("--anonymous-names", action="store_true", help="number the images (default: name them after their files)")
    parser.add_argument(
        "--key",
        type=stated_path,
        metavar="FOLDER",
        help="write key.csv there: which number is which file (DICOM files are named nowhere else)",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print a table with a row for each image and each DICOM series, or explain one code."""
    if (options.explain is None) == (options.input is None):
        raise StudyRefused("WRONG_USAGE", "give INPUT, or --explain CODE")
    if options.explain is not None:
        return explain(options.explain)
    from ..transforms.output.key_file import write_key
    from ..transforms.study.discover import find_studies

    stated = read_stated(options)
    studies = find_studies(options.input, options.anonymous_names, channel_names(options))
    if options.key is not None:
        write_key(options.key, studies)
    checked = [row for study in studies for row in check_one(study, stated)]
    print_table([TITLES, *(row for row, _ in checked)])
    codes = [code for _, code in checked]
    print(f"\n{codes.count('')} can be read, {len(codes) - codes.count('')} refused")
    for code in sorted({*codes} - {""}):
        print(f"\n{code}: {REASONS[code].meaning}\n  {REASONS[code].what_to_do}")
    return ExitStatus.OK


def explain(code: str) -> int:
    """Print one reason."""
    reason = REASONS.get(code.upper())
    if reason is None:
        say(f"caveat: no such reason code; there are {', '.join(sorted(REASONS))}")
        return ExitStatus.USAGE
    print(f"{code.upper()}: {reason.meaning}\n\nhint: {reason.what_to_do}")
    return ExitStatus.OK


def read_stated(options: argparse.Namespace) -> Stated:
    """What the options say of images that do not say it themselves.

    Raises:
        StudyRefused: WRONG_USAGE.
    """
    from ..transforms.image.study_image import Stated

    try:
        spacing = tuple(float(part) for part in (options.spacing or "").split(",") if part)
        return Stated(spacing, options.assume_orientation, None, options.allow_gaps, options.allow_tilt)
    except ValueError:
        raise StudyRefused("WRONG_USAGE", "--spacing expects numbers above zero, separated by commas") from None


def check_one(study: dict[str, Any], stated: Stated) -> list[tuple[Row, str]]:
    """Check one study.

    Returns:
        Its row of the table, or one for each series of a DICOM study, and the code it is refused with, "" where it is not.
    """
    start = (str(study["number"]), study["name"])
    try:
        return [((*start, *row), code) for row, code in _rows(study["image"], stated)]
    except StudyRefused as refusal:
        return [((*start, "", "", "", "", str(refusal)), refusal.code)]
    except Exception as error:  # whatever one image raises, the next ones are checked; texts of libraries may quote the file
        return [((*start, "", "", "", "", f"UNEXPECTED_ERROR: {type(error).__name__}"), "UNEXPECTED_ERROR")]


def _rows(image: str | list[str], stated: Stated) -> Iterator[tuple[Row, str]]:
    """Series, kind, size, spacing, verdict; and the code."""
    from ..transforms.checks.intensity import refuse_constant
    from ..transforms.dicom.describe import describe_study
    from ..transforms.study.inspect_study import dicom_files, inspect_study

    files = dicom_files([Path(path) for path in ([image] if isinstance(image, str) else image)])
    for row in describe_study(files, stated) if files else ():
        kind = " ".join(part for part in (row.kind, row.outline.modality, row.outline.orientation) if part)
        lengths = None if row.spacing_mm is None else _columns_first(row.spacing_mm)
        spacing = "" if row.code and lengths is None else _spacing(lengths, row.spacing_source)
        yield (str(row.number), kind, _times(row.outline.size), spacing, row.verdict), row.code
    if not files:
        found = inspect_study(image, stated)
        refuse_constant(found.image.voxels)
        channels = f", {len(found.image.voxels)} channels" if len(found.image.voxels) > 1 else ""
        size = _times(_columns_first(found.image.voxels.shape[1:])) + channels
        lengths = None if found.image.spacing_mm is None else _columns_first(found.image.spacing_mm)
        spacing = _spacing(lengths, found.image.spacing_source)
        yield ("", found.kind, size, spacing, ", ".join(["ok", *found.image.flags])), ""


def _columns_first(lengths: Sequence[Length]) -> Sequence[Length]:
    """In the order of volumes, x, y, z, also those of a picture: of rows, of columns. Args: lengths: one an axis."""
    return lengths if len(lengths) != PICTURE_AXES else lengths[::-1]


def _times(size: Sequence[int]) -> str:
    return " x ".join(str(length) for length in size)


def _spacing(spacing_mm: Sequence[float] | None, source: str) -> str:
    if spacing_mm is None:
        return "unknown: pixels"
    numbers = " x ".join(f"{length:.4g}" for length in spacing_mm)
    return f"{numbers} mm ({source})" if source else f"{numbers} mm"


def print_table(rows: Sequence[Row]) -> None:
    """Columns as wide as their longest cell; the last as long as it is."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(TITLES) - 1)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True)]
        print("  ".join(cells).rstrip())
