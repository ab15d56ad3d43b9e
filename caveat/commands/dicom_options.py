"""Results as DICOM objects: `--dicom` and what it writes, of `caveat predict`."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..bundle_folders import settings_of
from ..reasons import StudyRefused


def add_dicom_options(parser: argparse.ArgumentParser) -> None:
    """Add them to a subcommand."""
    parser.add_argument(
        "--dicom",
        action="store_true",
        help="of studies that came as DICOM also write segmentation, report and pictures as DICOM objects of the same study, "
        "marked as research; needs caveat[dicom]",
    )
    parser.add_argument(
        "--labelmap",
        action="store_true",
        help="with --dicom: the segmentation as one label map, which few viewers read yet (default: a binary segment a class)",
    )
    parser.add_argument(
        "--dicom-also",
        type=lambda text: text.split(","),
        metavar="NAME,...",
        help="with --dicom: also probability (a fractional segmentation), entropy (a parametric map), which few viewers show",
    )


def check_dicom(options: argparse.Namespace, bundle: Path) -> None:
    """DICOM objects are of bundles that read DICOM: their inference.yaml has `dicom`.

    Raises:
        StudyRefused: WRONG_USAGE, also where the library that makes them is not installed.
    """
    settings = settings_of(bundle)
    if options.dicom and "dicom" not in settings:
        raise StudyRefused("WRONG_USAGE", "--dicom is for bundles that read DICOM")
    if options.labelmap and not options.dicom:
        raise StudyRefused("WRONG_USAGE", "--labelmap says how --dicom writes the segmentation")
    if options.dicom_also and not options.dicom:
        raise StudyRefused("WRONG_USAGE", "--dicom-also says what --dicom writes besides")
    known = settings.get("dicom_more", {})
    if unknown := set(options.dicom_also or ()) - set(known):
        raise StudyRefused("WRONG_USAGE", f"--dicom-also takes {', '.join(known)}, got {', '.join(sorted(unknown))}")
    if options.dicom and find_spec("highdicom") is None:
        raise StudyRefused("WRONG_USAGE", "--dicom needs highdicom: pip install 'caveat[dicom]'")


def dicom_overrides(options: argparse.Namespace) -> dict[str, Any]:
    """What they change in the bundle's config."""
    said = {"dicom": options.dicom or None, "labelmap": options.labelmap or None, "dicom_also": options.dicom_also}
    return {key: value for key, value in said.items() if value is not None}
