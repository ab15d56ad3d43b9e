"""The command line: parsing and printing only; each subcommand is a file in `commands`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from . import __version__
from .commands import audit, calibrate, check, data_list, evaluate, info, predict, score, stress, train
from .exit_status import ExitStatus
from .reasons import REASONS, StudyRefused


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns: the exit status."""
    parser = argparse.ArgumentParser(
        prog="caveat",
        description="Measure things in medical images, and say how far off the numbers may be. Not a medical device.",
    )
    parser.add_argument("--version", action="version", version=f"caveat {__version__}")
    subparsers = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in (predict, evaluate, stress, calibrate, audit, score, train, data_list, check, info):
        command.add_parser(subparsers)
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options))
    except StudyRefused as refusal:
        print(f"caveat: {refusal}\n\nhint: {REASONS[refusal.code].what_to_do}", file=sys.stderr)
        return ExitStatus.USAGE
    except KeyboardInterrupt:
        print("caveat: stopped", file=sys.stderr)
        return ExitStatus.FAILED


if __name__ == "__main__":
    sys.exit(main())
