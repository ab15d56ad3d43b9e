"""Only Hounsfield units of a lung go on: `RequireLungd`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from monai.transforms import MapTransform

from ..checks.hounsfield import refuse_no_lung


class RequireLungd(MapTransform):
    """Refuse what is no CT of a lung, in the region that is measured; let the rest pass as it is.

    Raises:
        StudyRefused: NOT_HOUNSFIELD, NO_LUNG.
    """

    identity = "caveat.RequireLungd/1"

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Args: data: with (channels, *spatial) under each key, Hounsfield units."""
        out = dict(data)
        for key in self.key_iterator(out):
            refuse_no_lung(out[key].numpy())
        return out
