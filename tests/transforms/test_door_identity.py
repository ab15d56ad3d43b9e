"""At the door: whose image a file is, where identifiers contradict each other, are gone, or are all alike."""

from __future__ import annotations

import copy

import pytest
from dicom_grid import Grid
from dicom_phantoms import clean_series, enhanced_series, radiograph, uid, write
from dicom_reading import assert_is_phantom, at_the_door
from pydicom import Dataset

UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID")


def with_tags(series: list[Dataset], **tags: object) -> list[Dataset]:
    for header in series:
        for name, value in tags.items():
            setattr(header, name, value)
    return series


def without(series: list[Dataset], *keywords: str) -> list[Dataset]:
    for header in series:
        header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID  # which pydicom writes no file without
        for keyword in keywords:
            setattr(header, keyword, "")
    return series


@pytest.mark.parametrize("tag", ["PatientID", "StudyInstanceUID"])
@pytest.mark.parametrize("half", [slice(10, None), slice(0, None, 2)], ids=["stacked", "interleaved"])
@pytest.mark.parametrize("apart", [False, True], ids=["one folder", "two folders"])
def test_a_series_that_two_studies_share_is_refused_whole(tag, half, apart, tmp_path):
    series = clean_series()
    with_tags(series[half], **{tag: "2.25.7"})
    write(series, tmp_path)
    if apart:
        (tmp_path / "b").mkdir()
        for path in sorted(tmp_path.glob("*.dcm"))[half]:
            path.rename(tmp_path / "b" / path.name)
    assert at_the_door(tmp_path) == ["CONFLICTING_IDENTITY"]


def test_studies_that_share_a_series_take_their_other_series_with_them(tmp_path):
    first, second = clean_series(), clean_series(study=2)
    second[0].SeriesInstanceUID = first[0].SeriesInstanceUID
    write(first, tmp_path / "a")
    write(second, tmp_path / "b")
    write(clean_series(study=3), tmp_path / "c")
    refused, sound = at_the_door(tmp_path)
    assert refused == "CONFLICTING_IDENTITY"
    assert_is_phantom(sound)


