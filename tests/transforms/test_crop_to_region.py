"""The region that is measured: whatever lies around a crop, however the image lies in space, the same voxels are taken."""

from __future__ import annotations

import hashlib

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.data import MetaTensor, list_data_collate
from monai.transforms import Compose, Invertd, NormalizeIntensityd, Orientationd, Spacingd
from phantoms import oblique_affine
from region_phantoms import structures, write_region

from caveat.reasons import StudyRefused
from caveat.transforms.place.crop_to_region import CropToRegiond, box_of

SIZE_MM, SMALLEST_MM, LARGEST_MM = (16, 20, 24), (8, 8, 8), (30, 34, 38)
CROP, BEFORE, AFTER = (16, 20, 24), (30, 11, 17), (9, 25, 12)
AFFINES = {
    "upright": np.diag([1.0, 1.0, 1.0, 1.0]),
    "anisotropic": np.diag([0.9, 1.2, 1.5, 1.0]),
    "flipped": np.diag([-1.0, 1.0, -1.0, 1.0]),
    "permuted": np.array([[0, 0, 1.0, 4], [-1, 0, 0, 9], [0, 1, 0, -7], [0, 0, 0, 1]]),
    "oblique": oblique_affine((0.9, 1.1, 1.3)),
    "left-handed": oblique_affine((1.0, 1.0, 1.0), left_handed=True),
}


def crop_and_field(affine: np.ndarray) -> tuple[MetaTensor, MetaTensor]:
    """A crop, and a larger image that holds it at voxel `BEFORE`, bright around it."""
    random = np.random.default_rng(0)
    crop = random.normal(100, 20, CROP).astype(np.float32)
    whole = tuple(np.add(np.add(BEFORE, CROP), AFTER).tolist())
    field = random.normal(5000, 100, whole).astype(np.float32)
    field[tuple(slice(first, first + size) for first, size in zip(BEFORE, CROP, strict=True))] = crop
    outer = affine.copy()
    outer[:3, 3] = affine[:3, 3] - affine[:3, :3] @ np.array(BEFORE)
    return tensor(crop, affine), tensor(field, outer)


def tensor(voxels: np.ndarray, affine: np.ndarray) -> MetaTensor:
    return MetaTensor(torch.as_tensor(voxels)[None], affine=torch.as_tensor(affine), meta={"spacing_source": "NIfTI header"})


def cropper(largest_mm=LARGEST_MM, size_mm=SIZE_MM, **where) -> CropToRegiond:
    return CropToRegiond("image", size_mm, SMALLEST_MM, largest_mm, **where)


def steps(**where) -> Compose:
    """As in a bundle: crop on the image's own grid, then resample, then normalise."""
    oriented = Orientationd("image", axcodes="RAS", labels=None)
    return Compose(
        [oriented, cropper(**where), Spacingd("image", pixdim=(1, 1, 1), mode="bilinear"), NormalizeIntensityd("image")]
    )


def middle_of(affine: np.ndarray) -> list[float]:
    return (affine[:3, :3] @ ((np.array(CROP) - 1) / 2) + affine[:3, 3]).tolist()


def box_around(affine: np.ndarray) -> list[float]:
    return box_of(affine, np.zeros(3, int), np.array(CROP))


def size_around(affine: np.ndarray) -> list[float]:
    return np.diff(np.reshape(box_around(affine), (3, 2))).ravel().tolist()


@pytest.mark.parametrize("way", ["box", "point"])
@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES.keys())
def test_a_crop_is_the_same_whatever_surrounds_it(affine, way):
    crop, field = crop_and_field(affine)
    where = {"box": box_around(affine)} if way == "box" else {"point": middle_of(affine), "size_mm": size_around(affine)}
    alone = steps()({"image": crop})["image"]
    inside = steps(**where)({"image": field})["image"]
    assert inside.shape == alone.shape
    torch.testing.assert_close(inside.as_tensor(), alone.as_tensor(), rtol=0, atol=1e-4)
    torch.testing.assert_close(inside.affine, alone.affine, rtol=0, atol=1e-6)
    assert "flags" not in inside.meta and "crop" not in alone.meta
    assert inside.meta["crop"]["source"] == way
    np.testing.assert_allclose(inside.meta["crop"]["box_mm"], box_around(affine), atol=1e-3)


@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES.keys())
def test_the_inverse_puts_the_crop_back_where_it_was(affine):
    crop, field = crop_and_field(affine)
    transform = Compose([Orientationd("image", axcodes="RAS", labels=None), cropper(box=box_around(affine))])
    study = transform({"image": field})
    study["map"] = MetaTensor(study["image"].as_tensor().clone())
    back = Invertd("map", transform, orig_keys="image", nearest_interp=False)(study)["map"]
    inner = tuple(slice(first, first + size) for first, size in zip(BEFORE, CROP, strict=True))
    torch.testing.assert_close(back[0][inner].as_tensor(), crop[0].as_tensor())
    assert back.shape == field.shape and float(back.sum()) == pytest.approx(float(crop.sum()), rel=1e-5)


