"""This program in a process of its own: the code that runs here, and nothing of the folder that it was started in.

Python would look there first for whatever is imported: a file `torch.py` among somebody's images would be run.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import caveat

from .reasons import REASONS


def command(module: str, *arguments: str) -> list[str]:
    """What starts a module of ours. Args: module: such as "caveat"."""
    return [sys.executable, "-P", "-m", module, *arguments]


def environment(**more: str) -> dict[str, str]:
    """Of this process, with the same code, wherever it was started. Args: more: variables beside."""
    home = str(Path(caveat.__file__).resolve().parent.parent)
    path = os.pathsep.join([home, *filter(None, [os.environ.get("PYTHONPATH")])])
    return os.environ | {"PYTHONPATH": path} | more


def failure_of(said: str, status: int) -> str:
    """Why a run came to no end. Args: said: on stderr. Returns: a reason code, UNEXPECTED_ERROR where it says none; or ""."""
    code = re.search(r"^caveat: (?:the run failed: )?([A-Z_]+):", said, re.MULTILINE)
    if code and code[1] in REASONS:
        return code[1]
    return "" if status == 0 else "UNEXPECTED_ERROR"
