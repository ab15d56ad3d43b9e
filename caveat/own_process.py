"""This program in a process of its own: the code that runs here, and nothing of the folder that it was started in.

Python would look there first for whatever is imported: a file `torch.py` among somebody's images would be run.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import caveat


def command(module: str, *arguments: str) -> list[str]:
    """What starts a module of ours. Args: module: such as "caveat"."""
    return [sys.executable, "-P", "-m", module, *arguments]


def environment(**more: str) -> dict[str, str]:
    """Of this process, with the same code, wherever it was started. Args: more: variables beside."""
    home = str(Path(caveat.__file__).resolve().parent.parent)
    path = os.pathsep.join([home, *filter(None, [os.environ.get("PYTHONPATH")])])
    return os.environ | {"PYTHONPATH": path} | more
