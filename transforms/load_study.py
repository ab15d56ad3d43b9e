"""The one way a study enters: `LoadStudyd`."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any

import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform

from .checks.intensity import refuse_channels, refuse_constant
from .inspect_study import Inspected, inspect_study
from .reader import Stated

IMAGE = "image"
"""The key whose values are measured; others are label masks, which may be empty and have channels of their own."""


class LoadStudyd(MapTransform):
    """Read a study's files; refuse what cannot be read correctly.

    Each path becomes a MetaTensor float32 (channels, *spatial), rows, columns for pictures and x, y, z for volumes, in its
    stored intensities. Its affine maps voxel indices to mm (RAS), or is the identity where no spacing is known. `meta` holds
    `spacing_source` ("" where no spacing is known), `input_sha256`, `input_kind`, `input_shape`, `original_affine`; and, only
    where there are any (an empty list or None does not survive MONAI's collating), `spacing_mm` and `flags`, the reason codes
    of what was accepted all the same. There is no path and no text of the file in it.

    Args:
        keys: of the paths. Only what stands under "image" is checked for its channels, for being constant, and against the
            entry's "sha256".
        channels: that the bundle reads, None for any.
        spacing: mm, stated by the user for images that carry none: one number, or one per axis.
        assume_orientation: accept volumes that do not say how they lie, flagged ORIENTATION_ASSUMED.
        kinds: of image that the bundle measures.
        allow_missing_keys: skip keys that an entry does not have.

    Raises:
        StudyRefused: any code of a file that cannot be read; NOT_THIS_KIND, WRONG_CHANNELS, CONSTANT_IMAGE, INPUT_CHANGED.
    """

    not_identity = ("spacing", "assume_orientation", "kinds")
    """Of the constructor's parameters: they say something of one study, so calibration records do not depend on them."""

    def __init__(
        self,
        keys: KeysCollection,
        channels: int | None = None,
        spacing: Sequence[float] | float | None = None,
        assume_orientation: bool = False,
        kinds: Collection[str] = ("picture", "nifti"),
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.channels = channels
        self.kinds = (kinds,) if isinstance(kinds, str) else tuple(kinds)
        numbers = (spacing,) if isinstance(spacing, int | float) else tuple(spacing or ())
        self.stated = Stated(tuple(float(number) for number in numbers), assume_orientation)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Args: data: with a path under each key. Returns: the same with MetaTensors."""
        out = dict(data)
        for key in self.key_iterator(out):
            measured = key == IMAGE
            found = inspect_study(out[key], self.stated, self.kinds, sha256=str(data.get("sha256") or "") if measured else "")
            if measured:
                self._check(found)
            out[key] = as_meta_tensor(found)
        return out

    def _check(self, found: Inspected) -> None:
        """What only an image that is to be measured must be."""
        if self.channels is not None:
            refuse_channels(found.image.voxels, self.channels)
        refuse_constant(found.image.voxels)


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
    if image.flags:
        meta["flags"] = list(image.flags)
    return MetaTensor(torch.from_numpy(image.voxels), affine=torch.as_tensor(image.affine), meta=meta)
