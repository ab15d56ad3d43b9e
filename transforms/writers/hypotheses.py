"""The hypotheses that a person may choose from."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

from ..files.label_stack import write_label_stack
from .writer import Writer


class HypothesesWriter(Writer):
    """Label maps from the smallest hypothesis to the largest, as the result's table `hypotheses` numbers them: 4-D NIfTI, or
    multi-page TIFF for pictures. Any of them opens as a segmentation to start from."""

    def write(self, study: Mapping[Hashable, Any], folder: Path) -> None:
        """Args: study: `ordered_hypotheses`, if any, is (hypotheses, *spatial) labels. Writes hypotheses.nii.gz or .tif."""
        write_label_stack(study, "ordered_hypotheses", folder, "hypotheses")

    @classmethod
    def example(cls) -> HypothesesWriter:
        """See `Writer.example`."""
        return cls()
