"""Regions from files: the box that was drawn, whichever kind of file it was drawn into, or why there is none."""

from __future__ import annotations

import gzip
import hashlib

import numpy as np
import pytest
from dicom_grid import OBLIQUE, SAGITTAL, Grid
from dicom_phantoms import clean_series, uid, write
from phantoms import fundus, metaimage_bytes, nifti_bytes, nrrd_bytes, oblique_affine, picture_bytes
from pydicom.uid import JPEG2000Lossless, RLELossless
from region_phantoms import CANARY, segmentation, structures, write_region

from caveat.reasons import StudyRefused
from caveat.transforms.place.region_file import read_region

GRIDS = {"axial": Grid(), "oblique": Grid(orientation=OBLIQUE), "sagittal": Grid(orientation=SAGITTAL)}
LOW, HIGH = np.array([5, 9, 3]), np.array([20, 14, 12])
"""Of a box of voxels, the upper end excluded."""
PLANES = (10.0, 13.0, 16.0)


def box(shape, low=LOW, high=HIGH, dtype=bool):
    """A mask that touches every face of its box, and is hollow: what is within does not count."""
    mask = np.zeros(shape, dtype)
    mask[tuple(slice(*ends) for ends in zip(low, high))] = True
    mask[tuple(slice(first + 1, last - 1) for first, last in zip(low, high))] = False
    return mask


def drawn(path, affine):
    """Lower and upper faces of a file's region, in voxels of a grid, and the region."""
    region = read_region(path)
    to_grid = np.linalg.inv(affine)
    low, high = region.extent(to_grid[:3, :3])
    return low + to_grid[:3, 3], high + to_grid[:3, 3], region


def refusal(path):
    with pytest.raises(StudyRefused) as caught:
        read_region(path)
    assert CANARY not in str(caught.value) and str(path) not in str(caught.value)
    return caught.value


def square(z, size=10.0):
    return np.array([[0, 0, z], [size, 0, z], [size, 2 * size, z], [0, 2 * size, z]], float)


@pytest.mark.parametrize(
    "make",
    [nifti_bytes, lambda mask: gzip.compress(nifti_bytes(mask)), metaimage_bytes, nrrd_bytes],
    ids=["NIfTI", "gzip", "MetaImage", "NRRD"],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_a_mask_gives_the_faces_of_its_outermost_voxels(make, dtype, tmp_path):
    path = tmp_path / "mask"
    path.write_bytes(make(box((12, 10, 8), (2, 3, 1), (9, 7, 6)).astype(dtype) * 3 - dtype(0)))
    low, high, region = drawn(path, oblique_affine())
    np.testing.assert_allclose(low, np.array((2, 3, 1)) - 0.5, atol=1e-4)
    np.testing.assert_allclose(high, np.array((9, 7, 6)) - 0.5, atol=1e-4)
    assert region.frame_of_reference == ""


def test_along_the_axes_of_the_world_a_turned_voxel_reaches_as_far_as_its_corners(tmp_path):
    mask = np.zeros((12, 10, 8), np.uint8)
    mask[4, 5, 6] = 1
    (tmp_path / "mask.nii").write_bytes(nifti_bytes(mask))
    affine = oblique_affine()
    corners = np.array([[4 + x, 5 + y, 6 + z, 1] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)]) @ affine.T
    low, high = read_region(tmp_path / "mask.nii").extent(np.eye(3))
    np.testing.assert_allclose(low, corners[:, :3].min(axis=0), atol=1e-4)
    np.testing.assert_allclose(high, corners[:, :3].max(axis=0), atol=1e-4)


@pytest.mark.parametrize("syntax", [None, RLELossless, JPEG2000Lossless], ids=["native", "run lengths", "JPEG 2000"])
@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS.keys())
def test_a_segmentation_gives_the_faces_of_its_outermost_pixels(grid, syntax, tmp_path):
    kind = {"kind": "FRACTIONAL", "syntax": syntax} if syntax else {}
    path = write_region(segmentation(grid, [box(grid.shape)], **kind), tmp_path)
    low, high, region = drawn(path, grid.affine)
    np.testing.assert_allclose(low, LOW - 0.5, atol=1e-4)
    np.testing.assert_allclose(high, HIGH - 0.5, atol=1e-4)
    assert region.frame_of_reference == hashlib.sha256(uid(1, "frame of reference").encode()).hexdigest()


def test_a_fraction_counts_from_one_half_on(tmp_path):
    grid = Grid()
    fractions = 0.45 * box(grid.shape, LOW - 2, HIGH + 2).astype(np.float32)
    fractions[tuple(slice(*ends) for ends in zip(LOW, HIGH))] = 0.55
    low, high, _ = drawn(write_region(segmentation(grid, [fractions], "FRACTIONAL"), tmp_path), grid.affine)
    np.testing.assert_allclose(low, LOW - 0.5, atol=1e-4)
    np.testing.assert_allclose(high, HIGH - 0.5, atol=1e-4)


