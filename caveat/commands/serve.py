"""`caveat serve`: a page to upload a study to, and to look at its result on."""

from __future__ import annotations

import argparse
import secrets
import shlex

from ..exit_status import ExitStatus
from ..reasons import StudyRefused
from .listening import add_port, listen_and_serve, need_server

MIB = 2**20


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser("serve", help="a page to upload a study to, and to look at its result on")
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="to listen at (default: this machine alone); any other asks the browser for a token, which is printed",
    )
    add_port(parser)
    parser.add_argument(
        "--keep",
        type=float,
        default=60,
        metavar="MIN",
        help="minutes before a result is deleted (default: 60); when the page is closed it is deleted at once",
    )
    parser.add_argument("--largest", type=float, default=2048, metavar="MIB", help="upload that is taken (default: 2048)")
    parser.add_argument(
        "--time-limit", type=float, default=1800, metavar="S", help="seconds before an upload is given up (default: 1800)"
    )
    parser.add_argument(
        "--options", type=shlex.split, default=[], metavar="TEXT", help='of caveat predict, such as --options="--device cuda"'
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serve until stopped by Ctrl-C or SIGTERM; nothing of an upload is left then."""
    need_server("serve")
    if not min(options.keep, options.largest, options.time_limit) > 0:
        raise StudyRefused("WRONG_USAGE", "--keep, --largest and --time-limit must be above 0")
    from ..serve.app import LOOPBACK, make_app
    from ..serve.limits import Limits
    from ..transforms.files.temporary_folder import temporary_folder

    limits = Limits(bytes=int(options.largest * MIB), study_seconds=options.time_limit, keep_seconds=60 * options.keep)
    token = "" if options.host in LOOPBACK else secrets.token_urlsafe(24)
    app = make_app(temporary_folder(), limits, token, options.options)
    listen_and_serve(app, options.host, options.port, token)
    return ExitStatus.OK
