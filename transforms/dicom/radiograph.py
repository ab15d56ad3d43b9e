"""Projection images: radiographs, mammograms, single frames of angiography and fluoroscopy, digitised films."""

from __future__ import annotations

import numpy as np
from pydicom.dataset import Dataset

from caveat.reasons import StudyRefused

from ..checks.limits import refuse_large_picture
from ..image.stated_spacing import stated_spacing
from ..image.study_image import Stated, StudyImage
from .frame import Frame
from .guarded_header import guarded_header
from .header_values import numbers, text
from .padding import fill_padding, is_padding_blurred, padding_of
from .pixel_bytes import refuse_short_file
from .pixel_layout import SECONDARY_CAPTURE, pixel_layout_of
from .polarity import INVERTED, contradicts, high_is_bright
from .radiograph_spacing import RadiographSpacing, radiograph_spacing, refuse_unsquare_header
from .rescale import LinearRescale, rescales_of
from .stored_values import container_values, within_bits

STORAGE = "1.2.840.10008.5.1.4.1.1."
PROJECTIONS = frozenset(STORAGE + end for end in ("1", "1.1", "1.1.1", "1.2", "1.2.1", "1.3", "1.3.1", "12.1", "12.2"))
"""Storage of computed, digital, mammographic and intra-oral radiographs, X-ray angiography and fluoroscopy."""
PROJECTION_MODALITIES = ("CR", "DX", "MG", "IO", "PX", "RG", "XA", "RF")
DIGITISED_FILM = "DF"


def is_projection(header: Dataset) -> bool:
    """Whether an image is one projection, which has no place in space: by its class, or as a capture by what was captured.

    Args:
        header: of an image.
    """
    if numbers(header, "NumberOfFrames") not in ((), (1.0,)):
        return False
    sop_class = text(header, "SOPClassUID")
    if sop_class.startswith(SECONDARY_CAPTURE) and "ImagePositionPatient" not in header:
        film = text(header, "ConversionType") == DIGITISED_FILM
        return film or text(header, "Modality") in PROJECTION_MODALITIES
    return sop_class in PROJECTIONS


def read_radiograph(frame: Frame, stated: Stated) -> StudyImage:
    """Read one projection image, as a picture: high values bright, whichever way it is stored.

    Args:
        frame: of a header that `is_projection`.
        stated: its spacing is used only where the file has none.

    Returns:
        Voxels (1, rows, columns), spacing in the plane that `spacing_source` names; None where the file states none, with the
        flag NO_PIXEL_SPACING. Magnification is not divided out.

    Raises:
        StudyRefused: as `read_values`; BAD_SPACING, NON_SQUARE_PIXELS, STATED_SPACING_MISMATCH, IMPLAUSIBLE_SPACING.
    """
    with guarded_header():
        found = radiograph_spacing(frame.instance.header, bool(stated.spacing_mm))
        if found is None:
            refuse_unsquare_header(frame.instance.header, stated.spacing_mm)
        pixels, flags = _pixels(frame)
    return _image(pixels, found, stated, flags)


def _pixels(frame: Frame) -> tuple[np.ndarray, tuple[str, ...]]:
    """Returns: (1, rows, columns) float32, and flags."""
    header, layout = frame.instance.header, pixel_layout_of(frame.instance)
    refuse_short_file(frame.instance, layout)
    refuse_large_picture(layout.rows, layout.columns)
    (rescale,) = rescales_of([frame], [layout])
    if text(header, "PhotometricInterpretation") == INVERTED and not isinstance(rescale, LinearRescale):
        raise StudyRefused("UNSUPPORTED_PIXEL_FORMAT", "MONOCHROME1 with a table")  # which of them to turn round is not said
    (pixels,) = container_values(frame.instance, layout, [frame.index])
    voxels = np.empty((1, *pixels.shape), dtype=np.float32)
    bright = high_is_bright(within_bits(pixels, layout), header, layout)
    rescale.apply(bright, voxels[0])
    flags: tuple[str, ...] = ("POLARITY_CONTRADICTED",) if contradicts(header, layout) else ()
    flags += ("VALUES_ROUNDED",) if rescale.rounds(bright, voxels[0]) else ()
    flags += ("PADDING_UNCERTAIN",) if is_padding_blurred(header, layout) else ()
    padding = padding_of(header, layout)
    if padding is not None:
        voxels[0][padding.marks(pixels, layout)] = np.nan
        flags += ("PADDING_REPLACED",) if fill_padding(voxels) else ()
    return voxels, flags


def _image(pixels: np.ndarray, found: RadiographSpacing | None, stated: Stated, flags: tuple[str, ...]) -> StudyImage:
    """With the grid of a picture: rows, columns."""
    original, affine = np.eye(4), np.eye(4)
    spacing: tuple[float, ...]
    if found is not None:
        spacing, source, flags = found.mm, found.source, (*flags, *found.flags)
        original[[0, 1], [0, 1]] = spacing
    elif stated.spacing_mm:
        spacing, source = stated_spacing(stated.spacing_mm, dimensions=2), stated.spacing_source
    else:
        return StudyImage(pixels, affine, original, None, "", (*flags, "NO_PIXEL_SPACING"))
    affine[[0, 1], [0, 1]] = spacing
    return StudyImage(pixels, affine, original, spacing, source, flags)
