"""Of a file that holds several things, the one that is meant: by its number, or none."""

from __future__ import annotations

import copy
import hashlib

import numpy as np
import pytest
from dicom_grid import Grid
from dicom_phantoms import item, write
from phantoms import metaimage_bytes, nifti_bytes, nrrd_bytes
from pydicom.sequence import Sequence as Items
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian
from region_phantoms import segmentation, structures, write_region

from caveat.cli import main
from caveat.reasons import StudyRefused
from caveat.transforms.place.crop_to_region import CropToRegiond
from caveat.transforms.place.region_file import read_region
from caveat.transforms.study.inspect_study import inspect_study
from caveat.transforms.study.load_study import LoadStudyd

GRID = Grid()
LOW, HIGH = np.array([5, 9, 3]), np.array([20, 14, 12])
SECOND_LOW, SECOND_HIGH = np.array([22, 2, 5]), np.array([26, 6, 8])
SPACE = hashlib.sha256(b"1.2.3").hexdigest()


def filled(shape, low, high):
    mask = np.zeros(shape, bool)
    mask[tuple(slice(*ends) for ends in zip(low, high))] = True
    return mask


def both(shape=GRID.shape):
    return [filled(shape, LOW, HIGH), filled(shape, SECOND_LOW, SECOND_HIGH)]


def faces(region, affine=GRID.affine):
    to_grid = np.linalg.inv(affine)
    low, high = region.extent(to_grid[:3, :3])
    return np.round(low + to_grid[:3, 3] + 0.5, 3).tolist(), np.round(high + to_grid[:3, 3] + 0.5, 3).tolist()


def code(path, label=None):
    with pytest.raises(StudyRefused) as caught:
        read_region(path, label)
    return str(caught.value)


FIRST, SECOND = (LOW.tolist(), HIGH.tolist()), (SECOND_LOW.tolist(), SECOND_HIGH.tolist())


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL", "LABELMAP"])
def test_a_segment_is_chosen_by_its_number(kind, tmp_path):
    masks = [mask.astype(np.float32) for mask in both()] if kind == "FRACTIONAL" else both()
    path = write_region(segmentation(GRID, masks, kind), tmp_path)
    assert faces(read_region(path, 1)) == FIRST and read_region(path, 1).parts == 1
    assert faces(read_region(path, 2)) == SECOND and read_region(path, 2).parts == 1
    assert code(path) == "AMBIGUOUS_REGION: 2 segments: 1, 2"
    assert code(path, 3) == "EMPTY_REGION: none of the 2 segments: 1, 2"


@pytest.mark.parametrize("make", [nifti_bytes, metaimage_bytes, nrrd_bytes], ids=["NIfTI", "MetaImage", "NRRD"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_a_label_is_chosen_by_its_number(make, dtype, tmp_path):
    first, second = both()
    path = tmp_path / "mask"
    path.write_bytes(make((first * 2 + second * 7).astype(dtype)))
    affine = inspect_study(path).image.affine
    assert faces(read_region(path, 2), affine) == FIRST
    assert faces(read_region(path, 7), affine) == SECOND
    assert code(path) == "AMBIGUOUS_REGION: 2 labels: 2, 7"
    assert code(path, 1) == "EMPTY_REGION: none of the 2 labels: 2, 7"


def test_a_structure_is_chosen_by_its_number(tmp_path):
    squares = [[np.array([[x, 0, z], [x + 4, 0, z], [x + 4, 4, z]], float) for z in (0, 2)] for x in (0, 20)]
    path = write_region(structures(squares), tmp_path)
    assert read_region(path, 2).extent(np.eye(3))[0].tolist() == [20, 0, -1]
    assert code(path) == "AMBIGUOUS_REGION: 2 structures: 1, 2"
    twice = structures(squares)
    twice.ROIContourSequence[1].ReferencedROINumber = 1
    assert code(write_region(twice, tmp_path / "twice"), 1) == "AMBIGUOUS_REGION: 2 structures of one number"


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian], ids=["native", "deflated"])
@pytest.mark.parametrize("padding", [0, 255, 9, None])
def test_the_background_of_a_label_map_is_any_number(padding, syntax, tmp_path):
    """Supplement 243: a pixel's value is its segment's number; what belongs to none has the padding value."""
    labels = segmentation(GRID, both()[:1], "LABELMAP")
    del labels.SegmentSequence[0]  # highdicom describes the background as a segment too
    pixels = np.frombuffer(labels.PixelData, np.uint8)
    labels.PixelData = np.where(pixels == 1, 1, 0 if padding is None else padding).astype(np.uint8).tobytes()
    labels.PixelPaddingValue = padding
    (path,) = write([labels], tmp_path, syntax)
    assert faces(read_region(path)) == FIRST


