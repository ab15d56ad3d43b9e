"""Source: where predictions and truths are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..calibration.read_cases import Cases, Stated, read_cases
from ..calibration.seen import Seen
from ..stored.list_part import Truths


@dataclass(frozen=True)
class Source:
    """Where predictions and truths are.

    Args:
        predictions: folder that `caveat predict` wrote.
        data_list: MONAI's form. dataset_dir: what its paths are relative to.
        truths: reads the truth of an entry.
        seen: images that the bundle's networks have seen: of those no record promises anything.
    """

    predictions: Path
    data_list: Path
    dataset_dir: Path
    truths: Truths
    seen: Seen = field(default_factory=dict)

    def cases(self, split: str, targets: Sequence[Stated], nothing_found: bool = False) -> Cases:
        """Every predicted study of a split. Args and raises: see `read_cases`."""
        return read_cases(self.predictions, self.data_list, split, self.truths, self.dataset_dir, targets, nothing_found)

    def seen_among(self, cases: Cases) -> str:
        """Why records are not looked at on these studies, "" where no network has seen any."""
        images = {case.sha256 for of_name in cases.by_name.values() for case in of_name} & set(self.seen)
        return f"UNITS_SEEN_IN_TRAINING: {len(images)} images" if images else ""
