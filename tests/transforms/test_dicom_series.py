"""How one series is split: what can lie in one volume stays together, and only what surely does not belong to it is left out."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pytest
from dicom_faults_layout import copied, two_phases
from dicom_grid import CORONAL, Grid
from dicom_phantoms import clean_series, enhanced_series, uid, write
from pydicom import Dataset

from caveat.transforms.dicom.series import Series, series_of
from caveat.transforms.dicom.studies import studies_of
from caveat.transforms.dicom.volume import one_study, read_instances

GRID = Grid(shape=(8, 9, 6))


def split(headers: list[Dataset], folder: Path, **names: list[str]) -> list[Series]:
    write(headers, folder, **names)
    return series_of(one_study(read_instances(sorted(folder.iterdir()))))


def facts(series: list[Series]) -> list[tuple[int, str]]:
    return [(len(one.frames), one.problem.code if one.problem else "") for one in series]


def changed(index: int, **tags: object) -> list[Dataset]:
    """A clean series, one slice of which has other tags."""
    series = clean_series(GRID)
    for name, value in tags.items():
        setattr(series[index], name, value)
    return series


TIPPED = [1, 0, 0, 0, 0.9994, 0.0346]
"""By 2 degrees, which is no scout's direction."""


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, (5, "")),
        ({"ImageOrientationPatient": list(CORONAL)}, (5, "")),
        ({"ImageOrientationPatient": TIPPED}, (5, "MIXED_ORIENTATION")),
        ({"ImageOrientationPatient": [1, 0, 0, 0, 1, 0.0009]}, (6, "")),
        ({"PixelSpacing": [1.2011, 0.9]}, (6, "")),
        ({"PixelSpacing": [1.2013, 0.9]}, (5, "MIXED_SPACING")),
        ({"FrameOfReferenceUID": "2.25.1"}, (5, "MIXED_FRAME_OF_REFERENCE")),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.4"}, (5, "MIXED_SOP_CLASS")),
        ({"SamplesPerPixel": 3}, (0, "UNSUPPORTED_PIXEL_FORMAT")),
    ],
    ids=str,
)
def test_one_slice_that_differs(tags, expected, tmp_path):
    assert facts(split(changed(3, **tags), tmp_path)) == [expected]


@pytest.mark.parametrize(
    ("tag", "code"), [("ImageOrientationPatient", "MISSING_ORIENTATION"), ("PixelSpacing", "MISSING_PIXEL_SPACING")]
)
def test_one_slice_that_does_not_say(tag, code, tmp_path):
    series = clean_series(GRID)
    delattr(series[3], tag)
    assert facts(split(series, tmp_path)) == [(5, code)]


def test_two_stacks_across_each_other_are_no_volume(tmp_path):
    second = [copied(header, number) for number, header in enumerate(clean_series(Grid(GRID.shape, orientation=CORONAL)), 10)]
    assert facts(split([*clean_series(GRID), *second[:2]], tmp_path)) == [(6, "MIXED_ORIENTATION")]


def test_the_numbers_of_series_do_not_depend_on_file_names(tmp_path):
    headers = [clean_series(GRID, modality, series)[0] for modality, series in (("CT", 7), ("MR", 2), ("PT", 11))]
    for folder, names in (("a", ["1", "2", "3"]), ("b", ["3", "1", "2"])):
        found = split(headers, tmp_path / folder, names=names)
        assert [(one.number, one.parent, one.modality) for one in found] == [(1, 1, "MR"), (2, 2, "CT"), (3, 3, "PT")]


def test_acquisitions_numbered_slice_by_slice_are_one_volume(tmp_path):
    series = clean_series(GRID)
    for number, header in enumerate(series):
        header.AcquisitionNumber, header.AcquisitionTime = number, f"10150{number}"
    assert facts(split(series, tmp_path)) == [(6, "")]


def test_two_keys_together_tell_four_volumes_apart(tmp_path):
    """Two phases of two echoes: neither key does it alone. Times of acquisition differ slice by slice, and do not help."""
    headers = []
    for phase in (1, 2):
        for echo in (1, 2):
            for header in clean_series(GRID):
                header.SOPInstanceUID = uid(phase, echo, header.SOPInstanceUID)
                header.TemporalPositionIdentifier, header.EchoNumbers = phase, echo
                header.AcquisitionTime = f"1015{len(headers):02d}"
                headers.append(header)
    assert facts(split(headers, tmp_path)) == [(6, "AMBIGUOUS_TEMPORAL")] * 4


