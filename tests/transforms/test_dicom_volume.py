"""From files to channels: several series on one grid, what is allowed on request, and one hash for one set of files."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import pytest
from dicom_faults_layout import TILTED, copied
from dicom_grid import Grid, measured_markers_mm, measured_volume_mm3, phantom
from dicom_phantoms import clean_series, radiograph, uid, write

from caveat.reasons import StudyRefused
from caveat.transforms.dicom.choice import SeriesRule
from caveat.transforms.dicom.volume import read_dicom_study
from caveat.transforms.image.study_image import Stated

GRID = Grid(shape=(16, 16, 8))
BOTH = [SeriesRule(modality="CT"), SeriesRule(modality="PT")]


def read(folder: Path, rules: list[SeriesRule] | None = None, **stated: object):
    return read_dicom_study(sorted(folder.rglob("*.dcm")), rules or [SeriesRule()], Stated(**stated))


def refusal(folder: Path, rules: list[SeriesRule] | None = None, **stated: object) -> str:
    with pytest.raises(StudyRefused) as caught:
        read(folder, rules, **stated)
    return caught.value.code


def test_two_series_on_one_grid_are_two_channels(tmp_path):
    write([*clean_series(GRID), *clean_series(GRID, "PT", series=2, bits_stored=16, slopes=(0.5,))], tmp_path)
    image, _ = read(tmp_path, BOTH)
    np.testing.assert_array_equal(image.voxels, [phantom(GRID)] * 2)
    np.testing.assert_allclose(image.affine, GRID.affine, atol=1e-9)
    assert image.flags == ()


def test_the_second_series_is_brought_onto_the_grid_of_the_first(tmp_path):
    coarse = dataclasses.replace(GRID, shape=(16, 16, 9), spacing_mm=(1.8, 2.4, 5.0))
    write([*clean_series(GRID), *clean_series(coarse, "PT", series=2, bits_stored=16)], tmp_path)
    image, _ = read(tmp_path, BOTH)
    np.testing.assert_array_equal(image.voxels[0], phantom(GRID))
    assert image.voxels.shape == (2, 16, 16, 8)
    assert image.flags == ("RESAMPLED_TO_FIRST",)


@pytest.mark.parametrize("other", ["2.25.77", ""])
def test_two_series_that_share_no_space_are_refused(other, tmp_path):
    second = clean_series(GRID, "PT", series=2, bits_stored=16)
    for header in second:
        header.FrameOfReferenceUID = other
    write([*clean_series(GRID), *second], tmp_path)
    assert refusal(tmp_path, BOTH) == "MIXED_FRAME_OF_REFERENCE"


def test_two_rules_need_two_series(tmp_path):
    write(clean_series(GRID), tmp_path)
    assert refusal(tmp_path, [SeriesRule(modality="CT"), SeriesRule(orientation="axial")]) == "AMBIGUOUS_SERIES"
    assert refusal(tmp_path, BOTH, series=1) == "WRONG_USAGE"


def test_a_tilted_series_is_resampled_on_request(tmp_path):
    write(clean_series(TILTED), tmp_path)
    image, _ = read(tmp_path, allow_tilt=True)
    axes = image.affine[:3, :3] / np.linalg.norm(image.affine[:3, :3], axis=0)
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-9)
    assert image.spacing_mm == (0.9, 1.2, 2.5)
    assert "TILT_RESAMPLED" in image.flags
    smooth = image.voxels[0] > 200  # interpolation blurs the pattern; the ellipsoid stays where it is
    expected = 6266 / np.prod(image.spacing_mm)
    assert smooth.sum() == pytest.approx(expected, rel=0.02)
    centre = np.argwhere(smooth).mean(axis=0) @ image.affine[:3, :3].T + image.affine[:3, 3]
    np.testing.assert_allclose(centre, np.array(TILTED.centre_mm) * (-1, -1, 1), atol=0.15)


def test_the_grid_of_the_file_is_kept_beside_that_of_the_resampled(tmp_path):
    write(clean_series(TILTED), tmp_path)
    image, _ = read(tmp_path, allow_tilt=True)
    np.testing.assert_allclose(image.original_affine, TILTED.affine, atol=1e-6)
    np.testing.assert_allclose(measured_markers_mm(phantom(TILTED), image.original_affine), TILTED.markers_mm, atol=1e-5)
    assert measured_volume_mm3(phantom(TILTED), image.original_affine) == pytest.approx(TILTED.volume_mm3, rel=0.005)


def test_a_slice_shifted_sideways_is_refused(tmp_path):
    series = clean_series(GRID)
    position = series[3].ImagePositionPatient
    series[3].ImagePositionPatient = [float(position[0]) + 2, *position[1:]]
    write(series, tmp_path)
    assert refusal(tmp_path) == "MISALIGNED_SLICES"
    assert refusal(tmp_path, allow_tilt=True) == "MISALIGNED_SLICES"


def test_slices_45_mm_apart_are_no_volume(tmp_path):
    write(clean_series(Grid(shape=(8, 8, 3), spacing_mm=(1.0, 1.0, 45.0))), tmp_path)
    assert refusal(tmp_path) == "BAD_SPACING"


@pytest.mark.parametrize(
    ("thickness", "flags"), [(3.7, ()), (3.8, ("OVERLAPPING_SLICES",)), (1.7, ()), (1.6, ("GAPPED_ACQUISITION",)), (0, ())]
)
def test_thickness_is_compared_with_the_distance_and_never_used(thickness, flags, tmp_path):
    series = clean_series(GRID)
    for header in series:
        header.SliceThickness = thickness
    write(series, tmp_path)
    image, _ = read(tmp_path)
    assert image.spacing_mm == (0.9, 1.2, 2.5)
    assert image.flags == flags


def test_two_slices_are_read_with_a_flag(tmp_path):
    write(clean_series(GRID)[:2], tmp_path)
    image, _ = read(tmp_path)
    assert image.voxels.shape == (1, 16, 16, 2)
    assert image.flags == ("SPACING_UNVERIFIED",)


def test_the_hash_is_of_the_files_used_whatever_they_are_called(tmp_path):
    series, other = clean_series(GRID), clean_series(GRID, series=2)
    write([*series, *other], tmp_path / "a")
    paths = write([*series[::-1], *other], tmp_path / "b")
    found = {read(tmp_path / folder, series=1)[1] for folder in "ab"}
    hashes = sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in paths[:8])
    assert found == {hashlib.sha256("".join(hashes).encode()).hexdigest()}


def test_a_copy_with_other_identifiers_is_left_out(tmp_path):
    series = clean_series(GRID)
    write([*series, copied(series[3], 99)], tmp_path)
    image, _ = read(tmp_path)
    assert image.flags == ("DUPLICATE_DROPPED",)


def test_the_space_is_known_by_a_hash(tmp_path):
    write(clean_series(GRID), tmp_path)
    image, _ = read(tmp_path)
    assert image.frame_of_reference == hashlib.sha256(uid(1, "frame of reference").encode()).hexdigest()
    assert image.spacing_source == "DICOM slice positions"


@pytest.mark.parametrize(
    ("stated", "side"),
    [
        ({"Laterality": "L"}, "left"),
        ({"ImageLaterality": "R", "Laterality": "L"}, "right"),
        ({"ImageLaterality": "B"}, "both"),
        ({"ImageLaterality": "U"}, ""),
        ({"Laterality": "DOE"}, ""),
        ({}, ""),
    ],
)
def test_the_side_of_the_body_is_what_the_header_says_in_the_standards_words(stated, side, tmp_path):
    headers = clean_series(GRID)
    for header in headers:
        for keyword, value in stated.items():
            setattr(header, keyword, value)
    write(headers, tmp_path)
    assert read(tmp_path)[0].body_side == side


def test_slices_of_two_sides_say_none(tmp_path):
    headers = clean_series(GRID)
    for number, header in enumerate(headers):
        header.ImageLaterality = "LR"[number % 2]
    write(headers, tmp_path)
    assert read(tmp_path)[0].body_side == ""


def test_a_kind_that_is_not_measured_is_refused(tmp_path):
    path = write([radiograph(ImagerPixelSpacing=[0.2, 0.2])], tmp_path)
    assert read_dicom_study(path, [SeriesRule()], Stated(), ["radiograph"])[0].voxels.shape == (1, 48, 40)
    with pytest.raises(StudyRefused, match="NOT_THIS_KIND: radiograph where dicom is measured"):
        read_dicom_study(path, [SeriesRule()], Stated(), ["dicom"])


def test_lossy_compression_is_flagged(tmp_path):
    series = clean_series(GRID)
    for header in series:
        header.LossyImageCompression, header.ImageType = "01", ["ORIGINAL", "SECONDARY"]
    write(series, tmp_path)
    assert read(tmp_path)[0].flags == ("DERIVED_IMAGE", "LOSSY_COMPRESSED")


def test_no_dicom_at_all(tmp_path):
    (tmp_path / "note.dcm").write_bytes(b"no image" * 30)
    assert refusal(tmp_path) == "NOT_DICOM"
