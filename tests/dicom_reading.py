"""What the DICOM tests do with a folder: read all of it, and compare it with the formula it was made by."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dicom_grid import Grid, measured_markers_mm, measured_volume_mm3, phantom

from caveat.reasons import StudyRefused
from caveat.transforms.dicom.choice import SeriesRule
from caveat.transforms.dicom.volume import read_dicom_study
from caveat.transforms.reader import Stated, StudyImage


def read_folder(folder: Path, rule: SeriesRule | None = None, **stated: object) -> StudyImage:
    """Every file below the folder, as one study. Args: stated: of `Stated`."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return read_dicom_study(paths, [rule or SeriesRule()], Stated(**stated))[0]


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