@pytest.mark.parametrize(
    ("tag", "values"),
    [
        ("PatientSex", ("F", "M")),
        ("PatientBirthDate", ("19500101", "19600101")),
        ("IssuerOfPatientID", ("here", "there")),
        ("PatientName", ("One^A", "Two^B")),
        ("PatientAge", ("060Y", "061Y")),
        ("StudyDate", ("20200102", "20210102")),
        ("StudyTime", ("101500", "111500")),
        ("AccessionNumber", ("01", "1")),
        ("StudyID", ("1", "2")),
        ("SeriesNumber", ("1", "2")),
        ("SeriesDescription", ("T1", "T2")),
        ("DeviceSerialNumber", ("1", "2")),
        ("Modality", ("CT", "PT")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("enhanced", [False, True])
def test_one_set_of_identifiers_for_two_examinations(enhanced, tag, values, tmp_path):
    series = [enhanced_series(), enhanced_series()] if enhanced else clean_series()
    for number, value in enumerate(values):
        with_tags(series[number::2], **{tag: value})
    write(series, tmp_path)
    assert at_the_door(tmp_path) == ["CONFLICTING_IDENTITY"]


def test_what_some_files_leave_out_contradicts_nothing(tmp_path):
    series = with_tags(clean_series(), PatientSex="F", AccessionNumber="1")
    without(series[::2], "PatientSex", "AccessionNumber", "PatientName", "StudyTime")
    write(series, tmp_path)
    (image,) = at_the_door(tmp_path)
    assert_is_phantom(image)


@pytest.mark.parametrize("lost", [UIDS, UIDS[:3], UIDS[:1], UIDS[1:2], UIDS[2:3]], ids=str)
def test_emptied_identifiers_of_one_folder_are_one_volume(lost, tmp_path):
    write(without(clean_series(), *lost), tmp_path / "a")
    (image,) = at_the_door(tmp_path)
    assert_is_phantom(image)
    assert image.flags == ("IDENTIFIERS_MISSING",)


def test_an_enhanced_object_without_identifiers(tmp_path):
    write(without([enhanced_series()], *UIDS), tmp_path)
    (image,) = at_the_door(tmp_path)
    assert_is_phantom(image)
    assert image.flags == ("IDENTIFIERS_MISSING",)


def test_emptied_identifiers_of_two_folders_are_two_studies(tmp_path):
    for study in (1, 2):
        write(without(clean_series(study=study), *UIDS[:3]), tmp_path / str(study))
    for image in at_the_door(tmp_path):
        assert_is_phantom(image)
        assert image.flags == ("IDENTIFIERS_MISSING",)


def test_emptied_identifiers_of_two_patients_in_one_folder(tmp_path):
    series = without(clean_series(), *UIDS[:3])
    with_tags(series[::2], PatientSex="F")
    with_tags(series[1::2], PatientSex="M")
    write(series, tmp_path)
    assert at_the_door(tmp_path) == ["CONFLICTING_IDENTITY"]


def test_two_series_without_identifiers_are_told_apart_by_their_numbers(tmp_path):
    write(without(clean_series(), *UIDS[:3]), tmp_path)
    write(without(clean_series(series=2), *UIDS[:3]), tmp_path, names=[f"b{number:02d}.dcm" for number in range(20)])
    assert at_the_door(tmp_path) == ["AMBIGUOUS_SERIES"]
    (image,) = at_the_door(tmp_path, series=2)
    assert_is_phantom(image)


@pytest.mark.parametrize("lost", [UIDS[:3], UIDS[1:2]], ids=str)
def test_identifiers_that_only_half_of_a_volume_has_lost(lost, tmp_path):
    series = clean_series()
    without(series[::2], *lost)
    write(series, tmp_path)
    assert at_the_door(tmp_path) == ["CONFLICTING_IDENTITY"]


def test_a_volume_without_identifiers_in_two_folders(tmp_path):
    series = without(clean_series(), *UIDS[:3])
    write(series[::2], tmp_path / "a")
    write(series[1::2], tmp_path / "b")
    assert at_the_door(tmp_path) == ["CONFLICTING_IDENTITY"]


def test_identifiers_that_are_all_alike(tmp_path):
    series = with_tags(clean_series(), **dict.fromkeys(UIDS, "1.2.3"))
    write(series, tmp_path / "a")
    (image,) = at_the_door(tmp_path)
    assert_is_phantom(image)
    assert image.flags == ("IDENTIFIERS_MISSING",)
    write(with_tags(clean_series(study=1), **dict.fromkeys(UIDS, "1.2.3"), PatientComments="another"), tmp_path / "b")
    assert at_the_door(tmp_path) == ["CONFLICTING_IDENTITY"]


@pytest.mark.parametrize("tag", ["SeriesDate", "AcquisitionDate"])
@pytest.mark.parametrize(("days", "is_one"), [(("20191231", "20200101"), True), (("20191231", "20200102"), False)])
def test_a_series_lasts_over_midnight_and_no_longer_where_identifiers_are_all_alike(tag, days, is_one, tmp_path):
    series = with_tags(clean_series(), **dict.fromkeys(UIDS, "1.2.3"))
    for number, header in enumerate(series):
        setattr(header, tag, days[number % 2])
    write(series, tmp_path)
    (found,) = at_the_door(tmp_path)
    if is_one:
        assert_is_phantom(found)
    else:
        assert found == "CONFLICTING_IDENTITY"


@pytest.mark.parametrize("tag", ["StudyDescription", "InstitutionName", "StationName", "ClinicalTrialSubjectID", "AdmissionID"])
def test_words_of_a_study_differ_where_identifiers_are_all_alike(tag, tmp_path):
    """With identifiers of their own they may: archives correct such words while a study is still arriving."""
    series = clean_series()
    for number, header in enumerate(series):
        setattr(header, tag, str(number % 2))
    write(series, tmp_path / "a")
    write(with_tags(series, StudyInstanceUID="1.2", SeriesInstanceUID="1.2", SOPInstanceUID="1.2"), tmp_path / "b")
    assert_is_phantom(at_the_door(tmp_path / "a")[0])
    assert at_the_door(tmp_path / "b") == ["CONFLICTING_IDENTITY"]


def test_radiographs_without_identifiers_are_a_study_each(tmp_path):
    for number in range(3):
        lost = without([radiograph(ImagerPixelSpacing=[0.2, 0.2], InstanceNumber=number)], *UIDS[:3])
        write(lost, tmp_path, names=[f"{number}.dcm"])
    assert [image.spacing_mm for image in at_the_door(tmp_path)] == [(0.2, 0.2)] * 3


@pytest.mark.parametrize("name", ["again.dcm", "b/image0001.dcm"])
def test_a_radiograph_that_is_there_twice(name, tmp_path):
    (path,) = write([radiograph(ImagerPixelSpacing=[0.2, 0.2])], tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(path.read_bytes())
    (image,) = at_the_door(tmp_path)
    assert image.flags == ("DUPLICATE_DROPPED",)


def test_a_study_that_is_there_twice(tmp_path):
    for folder in ("a", "b"):
        write(clean_series(), tmp_path / folder)
    (image,) = at_the_door(tmp_path)
    assert_is_phantom(image)
    assert image.flags == ("DUPLICATE_DROPPED",)


def test_two_phases_that_are_there_twice_are_still_two_phases(tmp_path):
    series = clean_series(Grid(shape=(8, 9, 6)))
    later = with_tags(copy.deepcopy(series), TemporalPositionIdentifier=2)
    for header in later:
        header.SOPInstanceUID = uid("later", header.SOPInstanceUID)
    for folder in ("a", "b"):
        write(with_tags(series, TemporalPositionIdentifier=1) + later, tmp_path / folder)
    assert at_the_door(tmp_path) == ["AMBIGUOUS_TEMPORAL"]
