"""`caveat watch`: measure what comes to an archive, and send the results back."""

from __future__ import annotations

import argparse
import shlex

from ..exit_status import ExitStatus
from ..reasons import StudyRefused
from .archive_options import access_of, add_archive_options
from .stated_path import stated_input, stated_path

SHORTEST_PAUSE_S = 0.1


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser("watch", help="measure the series that come to an Orthanc, and send the results back to it")
    parser.add_argument("url", metavar="URL", help="of the Orthanc, such as https://HOST:8042; its DICOMweb lies below it")
    parser.add_argument(
        "--rules", type=stated_input, required=True, metavar="FILE", help="which series are measured by which bundle"
    )
    parser.add_argument("-o", "--output", type=stated_path, required=True, metavar="OUT", help="folder of the watch")
    parser.add_argument("--every", type=float, default=10.0, metavar="S", help="seconds between two looks (default: 10)")
    parser.add_argument("--once", action="store_true", help="end when all that is there was looked at")
    parser.add_argument(
        "--options", type=shlex.split, default=[], metavar="TEXT", help='of caveat predict, such as --options="--device cuda"'
    )
    add_archive_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Watch until stopped by Ctrl-C or SIGTERM, which lets the series in work be finished."""
    if not options.every >= SHORTEST_PAUSE_S:
        raise StudyRefused("WRONG_USAGE", f"--every must be at least {SHORTEST_PAUSE_S:g} s")
    access = access_of(options)
    from ..pacs.archive import Archive
    from ..pacs.rules import read_rules
    from ..pacs.watch import Watch
    from ..run.stop import Stop, handled

    stop = Stop()
    watch = Watch(Archive(access, "/dicom-web"), read_rules(options.rules), options.output, options.options)
    with handled(stop.ask):
        measured = watch.run(stop, options.every, options.once)
    print(f"{measured} series measured")
    return ExitStatus.OK
