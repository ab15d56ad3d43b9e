"""Where an enhanced multi-frame object says things of its frames: each group per frame, else shared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydicom.dataset import Dataset

EMPTY = Dataset()
FRAME_TYPES = ("MRImageFrameTypeSequence", "CTImageFrameTypeSequence", "PETFrameTypeSequence")
"""Groups that say what kind of image a frame is."""


@dataclass(frozen=True)
class FunctionalGroups:
    """The functional groups of one object.

    Args:
        shared: by all frames.
        per_frame: one data set a frame.
        dimensions: tags of the elements that number the frames, in the order of DimensionIndexValues.
    """

    shared: Dataset
    per_frame: Sequence[Dataset]
    dimensions: tuple[int, ...] = ()

    @classmethod
    def of(cls, header: Dataset) -> FunctionalGroups | None:
        """Those of a header; None where it has none."""
        per_frame = header.get("PerFrameFunctionalGroupsSequence")
        if not per_frame:
            return None
        shared = header.get("SharedFunctionalGroupsSequence")
        pointers = [item.get("DimensionIndexPointer") for item in header.get("DimensionIndexSequence") or ()]
        dimensions = tuple(int(pointer) for pointer in pointers if pointer is not None)
        return cls(shared[0] if shared else EMPTY, per_frame, dimensions)

    def __len__(self) -> int:
        return len(self.per_frame)

    def item(self, keyword: str, index: int) -> Dataset:
        """One group, looked up for a frame, then among the shared. Returns: its item, an empty data set where there is none."""
        found = self.per_frame[index].get(keyword) or self.shared.get(keyword)
        return found[0] if found else EMPTY