@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES.keys())
def test_the_box_that_is_recorded_gives_the_same_crop_again(affine):
    _, field = crop_and_field(affine)
    around = middle_of(affine) + np.array([1.3, -0.7, 2.2])
    first = cropper(point=around.tolist())({"image": field})["image"]
    again = cropper(box=first.meta["crop"]["box_mm"])({"image": field})["image"]
    torch.testing.assert_close(again.affine, first.affine)
    assert torch.equal(again.as_tensor(), first.as_tensor())


def test_without_box_or_point_nothing_changes_and_nothing_is_recorded():
    crop, _ = crop_and_field(np.eye(4))
    out = cropper()({"image": crop})["image"]
    assert torch.equal(out.as_tensor(), crop.as_tensor()) and "crop" not in out.meta


def test_faces_through_the_outermost_voxels_give_the_same_box():
    """A viewer says where voxels are; others say where they end."""
    crop, field = crop_and_field(np.eye(4))
    ends = [end for size in CROP for end in (0.0, size - 1.0)]
    assert torch.equal(cropper(box=ends)({"image": field})["image"].as_tensor(), crop.as_tensor())


def refused(code: str, image: MetaTensor, **where) -> str:
    with pytest.raises(StudyRefused) as refusal:
        cropper(**where)({"image": image})
    assert refusal.value.code == code
    return str(refusal.value)


def test_a_whole_head_is_refused_unless_it_is_said_where():
    _, field = crop_and_field(np.eye(4))
    assert "55 x 56 x 53 mm, where 8 x 8 x 8 to 30 x 34 x 38 mm" in refused("FIELD_OF_VIEW_MISMATCH", field)
    small = tensor(np.random.default_rng(0).random((7, 20, 20), np.float32), np.eye(4))
    refused("FIELD_OF_VIEW_MISMATCH", small)


def test_extents_are_compared_by_world_axis():
    """24 voxels from right to left are too many where 20 mm are the most, whichever axis of the file they are."""
    crop, _ = crop_and_field(AFFINES["permuted"])
    cropper(largest_mm=(24, 16, 20))({"image": crop})
    refused("FIELD_OF_VIEW_MISMATCH", crop, largest_mm=(16, 20, 24))


@pytest.mark.parametrize(
    "box", [(-40, 0, 0, 20, 0, 24), (-40, -32, 0, 20, 0, 24), (0, 16, 0, 20, 28, 44)], ids=["partly", "wholly", "above"]
)
def test_a_box_that_reaches_out_of_the_image_is_refused(box):
    _, field = crop_and_field(np.eye(4))
    assert "-30.5,24.5,-11.5,44.5,-17.5,35.5" in refused("ROI_OUTSIDE_IMAGE", field, box=box)


def test_rounding_of_a_stated_box_is_forgiven_below_half_a_voxel():
    _, field = crop_and_field(np.eye(4))
    out = cropper(box=(-30.9, -10, 0, 20, 0, 24))({"image": field})["image"]
    assert out.meta["crop"]["box_mm"][0] == -30.5


@pytest.mark.parametrize("box", [(0, 4, 0, 20, 0, 24), (0.2, 0.6, 0, 20, 0, 24), (-20, 20, 0, 20, 0, 24)])
def test_a_box_of_another_size_than_is_measured_is_refused(box):
    _, field = crop_and_field(np.eye(4))
    refused("FIELD_OF_VIEW_MISMATCH", field, box=box)


def test_a_point_outside_is_refused_and_near_the_border_its_box_is_cut_and_flagged():
    _, field = crop_and_field(np.eye(4))
    refused("ROI_OUTSIDE_IMAGE", field, point=(-31, 0, 0))
    refused("FIELD_OF_VIEW_MISMATCH", field, point=(-30, 0, 0), size_mm=(12, 20, 24))  # what is left is too small
    field.meta["flags"] = ["SPACING_UNIT_UNSTATED"]
    cut = cropper(point=(-28, 0, 0))({"image": field})["image"]
    assert cut.shape[1:] == (11, 20, 24) and cut.meta["flags"] == ["SPACING_UNIT_UNSTATED", "ROI_CUT_AT_BORDER"]
    assert field.meta["flags"] == ["SPACING_UNIT_UNSTATED"]


def test_a_box_of_one_value_is_refused():
    _, field = crop_and_field(np.eye(4))
    field[:] = 0
    refused("CONSTANT_IMAGE", field, box=(0, 16, 0, 20, 0, 24))


