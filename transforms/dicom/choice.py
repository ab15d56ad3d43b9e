"""Which series of a study is measured: exactly one, by rule or by number."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from caveat.reasons import StudyRefused

from ..image.study_image import Stated
from .outline import DIRECTIONS, Outline, outline_of
from .pixel_layout import SECONDARY_CAPTURE
from .series import Series

MANY_SLICES = 5
"""Single slices that are not listed one by one."""


@dataclass(frozen=True)
class SeriesRule:
    """What a bundle asks of a series.

    Args:
        modality: one, or several of which any will do; "" for all.
        orientation: "axial", "coronal", "sagittal"; "" for all.
        contrast: whether a contrast agent is to be named; None for either.
        smallest_slices: of a volume.
        spacing_mm: smallest and largest, over all axes; None for all.
        description: regular expression that is looked for in the series' or the protocol's description, capitals or not; ""
            for all. Descriptions are matched, never shown.
        image_type: values that ImageType may hold, such as ORIGINAL, PRIMARY, AXIAL; () for all.

    Raises:
        ValueError: an orientation that is none, or a description that is no regular expression.
    """

    modality: str | Sequence[str] = ""
    orientation: str = ""
    contrast: bool | None = None
    smallest_slices: int = 1
    spacing_mm: tuple[float, float] | None = None
    description: str = ""
    image_type: Sequence[str] = ()

    def __post_init__(self) -> None:
        if self.orientation not in ("", *DIRECTIONS):
            raise ValueError(f"orientation is one of {', '.join(DIRECTIONS)}, got {self.orientation!r}")
        try:
            re.compile(self.description)
        except re.error as error:
            raise ValueError(f"description is no regular expression: {error}") from None

    @property
    def modalities(self) -> tuple[str, ...]:
        """Those that will do; () for all."""
        named = (self.modality,) if isinstance(self.modality, str) else tuple(self.modality)
        return tuple(name for name in named if name)

    def misfit(self, found: Outline) -> str:
        """The first thing about a series that is not as asked, "" where it fits."""
        smallest, largest = self.spacing_mm or (0.0, float("inf"))
        checks = {
            "modality": not self.modalities or found.modality in self.modalities,
            "orientation": not self.orientation or found.orientation == self.orientation,
            "contrast": self.contrast is None or found.contrast == self.contrast,
            "slices": found.slices is None or found.slices >= self.smallest_slices,
            "spacing": found.spacing_mm is None or all(smallest <= length <= largest for length in found.spacing_mm),
            "description": any(re.search(self.description, words, re.IGNORECASE) for words in found.descriptions),
            "image type": not self.image_type or set(found.image_type) <= set(self.image_type),
        }
        return next((what for what, fits in checks.items() if not fits), "")


def choose(series: Sequence[Series], rule: SeriesRule, stated: Stated, number: int | None = None) -> Series:
    """The one series that fits, or the one that the user chose.

    A series that fits but cannot be read counts: what is left may be another measurement. Only scouts, captures and single
    slices give way where something else fits.

    Args:
        series: of the study.
        rule: what is asked of it; not of a series chosen by number.
        stated: whether gaps and tilt are allowed.
        number: of the series, as it is listed.

    Raises:
        StudyRefused: AMBIGUOUS_SERIES, AMBIGUOUS_TEMPORAL, NO_SUITABLE_SERIES, WRONG_MODALITY; the chosen series' own problem.
    """
    if number is not None:
        return _by_number(series, number)
    outlines = {one.number: outline_of(one, stated) for one in series}
    misfits = {one.number: rule.misfit(outlines[one.number]) for one in series}
    fitting = [one for one in series if not misfits[one.number]]
    if not fitting:
        # A part of a series may be too small for what the whole would fit.
        broken = [one.problem for one in series if one.problem is not None and misfits[one.number] in ("slices", "spacing")]
        raise broken[0] if broken else _none_fits(list(misfits.values()), rule, list(outlines.values()))
    fitting = [one for one in fitting if not _gives_way(one, outlines[one.number])] or fitting
    if len(fitting) > 1:
        code = "AMBIGUOUS_TEMPORAL" if _are_volumes_of_one(fitting) else "AMBIGUOUS_SERIES"
        if len(fitting) >= MANY_SLICES and all(outlines[one.number].slices == 1 for one in fitting):
            raise StudyRefused(code, f"{len(fitting)} series of one slice each, as if each slice were a series of its own")
        raise StudyRefused(code, "; ".join(f"({one.number}) {outlines[one.number]}" for one in fitting))
    if fitting[0].problem is not None:
        raise fitting[0].problem
    return fitting[0]


def _by_number(series: Sequence[Series], number: int) -> Series:
    chosen = [one for one in series if one.number == number]
    if not chosen:
        raise StudyRefused("NO_SUITABLE_SERIES", f"there is no series {number}, there are {len(series)}")
    problem = chosen[0].problem
    if problem is not None and problem.code != "AMBIGUOUS_TEMPORAL":
        raise problem
    return chosen[0]


def _gives_way(series: Series, found: Outline) -> bool:
    """Whether it is one of the images that nearly every study has beside those that are meant."""
    is_capture = series.instance.sop_class.startswith(SECONDARY_CAPTURE)
    return found.is_localizer or is_capture or found.slices == 1


def _are_volumes_of_one(fitting: Sequence[Series]) -> bool:
    one_parent = len({one.parent for one in fitting}) == 1
    return one_parent and all(one.problem is not None and one.problem.code == "AMBIGUOUS_TEMPORAL" for one in fitting)


def _none_fits(misfits: Sequence[str], rule: SeriesRule, outlines: Sequence[Outline]) -> StudyRefused:
    if misfits and set(misfits) == {"modality"}:
        there = ", ".join(sorted({found.modality for found in outlines}))
        return StudyRefused("WRONG_MODALITY", f"{there} where {' or '.join(rule.modalities)} is measured")
    counted = ", ".join(f"{count} by {what}" for what, count in sorted(Counter(misfits).items()))
    return StudyRefused("NO_SUITABLE_SERIES", f"{len(misfits)} series do not fit: {counted}" if misfits else "no images")
