"""The command line: parsing and printing only; each subcommand is a file in `commands`."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence

from . import __version__
from .commands import audit, calibrate, check, data_list, evaluate, info, predict, score, stress, train
from .exit_status import ExitStatus, RunFailed
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
    options = parser.parse_args(joined(sys.argv[1:] if arguments is None else arguments))
    try:
        status = int(options.run(options))
        sys.stdout.flush()
        return status
    except StudyRefused as refusal:
        print(f"caveat: {refusal}\n\nhint: {REASONS[refusal.code].what_to_do}", file=sys.stderr)
        return ExitStatus.USAGE
    except RunFailed as failure:
        print(f"caveat: the run failed: {failure}", file=sys.stderr)
        return ExitStatus.FAILED
    except KeyboardInterrupt:
        print("caveat: stopped", file=sys.stderr)
        return ExitStatus.FAILED
    except BrokenPipeError:  # whoever reads has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitStatus.OK


def joined(arguments: Sequence[str]) -> list[str]:
    """Lists of numbers of which the first is negative, joined with their option: argparse takes `-72,4,5` for one of its own."""
    joint: list[str] = []
    for argument in arguments:
        if joint and re.fullmatch(r"--[a-z-]+", joint[-1]) and re.fullmatch(r"-[\d.][\d.eE+,-]*", argument):
            joint[-1] += f"={argument}"
        else:
            joint.append(argument)
    return joint


if __name__ == "__main__":
    sys.exit(main())
