"""`caveat view`: the studies of a run, to look at one by one."""

from __future__ import annotations

import argparse
import secrets

from ..exit_status import ExitStatus
from .listening import add_port, listen_and_serve, need_server
from .stated_path import stated_input


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser("view", help="a page to look at the studies of a run on, one by one, and to note what is seen")
    parser.add_argument("run_folder", type=stated_input, metavar="OUT", help="of caveat predict; --image keeps the image")
    add_port(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serve until stopped by Ctrl-C or SIGTERM."""
    need_server("view")
    from ..serve.view import make_viewer

    # Results lie open on this port; on a shared machine others reach it too.
    token = secrets.token_urlsafe(24)
    listen_and_serve(make_viewer(options.run_folder, token), "127.0.0.1", options.port, token)
    return ExitStatus.OK
