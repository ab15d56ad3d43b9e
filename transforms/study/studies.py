"""The studies of a run as one object, into which no config parser looks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


class Studies(Sequence[dict[str, Any]]):
    """Entries as `find_studies` makes them.

    No list, on purpose: MONAI's parser walks lists and dictionaries, runs every text in them that begins with "$", follows "@"
    and opens "%"; and an entry holds names that somebody else gave to files. For the same reason paths enter a config as `Path`.
    """

    def __init__(self, entries: Iterable[dict[str, Any]]) -> None:
        self.entries = tuple(entries)

    def __getitem__(self, index: Any) -> Any:
        """Args: index: of one, which is an entry, or a slice, which is a tuple of them."""
        return self.entries[index]

    def __len__(self) -> int:
        return len(self.entries)
