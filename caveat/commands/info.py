"""`caveat info`: the bundles, and what one of them does."""

from __future__ import annotations

import argparse

from .. import __version__
from ..bundle_folders import bundles_of_the_user, find_bundle, read_metadata, shipped_bundles
from ..exit_status import ExitStatus


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser("info", help="list the bundles, or tell about one")
    parser.add_argument("bundle", nargs="?", metavar="BUNDLE", help="name of a shipped bundle, or path of a bundle folder")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the table, or one bundle's facts."""
    if options.bundle is None:
        print(f"caveat {__version__}")
        for name, folder in shipped_bundles().items():
            print(f"  {name:<24} {read_metadata(folder)['description']}")
        for folder in bundles_of_the_user():
            print(f"  {folder}: {read_metadata(folder).get('description', 'not described')}")
        return ExitStatus.OK
    folder = find_bundle(options.bundle)
    metadata = read_metadata(folder)
    print(f"{folder.name} {metadata['version']}: {metadata['description']}")
    for key in ("task", "intended_use", "truth", "data_source", "weights_license"):
        print(f"  {key.replace('_', ' ')}: {metadata.get(key, 'not stated')}")
    print("  samplers:")
    for name, meaning in metadata.get("samplers", {}).items():
        print(f"    {name:<10} {meaning}")
    for name, meaning in metadata.get("samplers_not_trained", {}).items():
        print(f"    {name:<10} {meaning} (settings alone: not trained yet)")
    print(f"  folder: {folder}")
    return ExitStatus.OK
