"""Radiographs: one polarity, the plane of their spacing, and which images are any. `test_hostile_radiographs.py` has the rest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dicom_phantoms import clean_series, item, radiograph, radiograph_picture, set_pixels, write
from pydicom import Dataset
from pydicom.sequence import Sequence as Items

from caveat.reasons import StudyRefused
from caveat.transforms.dicom.frame import frames_of
from caveat.transforms.dicom.instance import read_instance
from caveat.transforms.dicom.radiograph import is_projection, read_radiograph
from caveat.transforms.image.study_image import Stated, StudyImage

DETECTOR = {"ImagerPixelSpacing": [0.2, 0.1]}


def read(header: Dataset, folder: Path, stated: Stated | None = None) -> StudyImage:
    (frame,) = frames_of(read_instance(write([header], folder)[0]))
    return read_radiograph(frame, stated or Stated())


def refusal(header: Dataset, folder: Path, stated: Stated | None = None) -> str:
    with pytest.raises(StudyRefused) as caught:
        read(header, folder, stated)
    return caught.value.code


def test_a_radiograph_is_a_picture_of_rows_and_columns(tmp_path):
    image = read(radiograph(**DETECTOR), tmp_path)
    np.testing.assert_array_equal(image.voxels, radiograph_picture()[None])
    assert image.voxels.dtype == np.float32
    assert image.spacing_mm == (0.2, 0.1)
    np.testing.assert_array_equal(image.affine, np.diag([0.2, 0.1, 1, 1]))
    np.testing.assert_array_equal(image.original_affine, image.affine)
    assert image.flags == ()


@pytest.mark.parametrize("bits", [8, 10, 16])
def test_monochrome1_is_turned_round_within_the_bits_stored(bits, tmp_path):
    header = radiograph(photometric="MONOCHROME1", **DETECTOR)
    stored = np.tile([[0, 1], [2, 2**bits - 1]], (24, 20))
    set_pixels(header, stored, bits)
    np.testing.assert_array_equal(read(header, tmp_path).voxels[0], 2**bits - 1 - stored)


def test_a_signed_radiograph_is_turned_round_about_minus_one_half(tmp_path):
    header = radiograph(photometric="MONOCHROME1", **DETECTOR)
    stored = np.tile([[-2048, -1], [0, 2047]], (24, 20))
    set_pixels(header, stored, 12, signed=True)
    np.testing.assert_array_equal(read(header, tmp_path).voxels[0], -1 - stored)


def test_a_rescale_comes_after_the_polarity(tmp_path):
    header = radiograph(photometric="MONOCHROME1", RescaleSlope=2, RescaleIntercept=-5, **DETECTOR)
    np.testing.assert_array_equal(read(header, tmp_path).voxels[0], 2 * radiograph_picture() - 5)


def test_a_table_beside_monochrome1_is_refused_since_either_may_be_meant(tmp_path):
    table = item(LUTDescriptor=[4096, 0, 16], ModalityLUTType="US")
    table.add_new("LUTData", "OW", np.arange(4096, dtype="<u2").tobytes())
    positive, negative = radiograph(**DETECTOR), radiograph(photometric="MONOCHROME1", **DETECTOR)
    positive.ModalityLUTSequence = negative.ModalityLUTSequence = Items([table])
    np.testing.assert_array_equal(read(positive, tmp_path / "positive").voxels[0], radiograph_picture())
    assert refusal(negative, tmp_path / "negative") == "UNSUPPORTED_PIXEL_FORMAT"


@pytest.mark.parametrize(("photometric", "shape"), [("MONOCHROME1", "IDENTITY"), ("MONOCHROME2", "INVERSE")])
def test_a_presentation_shape_that_contradicts_is_flagged_and_changes_nothing(photometric, shape, tmp_path):
    image = read(radiograph(photometric=photometric, PresentationLUTShape=shape, **DETECTOR), tmp_path)
    np.testing.assert_array_equal(image.voxels[0], radiograph_picture())
    assert image.flags == ("POLARITY_CONTRADICTED",)


def test_padding_of_a_negative_becomes_its_darkest_value(tmp_path):
    header = radiograph(photometric="MONOCHROME1", PixelPaddingValue=0, **DETECTOR)
    stored = np.tile([[0, 300], [3000, 4000]], (24, 20))
    set_pixels(header, stored)
    image = read(header, tmp_path)
    np.testing.assert_array_equal(image.voxels[0, :2, :2], [[95, 3795], [1095, 95]])
    assert "PADDING_REPLACED" in image.flags


@pytest.mark.parametrize(
    ("tags", "spacing", "source", "flags"),
    [
        ({"ImagerPixelSpacing": [0.2, 0.2]}, (0.2, 0.2), "detector plane", ()),
        ({"ImagerPixelSpacing": [0.2, 0.2], "PixelSpacing": [0.2, 0.2001]}, (0.2, 0.2), "detector plane", ()),
        ({"ImagerPixelSpacing": [0.2, 0.2], "PixelSpacing": [0.15, 0.15]}, (0.15, 0.15), "not stated", ("CALIBRATION_UNSTATED",)),
        ({"PixelSpacing": [0.15, 0.15]}, (0.15, 0.15), "not stated", ("CALIBRATION_UNSTATED",)),
        ({"PixelSpacing": [0.15, 0.15], "PixelSpacingCalibrationType": "GEOMETRY"}, (0.15, 0.15), "assumed geometry", ()),
        ({"PixelSpacing": [0.2, 0.2], "PixelSpacingCalibrationType": "FIDUCIAL"}, (0.2, 0.2), "fiducial", ()),
        ({"NominalScannedPixelSpacing": [0.1, 0.1]}, (0.1, 0.1), "film", ()),
        ({"NominalScannedPixelSpacing": [0.1, 0.1], "PixelSpacing": [0.1, 0.1]}, (0.1, 0.1), "film", ()),
    ],
)
def test_the_spacing_names_its_plane(tags, spacing, source, flags, tmp_path):
    image = read(radiograph(**tags), tmp_path)
    assert image.spacing_mm == spacing
    assert source in image.spacing_source
    assert image.flags == flags


@pytest.mark.parametrize(
    ("tags", "flagged"),
    [
        ({"EstimatedRadiographicMagnificationFactor": 1.3}, True),
        ({"EstimatedRadiographicMagnificationFactor": 1}, False),
        ({"DistanceSourceToDetector": 1800, "DistanceSourceToPatient": 1500}, True),
        ({"DistanceSourceToDetector": 1800}, False),
        (
            {
                "EstimatedRadiographicMagnificationFactor": 1.3,
                "PixelSpacing": [0.1, 0.1],
                "PixelSpacingCalibrationType": "FIDUCIAL",
            },
            False,
        ),
    ],
)
def test_magnification_is_flagged_and_not_divided_out(tags, flagged, tmp_path):
    image = read(radiograph(**{**DETECTOR, **tags}), tmp_path)
    assert ("MAGNIFIED" in image.flags) == flagged
    assert image.spacing_mm == ((0.1, 0.1) if "PixelSpacing" in tags else (0.2, 0.1))


@pytest.mark.parametrize("spacing", [[0, 0], [-0.1, 0.1], [25, 25], [0.2], ["NaN", "0.1"]])
def test_a_spacing_that_is_no_length_is_refused(spacing, tmp_path):
    header = radiograph()
    if spacing[0] == "NaN":
        (path,) = write([radiograph(ImagerPixelSpacing=[0.25, 0.1])], tmp_path)
        path.write_bytes(path.read_bytes().replace(b"0.25\\0.1", b"NaN \\0.1"))
        with pytest.raises(StudyRefused, match="BAD_SPACING"):
            read_radiograph(frames_of(read_instance(path))[0], Stated())
    else:
        header.ImagerPixelSpacing = spacing
        assert refusal(header, tmp_path) == "BAD_SPACING"


def test_a_stated_spacing_is_used_only_where_the_file_has_none(tmp_path):
    stated = Stated(spacing_mm=(0.3, 0.4))
    bare = read(radiograph(), tmp_path / "bare", stated)
    assert (bare.spacing_mm, bare.spacing_source, bare.flags) == ((0.3, 0.4), "stated by the user", ())
    np.testing.assert_array_equal(bare.original_affine, np.eye(4))
    np.testing.assert_array_equal(bare.affine, np.diag([0.3, 0.4, 1, 1]))
    assert read(radiograph(**DETECTOR), tmp_path / "own", stated).spacing_mm == (0.2, 0.1)


def test_pixels_twice_as_high_as_wide_need_a_stated_spacing_of_that_shape(tmp_path):
    header = radiograph(PixelAspectRatio=[2, 1])
    assert refusal(header, tmp_path / "one", Stated(spacing_mm=(0.2,))) == "NON_SQUARE_PIXELS"
    assert refusal(header, tmp_path / "other", Stated(spacing_mm=(0.1, 0.2))) == "NON_SQUARE_PIXELS"
    assert read(header, tmp_path / "right", Stated(spacing_mm=(0.2, 0.1))).spacing_mm == (0.2, 0.1)
    assert refusal(radiograph(PixelAspectRatio=[1, 0]), tmp_path / "none") == "NON_SQUARE_PIXELS"
    assert read(radiograph(PixelAspectRatio=[3, 3]), tmp_path / "square").spacing_mm is None


def test_colour_is_refused(tmp_path):
    header = radiograph(SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=0)
    assert refusal(header, tmp_path) == "UNSUPPORTED_PIXEL_FORMAT"


def test_which_images_are_projections():
    assert is_projection(radiograph("DX"))
    assert is_projection(radiograph("CR", NumberOfFrames=1))
    assert not is_projection(radiograph("DX", NumberOfFrames=2))
    assert not is_projection(clean_series()[0])
    capture = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}
    assert is_projection(radiograph("DX", **capture))
    assert is_projection(radiograph("DX", Modality="OT", ConversionType="DF", **capture))
    assert not is_projection(radiograph("DX", Modality="OT", ConversionType="WSD", **capture))
    assert not is_projection(radiograph("CR", ImagePositionPatient=[0, 0, 0], **capture))
    assert is_projection(radiograph("DX", SOPClassUID="1.2.840.10008.5.1.4.1.1.7.2", NumberOfFrames=1))