def test_a_label_is_cropped_alike_or_refused_where_it_lies_on_another_grid():
    crop, field = crop_and_field(np.eye(4))
    both = CropToRegiond(["image", "label"], SIZE_MM, SMALLEST_MM, LARGEST_MM, box=box_around(np.eye(4)), allow_missing_keys=True)
    assert torch.equal(both({"image": field, "label": field.clone()})["label"].as_tensor(), crop.as_tensor())
    with pytest.raises(StudyRefused, match="LABEL_OFF_GRID"):
        both({"image": field, "label": crop})


def test_what_is_recorded_survives_batching():
    _, field = crop_and_field(np.eye(4))
    batch = list_data_collate([cropper(point=(-28.0, 0, 0))({"image": field})])
    meta = batch["image"].meta
    assert "crop" in meta and "flags" in meta


@pytest.mark.parametrize(
    "where",
    [{"box": (0, 1, 2)}, {"box": (4, 0, 0, 1, 0, 1)}, {"point": (0, 1, np.nan)}, {"box": (0, 1) * 3, "point": (0, 0, 0)}],
    ids=["three numbers", "upside down", "not a number", "both"],
)
def test_what_is_no_box_and_no_point_is_an_error(where):
    with pytest.raises(ValueError):
        cropper(**where)


def mask_on(affine: np.ndarray, path) -> str:
    """A mask on the large image's grid whose box is the crop. Returns: its path."""
    outer = affine.copy()
    outer[:3, 3] = affine[:3, 3] - affine[:3, :3] @ np.array(BEFORE)
    mask = np.zeros(np.add(np.add(BEFORE, CROP), AFTER), np.uint8)
    mask[tuple(slice(first, first + size) for first, size in zip(BEFORE, CROP))] = 1
    image = nib.Nifti1Image(mask, outer)
    image.header.set_xyzt_units("mm")
    nib.save(image, path)
    return str(path)


@pytest.mark.parametrize("way", ["box", "point"])
@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES.keys())
def test_a_mask_says_which_voxels_are_meant_however_they_lie(affine, way, tmp_path):
    crop, field = crop_and_field(affine)
    where = {way: mask_on(affine, tmp_path / "mask.nii.gz")}
    out = cropper(size_mm=size_around(affine), **where)({"image": field})["image"]
    assert torch.equal(out.as_tensor(), crop.as_tensor())
    assert out.meta["crop"]["source"] == way
    again = cropper(box=out.meta["crop"]["box_mm"])({"image": field})["image"]
    assert torch.equal(again.as_tensor(), crop.as_tensor())


def test_a_mask_is_found_on_an_image_whose_axes_were_turned(tmp_path):
    """The mask stays as it was drawn; the image is oriented first, as in a bundle."""
    affine = AFFINES["permuted"]
    crop, field = crop_and_field(affine)
    around = np.diff(np.reshape(box_around(affine), (3, 2))).ravel()
    oriented = Orientationd("image", axcodes="RAS", labels=None)
    out = cropper(box=mask_on(affine, tmp_path / "mask.nii"), largest_mm=around)(oriented({"image": field}))["image"]
    assert torch.equal(out.as_tensor(), oriented({"image": crop})["image"].as_tensor())


def test_a_region_of_another_frame_of_reference_is_refused(tmp_path):
    _, field = crop_and_field(np.eye(4))
    middle = np.array([middle_of(np.eye(4))])
    path = str(write_region(structures([[middle]], "POINT", frame="1.2.3"), tmp_path))
    assert cropper(point=path)({"image": field})["image"].shape[1:] == CROP  # an image that names no frame
    field.meta["frame_of_reference"] = hashlib.sha256(b"1.2.3").hexdigest()
    assert cropper(point=path)({"image": field})["image"].shape[1:] == CROP
    field.meta["frame_of_reference"] = hashlib.sha256(b"1.2.4").hexdigest()
    refused("REGION_OTHER_FRAME", field, point=path)


def test_a_region_that_cannot_be_used_refuses_the_study(tmp_path):
    _, field = crop_and_field(np.eye(4))
    away = np.eye(4)
    away[:3, 3] = 100
    refused("ROI_OUTSIDE_IMAGE", field, box=mask_on(away, tmp_path / "away.nii"))
    refused("ROI_OUTSIDE_IMAGE", field, point=str(tmp_path / "away.nii"))
    assert str(tmp_path) not in refused("REGION_UNREADABLE", field, box=str(tmp_path / "absent.nii"))


def test_where_to_look_is_no_part_of_the_preprocessing_identity():
    assert CropToRegiond.not_identity == ("box", "point", "label")
