"""`caveat label`: bundles behind a MONAI Label server, for annotators in 3D Slicer and OHIF."""

from __future__ import annotations

import argparse
import ipaddress
import os
from importlib.util import find_spec
from pathlib import Path

from ..bundle_folders import find_bundle
from ..devices import check_device, devices_of
from ..exit_status import ExitStatus
from ..reasons import StudyRefused
from ..say import say
from .listening import listen
from .stated_path import stated_path

OF_AN_ARCHIVE = ("http://", "https://")
SETTINGS_FILE = ".env"
"""MONAI Label reads its settings from such a file of the current folder, which may be a folder of somebody's images."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser("label", help="serve bundles to 3D Slicer and OHIF, as a MONAI Label server")
    parser.add_argument(
        "--studies", required=True, metavar="FOLDER|URL", help="images to be annotated: a folder, or a DICOMweb archive"
    )
    parser.add_argument("--bundles", required=True, metavar="A,B", help="names of shipped bundles, or paths, by commas")
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="to listen on (default: this machine alone)")
    parser.add_argument("--port", type=int, default=8000, metavar="N", help="to listen on (default: 8000)")
    parser.add_argument(
        "--origin",
        action="append",
        default=[],
        metavar="URL",
        help="of a page that may ask, such as OHIF's; again for more",
    )
    parser.add_argument(
        "--trained", type=stated_path, default=Path("trained"), metavar="FOLDER", help="for trainings (default: ./trained)"
    )
    parser.add_argument(
        "--cache",
        type=stated_path,
        metavar="FOLDER",
        help="for images of an archive, which needs it; they stay there",
    )
    parser.add_argument(
        "--device", default="auto", metavar="auto|cpu|cuda|cuda:N", help="auto takes CUDA where there is one (default)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serve until stopped by Ctrl-C or SIGTERM."""
    bundles = [name.strip() for name in options.bundles.split(",")]
    check(options, bundles)
    from ..monai_label.server import Server

    if not is_loopback(options.host):
        say("caveat: whoever reaches this port reads the images and writes labels: MONAI Label asks nobody who they are")
    say(f"caveat: loading {', '.join(bundles)}; Ctrl-C ends it")
    studies = options.studies if options.studies.startswith(OF_AN_ARCHIVE) else str(Path(options.studies).resolve())
    cache = options.cache or Path(studies)
    Server(studies, bundles, options.host, options.port, options.origin, options.trained, cache, options.device).run()
    return ExitStatus.OK


def check(options: argparse.Namespace, bundles: list[str]) -> None:
    """What can be said to be wrong before the server starts. Raises: StudyRefused: WRONG_USAGE, and of `find_bundle`."""
    archive = options.studies.startswith(OF_AN_ARCHIVE)
    for name in bundles:
        find_bundle(name)
    if len(devices_of(options.device)) > 1:
        raise StudyRefused("WRONG_USAGE", "a server measures on one device")
    if not 0 < options.port < 65536:
        raise StudyRefused("WRONG_USAGE", "--port is a number from 1 to 65535")
    if ":" not in options.host:
        listen(options.host, options.port).close()  # refused here, where it is read, and not among the server's own lines
    if not archive and not Path(options.studies).is_dir():
        raise StudyRefused("UNREADABLE_FOLDER")
    if archive and options.cache is None:
        raise StudyRefused("WRONG_USAGE", "--cache says where the images of an archive are kept")
    if os.path.lexists(SETTINGS_FILE):
        raise StudyRefused("WRONG_USAGE", f"MONAI Label takes settings from {SETTINGS_FILE}, which lies here: start it elsewhere")
    if find_spec("monailabel") is None:
        raise StudyRefused("WRONG_USAGE", "monailabel is not installed here: make monai-label, see docs/monai_label.md")
    check_device(options.device)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
