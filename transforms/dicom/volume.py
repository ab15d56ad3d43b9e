"""From the files of one study to one image: the way in for DICOM."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from caveat.reasons import StudyRefused

from ..checks.geometry import refuse_bad_affine, spacing_of
from ..image.study_image import Stated, StudyImage
from .body_side import body_side
from .choice import SeriesRule, choose
from .header_flags import header_flags
from .instance import Instance, read_instance
from .layout import DECIMALS, lay_out
from .radiograph import read_radiograph
from .resampling import fill_gaps, on_grid_of, straighten
from .series import Series, series_of
from .space import frame_of_reference
from .studies import Study, studies_of
from .values import read_values

VOLUME, RADIOGRAPH = "dicom", "radiograph"
"""Kinds of image, as they stand in results."""
SPACING_SOURCE = "DICOM slice positions"


def read_dicom_study(
    paths: Iterable[Path], rules: Sequence[SeriesRule], stated: Stated, kinds: Collection[str] | None = None
) -> tuple[StudyImage, str]:
    """Read what is to be measured of a study: one series a rule, one channel a series.

    Args:
        paths: files of one study, in any order.
        rules: at least one. Series after the first are brought onto its grid; they must share its frame of reference.
        stated: what the user states; a series chosen by number takes the place of the one rule.
        kinds: of image that the bundle measures, "dicom" or "radiograph"; None for both.

    Returns:
        The image, (channels, x, y, z) or a radiograph's (1, rows, columns); and the sha256 of the sorted sha256 of the files
        that its pixels come from.

    Raises:
        StudyRefused: whatever keeps it from being read correctly.
        ValueError: no rules.
    """
    if not rules:
        raise ValueError("a study is read by at least one rule")
    series = series_of(one_study(read_instances(paths)))
    if stated.series is not None and len(rules) > 1:
        raise StudyRefused("WRONG_USAGE", f"--series chooses one series where {len(rules)} are read")
    chosen = [choose(series, rule, stated, stated.series) for rule in rules]
    for one in chosen:
        _refuse_kind(one, kinds)
    if len({one.number for one in chosen}) < len(chosen):
        raise StudyRefused("AMBIGUOUS_SERIES", "the same series fits two rules")
    read = [read_series(one, stated) for one in chosen]
    return _in_channels([image for image, _ in read]), _sha256([path for _, used in read for path in used])


def read_instances(paths: Iterable[Path]) -> list[Instance]:
    """The headers of a study's files.

    Raises:
        StudyRefused: of a file that cannot be read, which might be a slice; with its place among all, by name.
    """
    paths = sorted(paths)
    found = []
    for number, path in enumerate(paths, start=1):
        try:
            found.append(read_instance(path))
        except StudyRefused as refusal:
            which = f"file {number} of {len(paths)} by name" if len(paths) > 1 else ""
            raise StudyRefused(refusal.code, "; ".join(part for part in (refusal.found, which) if part)) from None
    return found


def one_study(instances: Sequence[Instance]) -> Study:
    """The study that all images are of.

    Raises:
        StudyRefused: NOT_DICOM, NO_SUITABLE_SERIES, SEVERAL_STUDIES, CONFLICTING_IDENTITY.
    """
    if not instances:
        raise StudyRefused("NOT_DICOM", "no file is a DICOM object")
    studies = studies_of(instances)
    for study in studies:
        if study.problem is not None:
            raise study.problem
    if not studies:
        raise StudyRefused("NO_SUITABLE_SERIES", f"{len(instances)} objects, none of them an image")
    if len(studies) > 1:
        raise StudyRefused("SEVERAL_STUDIES", f"{len(studies)} studies")
    return studies[0]


def read_series(series: Series, stated: Stated) -> tuple[StudyImage, tuple[Path, ...]]:
    """One volume or radiograph, whichever the series is.

    Returns:
        The image, and the files that its pixels come from.

    Raises:
        StudyRefused: whatever keeps it from being read correctly.
    """
    if series.is_radiograph:
        image = read_radiograph(series.frames[0], stated)
        flags = _united(image.flags, header_flags(series.frames))
        used: tuple[Path, ...] = (series.instance.path,)
        return replace(image, flags=flags, body_side=body_side(series.frames), files=used), used
    if len(series.frames) == 1:
        read_values(series.frames)  # what is wrong with its pixels says more than that it is alone
    layout = lay_out(series.frames, stated)
    voxels, flags = read_values(layout.frames)
    planes, affine = np.array(layout.planes), layout.affine
    if layout.shape[2] > len(layout.frames):
        voxels = fill_gaps(voxels, planes)
    if layout.leans:
        voxels, affine = straighten(voxels, affine)
        flags = (*flags, "TILT_RESAMPLED")
    refuse_bad_affine(affine)
    used = tuple({frame.instance.path: None for frame in layout.frames})
    image = StudyImage(
        voxels=voxels[None],
        affine=affine,
        original_affine=layout.affine,
        spacing_mm=tuple(round(length, DECIMALS) for length in spacing_of(affine)),
        spacing_source=SPACING_SOURCE,
        flags=_united(layout.flags, flags, header_flags(layout.frames), series.flags),
        frame_of_reference=frame_of_reference(series.instance.header),
        body_side=body_side(layout.frames),
        files=used,
    )
    return image, used


def kind_of(series: Series) -> str:
    """ "dicom" for volumes, "radiograph" for projection images."""
    return RADIOGRAPH if series.is_radiograph else VOLUME


def _refuse_kind(series: Series, kinds: Collection[str] | None) -> None:
    if kinds is not None and kind_of(series) not in kinds:
        raise StudyRefused("NOT_THIS_KIND", f"{kind_of(series)} where {' or '.join(kinds)} is measured")


def _in_channels(images: Sequence[StudyImage]) -> StudyImage:
    """Several volumes on the grid of the first."""
    first = images[0]
    if len(images) == 1:
        return first
    spaces = {image.frame_of_reference for image in images}
    if len(spaces) > 1 or not first.frame_of_reference:
        raise StudyRefused("MIXED_FRAME_OF_REFERENCE", f"{len(images)} series")
    voxels, flags = [first.voxels], [image.flags for image in images]
    for image in images[1:]:
        channel, more = on_grid_of(first, image)
        voxels.append(channel)
        flags.append(more)
    return replace(first, voxels=np.concatenate(voxels), flags=_united(*flags))


def _united(*flags: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(flag for some in flags for flag in some))


def _sha256(paths: Iterable[Path]) -> str:
    """One number for a set of files, whatever they are called."""
    hashes = []
    for path in paths:
        with path.open("rb") as file:
            hashes.append(hashlib.file_digest(file, "sha256").hexdigest())
    return hashlib.sha256("".join(sorted(hashes)).encode()).hexdigest()
