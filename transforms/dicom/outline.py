"""What a series is, in the few words that a choice is made by and a list of candidates shows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from caveat.reasons import StudyRefused

from ..image.study_image import Stated
from .guarded_header import guarded_header
from .header_values import text
from .layout import lay_out
from .series import Series

DIRECTIONS = ("sagittal", "coronal", "axial")
"""By the axis that the slices' normal is nearest to: right-left, front-back, head-feet."""
MODALITIES = frozenset(
    ["CR", "CT", "DX", "ES", "IO", "MG", "MR", "NM", "OCT", "OP", "OT", "PT", "PX", "RF", "RG", "US", "XA", "XC"]
)
"""Those that may be shown; the element could hold any word."""
ANOTHER = "another modality"


@dataclass(frozen=True)
class Outline:
    """What a series says of itself.

    Args:
        modality: such as "CT"; `ANOTHER` for a word that is none; "" where it is not known.
        orientation: "axial", "coronal", "sagittal"; "" where it is not known, or for a radiograph.
        size: columns, rows, slices; without slices where they could not be told apart, or of a radiograph.
        spacing_mm: per axis; None where the slices make no grid.
        contrast: whether a contrast agent is named.
        image_type: the values of ImageType.
        is_localizer: whether it is a scout.
        is_radiograph: whether it is one projection image.
        descriptions: of series and protocol: matched, never shown.
    """

    modality: str
    orientation: str
    size: tuple[int, ...]
    spacing_mm: tuple[float, ...] | None
    contrast: bool
    image_type: tuple[str, ...]
    is_localizer: bool
    is_radiograph: bool
    descriptions: tuple[str, ...] = field(repr=False)

    @property
    def slices(self) -> int | None:
        """Of a volume; None of a radiograph, and where they are not known."""
        return None if self.is_radiograph or len(self.size) < 3 else self.size[2]

    def __str__(self) -> str:
        """For a list of candidates: "MR 32 x 51 x 35, 1 x 1 x 1 mm"."""
        size = " x ".join(str(length) for length in self.size)
        spacing = " x ".join(f"{length:.4g}" for length in self.spacing_mm or ())
        return f"{self.modality} {size}, {spacing} mm" if spacing else f"{self.modality} {size}"


def outline_of(series: Series, stated: Stated) -> Outline:
    """From headers alone, whether the series can be read or not.

    Raises:
        StudyRefused: BAD_HEADER.
    """
    header = series.instance.header
    with guarded_header():
        image_type = tuple(text(header, "ImageType").split("\\"))
        modality = series.modality
        descriptions = tuple(str(header.get(keyword) or "") for keyword in ("SeriesDescription", "ProtocolName"))
        contrast = bool(header.get("ContrastBolusAgent") or header.get("ContrastBolusAgentSequence"))
        rows, columns = int(header.Rows), int(header.Columns)
    size, spacing = _grid(series, stated, rows, columns)
    return Outline(
        modality=modality if modality in MODALITIES else ANOTHER,
        orientation="" if series.is_radiograph else _orientation(series),
        size=size,
        spacing_mm=spacing,
        contrast=contrast,
        image_type=image_type,
        is_localizer="LOCALIZER" in image_type,
        is_radiograph=series.is_radiograph,
        descriptions=descriptions,
    )


def _grid(series: Series, stated: Stated, rows: int, columns: int) -> tuple[tuple[int, ...], tuple[float, ...] | None]:
    if series.is_radiograph or not series.frames:
        return (columns, rows), None
    try:
        layout = lay_out(series.frames, stated)
    except StudyRefused:
        return (columns, rows, len(series.frames)), None
    return layout.shape, layout.spacing_mm


def _orientation(series: Series) -> str:
    known = [frame.orientation for frame in series.frames if frame.orientation is not None]
    if not known:
        return ""
    normal = np.cross(*np.reshape(known[0], (2, 3)))
    return DIRECTIONS[int(np.argmax(np.abs(normal)))]
