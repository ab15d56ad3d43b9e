"""Finds every implementation of a plug-in point, so that a new one cannot forget its contract test."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator


def concrete_subclasses(base: type, package: str) -> list[type]:
    """Concrete subclasses of `base` in a package, by name.

    Args:
        base: an abstract class.
        package: dotted name, such as "caveat.networks"; every module below it is imported.

    Raises:
        LookupError: there is none: the contract would hold nothing.
    """
    root = importlib.import_module(package)
    for module in pkgutil.walk_packages(root.__path__, package + "."):
        importlib.import_module(module.name)
    found = [
        kind
        for kind in set(_descendants(base))
        if not inspect.isabstract(kind) and f"{kind.__module__}.".startswith(package + ".")
    ]
    if not found:
        raise LookupError(f"{package} has no concrete {base.__name__}")
    return sorted(found, key=lambda kind: (kind.__name__, kind.__module__))


def _descendants(base: type) -> Iterator[type]:
    for kind in base.__subclasses__():
        yield kind
        yield from _descendants(kind)
