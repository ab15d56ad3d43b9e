"""A path, as options state it."""

from __future__ import annotations

import argparse
import os
from pathlib import Path


def stated_path(text: str) -> Path:
    """The path, whether something is there or not.

    Raises:
        argparse.ArgumentTypeError: nothing can be there, or be seen there: a name that is too long, links that lead in a
            circle, a folder that may not be entered, a server that does not answer.
    """
    try:
        os.stat(text)
    except (FileNotFoundError, NotADirectoryError):
        return Path(text)
    except (OSError, ValueError) as error:  # whose own text quotes the path
        raise argparse.ArgumentTypeError(getattr(error, "strerror", None) or "no path") from None
    return Path(text)
