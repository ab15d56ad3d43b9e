"""A label that an annotator saves: what it numbers must be what a bundle numbers so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK

from ..reasons import StudyRefused


def check_label(file: Path, image: Path, info: Mapping[str, Any], bundles: Sequence[Mapping[str, int]]) -> None:
    """Raises: StudyRefused: UNREADABLE_FILE; LABEL_OFF_GRID; LABEL_WITHOUT_CLASS where no bundle has the label's values, by the
    client's names.

    Args:
        file: label map. image: that it is of; a folder, or what SimpleITK does not read, has no size here.
        info: what the client says of the label: `label_info`, entries of `name` and `idx`, may be missing.
        bundles: of each bundle that is served, its classes' values by name.
    """
    try:
        size = _size(file)  # of its header, before anything of that size is read
        if size != (_size_of_image(image) or size):
            raise StudyRefused("LABEL_OFF_GRID", "the label has another size than the image")
        values = set(np.unique(SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(file)))).tolist()) - {0}
    except RuntimeError:
        raise StudyRefused("UNREADABLE_FILE", "the label is no image") from None
    known = {name for classes in bundles for name in classes}
    listed = info.get("label_info")
    stated = [(one.get("name"), one.get("idx")) for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []
    named = {name: index for name, index in stated if isinstance(name, str) and name in known and index in [*values]}
    if not any(values <= {*classes.values()} and named.items() <= classes.items() for classes in bundles):
        expected = "; ".join(", ".join(f"{value} {name}" for name, value in classes.items()) for classes in bundles)
        raise StudyRefused("LABEL_WITHOUT_CLASS", f"a label holds 0 and values of one bundle: {expected}")


def _size(file: Path) -> tuple[int, ...]:
    """Elements along the axes of space; a picture may have a third one of 1."""
    reader = SimpleITK.ImageFileReader()
    reader.SetFileName(str(file))
    reader.ReadImageInformation()
    return (*reader.GetSize(), 1)[:3]


def _size_of_image(image: Path) -> tuple[int, ...] | None:
    try:
        return _size(image) if image.is_file() else None
    except RuntimeError:
        return None
