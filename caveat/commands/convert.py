"""`caveat convert`: write the names in a bundle's configs as they are now."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..exit_status import ExitStatus
from ..moved_names import AS_IT_IS, config_text, configs_of, with_new_names
from ..reasons import StudyRefused
from ..transforms.files.whole_file import write_text
from .stated_path import stated_input


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser("convert", help="write the names in a bundle of your own as this version has them")
    parser.add_argument("bundle", type=stated_input, metavar="FOLDER", help="of the bundle, whose configs are changed in place")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Change the configs, and print each name that was changed. Raises: StudyRefused: BUNDLE_NOT_FOUND; as `config_text`."""
    paths = configs_of(options.bundle)
    if not paths:
        raise StudyRefused("BUNDLE_NOT_FOUND", "the folder holds no configs")
    changed = sum(convert(path) for path in paths)
    print(f"{changed} of {len(paths)} configs changed")
    return ExitStatus.OK


def convert(path: Path) -> bool:
    """Change one config. Returns: whether it held an older name."""
    text, found = with_new_names(config_text(path))
    for older, newer in found.items():
        print(f"{path.name}: {older} is now {newer}")
    if found:
        write_text(path, text, **AS_IT_IS)
    return bool(found)
