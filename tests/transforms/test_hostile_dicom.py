"""DICOM that other readers get silently wrong: each case is read as the clean series, or refused with its code.

The numbers are those of the table in docs/dicom.md.
"""

from __future__ import annotations

import os

import numpy as np
import pytest
from dicom_cases import Case, all_cases
from dicom_faults_folder import localizer, structured_report
from dicom_faults_layout import copied, two_phases, with_tag
from dicom_faults_values import colour_captures
from dicom_grid import AXIAL, CORONAL, FLIPPED, OBLIQUE, SAGITTAL, Grid, phantom
from dicom_phantoms import clean_series, encoded, raw_number, uid, write
from dicom_reading import assert_is_phantom, read_folder, refusal
from pydicom.encaps import encapsulate
from pydicom.fileset import FileSet
from pydicom.uid import (
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
)

from caveat.transforms.dicom.choice import SeriesRule
from caveat.transforms.dicom.instance import read_instance
from caveat.transforms.dicom.studies import studies_of

VOLUMES = [case for case in all_cases() if not case.undetectable and case.number != 13]
SLANTED = (0.70710678, -0.70710678, 0.0, 0.40824829, 0.40824829, -0.81649658)
"""Its normal is equally far from every axis: rounded coordinates add up along it."""
ROUGH_POSITIONS = {39: 0.1, 50: 0.1}
"""Cases whose positions are not exact, and by how much, mm."""


def named(case: Case) -> str:
    return f"{case.number:02d} {case.name}".replace(" ", "_")


@pytest.mark.parametrize("case", [case for case in VOLUMES if not case.code], ids=named)
def test_a_readable_case_is_read_as_the_clean_series(case, tmp_path):
    case.write(tmp_path)
    image = read_folder(tmp_path)
    assert_is_phantom(image, case.grid, ROUGH_POSITIONS.get(case.number, 1e-5))
    assert image.flags == case.flags


@pytest.mark.parametrize("case", [case for case in VOLUMES if case.code], ids=named)
def test_an_unreadable_case_is_refused_with_its_code(case, tmp_path):
    case.write(tmp_path)
    assert refusal(tmp_path) == case.code


def test_a_missing_end_slice_cannot_be_known(tmp_path):
    write(clean_series()[:-1], tmp_path)
    np.testing.assert_array_equal(read_folder(tmp_path).voxels[0], phantom(Grid())[:, :, :19])


def test_two_slices_missing_at_different_places(tmp_path):
    series = clean_series()
    write(series[:5] + series[6:12] + series[13:], tmp_path)
    assert refusal(tmp_path) == "SLICE_GAP"


def test_missing_slices_are_interpolated_on_request(tmp_path):
    series = clean_series()
    write(series[:9] + series[10:], tmp_path)
    image = read_folder(tmp_path, allow_gaps=True)
    true = phantom(Grid()).astype(float)
    true[:, :, 9] = (true[:, :, 8] + true[:, :, 10]) / 2
    np.testing.assert_allclose(image.voxels[0], true, atol=1e-3)
    np.testing.assert_allclose(image.affine, Grid().affine, atol=1e-5)
    assert "GAPS_INTERPOLATED" in image.flags


def test_a_file_copied_beside_itself_changes_nothing(tmp_path):
    series = clean_series()
    write([*series, series[9]], tmp_path)
    assert_is_phantom(read_folder(tmp_path))


