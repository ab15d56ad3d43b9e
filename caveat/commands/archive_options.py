"""How an archive is reached, as the commands that reach one ask it."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ..reasons import StudyRefused
from .stated_path import stated_input

if TYPE_CHECKING:
    from ..pacs.access import Access


def add_archive_options(parser: argparse.ArgumentParser) -> None:
    """Add them."""
    parser.add_argument(
        "--credentials",
        type=stated_input,
        metavar="FILE",
        help="one line, user:password or Bearer TOKEN (default: the environment variable CAVEAT_PACS_CREDENTIALS)",
    )
    parser.add_argument("--ca", type=stated_input, metavar="FILE", help="certificates to trust (default: the system's)")


def access_of(options: argparse.Namespace) -> Access:
    """Raises: StudyRefused: WRONG_USAGE, also where the library that speaks DICOMweb is not installed."""
    if find_spec("dicomweb_client") is None:
        raise StudyRefused("WRONG_USAGE", "archives are reached with dicomweb-client: pip install 'caveat[pacs]'")
    from ..pacs.access import access

    return access(options.url, options.credentials, options.ca)
