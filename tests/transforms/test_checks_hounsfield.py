"""A region of a chest CT has lung and something denser, in Hounsfield units."""

from __future__ import annotations

import numpy as np
import pytest
from monai.data import MetaTensor
from monai.transforms import Compose

from caveat.reasons import StudyRefused
from caveat.transforms.checks.hounsfield import refuse_no_lung
from caveat.transforms.preparation.require_lung import RequireLungd


@pytest.mark.parametrize(
    ("lowest", "highest", "code"),
    [
        (-1024, 300, None),
        (-3032, 3071, None),  # padding of a scanner
        (-850, -30, None),  # the faintest nodule of the set that is trained on
        (0, 4095, "NO_LUNG"),  # as stored, without the rescale
        (0, 1, "NO_LUNG"),  # scaled
        (-120, 250, "NO_LUNG"),  # liver
        (-1024, -700, "NO_LUNG"),  # air
        (-1024, 65535, "NOT_HOUNSFIELD"),
        (-32768, 300, "NOT_HOUNSFIELD"),
    ],
)
def test_61_what_is_no_region_of_a_lung_is_refused(lowest, highest, code):
    voxels = np.linspace(lowest, highest, 24, dtype=np.float32).reshape(1, 2, 3, 4)
    if code is None:
        refuse_no_lung(voxels)
        return
    with pytest.raises(StudyRefused, match=f"{code}: {lowest} to {highest}"):
        refuse_no_lung(voxels)


def test_a_region_passes_unchanged():
    image = MetaTensor(np.linspace(-1000, 100, 8, dtype=np.float32).reshape(1, 2, 2, 2))
    assert Compose([RequireLungd("image")])({"image": image})["image"] is image
