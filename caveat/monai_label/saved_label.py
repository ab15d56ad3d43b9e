"""A label that an annotator saves: what it numbers must be what a bundle numbers so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK

from ..reasons import StudyRefused


def check_label(file: Path, info: Mapping[str, Any], bundles: Sequence[Mapping[str, int]]) -> None:
    """Raises: StudyRefused: UNREADABLE_FILE; LABEL_WITHOUT_CLASS where no bundle has the label's values, by the client's names.

    Args:
        file: label map. info: what the client says of it: `label_info`, entries of `name` and `idx`, may be missing.
        bundles: of each bundle that is served, its classes' values by name.
    """
    try:
        values = set(np.unique(SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(file)))).tolist()) - {0}
    except RuntimeError:
        raise StudyRefused("UNREADABLE_FILE", "the label is no image") from None
    known = {name for classes in bundles for name in classes}
    stated = [one for one in info.get("label_info") or () if isinstance(one, Mapping)]
    named = {one["name"]: one.get("idx") for one in stated if one.get("name") in known and one.get("idx") in values}
    if not any(values <= {*classes.values()} and named.items() <= classes.items() for classes in bundles):
        expected = "; ".join(", ".join(f"{value} {name}" for name, value in classes.items()) for classes in bundles)
        raise StudyRefused("LABEL_WITHOUT_CLASS", f"a label holds 0 and values of one bundle: {expected}")
