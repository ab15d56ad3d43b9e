"""`caveat serve`: a page to upload a study to, and to look at its result on."""

from __future__ import annotations

import argparse
import secrets
import shlex
import socket
from importlib.util import find_spec

from ..exit_status import ExitStatus
from ..reasons import StudyRefused
from ..say import say

MIB = 2**20
NEEDS = ("starlette", "uvicorn")


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser("serve", help="a page to upload a study to, and to look at its result on")
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="to listen at (default: this machine alone); any other asks the browser for a token, which is printed",
    )
    parser.add_argument("--port", type=int, default=8765, metavar="N", help="(default: 8765; 0 takes a free one)")
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
    if not all(find_spec(name) for name in NEEDS):
        raise StudyRefused("WRONG_USAGE", "caveat serve needs starlette and uvicorn: pip install 'caveat[serve]'")
    if not min(options.keep, options.largest, options.time_limit) > 0:
        raise StudyRefused("WRONG_USAGE", "--keep, --largest and --time-limit must be above 0")
    import uvicorn

    from ..serve.app import LOOPBACK, make_app
    from ..serve.limits import Limits
    from ..transforms.files.temporary_folder import temporary_folder

    limits = Limits(bytes=int(options.largest * MIB), study_seconds=options.time_limit, keep_seconds=60 * options.keep)
    token = "" if options.host in LOOPBACK else secrets.token_urlsafe(24)
    listening = listen(options.host, options.port)
    app = make_app(temporary_folder(), limits, token, options.options)
    # Its log would hold addresses, and tracebacks that may quote anything.
    config = uvicorn.Config(app, log_config=None, log_level="critical", access_log=False, timeout_graceful_shutdown=1)
    address = f"http://{options.host}:{listening.getsockname()[1]}/"
    say(f"caveat: {address}{f'?token={token}' if token else ''} (Ctrl-C ends it)")
    uvicorn.Server(config).run(sockets=[listening])
    return ExitStatus.OK


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises: StudyRefused: WRONG_USAGE."""
    try:
        return socket.create_server((host, port))
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or "no port"
        raise StudyRefused("WRONG_USAGE", f"cannot listen at this --host and --port: {why}") from None
