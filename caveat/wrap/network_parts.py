"""What a config of strangers may name as a network, or as a part of one."""

from __future__ import annotations

import pydoc
from typing import Any

from torch import nn


def is_network_part(path: Any, packages: tuple[str, ...]) -> bool:
    """Whether a path names a class of networks that one of the packages defines itself.

    It is judged by what it leads to, and not by how it begins: modules of these packages import others, and a path through them
    may end at a function of the system.

    Args:
        path: such as "torch.nn.LeakyReLU". packages: names with a dot behind them, such as "torch.nn.".
    """
    if not str(path).startswith(packages):
        return False
    try:
        found = pydoc.locate(str(path))
    except pydoc.ErrorDuringImport:
        return False
    return isinstance(found, type) and issubclass(found, nn.Module) and found.__module__.startswith(packages)