def test_phases_that_nothing_tells_apart_stay_one_stack_in_conflict(tmp_path):
    (found,) = split(two_phases(range(21, 41)), tmp_path)
    assert len(found.frames) == 40


def test_stacks_of_an_enhanced_object_are_apart_even_where_they_do_not_overlap(tmp_path):
    header = enhanced_series(GRID)
    for number, groups in enumerate(header.PerFrameFunctionalGroupsSequence):
        groups.FrameContentSequence[0].StackID = "1" if number < 3 else "2"
    assert facts(split([header], tmp_path)) == [(3, "AMBIGUOUS_TEMPORAL")] * 2


def test_frames_that_are_not_described(tmp_path):
    header = enhanced_series(GRID)
    header.PerFrameFunctionalGroupsSequence = header.PerFrameFunctionalGroupsSequence[:5]
    assert facts(split([header], tmp_path / "a")) == [(0, "BAD_HEADER")]
    del header.PerFrameFunctionalGroupsSequence
    assert facts(split([header], tmp_path / "b")) == [(0, "UNSUPPORTED_MULTIFRAME")]


@pytest.mark.parametrize(
    "tags", [{"ImageType": ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]}, {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.20"}], ids=str
)
def test_mosaics_and_nuclear_medicine(tags, tmp_path):
    assert facts(split(changed(0, **tags)[:1], tmp_path)) == [(0, "UNSUPPORTED_MULTIFRAME")]


def parts_of(header: Dataset, total: int | None) -> list[Dataset]:
    """An enhanced object in two parts."""
    parts = []
    for number, frames in ((1, slice(0, 3)), (2, slice(3, 6))):
        part = deepcopy(header)
        pixels = len(header.PixelData) // 6
        part.SOPInstanceUID, part.ConcatenationUID, part.InConcatenationNumber = uid("part", number), uid("whole"), number
        part.NumberOfFrames = 3
        part.PerFrameFunctionalGroupsSequence = header.PerFrameFunctionalGroupsSequence[frames]
        part.PixelData = header.PixelData[frames.start * pixels : frames.stop * pixels]
        if total:
            part.InConcatenationTotalNumber = total
        parts.append(part)
    return parts


@pytest.mark.parametrize(("total", "code"), [(2, ""), (3, "INCOMPLETE_CONCATENATION"), (None, "INCOMPLETE_CONCATENATION")])
def test_a_concatenation_is_read_whole_or_not_at_all(total, code, tmp_path):
    (found,) = facts(split(parts_of(enhanced_series(GRID), total), tmp_path))
    assert found == ((0, code) if code else (6, ""))


def test_patients_are_told_apart_by_their_numbers_as_they_are_written(tmp_path):
    first, second = clean_series(GRID), clean_series(GRID, series=2)
    for header in first:
        header.PatientID = "007"
    for header in second:
        header.PatientID = "7"
    write(first, tmp_path / "b")
    write(second, tmp_path / "a")
    studies = studies_of(read_instances(sorted(tmp_path.rglob("*.dcm"))))
    assert [str(study.instances[0].header.PatientID) for study in studies] == ["7", "007"]
    assert all(study.problem is None for study in studies)


def test_a_name_written_otherwise_is_still_the_same_patient(tmp_path):
    series = clean_series(GRID)
    series[0].PatientName = "PHANTOM^1^^"
    write(series, tmp_path)
    assert one_study(read_instances(sorted(tmp_path.iterdir()))).problem is None


def test_what_is_no_image_is_counted(tmp_path):
    segmentation, dose = clean_series(GRID, series=8)[0], clean_series(GRID, series=9)[0]
    segmentation.SOPClassUID, dose.SOPClassUID = "1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.481.2"
    write([*clean_series(GRID), segmentation, dose], tmp_path)
    study = one_study(read_instances(sorted(tmp_path.iterdir())))
    assert (len(study.instances), study.left_out) == (6, 2)
