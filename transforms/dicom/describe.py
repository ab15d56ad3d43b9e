"""One line about a series, for `caveat check`: what it is, and whether it can be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from caveat.reasons import StudyRefused

from ..checks.intensity import refuse_constant
from ..image.study_image import Stated
from .outline import Outline, outline_of
from .series import Series, series_of
from .volume import kind_of, one_study, read_instances, read_series

NO_OUTLINE = Outline("", "", (), None, False, (), False, False, ())
"""Of a series whose header cannot be read."""


@dataclass(frozen=True)
class SeriesRow:
    """What is shown of a series.

    Args:
        number: as `--series` takes it.
        kind: "dicom" or "radiograph".
        outline: modality, orientation, size, spacing.
        spacing_mm: per axis, as it was read; that of the outline where it was not.
        spacing_source: "" where no spacing is known.
        verdict: "ok" and flags, or the refusal with its code.
        code: of the refusal; "" where the series can be read.
    """

    number: int
    kind: str
    outline: Outline
    spacing_mm: tuple[float, ...] | None
    spacing_source: str
    verdict: str
    code: str


def describe_study(paths: Iterable[Path], stated: Stated) -> Iterator[SeriesRow]:
    """A row for each series of a study.

    Raises:
        StudyRefused: what keeps the study as a whole from being read.
    """
    for series in series_of(one_study(read_instances(paths))):
        yield describe(series, stated)


def describe(series: Series, stated: Stated) -> SeriesRow:
    """Read a series, pixels and all, so that the verdict is true."""
    outline, kind = NO_OUTLINE, kind_of(series)
    try:
        outline = outline_of(series, stated)
        if series.problem is not None and series.problem.code != "AMBIGUOUS_TEMPORAL":
            raise series.problem
        image, _ = read_series(series, stated)
        refuse_constant(image.voxels)
        if series.problem is not None:
            raise StudyRefused(series.problem.code, f"{series.problem.found}; --series {series.number} reads this one")
    except StudyRefused as refusal:
        return SeriesRow(series.number, kind, outline, outline.spacing_mm, "", str(refusal), refusal.code)
    verdict = ", ".join(["ok", *image.flags])
    return SeriesRow(series.number, kind, outline, image.spacing_mm, image.spacing_source, verdict, "")
