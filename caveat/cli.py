"""The command line: parsing and printing only; each subcommand is a file in `commands`."""

from __future__ import annotations

import argparse
import logging
import re
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from . import __version__
from .commands import (
    audit,
    calibrate,
    check,
    convert,
    data_list,
    evaluate,
    fetch_demo,
    info,
    label,
    predict,
    reference,
    score,
    send,
    serve,
    stress,
    train,
    view,
    watch,
    wrap,
)
from .exit_status import ExitStatus, RunFailed
from .reasons import REASONS, StudyRefused
from .run.stop import end, handled
from .say import say
from .streams import complete_streams, drop_stdout
from .transforms.files.one_line import one_line


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns: the exit status."""
    complete_streams()
    parser = argparse.ArgumentParser(
        prog="caveat",
        description="Measure things in medical images, and say how far off the numbers may be. Not a medical device.",
    )
    parser.add_argument("--version", action="version", version=f"caveat {__version__}")
    subparsers = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    measuring = (predict, evaluate, stress, calibrate, audit, score, train, reference, wrap)
    for command in (*measuring, data_list, convert, check, info, fetch_demo, send, watch, label, serve, view):
        command.add_parser(subparsers)
    options = parser.parse_args(joined(sys.argv[1:] if arguments is None else arguments))
    try:
        with handled(end):
            status = int(options.run(options))
            sys.stdout.flush()
        return status
    except StudyRefused as refusal:
        say(f"caveat: {one_line(str(refusal))}\n\nhint: {REASONS[refusal.code].what_to_do}")
        return ExitStatus.USAGE
    except RunFailed as failure:
        say(f"caveat: the run failed: {failure}")
    except KeyboardInterrupt:
        say("caveat: stopped")
    except BrokenPipeError:  # whoever reads has seen enough, as `head` does
        drop_stdout()
        return ExitStatus.OK
    except OSError as error:  # of stdout, or of a file that a command did not expect to be so; its text may quote a path
        say(f"caveat: the run failed: {error.strerror or type(error).__name__}")
        drop_stdout()
    except Exception as error:  # a mistake of the program, whose text and traceback may quote anything
        logging.getLogger("caveat").debug("unexpected", exc_info=error)
        say(f"caveat: UNEXPECTED_ERROR: {type(error).__name__}{_where(error)}\n\nhint: report this line, and what was asked for")
    return ExitStatus.FAILED


def _where(error: Exception) -> str:
    """The last place in this program that an exception came by."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(Path(__file__).parent.parent)]
    return f" at line {ours[-1].lineno} of {Path(ours[-1].filename).name}" if ours else ""


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
