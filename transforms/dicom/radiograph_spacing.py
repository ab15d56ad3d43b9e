"""How large a radiograph's pixels are, and in which plane: a shadow has no one size."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pydicom.dataset import Dataset

from caveat.reasons import StudyRefused

from ..checks.geometry import LARGEST_SPACING_MM, SMALLEST_SPACING_MM
from ..image.stated_spacing import refuse_unsquare
from .header_values import numbers, text

KEYWORDS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")
EQUAL = 1e-3
"""Relative difference of two spacings that are the same, written with different numbers of digits."""
CALIBRATIONS = {
    "FIDUCIAL": "PixelSpacing, calibrated by a fiducial, at its depth",
    "GEOMETRY": "PixelSpacing, corrected for an assumed geometry",
}
"""By PixelSpacingCalibrationType."""


@dataclass(frozen=True)
class RadiographSpacing:
    """Args: mm: between rows, between columns; source: the plane and where it stands; flags: reason codes."""

    mm: tuple[float, float]
    source: str
    flags: tuple[str, ...]


def radiograph_spacing(header: Dataset, is_stated: bool = False) -> RadiographSpacing | None:
    """The spacing that a projection image states.

    Zeros are how some writers say that they do not know it.

    Args:
        is_stated: whether the user states one, where the image does not.

    Returns:
        None where it states none.

    Raises:
        StudyRefused: BAD_SPACING, also where all that it states are zeros, and the user states none.

    Source: DICOM PS3.3, 10.7.1.3 (pixel spacing, its calibration, imager pixel spacing).
    """
    calibrated, imager, film = (_spacing(header, keyword) for keyword in KEYWORDS)
    calibration = CALIBRATIONS.get(text(header, "PixelSpacingCalibrationType"))
    magnified = ("MAGNIFIED",) if _is_magnified(header) else ()
    if calibrated is not None and calibration is not None:
        return RadiographSpacing(calibrated, calibration, ())
    if calibrated is not None and not _equal(calibrated, imager) and not _equal(calibrated, film):
        return RadiographSpacing(calibrated, "PixelSpacing, its plane not stated", ("CALIBRATION_UNSTATED", *magnified))
    if imager is not None:
        return RadiographSpacing(imager, "detector plane (ImagerPixelSpacing)", magnified)
    if film is not None:
        return RadiographSpacing(film, "plane of the film, digitised (NominalScannedPixelSpacing)", magnified)
    if not is_stated and any(numbers(header, keyword) for keyword in KEYWORDS):
        raise StudyRefused("BAD_SPACING", "0 x 0 mm")
    return None


def refuse_unsquare_header(header: Dataset, stated_mm: tuple[float, ...] = ()) -> None:
    """See `refuse_unsquare`.

    Args:
        stated_mm: by the user, one number for both axes or one for each.

    Raises:
        StudyRefused: NON_SQUARE_PIXELS.

    Source: DICOM PS3.3, C.7.6.3.1.7: the vertical size to the horizontal.
    """
    aspect = numbers(header, "PixelAspectRatio")
    if not any(aspect):  # nothing, or zeros
        return
    if len(aspect) != 2 or not all(0 < side < math.inf for side in aspect):
        raise StudyRefused("NON_SQUARE_PIXELS", "their aspect ratio is no two numbers above zero")
    refuse_unsquare(aspect[0] / aspect[1], stated_mm if len(stated_mm) == 2 else (1.0, 1.0))


def _spacing(header: Dataset, keyword: str) -> tuple[float, float] | None:
    found = numbers(header, keyword)
    if not any(found):  # nothing, or zeros
        return None
    if len(found) != 2 or not all(SMALLEST_SPACING_MM <= length <= LARGEST_SPACING_MM for length in found):
        raise StudyRefused("BAD_SPACING", " x ".join(f"{length:.4g}" for length in found[:2]) + " mm")
    return found[0], found[1]


def _equal(first: tuple[float, float], second: tuple[float, float] | None) -> bool:
    return second is not None and all(math.isclose(one, other, rel_tol=EQUAL) for one, other in zip(first, second, strict=True))


def _is_magnified(header: Dataset) -> bool:
    """Whether it is known that the body lay at a distance from the detector: by the factor, or by both distances."""
    factor = numbers(header, "EstimatedRadiographicMagnificationFactor")
    detector, patient = (numbers(header, keyword) for keyword in ("DistanceSourceToDetector", "DistanceSourceToPatient"))
    if factor:
        return factor[0] > 1
    return bool(detector and patient) and detector[0] > patient[0] > 0
