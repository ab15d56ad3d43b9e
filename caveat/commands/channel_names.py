"""The option that says which files are channels of one image."""

from __future__ import annotations

import argparse

from ..reasons import StudyRefused


def add_channel_names(parser: argparse.ArgumentParser) -> None:
    """Add it to a command that searches a folder through."""
    parser.add_argument(
        "--channel-names",
        metavar="WORD,...",
        help="of images with a file a channel: what their names differ in, in the network's order, such as flair,t1,t1ce,t2 or "
        "0000,0001 (default: a file is an image)",
    )


def channel_names(options: argparse.Namespace) -> list[str]:
    """The words; none where a file is an image. Raises: StudyRefused: WRONG_USAGE: fewer than two, an empty one, or one twice."""
    if options.channel_names is None:
        return []
    words = [word.strip() for word in options.channel_names.split(",")]
    if len(words) < 2 or not all(words) or len({word.lower() for word in words}) < len(words):
        raise StudyRefused("WRONG_USAGE", "--channel-names has two words or more, each once, such as flair,t1")
    return words
