"""What the commands share that serve a page."""

from __future__ import annotations

import argparse
import socket
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ..reasons import StudyRefused
from ..say import say

if TYPE_CHECKING:
    from starlette.applications import Starlette

NEEDS = ("starlette", "uvicorn")


def add_port(parser: argparse.ArgumentParser) -> None:
    """Add `--port`."""
    parser.add_argument("--port", type=int, default=8765, metavar="N", help="(default: 8765; 0 takes a free one)")


def need_server(command: str) -> None:
    """Raises: StudyRefused: WRONG_USAGE where the extra is not installed."""
    if not all(find_spec(name) for name in NEEDS):
        raise StudyRefused("WRONG_USAGE", f"caveat {command} needs starlette and uvicorn: pip install 'caveat[serve]'")


def listen_and_serve(app: Starlette, host: str, port: int, token: str) -> None:
    """Print the address and serve until Ctrl-C or SIGTERM. Raises: StudyRefused: WRONG_USAGE."""
    import uvicorn

    listening = listen(host, port)
    # Its log would hold addresses, and tracebacks that may quote anything.
    config = uvicorn.Config(app, log_config=None, log_level="critical", access_log=False, timeout_graceful_shutdown=1)
    address = f"http://{host}:{listening.getsockname()[1]}/"
    say(f"caveat: {address}{f'?token={token}' if token else ''} (Ctrl-C ends it)")
    uvicorn.Server(config).run(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises: StudyRefused: WRONG_USAGE."""
    try:
        return socket.create_server((host, port))
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or "no port"
        raise StudyRefused("WRONG_USAGE", f"cannot listen at this --host and --port: {why}") from None
