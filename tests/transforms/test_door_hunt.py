"""At the door: further ways in which a folder of DICOM is not what it seems, each read rightly or refused."""

from __future__ import annotations

import copy
import gzip
import struct
import tarfile
import zipfile

import numpy as np
import pytest
from dicom_grid import Grid, phantom
from dicom_phantoms import clean_series, encoded, enhanced_series, radiograph, raw_number, set_pixels, stored_pixels, uid, write
from dicom_reading import assert_is_phantom, at_the_door
from pydicom import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless, RLELossless

GRID = Grid(shape=(9, 10, 8))


def assert_is_whole(image):
    np.testing.assert_array_equal(image.voxels[0], phantom(GRID))


def with_tags(series: list[Dataset], **tags: object) -> list[Dataset]:
    for header in series:
        for name, value in tags.items():
            setattr(header, name, value)
    return series


def objects_of(header: Dataset, *cuts: slice) -> list[Dataset]:
    """An enhanced object in several, of these frames each."""
    frames = np.frombuffer(header.PixelData, "<u2").reshape(-1, header.Rows, header.Columns)
    parts = []
    for number, cut in enumerate(cuts, start=1):
        part = copy.deepcopy(header)
        part.SOPInstanceUID, part.PixelData = uid("part", number), frames[cut].tobytes()
        part.PerFrameFunctionalGroupsSequence = header.PerFrameFunctionalGroupsSequence[cut]
        part.NumberOfFrames = len(part.PerFrameFunctionalGroupsSequence)
        parts.append(part)
    return parts


@pytest.mark.parametrize("modality", ["MR", "CT"])
def test_slices_of_both_polarities(modality, tmp_path):
    """Only their display differs where a rescale says what they mean; else they may be stored either way."""
    series = clean_series(GRID, modality)
    for header in series[::2]:
        header.PhotometricInterpretation = "MONOCHROME1"
        if modality == "MR":
            set_pixels(header, 4095 - stored_pixels(header))
    write(series, tmp_path)
    (found,) = at_the_door(tmp_path)
    if modality == "MR":
        assert found == "INCONSISTENT_RESCALE"
    else:
        assert_is_whole(found)


def test_a_ct_of_the_class_of_another_modality_is_not_in_hounsfield_units(tmp_path):
    write(with_tags(clean_series(GRID), SOPClassUID="1.2.840.10008.5.1.4.1.1.4", RescaleType="US"), tmp_path)
    assert at_the_door(tmp_path) == ["CT_WITHOUT_RESCALE"]


@pytest.mark.parametrize("sop_class", ["1.2.840.10008.5.1.4.1.1.9", "1.2.3.4"], ids=["a curve", "a maker's own"])
def test_a_slice_that_says_it_is_no_image(sop_class, tmp_path):
    """It would be passed over as reports are, and the volume be shorter."""
    series = clean_series(GRID)
    series[-1].SOPClassUID = sop_class
    write(series, tmp_path)
    assert at_the_door(tmp_path) == ["MIXED_SOP_CLASS"]


def test_a_dose_beside_whose_size_is_damaged(tmp_path):
    """It might be a slice, as far as anybody can see."""
    dose = clean_series(GRID)[0]
    dose.SOPClassUID, dose.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.481.2", uid("dose")
    (path,) = write([dose], tmp_path, names=["dose"])
    rows = b"\x28\0\x10\0US"
    path.write_bytes(path.read_bytes().replace(rows + b"\2\0\x0a\0", rows + b"\3\0\x0a\0\0"))
    write(clean_series(GRID), tmp_path)
    assert at_the_door(tmp_path) == ["NOT_DICOM"]


