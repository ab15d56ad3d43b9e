"""Writer: one kind of file in a study's folder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any


class Writer(ABC):
    """Writes what it knows how to write of one finished study; what the study does not have, it leaves out.

    The contract, held by tests/contracts/test_writer.py for every concrete subclass: the study is left as it was; files
    appear in the folder alone; two runs give equal bytes; no path and no name of the input stands in them.

    Attributes:
        of_refusals: whether it also writes for a refused study, which has a result and nothing else.
        of_dicom: whether it writes only for studies that came as DICOM.
    """

    of_refusals: bool = False
    of_dicom: bool = False

    @abstractmethod
    def write(self, study: Mapping[Hashable, Any], folder: Path) -> None:
        """Write into a folder that exists.

        Args:
            study: `result`, and unless refused `input`, `segmentation`, maps, all on one grid.
            folder: of this study alone.
        """

    def lacks(self, study: Mapping[Hashable, Any]) -> tuple[str, ...]:
        """Reason codes of what it was asked for and cannot write of this study; they stand among the result's flags."""
        return ()

    @classmethod
    @abstractmethod
    def example(cls) -> Writer:
        """An instance for the contract tests, which hand it `example_study`."""
