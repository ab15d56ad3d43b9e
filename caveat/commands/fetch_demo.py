"""`caveat fetch-demo`: an image to begin with, out of a package that is installed anyway; nothing is downloaded."""

from __future__ import annotations

import argparse
import shutil
from importlib.util import find_spec
from pathlib import Path

from ..exit_status import ExitStatus
from ..reasons import StudyRefused
from ..transforms.files.whole_file import unwritable, write_whole
from .output_folder import make_folder
from .stated_path import stated_path

PACKAGE, PHOTOGRAPH = "skimage", Path("data", "retina.jpg")
ORIGIN = "fundus photograph, Mikael Häggström, CC0, from scikit-image; for retinal_vessels"


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser("fetch-demo", help="write an image to begin with, which scikit-image carries, into a folder")
    parser.add_argument("folder", type=stated_path, metavar="FOLDER", help="to write it into; made if it is not there")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the photograph, and print where it lies. Raises: StudyRefused: OUTPUT_NOT_WRITABLE, OUTPUT_OCCUPIED, WRONG_USAGE."""
    source, target = photograph(), options.folder / PHOTOGRAPH.name
    make_folder(options.folder)
    if target.is_symlink() or (target.exists() and not is_copy(target, source)):
        raise StudyRefused("OUTPUT_OCCUPIED", f"another {PHOTOGRAPH.name} lies there")
    try:
        write_whole(target, lambda aside: shutil.copyfile(source, aside))
    except OSError as error:
        raise unwritable(error) from error
    print(f"{target}: {ORIGIN}")
    return ExitStatus.OK


def photograph() -> Path:
    """Where the package has it, which is not imported. Raises: StudyRefused: WRONG_USAGE: it has none, or is not installed."""
    package = find_spec(PACKAGE)
    folders = package.submodule_search_locations if package else None
    for folder in folders or ():
        if (Path(folder) / PHOTOGRAPH).is_file():
            return Path(folder) / PHOTOGRAPH
    raise StudyRefused("WRONG_USAGE", "scikit-image is not installed, or carries no retina.jpg")


def is_copy(target: Path, source: Path) -> bool:
    """Whether what lies there was written here before."""
    return target.is_file() and target.read_bytes() == source.read_bytes()