@pytest.mark.parametrize(
    ("tag", "values"),
    [
        ("TemporalPositionIdentifier", (1, 2)),
        ("AcquisitionNumber", (1, 2)),
        ("EchoNumbers", (1, 2)),
        ("DiffusionBValue", (0.0, 800.0)),
        ("AcquisitionTime", ("101500", "101530")),
        ("ImageType", (["ORIGINAL", "PRIMARY", "M"], ["ORIGINAL", "PRIMARY", "PHASE"])),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_two_phases_stacked_are_ambiguous(tag, values, tmp_path):
    write(two_phases(range(21, 41), **{tag: values}), tmp_path)
    assert refusal(tmp_path) == "AMBIGUOUS_TEMPORAL"


@pytest.mark.parametrize(("slices", "code"), [(300, "GANTRY_TILT"), (5, "")])
def test_a_tilt_of_0_2_degrees_matters_over_many_slices(slices, code, tmp_path):
    grid = Grid(shape=(8, 8, slices), tilt_degrees=0.2)
    write(clean_series(grid), tmp_path)
    if code:
        assert refusal(tmp_path) == code
    else:
        np.testing.assert_array_equal(read_folder(tmp_path).voxels[0], phantom(grid))


def test_a_drift_of_the_spacing_from_2_50_to_2_60_mm(tmp_path):
    offsets = np.concatenate([[0.0], np.cumsum(np.linspace(2.5, 2.6, 199))])
    write(clean_series(Grid(shape=(8, 8, 200), offsets_mm=tuple(offsets - offsets.mean()))), tmp_path)
    assert refusal(tmp_path) == "VARIABLE_SPACING"


UPRIGHT, ASLANT = {}, {"orientation": SLANTED, "centre_mm": (-12.9, 12.79, -10.14)}


@pytest.mark.parametrize(
    ("spacing", "where"), [(0.33, UPRIGHT), (0.625, UPRIGHT), (1.25, UPRIGHT), (0.625, ASLANT), (1.25, ASLANT)]
)
def test_positions_rounded_to_0_1_mm_are_evenly_spaced(spacing, where, tmp_path):
    grid = Grid(spacing_mm=(0.9, 1.2, spacing), **where)
    series = clean_series(grid)
    for header in series:
        header.ImagePositionPatient = [round(float(number), 1) for number in header.ImagePositionPatient]
    write(series, tmp_path)
    assert_is_phantom(read_folder(tmp_path), grid, affine_mm=0.1)


@pytest.mark.parametrize("text", ["0\\0", "-1.2\\0.9", "nan\\0.9", "1e6\\0.9", "inf\\inf", "1.2"])
def test_a_pixel_size_that_is_no_length(text, tmp_path):
    series = clean_series()
    for header in series:
        raw_number(header, "PixelSpacing", text)
    write(series, tmp_path)
    assert refusal(tmp_path) == "BAD_SPACING"


@pytest.mark.parametrize("cosines", [[1, 0, 0, 0.1, 0.995, 0], [0, 0, 0, 0, 0, 0], [1, 0, 0, 1, 0, 0], [2, 0, 0, 0, 2, 0]])
def test_an_orientation_that_is_none(cosines, tmp_path):
    write(with_tag("ImageOrientationPatient", cosines), tmp_path)
    assert refusal(tmp_path) == "BAD_ORIENTATION"


def test_one_position_that_is_missing(tmp_path):
    series = clean_series()
    del series[9].ImagePositionPatient
    write(series, tmp_path)
    assert refusal(tmp_path) == "MISSING_POSITION"


@pytest.mark.parametrize("part", np.linspace(0.03, 0.995, 10).tolist())
def test_a_file_cut_anywhere_is_never_read_around(part, tmp_path):
    path = write(clean_series(), tmp_path)[9]
    data = path.read_bytes()
    path.write_bytes(data[: int(part * len(data))])
    # A file cut within its first 132 bytes is no DICOM any more, so that all that is left to be seen is the gap.
    assert refusal(tmp_path) in ("TRUNCATED_PIXEL_DATA", "TRUNCATED", "NOT_DICOM")


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless], ids=["jpeg 2000", "jpeg", "jpeg-ls"])
def test_a_codestream_of_another_size_than_its_tags(syntax, tmp_path):
    series = [encoded(header, syntax) for header in clean_series()]
    for header in series:
        header.Rows = 28
    write(series, tmp_path, syntax)
    assert refusal(tmp_path) == "CODESTREAM_MISMATCH"


def test_implicit_vr(tmp_path):
    write(clean_series(), tmp_path, ImplicitVRLittleEndian)
    assert_is_phantom(read_folder(tmp_path))


def test_video(tmp_path):
    series = clean_series()
    for header in series:
        header.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.100"
        header.PixelData = encapsulate([b"\0\0\1\xb3" + bytes(60)])
        header["PixelData"].is_undefined_length = True
    write(series, tmp_path, "1.2.840.10008.1.2.4.100")
    assert refusal(tmp_path) == "UNSUPPORTED_TRANSFER_SYNTAX"