def test_segment_0_may_be_a_class(tmp_path):
    labels = segmentation(GRID, both()[:1], "LABELMAP")
    liver = copy.deepcopy(labels)
    liver.SegmentSequence[0].SegmentedPropertyTypeCodeSequence[0].CodeValue = "10200004"
    liver.PixelPaddingValue = 255
    path = write_region(liver, tmp_path / "liver")
    assert code(path) == "AMBIGUOUS_REGION: 2 segments: 0, 1"
    assert faces(read_region(path, 1)) == FIRST
    assert read_region(path, 0).parts == 1
    labels.PixelPaddingValue = 255  # described as the background all the same
    assert faces(read_region(write_region(labels, tmp_path / "background"))) == FIRST


def test_what_belongs_to_a_segment_that_is_not_described_is_not_the_one_that_is(tmp_path):
    labels = segmentation(GRID, both(), "LABELMAP")
    del labels.SegmentSequence[2]
    assert faces(read_region(write_region(labels, tmp_path / "labels"))) == FIRST
    bits = segmentation(GRID, both(), "BINARY")
    del bits.SegmentSequence[1]
    assert faces(read_region(write_region(bits, tmp_path / "bits"))) == FIRST


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
def test_slices_are_as_thick_as_they_say_where_others_are_left_out(kind, tmp_path):
    masks = np.zeros(GRID.shape, bool)
    masks[5:20, 9:14, [3, 5, 8]] = True
    sparse = segmentation(GRID, [masks], kind)
    if kind == "LABELMAP":  # every frame is there; drop the empty ones
        frames = np.frombuffer(sparse.PixelData, np.uint8).reshape(-1, GRID.shape[1], GRID.shape[0])
        kept = [index for index, frame in enumerate(frames) if frame.any()]
        sparse.PixelData = frames[kept].tobytes()
        sparse.PerFrameFunctionalGroupsSequence = Items([sparse.PerFrameFunctionalGroupsSequence[index] for index in kept])
        sparse.NumberOfFrames = len(kept)
    region = read_region(write_region(sparse, tmp_path))
    assert faces(region) == ([5, 9, 3], [20, 14, 9])
    assert region.parts == 3


def test_contours_are_as_thick_as_they_say_where_others_are_left_out(tmp_path):
    squares = [np.array([[0, 0, z], [4, 0, z], [4, 4, z]], float) for z in (0, 10)]
    drawn = structures([squares])
    for contour in drawn.ROIContourSequence[0].ContourSequence:
        contour.ContourSlabThickness = 2.5
    low, high = read_region(write_region(drawn, tmp_path)).extent(np.eye(3))
    assert (low[2], high[2]) == (-1.25, 11.25)


@pytest.mark.parametrize(
    "places,parts",
    [
        ([(0, 0, z) for z in range(0, 12, 2)], 1),
        ([(0, 0, 0), (0, 0, 2), (0, 0, 6)], 1),
        ([(0, 0, 0), (0, 0, 2), (20, 0, 0), (20, 0, 2)], 2),
        ([(0, 0, 0), (0, 0, 2), (0, 0, 20), (0, 0, 22)], 2),
        ([(0, 0, 0), (3, 3, 2), (6, 6, 4)], 1),
        ([(0, 0, 0)], 1),
    ],
    ids=["one", "a plane left out", "side by side", "above each other", "slanted", "one contour"],
)
def test_parts_of_a_contoured_structure_are_counted(places, parts, tmp_path):
    corners = np.array([[0, 0, 0], [4, 0, 0], [4, 4, 0], [0, 4, 0]], float)
    turn = np.array([[0.6, -0.8, 0], [0.8, 0.6, 0], [0, 0, 1.0]]) @ np.array([[1.0, 0, 0], [0, 0.6, -0.8], [0, 0.8, 0.6]])
    for name, turned in (("upright", np.eye(3)), ("oblique", turn)):
        drawn = structures([[(corners + place) @ turned.T for place in places]])
        assert read_region(write_region(drawn, tmp_path / name)).parts == parts


@pytest.mark.parametrize("other", [[30.0, 2, 3], [1.0, 2, 30]])
def test_points_of_one_structure_are_parts(other, tmp_path):
    assert read_region(write_region(structures([[[[1.0, 2, 3]], [other]]], "POINT"), tmp_path)).parts == 2


