"""The one way a study enters: `LoadStudyd`."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform

from caveat.reasons import StudyRefused

from ..checks.geometry import refuse_spacing
from ..checks.intensity import refuse_channels, refuse_constant
from ..dicom.choice import SeriesRule
from ..image.stated_spacing import refuse_spacing_conflict
from ..image.study_image import Stated, StudyImage
from .input_sha256 import input_sha256
from .inspect_study import Inspected, inspect_study

LISTED = "stated by the data list"
VOLUME = 4
"""Axes of a volume's voxels: channels, x, y, z."""
IMAGE = "image"
"""The key whose values are measured; others are label masks, which may be empty and have channels of their own."""


class LoadStudyd(MapTransform):
    """Read a study's files; refuse what cannot be read correctly.

    Each path (see `inspect_study.Source`: a file, a DICOM study, or one of either a channel) becomes a MetaTensor float32
    (channels, *spatial), rows, columns for pictures and radiographs and x, y, z for volumes, in its stored intensities (of DICOM:
    rescaled as the file says). Its affine maps voxel indices to mm (RAS), or is the identity where no spacing is known. `meta`
    holds `spacing_source` ("" where no spacing is known), `input_sha256`, `input_kind`, `input_shape`, `original_affine`; and,
    only where there are any (an empty list or None does not survive MONAI's collating), `spacing_mm`, `body_side`,
    `frame_of_reference` (its sha256) and `flags`, the reason codes of what was accepted all the same. There is no path and no
    text of the file in it.
    Beside an image that came as DICOM stands `dicom_files`, for objects that are made of its series: its paths in JSON; and
    `dicom_sha256`, what they held.

    An entry may state its images' spacing under "spacing_mm" (mm, one number or one per axis, in a list), for files that carry
    none. One that its image contradicts, or that contradicts the one it is used in place of, is refused.

    Args:
        keys: of the paths. Only what stands under "image" is checked for its channels, for being constant, and against the
            entry's "sha256".
        channels: that the bundle reads, None for any. A picture whose channels are all alike is grey where one is read.
        spacing: mm, stated by the user for images that carry none: one number, or one per axis.
        assume_orientation: accept volumes that do not say how they lie, flagged ORIENTATION_ASSUMED.
        kinds: of image that the bundle measures.
        series_rules: which series of a DICOM study is measured: the fields of `SeriesRule`, or a list of them, one a channel.
        series: number of the series, chosen by hand as `caveat check` counts them, in place of the rules' choice.
        allow_gaps, allow_tilt: see `Stated`.
        spacing_limits_mm: smallest and largest that an image may have along any axis, where its spacing is known.
        unknown_spacing: measure volumes whose spacing is not known, in voxels.
        allow_missing_keys: skip keys that an entry does not have.

    Raises:
        StudyRefused: any code of a file that cannot be read; NOT_THIS_KIND, WRONG_CHANNELS, CONSTANT_IMAGE, INPUT_CHANGED,
            SPACING_CONFLICT, SPACING_NOT_MEASURED, MISSING_SPACING.
    """

    identity = "caveat.LoadStudyd/1"

    not_identity = (
        "spacing",
        "assume_orientation",
        "kinds",
        "series_rules",
        "series",
        "allow_gaps",
        "allow_tilt",
        "spacing_limits_mm",
        "unknown_spacing",
    )
    """Of the constructor's parameters: they say something of one study, so calibration records do not depend on them."""

    def __init__(
        self,
        keys: KeysCollection,
        channels: int | None = None,
        spacing: Sequence[float] | float | None = None,
        assume_orientation: bool = False,
        kinds: Collection[str] = ("picture", "nifti"),
        series_rules: Mapping[str, Any] | Sequence[Mapping[str, Any]] = (),
        series: int | None = None,
        allow_gaps: bool = False,
        allow_tilt: bool = False,
        spacing_limits_mm: tuple[float, float] = (0.0, math.inf),
        unknown_spacing: bool = False,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.channels = channels
        self.spacing_limits_mm = spacing_limits_mm
        self.unknown_spacing = unknown_spacing
        self.kinds = (kinds,) if isinstance(kinds, str) else tuple(kinds)
        numbers = (spacing,) if isinstance(spacing, int | float) else tuple(spacing or ())
        self.stated = Stated(tuple(float(number) for number in numbers), assume_orientation, series, allow_gaps, allow_tilt)
        rules = [series_rules] if isinstance(series_rules, Mapping) else series_rules
        self.rules = tuple(SeriesRule(**rule) for rule in rules) or (SeriesRule(),)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Args: data: with a path under each key. Returns: the same with MetaTensors."""
        out = dict(data)
        listed = tuple(data.get("spacing_mm") or ())
        stated = replace(self.stated, spacing_mm=listed, spacing_source=LISTED) if listed else self.stated
        for key in self.key_iterator(out):
            measured = key == IMAGE
            sha256 = str(data.get("sha256") or "") if measured else ""
            found = inspect_study(out[key], stated, self.kinds, sha256, self.rules)
            if measured:
                dicom = [str(path) for path in found.image.files]
                known = (("dicom_files", json.dumps(dicom)), ("dicom_sha256", input_sha256(dicom))) if dicom else ()
                if data.get("input_sha256") not in (None, input_sha256(out[key])):  # what was read is not what was hashed
                    raise StudyRefused("INPUT_CHANGED")
                found = self.accepted(found)
                self._refuse_conflict(found.image, listed)
                out |= known
            out[key] = as_meta_tensor(found)
        return out

    def accepted(self, found: Inspected) -> Inspected:
        """An image that is to be measured, however it was read. Raises: StudyRefused: it is no such image."""
        if self.channels == 1:
            found = replace(found, image=as_grey(found.image))
        self._check(found)
        return found

    def _check(self, found: Inspected) -> None:
        """What only an image that is to be measured must be."""
        if self.channels is not None:
            refuse_channels(found.image.voxels, self.channels)
        refuse_constant(found.image.voxels)
        if found.image.spacing_mm is None and found.image.voxels.ndim == VOLUME and not self.unknown_spacing:
            raise StudyRefused("MISSING_SPACING")
        refuse_spacing(found.image.spacing_mm or (), *self.spacing_limits_mm)

    def _refuse_conflict(self, image: StudyImage, listed: Sequence[float]) -> None:
        """Args: listed: spacing that the entry states, () where it states none."""
        if listed:
            refuse_spacing_conflict(image.spacing_mm or (), listed)
        if image.spacing_source == LISTED and self.stated.spacing_mm:
            refuse_spacing_conflict(image.spacing_mm or (), self.stated.spacing_mm)


def as_grey(image: StudyImage) -> StudyImage:
    """The one channel of an image that is stored in several equal ones, as scanners' JPEG files are; any other as it is."""
    alike = (image.voxels[1:] == image.voxels[0]).all()
    return replace(image, voxels=image.voxels[:1]) if alike else image


def as_meta_tensor(found: Inspected) -> MetaTensor:
    """A file that was read, as MONAI carries it. Returns: (channels, *spatial) float32 with the `meta` of `LoadStudyd`."""
    image = found.image
    meta: dict[str, Any] = {
        "spacing_source": image.spacing_source,
        "input_sha256": found.sha256,
        "input_kind": found.kind,
        "input_shape": list(image.voxels.shape[1:]),
        "original_affine": torch.as_tensor(image.original_affine),
    }
    if image.spacing_mm is not None:
        meta["spacing_mm"] = list(image.spacing_mm)
    if image.body_side:
        meta["body_side"] = image.body_side
    if image.frame_of_reference:
        meta["frame_of_reference"] = image.frame_of_reference
    if image.flags:
        meta["flags"] = list(image.flags)
    return MetaTensor(torch.from_numpy(image.voxels), affine=torch.as_tensor(image.affine), meta=meta)
