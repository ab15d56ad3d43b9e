"""At the door: images that a series has, or says that it has, and that are not read, are never missed without a word."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from dicom_grid import CORONAL, Grid, phantom
from dicom_phantoms import clean_series, enhanced_series, item, stored_pixels, uid, write
from dicom_reading import at_the_door
from pydicom import Dataset
from pydicom.sequence import Sequence as Items

GRID = Grid(shape=(9, 9, 8))


def flags_at(folder) -> tuple[str, ...]:
    """Of the one volume in a folder."""
    (image,) = at_the_door(folder)
    np.testing.assert_array_equal(image.voxels[0], phantom(GRID))
    return image.flags


def maker_says(header: Dataset, count: int, group: int, creator: str, element: int) -> None:
    header.private_block(group, creator, create=True).add_new(element, "SL" if group == 0x2001 else "SS", count)


STATED = {
    "images in acquisition": lambda header, count: setattr(header, "ImagesInAcquisition", count),
    "instances of the series": lambda header, count: setattr(header, "NumberOfSeriesRelatedInstances", count),
    "slices": lambda header, count: setattr(header, "NumberOfSlices", count),
    "Philips": lambda header, count: maker_says(header, count, 0x2001, "Philips Imaging DD 001", 0x18),
    "GE": lambda header, count: maker_says(header, count, 0x0021, "GEMS_RELA_01", 0x4F),
}


@pytest.mark.parametrize("modality", ["CT", "MR", "PT"])
@pytest.mark.parametrize("state", STATED.values(), ids=STATED)
def test_a_series_that_says_it_has_more_images(state, modality, tmp_path):
    for count, flags in ((8, ()), (9, ("FEWER_SLICES",))):
        series = clean_series(GRID, modality)
        for header in series:
            state(header, count)
        write(series, tmp_path / str(count))
        assert flags_at(tmp_path / str(count)) == flags


@pytest.mark.parametrize(
    ("times", "flags"),
    [
        ({"NumberOfTimeSlices": 1}, ()),
        ({"NumberOfTimeSlices": 2}, ("FEWER_SLICES",)),
        ({"NumberOfRRIntervals": 1, "NumberOfTimeSlots": 8}, ("FEWER_SLICES",)),
    ],
    ids=["static", "dynamic", "gated"],
)
def test_a_pet_that_says_it_has_slices_at_several_times(times, flags, tmp_path):
    series = clean_series(GRID, "PT")
    for header in series:
        header.NumberOfSlices = 8
        for name, count in times.items():
            setattr(header, name, count)
    write(series, tmp_path)
    assert flags_at(tmp_path) == flags


def test_images_of_an_acquisition_are_counted_over_all_volumes_of_the_series(tmp_path):
    series = clean_series(GRID)
    for number, header in enumerate(series):
        header.AcquisitionNumber, header.ImagesInAcquisition = 1, 8
        header.EchoTime = (10, 80)[number % 2]
    write(series, tmp_path)
    (image,) = at_the_door(tmp_path, series=1)
    assert "ONE_OF_SEVERAL" in image.flags and "FEWER_SLICES" not in image.flags


def test_two_acquisitions_of_one_volume_each_count_their_own(tmp_path):
    series = clean_series(GRID)
    for number, header in enumerate(series):
        header.AcquisitionNumber, header.ImagesInAcquisition = 1 + number // 4, 4
    write(series, tmp_path / "all")
    write(series[:-1], tmp_path / "cut")
    assert flags_at(tmp_path / "all") == ()
    assert at_the_door(tmp_path / "cut")[0].flags == ("FEWER_SLICES",)


def test_a_slice_that_is_there_twice_does_not_stand_in_for_a_missing_one(tmp_path):
    series = clean_series(GRID)[:-1]
    twin = copy.deepcopy(series[2])
    twin.SOPInstanceUID = uid("twin")
    for header in [*series, twin]:
        header.ImagesInAcquisition = 8
    write([*series, twin], tmp_path)
    assert at_the_door(tmp_path)[0].flags == ("DUPLICATE_DROPPED", "FEWER_SLICES")


def turned(header: Dataset, **tags: object) -> Dataset:
    header.ImageOrientationPatient, header.SOPInstanceUID = list(CORONAL), uid("turned")
    for name, value in tags.items():
        setattr(header, name, value)
    return header


SCOUT = {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}


@pytest.mark.parametrize(("tags", "flags"), [({}, ("SCOUT_LEFT_OUT",)), (SCOUT, ())], ids=["slice", "scout"])
def test_an_image_in_another_direction(tags, flags, tmp_path):
    write([*clean_series(GRID), turned(clean_series(GRID)[0], **tags)], tmp_path)
    assert flags_at(tmp_path) == flags


def test_a_slice_that_is_called_a_localizer(tmp_path):
    series = clean_series(GRID)
    series[-1].ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    write(series, tmp_path)
    (image,) = at_the_door(tmp_path)
    assert image.voxels.shape[3] == 7 and image.flags == ("SCOUT_LEFT_OUT",)


def test_a_frame_in_another_direction(tmp_path):
    header = enhanced_series(GRID)
    orientation = header.SharedFunctionalGroupsSequence[0].pop("PlaneOrientationSequence").value
    for groups in header.PerFrameFunctionalGroupsSequence:
        groups.PlaneOrientationSequence = copy.deepcopy(orientation)
    header.PerFrameFunctionalGroupsSequence[-1].PlaneOrientationSequence = Items([item(ImageOrientationPatient=list(CORONAL))])
    write([header], tmp_path)
    (image,) = at_the_door(tmp_path)
    assert image.voxels.shape[3] == 7 and "SCOUT_LEFT_OUT" in image.flags


def test_a_slice_that_was_hidden_is_read(tmp_path):
    path = write(clean_series(GRID), tmp_path)[-1]
    path.rename(path.with_name(f".{path.name}"))
    assert flags_at(tmp_path) == ()


def test_a_hidden_slice_that_is_damaged_refuses_its_volume(tmp_path):
    path = write(clean_series(GRID), tmp_path)[-1]
    path.rename(path.with_name(f".{path.name}")).write_bytes(b"")
    assert at_the_door(tmp_path) == ["EMPTY_FILE"]


def in_folders(folder, name: str) -> list:
    """Each slice in a folder of its own."""
    return [write([header], folder / f"{number:03d}", names=[name])[0] for number, header in enumerate(clean_series(GRID))]


@pytest.mark.parametrize("name", ["IM0001", "IM0001.dcm", "slice"])
def test_slices_each_in_a_folder_of_its_own(name, tmp_path):
    paths = in_folders(tmp_path, name)
    assert flags_at(tmp_path) == ()
    paths[-1].write_bytes(b"")
    assert at_the_door(tmp_path) == ["EMPTY_FILE"]


def test_a_damaged_file_in_a_folder_of_its_own_is_of_no_other_patient(tmp_path):
    for patient in range(3):
        write(clean_series(GRID, study=patient), tmp_path / f"P{patient}", names=[f"IM{number}" for number in range(8)])
    (tmp_path / "P3").mkdir()
    (tmp_path / "P3" / "IM7").write_bytes(b"")
    found = at_the_door(tmp_path)
    assert [one for one in found if isinstance(one, str)] in ([], ["EMPTY_FILE"])
    assert sum(not isinstance(one, str) for one in found) == 3


@pytest.mark.parametrize("keyword", ["PatientID", "PatientName"])
def test_half_of_a_series_is_nobodys(keyword, tmp_path):
    series = clean_series(GRID)
    for header in series:
        if keyword == "PatientName":
            header.PatientID = ""
    for header in series[4:]:
        setattr(header, keyword, "")
    write(series, tmp_path)
    assert at_the_door(tmp_path) == ["CONFLICTING_IDENTITY"]


@pytest.mark.parametrize("length", [0.14, 0.2, 0.3, 0.6])
def test_a_slice_cut_in_its_header_refuses_its_volume(length, tmp_path):
    path = write(clean_series(GRID), tmp_path)[-1]
    data = path.read_bytes()
    path.write_bytes(data[: int(length * (len(data) - 2 * stored_pixels(clean_series(GRID)[0]).size))])
    (code,) = at_the_door(tmp_path)
    assert code in ("TRUNCATED", "NOT_DICOM")
