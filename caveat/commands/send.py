"""`caveat send`: the DICOM objects of a run, into an archive."""

from __future__ import annotations

import argparse

from ..exit_status import ExitStatus
from .archive_options import access_of, add_archive_options
from .stated_path import stated_input


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser("send", help="push the DICOM objects of a run to an archive, by DICOMweb")
    parser.add_argument("run_folder", type=stated_input, metavar="OUT", help="of caveat predict --dicom")
    parser.add_argument("url", metavar="URL", help="of DICOMweb, such as https://HOST:8042/dicom-web")
    add_archive_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Push all objects and count them."""
    access = access_of(options)
    from ..pacs.archive import Archive
    from ..pacs.send import send

    print(f"{send(options.run_folder, Archive(access))} objects sent")
    return ExitStatus.OK
