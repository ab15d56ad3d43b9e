"""The stacked draws."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

from ..files.label_stack import write_label_stack
from .writer import Writer


class SamplesWriter(Writer):
    """The label map of every draw, where draws were kept: multi-page TIFF for pictures, else 4-D NIfTI."""

    def write(self, study: Mapping[Hashable, Any], folder: Path) -> None:
        """Args: study: `samples`, if any, is (draws, *spatial) labels. Writes samples.tif or samples.nii.gz."""
        write_label_stack(study, "samples", folder, "samples")

    @classmethod
    def example(cls) -> SamplesWriter:
        """See `Writer.example`."""
        return cls()