def test_one_slice_is_as_thick_as_it_says(tmp_path):
    grid = Grid()
    path = write_region(segmentation(grid, [box(grid.shape, (5, 9, 7), (20, 14, 8))]), tmp_path)
    low, high, _ = drawn(path, grid.affine)
    assert (low[2], high[2]) == pytest.approx((6.5, 7.5), abs=1e-4)


def test_contours_reach_half_a_step_to_either_side(tmp_path):
    path = write_region(structures([[square(z) for z in PLANES]], frame="1.2.3"), tmp_path)
    region = read_region(path)
    low, high = region.extent(np.eye(3))
    np.testing.assert_allclose(low, (0, 0, 8.5), atol=1e-6)
    np.testing.assert_allclose(high, (10, 20, 17.5), atol=1e-6)
    assert region.frame_of_reference == hashlib.sha256(b"1.2.3").hexdigest()


def test_a_point_is_where_it_is(tmp_path):
    low, high = read_region(write_region(structures([[[[1.0, 2, 3]]]], "POINT"), tmp_path)).extent(np.eye(3))
    np.testing.assert_allclose([low, high], [[1, 2, 3]] * 2, atol=1e-6)


def test_several_or_none_are_refused(tmp_path):
    mask = box(Grid().shape)
    two = write_region(segmentation(Grid(), [mask, mask]), tmp_path / "two")
    assert str(refusal(two)) == "AMBIGUOUS_REGION: 2 segments: 1, 2"
    several = write_region(structures([[square(1)], [square(2)], []]), tmp_path / "several")
    assert str(refusal(several)) == "AMBIGUOUS_REGION: 2 structures: 1, 2"
    nothing = write_region(structures([[], []]), tmp_path / "nothing")
    assert refusal(nothing).code == "EMPTY_REGION"
    (tmp_path / "empty.nii").write_bytes(nifti_bytes(np.zeros((12, 10, 8), np.uint8)))
    assert refusal(tmp_path / "empty.nii").code == "EMPTY_REGION"
    blank = segmentation(Grid(), [mask])
    blank.PixelData = bytes(len(blank.PixelData))
    assert refusal(write_region(blank, tmp_path / "blank")).code == "EMPTY_REGION"


def unreadable(tmp_path):
    """Files of which no region can be made, by what is wrong with them."""
    mask = segmentation(Grid(), [box(Grid().shape)])
    native = write_region(mask, tmp_path / "whole").read_bytes()
    nowhere = segmentation(Grid(), [box(Grid().shape)])
    del nowhere.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence
    turned = segmentation(Grid(), [box(Grid().shape)])
    turned.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0].ImageOrientationPatient = [1, 0, 0, 1, 0, 0]
    return {
        "cut pixels": native[:-100],
        "an image": nifti_bytes(np.linspace(-1000, 400, 960, dtype=np.float32).reshape(12, 10, 8)),
        "labels below the background": nifti_bytes(np.arange(960, dtype=np.int16).reshape(12, 10, 8) % 3 - 1),
        "a frame without a place": write_region(nowhere, tmp_path / "nowhere").read_bytes(),
        "no orientation": write_region(turned, tmp_path / "turned").read_bytes(),
        "open contours": write_region(structures([[square(1)]], "OPEN_PLANAR"), tmp_path / "open").read_bytes(),
        "a CT": write(clean_series()[:1], tmp_path / "ct")[0].read_bytes(),
        "a picture": picture_bytes(fundus(20, 24)[0]),
        "cut NIfTI": nifti_bytes()[:-10],
        "text": CANARY.encode(),
        "nothing": b"",
    }


def test_what_is_no_region_says_so_as_a_region(tmp_path):
    for what, data in unreadable(tmp_path).items():
        path = tmp_path / CANARY
        path.write_bytes(data)
        assert refusal(path).code == "REGION_UNREADABLE", what
    assert str(refusal(tmp_path / "absent")).startswith("REGION_UNREADABLE: UNREADABLE_FILE")


@pytest.mark.filterwarnings("error", "ignore:Implicitly cleaning up:ResourceWarning")  # rubbish of an earlier test
def test_a_cut_rtstruct_never_gives_a_smaller_region(tmp_path):
    whole = write_region(structures([[square(z) for z in PLANES]]), tmp_path).read_bytes()
    path = tmp_path / "cut"
    expected = read_region(tmp_path / f"{CANARY}.dcm").extent(np.eye(3))
    refused = 0
    for length in range(1, len(whole), 11):
        path.write_bytes(whole[:length])
        try:
            np.testing.assert_allclose(read_region(path).extent(np.eye(3)), expected)
        except StudyRefused:
            refused += 1
    assert refused > 60
