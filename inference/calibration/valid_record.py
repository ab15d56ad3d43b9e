"""Which record is valid for a study, and why one that is there gives it nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from ...transforms.files.plural import plural
from ..gate.gate import Gate, Verdict
from .identity import differences


class Valid(Protocol):
    """What every kind of record says of its own validity."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """What it is valid for, see `identity.identity_of`."""

    @property
    def gate(self) -> Gate | None:
        """Limits on study scores; None where every study is accepted."""


AnyRecord = TypeVar("AnyRecord", bound=Valid)


@dataclass(frozen=True)
class Withheld:
    """Why a record gives a study nothing. Args: code: the flag. why: for the sentence."""

    code: str
    why: str


def best_fit(records: Sequence[AnyRecord], identity: Mapping[str, Any]) -> tuple[AnyRecord | None, list[str]]:
    """The record that fits a study best, and in what it does not fit."""
    fits = [(record, differences(record.identity, identity)) for record in records]
    return min(fits, key=lambda fit: len(fit[1]), default=(None, []))


def record_of_most(
    records: Sequence[AnyRecord], identities: Sequence[Mapping[str, Any]]
) -> tuple[AnyRecord | None, list[bool], str | None]:
    """The record that holds for most of the studies.

    Args:
        records: for the same measurement or landmarks.
        identities: one a study.

    Returns:
        the record or None; for which studies it holds (all of them where there is none: they are looked at uncalibrated);
        why there is none, a reason code and what differs.
    """
    everything = [True] * len(identities)
    if not records or not identities:
        return None, everything, "NO_CALIBRATION_RECORD"
    off = {index: [differences(record.identity, identity) for identity in identities] for index, record in enumerate(records)}
    best = max(off, key=lambda index: sum(not keys for keys in off[index]))
    if all(off[best]):
        return None, everything, f"RECORD_MISMATCH: {', '.join(min(min(lists, key=len) for lists in off.values()))}"
    return records[best], [not keys for keys in off[best]], None


def mismatch(differing: Sequence[str]) -> Withheld:
    """Other weights or settings. Args: differing: see `best_fit`."""
    names = ", ".join(name.replace("_", " ") for name in differing)
    return Withheld("RECORD_MISMATCH", f"the record was made with another {names}")


def out_of_range(verdict: Verdict) -> Withheld:
    """A study that the gate does not accept."""
    failed = dict.fromkeys(check["name"].replace("_", " ") for check in verdict.checks if not check["passed"])
    return Withheld("OUT_OF_RANGE", f"unlike the calibration studies in {', '.join(failed)}")


def too_few(level: float, needed: int, unit: str, n: int) -> Withheld:
    """Too few units for a level."""
    return Withheld("TOO_FEW_UNITS", f"{100 * level:.6g} % needs {needed} {plural(unit)}, there are {n}")
