"""The implementations of a plug-in point: whatever lies in its folder, so that no list needs an entry."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import TypeVar

Kind = TypeVar("Kind")


def classes_in(package: str, base: type[Kind]) -> Iterator[type[Kind]]:
    """Concrete subclasses of `base` that modules of a package define, in the order of the files' names.

    Args:
        package: dotted name; each of its modules is imported.
    """
    for name in sorted(info.name for info in pkgutil.iter_modules(importlib.import_module(package).__path__)):
        module = importlib.import_module(f"{package}.{name}")
        for member in vars(module).values():
            own = isinstance(member, type) and issubclass(member, base) and member.__module__ == module.__name__
            if own and not inspect.isabstract(member):
                yield member