def test_a_transfer_syntax_that_nobody_knows(tmp_path):
    for path in write(clean_series(), tmp_path):
        path.write_bytes(path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.9\0"))
    assert refusal(tmp_path) == "UNSUPPORTED_TRANSFER_SYNTAX"


def test_of_two_series_one_is_read_on_request(tmp_path):
    write(clean_series(), tmp_path / "a")
    write(clean_series(series=2, grid=Grid(orientation=CORONAL)), tmp_path / "b")
    assert refusal(tmp_path) == "AMBIGUOUS_SERIES"
    assert_is_phantom(read_folder(tmp_path, series=2), Grid(orientation=CORONAL))
    assert_is_phantom(read_folder(tmp_path, series=1))


def test_of_two_series_one_is_read_by_rule(tmp_path):
    write(clean_series(), tmp_path / "a")
    write(clean_series(series=2, modality="MR"), tmp_path / "b")
    assert_is_phantom(read_folder(tmp_path, SeriesRule(modality="MR")))


def test_two_patients_are_two_studies(tmp_path):
    write(clean_series(), tmp_path / "a")
    write(clean_series(study=2), tmp_path / "b")
    studies = studies_of(read_instance(path) for path in sorted(tmp_path.rglob("*.dcm")))
    assert [len(study.instances) for study in studies] == [20, 20]
    assert [{str(one.header.PatientID) for one in study.instances} for study in studies] == [{"P1"}, {"P2"}]
    assert refusal(tmp_path) == "SEVERAL_STUDIES"


@pytest.mark.parametrize("tag", ["StudyInstanceUID", "PatientID"])
def test_one_series_of_two_studies_or_patients(tag, tmp_path):
    series = clean_series()
    for header in series[10:]:
        setattr(header, tag, "2.25.7" if tag.endswith("UID") else "another")
    write(series, tmp_path)
    assert refusal(tmp_path) == "CONFLICTING_IDENTITY"


def test_objects_that_are_no_images_lie_beside(tmp_path):
    report, pdf, segmentation = structured_report(), structured_report(), clean_series(series=8)[0]
    pdf.SOPClassUID, pdf.SOPInstanceUID, pdf.EncapsulatedDocument = "1.2.840.10008.5.1.4.1.1.104.1", uid("pdf"), b"%PDF-1.4"
    segmentation.SOPClassUID, segmentation.Modality = "1.2.840.10008.5.1.4.1.1.66.4", "SEG"
    paths = write([*clean_series(), report, pdf, segmentation], tmp_path)
    index = FileSet()
    for path in paths[:20]:
        index.add(path)
    index.write(tmp_path / "set")
    (tmp_path / "set" / "DICOMDIR").rename(tmp_path / "DICOMDIR")
    for copy in (tmp_path / "set").rglob("*"):
        if copy.is_file():
            copy.unlink()
    (tmp_path / "empty.dcm").touch()
    assert_is_phantom(read_folder(tmp_path))


def test_a_fifo_and_a_loop_of_links_beside(tmp_path):
    paths = write(clean_series(), tmp_path)
    os.mkfifo(tmp_path / "fifo.dcm")
    (tmp_path / "loop.dcm").symlink_to(tmp_path / "loop.dcm")
    for path in (tmp_path / "fifo.dcm", tmp_path / "loop.dcm"):
        with pytest.raises(Exception, match="UNREADABLE_FILE"):
            read_instance(path)
    assert len(paths) == 20
    assert_is_phantom(read_folder(tmp_path))


def test_a_modality_that_is_not_measured(tmp_path):
    write(clean_series(), tmp_path)
    assert refusal(tmp_path, SeriesRule(modality="MR")) == "WRONG_MODALITY"


def test_a_colour_capture_beside_does_not_disturb(tmp_path):
    captures = colour_captures()
    for header in captures:
        header.SeriesInstanceUID, header.SeriesNumber = uid("captures"), 7
    write([*clean_series(), *captures[:1]], tmp_path)
    assert_is_phantom(read_folder(tmp_path, SeriesRule(modality="CT")))


def test_two_localizers_in_the_series(tmp_path):
    second = copied(localizer(), 50)
    write([*clean_series(), localizer(), second], tmp_path)
    assert_is_phantom(read_folder(tmp_path, SeriesRule(smallest_slices=10)))


@pytest.mark.parametrize("orientation", [AXIAL, FLIPPED, CORONAL, SAGITTAL, OBLIQUE], ids=str)
def test_every_orientation(orientation, tmp_path):
    grid = Grid(orientation=orientation)
    write(clean_series(grid), tmp_path)
    assert_is_phantom(read_folder(tmp_path), grid)