@pytest.mark.parametrize("keyword", ["StudyID", "FrameOfReferenceUID", "Modality", "PatientSex", "DeviceSerialNumber"])
@pytest.mark.parametrize("damage", [b"C\xa9", b"FD"], ids=["no kind of value", "another kind of value"])
def test_a_damaged_element_that_files_are_sorted_by_is_the_fault_of_its_file(keyword, damage, tmp_path):
    series = with_tags(clean_series(GRID), PatientSex="O", DeviceSerialNumber="12")
    path = write(series, tmp_path)[3]
    start = struct.pack("<HH", Tag(keyword).group, Tag(keyword).element)
    vr = series[3][keyword].VR.encode()
    path.write_bytes(path.read_bytes().replace(start + vr, start + damage))
    assert at_the_door(tmp_path) == ["NOT_DICOM"]


@pytest.mark.parametrize(("tag", "values"), [("Laterality", "LR"), ("PatientPosition", ("HFS", "FFS"))])
def test_what_belongs_to_the_series(tag, values, tmp_path):
    series = clean_series(GRID)
    for number, header in enumerate(series):
        setattr(header, tag, values[number % 2])
    write(series, tmp_path)
    assert at_the_door(tmp_path) == ["CONFLICTING_IDENTITY"]


def test_slices_whose_sign_or_bits_differ_are_read_each_by_its_own(tmp_path):
    series, signed = clean_series(GRID), clean_series(GRID, signed=True)
    for number in range(0, 8, 2):
        series[number] = signed[number]
    series[3].BitsStored, series[3].HighBit = 16, 15
    write(series, tmp_path)
    assert_is_whole(at_the_door(tmp_path)[0])


@pytest.mark.parametrize("garbage", [b"\xfc\xff\xfc\xffOB\0\0\x08\0\0\0" + bytes(8), b"garbage" * 20], ids=["element", "bytes"])
def test_what_stands_behind_the_pixels(garbage, tmp_path):
    for path in write(clean_series(GRID), tmp_path):
        path.write_bytes(path.read_bytes() + garbage)
    assert_is_whole(at_the_door(tmp_path)[0])


@pytest.mark.parametrize(("true", "stated"), [(JPEG2000Lossless, JPEGLSLossless), (RLELossless, ExplicitVRLittleEndian)])
def test_a_transfer_syntax_that_is_not_the_true_one(true, stated, tmp_path):
    series = [encoded(header, true) for header in clean_series(Grid(shape=(40, 34, 3)))]
    for header in series:
        header.file_meta.TransferSyntaxUID = stated
        header["PixelData"].is_undefined_length = stated != ExplicitVRLittleEndian
    write(series, tmp_path, stated)
    (code,) = at_the_door(tmp_path)
    assert code in ("TRUNCATED_PIXEL_DATA", "CORRUPT_PIXEL_DATA", "SIZE_MISMATCH")


def test_a_table_of_offsets_that_swaps_two_frames(tmp_path):
    header = enhanced_series(GRID)
    header.compress(RLELossless, generate_instance_uid=False)
    data = bytearray(encapsulate(list(generate_frames(header.PixelData, number_of_frames=8)), has_bot=True))
    offsets = list(struct.unpack_from("<8I", data, 8))
    offsets[3], offsets[4] = offsets[4], offsets[3]
    struct.pack_into("<8I", data, 8, *offsets)
    header.PixelData = bytes(data)
    write([header], tmp_path, RLELossless)
    assert at_the_door(tmp_path) == ["TRUNCATED_PIXEL_DATA"]


def test_an_archive_beside_what_was_unpacked_from_it(tmp_path):
    paths = write(clean_series(GRID), tmp_path)
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in paths:
            archive.write(path, path.name)
    (image,) = at_the_door(tmp_path)
    assert_is_whole(image)
    assert image.flags == ("DUPLICATE_DROPPED",)


def test_a_volume_half_of_which_lies_in_an_archive(tmp_path):
    paths = write(clean_series(GRID), tmp_path)
    with zipfile.ZipFile(tmp_path / "half.zip", "w") as archive:
        for path in paths[4:]:
            archive.writestr(path.name + ".gz", gzip.compress(path.read_bytes()))
            path.unlink()
    assert_is_whole(at_the_door(tmp_path)[0])


