"""What a config of strangers may name as a network, or as a part of one."""

from __future__ import annotations

import inspect
import pydoc
import re
from collections.abc import Mapping
from typing import Any

from torch import nn

OF_ELSEWHERE = re.compile(r".*pretrained.*|weights.*|checkpoint|path_or_repo_id")
"""Parameters of MONAI's networks by which one loads weights when it is made, most from an address, `HoVerNet` from any;
and of what they hand on to others, such as torchvision's `weights_backbone`."""


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


def fetches_weights(path: str, arguments: Mapping[str, Any]) -> bool:
    """Whether a network would load weights of its own when it is made. Args: path: see `is_network_part`. arguments: stated."""
    parameters = inspect.signature(pydoc.locate(path)).parameters  # type: ignore[arg-type]
    values = {name: one.default for name, one in parameters.items()} | dict(arguments)
    return any(value and value is not inspect.Parameter.empty for name, value in values.items() if OF_ELSEWHERE.fullmatch(name))
