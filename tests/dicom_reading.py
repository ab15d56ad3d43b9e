"""What the DICOM tests do with a folder: read all of it, and compare it with the formula it was made by."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dicom_grid import Grid, measured_markers_mm, measured_volume_mm3, phantom

from caveat.reasons import StudyRefused
from caveat.transforms.dicom.choice import SeriesRule
from caveat.transforms.image.study_image import Stated, StudyImage
from caveat.transforms.study.discover import find_studies
from caveat.transforms.study.inspect_study import inspect_study


def read_folder(folder: Path, rule: SeriesRule | None = None, **stated: object) -> StudyImage:
    """What the folder holds, as one study. Args: stated: of `Stated`."""
    return inspect_study(folder, Stated(**stated), rules=[rule or SeriesRule()]).image


def at_the_door(path: Path, **stated: object) -> list[StudyImage | str]:
    """What becomes of each study of a file or folder, as `caveat check` and `predict` find them: its image or its code."""
    found: list[StudyImage | str] = []
    for study in find_studies(path):
        try:
            found.append(inspect_study(study["image"], Stated(**stated)).image)
        except StudyRefused as refused:
            found.append(refused.code)
    return found


def refusal(folder: Path, rule: SeriesRule | None = None, **stated: object) -> str:
    """The code that a folder is refused with; nothing of a patient stands in the message."""
    with pytest.raises(StudyRefused) as caught:
        read_folder(folder, rule, **stated)
    for word in ("Phantom", "2.25.", str(folder), ".dcm"):
        assert word not in str(caught.value)
    return caught.value.code


def assert_is_phantom(image: StudyImage, grid: Grid | None = None, affine_mm: float = 1e-5) -> None:
    """The same voxels as a clean series, in the same place. Args: affine_mm: tolerance of the affine's entries."""
    grid = grid or Grid()
    assert image.voxels.dtype == np.float32
    np.testing.assert_array_equal(image.voxels[0], phantom(grid))
    np.testing.assert_allclose(image.affine, grid.affine, atol=affine_mm)
    np.testing.assert_allclose(measured_markers_mm(image.voxels[0], image.affine), grid.markers_mm, atol=0.1)
    assert measured_volume_mm3(image.voxels[0], image.affine) == pytest.approx(grid.volume_mm3, rel=0.005)