def test_the_frame_of_an_rtstruct_may_stand_in_its_list_of_frames_alone(tmp_path):
    drawn = structures([[np.array([[0, 0, 0], [4, 0, 0], [4, 4, 0]], float)]])
    drawn.ReferencedFrameOfReferenceSequence = Items([item(FrameOfReferenceUID="1.2.3")])
    assert read_region(write_region(drawn, tmp_path / "one")).frame_of_reference == SPACE
    drawn.ReferencedFrameOfReferenceSequence.append(item(FrameOfReferenceUID="1.2.4"))
    assert code(write_region(drawn, tmp_path / "two")).startswith("REGION_UNREADABLE: 2 frames of reference")
    drawn.StructureSetROISequence[0].ReferencedFrameOfReferenceUID = "1.2.3"
    assert read_region(write_region(drawn, tmp_path / "own")).frame_of_reference == SPACE
    del drawn.ReferencedFrameOfReferenceSequence, drawn.StructureSetROISequence
    drawn.FrameOfReferenceUID = "1.2.3"
    assert read_region(write_region(drawn, tmp_path / "of the object")).frame_of_reference == SPACE


@pytest.mark.parametrize("whole", [1.0, 0.9])
def test_probabilities_count_from_one_half_on(whole, tmp_path):
    shape = (12, 10, 8)
    values = np.full(shape, 0.1, np.float32)
    values[2:9, 3:7, 1:6] = 0.45
    values[3:8, 4:6, 2:5] = whole
    (tmp_path / "map.nii").write_bytes(nifti_bytes(values, np.eye(4)))
    assert faces(read_region(tmp_path / "map.nii"), np.eye(4)) == ([3, 4, 2], [8, 6, 5])


def test_an_image_is_no_mask(tmp_path):
    values = np.random.default_rng(0).normal(0, 300, (12, 10, 8))
    for name, image in {"counts": np.abs(values).astype(np.int16), "real": np.abs(values).astype(np.float32)}.items():
        (tmp_path / name).write_bytes(nifti_bytes(image))
    assert code(tmp_path / "counts").startswith("AMBIGUOUS_REGION: ")
    assert code(tmp_path / "counts").endswith(" labels: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ...")
    assert code(tmp_path / "real").startswith("REGION_UNREADABLE: ")


def test_a_point_is_not_put_between_two_parts(tmp_path):
    """A box of both is what was asked for; the middle of that box lies in neither."""
    shape, affine = (40, 40, 30), np.eye(4)
    two = filled(shape, (4, 4, 4), (8, 8, 8)) | filled(shape, (24, 24, 14), (28, 28, 18))
    (tmp_path / "image.nii").write_bytes(nifti_bytes(np.arange(np.prod(shape), dtype=np.int32).reshape(shape), affine))
    image = LoadStudyd("image")({"image": tmp_path / "image.nii"})["image"]

    def crop(mask, **label):
        (tmp_path / "mask.nii").write_bytes(nifti_bytes(mask.astype(np.uint8), affine))
        where = {way: str(tmp_path / "mask.nii") for way in label.pop("ways")}
        return CropToRegiond("image", [10] * 3, [0] * 3, [100] * 3, **where, **label)({"image": image})["image"]

    assert crop(two, ways=["box"]).shape == (1, 24, 24, 14)
    with pytest.raises(StudyRefused, match="AMBIGUOUS_REGION: 2 parts that do not touch"):
        crop(two, ways=["point"])
    assert crop(two * 1 + filled(shape, (24, 24, 14), (28, 28, 18)), ways=["point"], label=2).meta["crop"]["source"] == "point"
    stray = filled(shape, (4, 4, 4), (8, 8, 8)) | filled(shape, (9, 9, 9), (10, 10, 10))
    assert crop(stray, ways=["point"]).shape == (1, 10, 10, 10)
    far = filled(shape, (4, 4, 4), (8, 8, 8)) | filled(shape, (38, 38, 28), (39, 39, 29))  # one voxel would draw the middle out
    with pytest.raises(StudyRefused, match="AMBIGUOUS_REGION: 2 parts that do not touch"):
        crop(far, ways=["point"])


def test_a_label_without_a_mask_is_wrong_usage(tmp_path, capsys):
    for options in (["--label", "1"], ["--label", "1", "--point=1,2,3"]):
        assert main(["predict", "hippocampus_volume", "-i", str(tmp_path / "in"), "-o", str(tmp_path / "out"), *options]) == 2
    assert "--label is of a mask" in capsys.readouterr().err