def test_a_slice_in_an_archive_of_another_kind(tmp_path):
    path = write(clean_series(GRID), tmp_path)[-1]
    with tarfile.open(f"{path}.tar", "w") as archive:
        archive.add(path, "slice")
    path.unlink()
    assert at_the_door(tmp_path) == ["NOT_DICOM"]


@pytest.mark.parametrize("stated", [True, False])
def test_enhanced_objects_of_one_frame_each(stated, tmp_path):
    parts = objects_of(enhanced_series(GRID), *(slice(number, number + 1) for number in range(8)))
    for part in parts:
        if not stated:
            del part.NumberOfFrames
    write(parts, tmp_path)
    assert_is_whole(at_the_door(tmp_path)[0])


def test_a_volume_as_single_frames_and_as_one_object(tmp_path):
    write(clean_series(GRID), tmp_path / "a")
    write([enhanced_series(GRID)], tmp_path / "b")
    assert at_the_door(tmp_path) == ["MIXED_SOP_CLASS"]


@pytest.mark.parametrize("uids", [("1.2.1", "1.2.2"), ("", ""), (None, None)], ids=["two", "emptied", "absent"])
@pytest.mark.parametrize("parts", [1, 2])
def test_a_concatenation_that_does_not_hold_together(parts, uids, tmp_path):
    objects = objects_of(enhanced_series(GRID), slice(0, 4), slice(4, 8))
    for number, (header, name) in enumerate(zip(objects, uids, strict=True), start=1):
        header.InConcatenationNumber, header.InConcatenationTotalNumber = number, 2
        if name is not None:
            header.ConcatenationUID = name
    write(objects[:parts], tmp_path)
    (found,) = at_the_door(tmp_path)
    if parts == 2 and not uids[0]:
        assert_is_whole(found)
    else:
        assert found == "INCOMPLETE_CONCATENATION"


def test_a_pet_that_says_it_has_more_slices(tmp_path):
    for count, flags in ((8, ()), (9, ("FEWER_SLICES",))):
        write(with_tags(clean_series(GRID, "PT"), NumberOfSlices=count), tmp_path / str(count))
        (image,) = at_the_door(tmp_path / str(count))
        assert_is_whole(image)
        assert image.flags == flags


@pytest.mark.parametrize("index", [7, 3])
def test_a_slice_that_was_given_a_series_of_its_own(index, tmp_path):
    series = clean_series()
    series[index].SeriesInstanceUID = "2.25.9"
    write(series, tmp_path)
    (image,) = at_the_door(tmp_path)
    assert_is_phantom(image)
    assert image.flags == ("SERIES_JOINED",)


def test_a_radiograph_copied_by_an_archive_that_writes_its_own_name(tmp_path):
    for folder in ("a", "b"):
        header = radiograph(ImagerPixelSpacing=[0.2, 0.2])
        header.file_meta.ImplementationVersionName = f"ARCHIVE_{folder * 3}"
        write([header], tmp_path / folder)
    (image,) = at_the_door(tmp_path)
    assert image.flags == ("DUPLICATE_DROPPED",)


def test_radiographs_of_one_identifier_that_say_different_sizes(tmp_path):
    write([radiograph(ImagerPixelSpacing=[0.2, 0.2])], tmp_path / "a")
    write([radiograph(ImagerPixelSpacing=[0.1, 0.1])], tmp_path / "b")
    assert at_the_door(tmp_path) == ["AMBIGUOUS_SERIES"]


def test_two_objects_of_one_identifier_that_differ_are_both_kept(tmp_path):
    series = clean_series()
    series[4].SOPInstanceUID = series[5].SOPInstanceUID
    write(series, tmp_path)
    assert_is_phantom(at_the_door(tmp_path)[0])


@pytest.mark.parametrize("text", ["-3,5\\1,0\\2,0", "1\\2\\3\\4\\5\\6", "nan\\0\\0", "1\\2"])
def test_a_position_that_is_none(text, tmp_path):
    series = clean_series(GRID)
    raw_number(series[-1], "ImagePositionPatient", text)
    write(series, tmp_path)
    assert at_the_door(tmp_path) == ["MISSING_POSITION"]
