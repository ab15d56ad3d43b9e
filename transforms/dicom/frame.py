"""One plane of pixels and what its header says of it: a classic file has one, an enhanced multi-frame file has many."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.dataset import Dataset

from .instance import Instance


@dataclass(frozen=True)
class Frame:
    """Everything that geometry and values need, whichever kind of file it came from.

    Args:
        instance: the file.
        index: of the frame in its file, from 0.
        orientation: row and column direction cosines (LPS), six numbers; None where absent or not finite.
        position: centre of the first pixel, mm (LPS); None where absent or not finite.
        pixel_spacing: mm between rows, between columns; None where absent.
        stack: what tells one volume of a series from another where positions repeat (temporal position, echo, b-value,
            acquisition, stack identifier ...), as comparable text; "" parts where absent. Never printed.
        rescale: the data set that holds RescaleSlope and RescaleIntercept of this frame or its ModalityLUTSequence (the file's
            own header, or the frame's PixelValueTransformation item); None where the frame has none.
    """

    instance: Instance
    index: int
    orientation: tuple[float, ...] | None
    position: tuple[float, ...] | None
    pixel_spacing: tuple[float, float] | None
    stack: tuple[str, ...]
    rescale: Dataset | None
