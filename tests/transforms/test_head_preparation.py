"""What a head is: with its skull or stripped, whole or cut, and no head at all."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from caveat.reasons import StudyRefused
from caveat.transforms.preparation.head_preparation import HeadPreparationd, rim_contrast
from caveat.transforms.preparation.require_head import RequireHeadd

LIMITS = {"fewest_slices": 10, "smallest_mm": (100, 120, 60), "largest_mm": (350, 350, 320)}


def head(scalp: float, bone: float, brain: float = 2.5, cut_at: int = 96) -> MetaTensor:
    """Twelve slices of an ellipse: a rim of scalp, bone beneath it, brain. Args: cut_at: row from which on there is nothing."""
    rows, columns = np.mgrid[:96, :96] - 47.5
    radius = np.hypot(rows / 44, columns / 36)
    plane = np.select([radius < 0.84, radius < 0.92, radius < 1], [brain, bone, scalp], 0.0)
    plane[cut_at:] = 0
    return MetaTensor(torch.from_numpy(np.repeat(plane[None, ..., None], 12, axis=3)).float(), meta={})


def meta_of(volume: MetaTensor) -> dict:
    return HeadPreparationd("image")({"image": volume})["image"].meta


@pytest.mark.parametrize(
    ("scalp", "bone", "word"),
    [
        (5.0, 0.1, "with skull"),
        (5.0, 0.0, "with skull"),
        (2.5, 2.5, "stripped"),
        (2.5, 1.35, "unclear"),
    ],  # contrasts 1.96, 0 and 0.46
)
def test_a_bright_rim_over_a_dark_one_is_a_skull(scalp, bone, word):
    assert meta_of(head(scalp, bone))["preparation"] == word


def test_contrast_is_the_rim_less_what_lies_beneath_in_medians_of_the_brain():
    one = head(5.0, 0.1)[0, ..., 0].numpy()
    assert rim_contrast(one, one > 0) == pytest.approx((5.0 - 0.1) / 2.5)


def test_a_head_that_ends_in_a_straight_edge_is_flagged():
    assert "HEAD_CUT" in meta_of(head(2.5, 2.5, cut_at=55))["flags"]
    assert "flags" not in meta_of(head(2.5, 2.5))


def test_flags_of_the_file_stay():
    volume = head(2.5, 2.5, cut_at=55)
    volume.meta["flags"] = ["DERIVED_IMAGE"]
    assert meta_of(volume)["flags"] == ["DERIVED_IMAGE", "HEAD_CUT"]


def test_an_image_in_which_no_slice_shows_a_head_is_of_another_kind():
    volume = MetaTensor(torch.zeros(1, 64, 64, 12), meta={})
    volume[0, 20:40, 20:40] = 2.5
    with pytest.raises(StudyRefused, match="NOT_THIS_KIND"):
        meta_of(volume)


def field(size_mm, slices=20, spacing_source="header", values=100.0) -> MetaTensor:
    spacing = [size_mm[0] / 64, size_mm[1] / 64, size_mm[2] / slices]
    voxels = torch.full((1, 64, 64, slices), values)
    return MetaTensor(voxels, affine=torch.diag(torch.tensor([*spacing, 1.0])), meta={"spacing_source": spacing_source})


def refusal(volume) -> str:
    with pytest.raises(StudyRefused) as caught:
        RequireHeadd("image", **LIMITS)({"image": volume})
    return caught.value.code


def test_a_whole_head_passes_with_and_without_a_spacing():
    for volume in (field((240, 240, 150)), field((40, 40, 40), spacing_source="")):
        assert torch.equal(RequireHeadd("image", **LIMITS)({"image": volume})["image"], volume)


def test_a_crop_a_slab_and_a_body_are_another_field_of_view():
    for size_mm in ((40, 54, 40), (240, 240, 50), (500, 500, 150)):
        assert refusal(field(size_mm)) == "FIELD_OF_VIEW_MISMATCH"
    assert refusal(field((240, 240, 150), slices=9)) == "FIELD_OF_VIEW_MISMATCH"
    assert refusal(field((240, 240, 150), slices=9, spacing_source="")) == "FIELD_OF_VIEW_MISMATCH"


def test_hounsfield_units_are_no_magnitudes_and_a_little_ringing_is_let_pass():
    computed_tomography = field((240, 240, 150))
    computed_tomography[:, :32] = -1000
    assert refusal(computed_tomography) == "NOT_THIS_KIND"
    ringing = field((240, 240, 150))
    ringing[:, :1] = -1
    RequireHeadd("image", **LIMITS)({"image": ringing})
