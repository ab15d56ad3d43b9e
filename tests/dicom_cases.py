"""The table of DICOM faults: what each case is called, how it is written, and what must come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dicom_grid import Grid

Writer = Callable[[Path], None]


@dataclass(frozen=True)
class Case:
    """One folder of files.

    Args:
        number: in the table of docs/dicom.md.
        name: what is the matter with it.
        write: fills an empty folder.
        grid: where the phantom truly lies.
        code: that it must be refused with, "" where it must be read.
        flags: that it must carry where it is read.
        undetectable: nothing in the files tells that they are wrong.
    """

    number: int
    name: str
    write: Writer
    grid: Grid
    code: str
    flags: tuple[str, ...]
    undetectable: bool


CASES: list[Case] = []
"""Filled by the modules `dicom_faults_*.py`; `all_cases` imports them."""


def case(
    number: int, code: str = "", grid: Grid | None = None, flags: tuple[str, ...] = (), undetectable: bool = False
) -> Callable[[Writer], Writer]:
    """Enter a function into the table, named after it."""

    def enter(write: Writer) -> Writer:
        CASES.append(Case(number, write.__name__.replace("_", " "), write, grid or Grid(), code, flags, undetectable))
        return write

    return enter


def all_cases() -> list[Case]:
    """In the order of their numbers."""
    import dicom_faults_encoding  # noqa: F401
    import dicom_faults_folder  # noqa: F401
    import dicom_faults_layout  # noqa: F401
    import dicom_faults_values  # noqa: F401

    return sorted(CASES, key=lambda one: one.number)
