"""Promised: what is promised together, as settings of calibration and of coverage say it alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..targets.landmark import Landmark
from .read_cases import Stated
from .record import MARGINAL, PROMISES

Names = tuple[str, ...]


class Promised:
    """A part of settings.

    Attributes:
        targets: the bundle's measurements, or its landmarks.
        promises: see `record.PROMISES`. Marginal, each measurement has a record of its own, all landmarks share one.
        at_once: names of the targets that a simultaneous promise is about, all of them where none is named.
    """

    targets: Sequence[Stated]
    promises: Sequence[str]
    at_once: Sequence[str]

    @property
    def names(self) -> Names:
        """Of the targets."""
        return tuple(target.name for target in self.targets)

    @property
    def of_landmarks(self) -> bool:
        """Whether the targets are landmarks."""
        return bool(self.targets) and all(isinstance(target, Landmark) for target in self.targets)

    def check_promises(self) -> None:
        """Raises: ValueError: no promise or an unknown one, or a name in `at_once` that is no target."""
        if not self.promises or not set(self.promises) <= set(PROMISES):
            raise ValueError(f"promises must be of {', '.join(PROMISES)}, got {', '.join(self.promises) or 'none'}")
        if not set(self.at_once) <= set(self.names):
            raise ValueError("at_once names what is no target")

    def promised(self) -> Iterator[tuple[Names, str]]:
        """Components and promise, of every record that there may be one of for each kind of region."""
        alone = [self.names] if self.of_landmarks else [(name,) for name in self.names]
        for promise in self.promises:
            for names in alone if promise == MARGINAL else [tuple(self.at_once) or self.names]:
                yield names, promise
