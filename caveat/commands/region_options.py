"""Where in a larger image a bundle looks: `--point`, `--roi` and `--label`, of every command that measures one."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from ..bundle_folders import settings_of
from ..reasons import StudyRefused
from .numbers import numbers


def add_region_options(parser: argparse.ArgumentParser) -> None:
    """Add them to a subcommand."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--point",
        metavar="X,Y,Z",
        help="measure the bundle's own box around this point: mm, RAS as in NIfTI, or a mask (NIfTI, DICOM SEG, RTSTRUCT) whose "
        "middle it is (default: the whole image)",
    )
    where.add_argument(
        "--roi",
        metavar="X0,X1,Y0,Y1,Z0,Z1",
        help="measure this box: mm, RAS, lower and upper face of each axis; or a mask whose box it is",
    )
    parser.add_argument(
        "--label",
        type=int,
        metavar="N",
        help="of a mask given to --point or --roi: the number of its label, segment or structure (default: the only one)",
    )


def check_region(options: argparse.Namespace, bundle: Path) -> None:
    """A box or a point is for bundles that measure a region of a volume: their inference.yaml has `roi` and `point`.

    Raises:
        StudyRefused: WRONG_USAGE.
    """
    stated = options.roi if options.point is None else options.point
    if options.label is not None and (stated is None or not os.path.isfile(stated)):
        raise StudyRefused("WRONG_USAGE", "--label is of a mask, which --point or --roi names")
    if stated is None:
        return
    if not {"roi", "point", *(["label"] if options.label is not None else [])} <= set(settings_of(bundle)):
        raise StudyRefused("WRONG_USAGE", "this bundle measures whole images; --point and --roi are for regions of volumes")
    region("--point", options.point, 3)
    box = region("--roi", options.roi, 6)
    if isinstance(box, list) and not all(lower < upper for lower, upper in zip(box[::2], box[1::2])):
        raise StudyRefused("WRONG_USAGE", "--roi needs X0 below X1, Y0 below Y1, Z0 below Z1")


def region_overrides(options: argparse.Namespace) -> dict[str, Any]:
    """What they change in the bundle's config."""
    said = {"point": region("--point", options.point, 3), "roi": region("--roi", options.roi, 6), "label": options.label}
    return {key: value for key, value in said.items() if value is not None}


def region(option: str, text: str | None, count: int) -> list[float] | Path | None:
    """A place, in numbers or as the path of a mask.

    Raises:
        StudyRefused: WRONG_USAGE.
    """
    if text is not None and os.path.isfile(text):
        return Path(text).resolve()
    return numbers(option, text, float, signed=True, count=count)
