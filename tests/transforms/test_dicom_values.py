"""Voxel values of DICOM files: the same number whatever the transfer syntax, per frame, or a refusal."""

from __future__ import annotations

import base64
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from dicom_grid import Grid, phantom
from dicom_phantoms import clean_series, enhanced_series, item, set_pixels, write
from PIL import Image
from pydicom import Dataset
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence as Items
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from caveat.reasons import StudyRefused
from caveat.transforms.dicom.frame import Frame, frames_of
from caveat.transforms.dicom.instance import read_instance
from caveat.transforms.dicom.values import read_values

SYNTAXES = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEG2000Lossless,
)
HIGH_THROUGHPUT = base64.b64decode(
    "/0//UQApQAAAAAAQAAAADAAAAAAAAAAAAAAAEAAAAAwAAAAAAAAAAAABDwEB/1AACAACAAAACv9SAAwAAgABAAUEBEAB/1wAEyCIkJCQkJCQkJCQkJCQiIiI"
    "/5AACgAAAAAAfAAB/5PAACb5+gUHdAAAwAASwAATAJACB3QArv4Ch3QAwAATQAATAMbGAYJ0APf9AAI0AMAAFTAABVhgMPigQjECdgDAgQMH/sAxgb62AMAA"
    "KyAAFoiiKIqi+OeKenCCdwDGRqPRaDQa+ghAe/YhAey6AP/Z"
)
"""12 rows, 16 columns: 100 times the row and 50 times the column, 16 bits; encoded by OpenJPH, which is no dependency."""
SMALL = Grid(shape=(36, 32, 3))
SMALL_SLICE = Grid(shape=(36, 32, 1))


def frames(paths: list[Path]) -> list[Frame]:
    return [frame for path in paths for frame in frames_of(read_instance(path))]


def read(objects: list[Dataset], folder: Path, syntax: str = ExplicitVRLittleEndian) -> tuple[np.ndarray, tuple[str, ...]]:
    return read_values(frames(write(objects, folder, syntax)))


def refusal(objects: list[Dataset], folder: Path) -> str:
    with pytest.raises(StudyRefused) as caught:
        read(objects, folder)
    return caught.value.code


def two_by_two(stored: list[int], **tags: object) -> Dataset:
    """One MR slice whose first row is the first two values; 16 bits allocated, 12 stored, unsigned."""
    (header,) = clean_series(Grid(shape=(2, 2, 1)), "MR")
    set_pixels(header, np.reshape(stored, (2, 2)))
    for name, value in tags.items():
        setattr(header, name, value)
    return header


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda uid: uid.name)
@pytest.mark.parametrize("signed", [False, True])
def test_values_are_the_same_in_every_transfer_syntax(syntax, signed, tmp_path):
    voxels, flags = read(clean_series(SMALL, signed=signed), tmp_path, syntax)
    assert voxels.dtype == np.float32
    np.testing.assert_array_equal(voxels, phantom(SMALL))
    assert flags == ()


def test_high_throughput_jpeg_2000_is_read(tmp_path):
    (header,) = clean_series(Grid(shape=(16, 12, 1)), "MR")
    header.PixelData = encapsulate([HIGH_THROUGHPUT])
    header["PixelData"].is_undefined_length = True
    header.file_meta.TransferSyntaxUID = HTJ2KLossless
    voxels, _ = read([header], tmp_path, HTJ2KLossless)
    column, row = np.ogrid[:16, :12]
    np.testing.assert_array_equal(voxels[:, :, 0], 100 * row + 50 * column)


def test_baseline_jpeg_of_8_bits_is_read_as_pillow_reads_it(tmp_path):
    (header,) = clean_series(SMALL_SLICE, "MR")
    file = BytesIO()
    Image.fromarray((phantom(SMALL_SLICE)[:, :, 0].T // 8).astype(np.uint8)).save(file, "JPEG", quality=90)
    header.BitsAllocated, header.BitsStored, header.HighBit = 8, 8, 7
    header.PixelData = encapsulate([file.getvalue()])
    header["PixelData"].is_undefined_length = True
    header.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    voxels, _ = read([header], tmp_path, JPEGBaseline8Bit)
    assert np.abs(voxels[:, :, 0].T - np.asarray(Image.open(file))).max() <= 1  # decoders of a lossy code may round differently


def test_near_lossless_jpeg_ls_keeps_its_bound(tmp_path):
    (header,) = clean_series(SMALL_SLICE, "MR")
    header.compress(JPEGLSNearLossless, jls_error=2, generate_instance_uid=False)
    voxels, _ = read([header], tmp_path, JPEGLSNearLossless)
    assert 0 < np.abs(voxels - phantom(SMALL_SLICE)).max() <= 2


@pytest.mark.parametrize("kind", ["RLE", "bigendian", "expb", "implicit", "jp2klossless", "jpeg_ls_lossless"])
def test_real_files_of_one_image_agree_with_itk_reading_the_plain_one(kind):
    plain = sitk.GetArrayFromImage(sitk.ReadImage(get_testdata_file("MR_small.dcm")))
    voxels, _ = read_values(frames([Path(get_testdata_file(f"MR_small_{kind}.dcm"))]))
    np.testing.assert_array_equal(voxels.transpose(2, 1, 0), plain)


def test_a_signed_image_in_an_unsigned_jpeg_2000_keeps_its_sign():
    voxels, _ = read_values(frames([Path(get_testdata_file("J2K_pixelrep_mismatch.dcm"))]))
    assert voxels[0, 0, 0] == -2000  # outside of the field of view
    assert voxels.max() < 4096


def test_an_extended_12_bit_jpeg_is_read_as_itk_reads_it():
    path = get_testdata_file("JPGExtended.dcm")
    layout = read_instance(Path(path))
    assert layout.header.BitsStored == 12
    voxels, _ = read_values([Frame(layout, 0, None, None, None, (), None)])
    itk = sitk.GetArrayFromImage(sitk.ReadImage(path)).astype(float)
    assert np.abs(voxels.transpose(2, 1, 0) - itk).max() <= 1  # decoders of a lossy code may round differently


def test_the_first_axis_is_the_column_and_frames_keep_the_order_asked_for(tmp_path):
    first, second = two_by_two([1, 2, 3, 4]), two_by_two([5, 6, 7, 8])
    paths = write([first, second], tmp_path)
    voxels, _ = read_values(frames(paths[::-1]))
    assert voxels[:, 0, 0].tolist() == [5, 6]
    assert voxels[:, 1, 1].tolist() == [3, 4]


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless], ids=lambda uid: uid.name)
def test_frames_of_one_file_are_rescaled_each_by_its_own_slope_in_any_order(syntax, tmp_path):
    shuffled = (2, 0, 1)
    paths = write([enhanced_series(SMALL, "MR", order=shuffled, slopes=(1.0, 0.5))], tmp_path, syntax)
    found = sorted(frames(paths), key=lambda frame: frame.position[2])
    voxels, _ = read_values(found)
    np.testing.assert_array_equal(voxels, phantom(SMALL))


def test_bits_above_those_stored_are_no_part_of_the_value(tmp_path):
    voxels, _ = read([two_by_two([0xA001, 0x7002, 0x0FFF, 0xF000])], tmp_path)
    assert voxels[:, :, 0].T.ravel().tolist() == [1, 2, 4095, 0]


def test_the_sign_of_twelve_bits_is_extended(tmp_path):
    voxels, _ = read([two_by_two([0x0FFF, 0x0800, 0x07FF, 0], PixelRepresentation=1)], tmp_path)
    assert voxels[:, :, 0].T.ravel().tolist() == [-1, -2048, 2047, 0]


def test_values_that_do_not_lie_in_the_lower_bits_are_refused(tmp_path):
    assert refusal([two_by_two([1, 2, 3, 4], HighBit=15)], tmp_path) == "UNSUPPORTED_PIXEL_FORMAT"


def test_rescale_is_computed_in_float64_and_rounded_once(tmp_path):
    stored, slope, intercept = [4095, 2047, 3, 1], 0.1, -1023.7
    voxels, _ = read([two_by_two(stored, RescaleSlope=slope, RescaleIntercept=intercept)], tmp_path)
    expected = [np.float32(float(value) * slope + intercept) for value in stored]
    assert voxels[:, :, 0].T.ravel().tolist() == expected


def test_monochrome1_leaves_hounsfield_units_alone(tmp_path):
    series = clean_series(SMALL)
    for header in series:
        header.PhotometricInterpretation = "MONOCHROME1"
    np.testing.assert_array_equal(read(series, tmp_path)[0], phantom(SMALL))


def test_a_volume_rescaled_in_part_is_refused(tmp_path):
    series = clean_series(SMALL)
    del series[1].RescaleSlope, series[1].RescaleIntercept, series[1].RescaleType
    assert refusal(series, tmp_path) == "INCONSISTENT_RESCALE"


@pytest.mark.parametrize(("tag", "value"), [("Units", "CNTS"), ("RescaleType", "HU")])
def test_a_volume_in_two_units_is_refused(tag, value, tmp_path):
    series = clean_series(SMALL, "PT", bits_stored=16)
    setattr(series[2], tag, value)
    assert refusal(series, tmp_path) == "INCONSISTENT_RESCALE"


def test_a_ct_without_hounsfield_units_is_refused(tmp_path):
    bare, other = clean_series(SMALL), clean_series(SMALL)
    for header in bare:
        del header.RescaleSlope, header.RescaleIntercept, header.RescaleType
    for header in other:
        header.RescaleType = "Z_EFF"
    assert refusal(bare, tmp_path / "bare") == "CT_WITHOUT_RESCALE"
    assert refusal(other, tmp_path / "other") == "CT_WITHOUT_RESCALE"


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ({"RescaleSlope": 0, "RescaleIntercept": 0}, "BAD_RESCALE"),
        ({"RescaleSlope": 1}, "BAD_RESCALE"),
        ({"RescaleSlope": "1e38", "RescaleIntercept": 0}, "BAD_RESCALE"),
    ],
)
def test_a_rescale_that_is_none_is_refused(tags, code, tmp_path):
    assert refusal([two_by_two([1, 2, 3, 4], **tags)], tmp_path) == code


def with_table(descriptor: list[int], data: bytes, **tags: object) -> Dataset:
    """A slice of 0, 9, 300, 4095 with a modality LUT."""
    header = two_by_two([0, 9, 300, 4095], **tags)
    table = item(ModalityLUTType="US")
    table.add_new("LUTDescriptor", "US", descriptor)
    table.add_new("LUTData", "OW", data)
    header.ModalityLUTSequence = Items([table])
    return header


def test_a_table_takes_the_place_of_the_slope_and_its_ends_hold_beyond_it(tmp_path):
    table = np.array([100, 70, 50], dtype="<u2").tobytes()
    voxels, _ = read([with_table([3, 8, 16], table)], tmp_path)
    assert voxels[:, :, 0].T.ravel().tolist() == [100, 70, 50, 50]


def test_a_table_of_8_bit_values_is_longer_than_256(tmp_path):
    table = (np.arange(4096) // 16).astype(np.uint8)
    voxels, _ = read([with_table([4096, 0, 8], table.tobytes())], tmp_path)
    assert voxels[:, :, 0].T.ravel().tolist() == [0, 0, 18, 255]


def test_a_table_for_signed_values_may_begin_below_zero(tmp_path):
    table = np.arange(10, 22, dtype="<u2").tobytes()
    voxels, _ = read([with_table([12, 65534, 16], table, PixelRepresentation=1)], tmp_path)  # from -2
    assert voxels[:, :, 0].T.ravel().tolist() == [12, 21, 21, 11]  # 4095 is -1


def test_a_table_of_another_length_than_declared_is_refused(tmp_path):
    assert refusal([with_table([5, 0, 16], bytes(6))], tmp_path) == "BAD_RESCALE"


def test_padding_takes_the_smallest_value_of_what_was_imaged(tmp_path):
    header = two_by_two([0, 1000, 1200, 30], PixelPaddingValue=0, RescaleSlope=2, RescaleIntercept=-100)
    voxels, flags = read([header], tmp_path)
    assert voxels[:, :, 0].T.ravel().tolist() == [-40, 1900, 2300, -40]
    assert flags == ("PADDING_REPLACED",)


def test_padding_may_be_a_range(tmp_path):
    header = two_by_two([4095, 4000, 3999, 7], PixelPaddingValue=4095, PixelPaddingRangeLimit=4000)
    assert read([header], tmp_path)[0][:, :, 0].T.ravel().tolist() == [7, 7, 3999, 7]


def test_the_smallest_value_is_that_of_the_whole_volume(tmp_path):
    series = [two_by_two([9, 50, 60, 70], PixelPaddingValue=9), two_by_two([20, 30, 40, 50], PixelPaddingValue=9)]
    assert read(series, tmp_path)[0][0, 0].tolist() == [20, 20]


def test_padding_with_the_sign_of_the_other_kind_is_the_same_bits(tmp_path):
    header = two_by_two([0, 5, 6, 7], BitsStored=16, HighBit=15)
    header.PixelRepresentation = 1
    header.PixelData = np.array([-2000, 5, 6, 7], dtype="<i2").tobytes()
    header.add_new("PixelPaddingValue", "US", 63536)
    assert read([header], tmp_path)[0][:, :, 0].T.ravel().tolist() == [5, 5, 6, 7]


def test_padding_that_is_nowhere_is_not_flagged(tmp_path):
    assert read([two_by_two([1, 2, 3, 4], PixelPaddingValue=0)], tmp_path)[1] == ()


def test_padding_that_a_lossy_compression_blurred_is_left_and_flagged(tmp_path):
    header = two_by_two([1, 0, 2, 40], PixelPaddingValue=0, LossyImageCompression="01")
    voxels, flags = read([header], tmp_path)
    assert voxels[:, :, 0].T.ravel().tolist() == [1, 0, 2, 40]
    assert flags == ("PADDING_UNCERTAIN",)
    voxels, flags = read_values(frames([Path(get_testdata_file("693_J2KI.dcm"))]))
    assert voxels.min() == -2971 - 1024  # as decoded; the mark is -2000
    assert flags == ("PADDING_UNCERTAIN",)


def test_nothing_but_padding_is_refused(tmp_path):
    assert refusal([two_by_two([0, 0, 0, 0], PixelPaddingValue=0)], tmp_path) == "CONSTANT_IMAGE"


def test_an_odd_number_of_bytes_may_be_padded_by_one(tmp_path):
    (header,) = clean_series(Grid(shape=(3, 3, 1)), "MR")
    header.BitsAllocated, header.BitsStored, header.HighBit = 8, 8, 7
    header.PixelData = bytes(range(10))
    assert read([header], tmp_path)[0][:, :, 0].T.ravel().tolist() == list(range(9))


@pytest.mark.parametrize(("count", "code"), [(6, "TRUNCATED_PIXEL_DATA"), (10, "SIZE_MISMATCH")])
def test_other_bytes_than_declared_are_refused(count, code, tmp_path):
    assert refusal([two_by_two([1, 2, 3, 4], PixelData=bytes(count))], tmp_path) == code


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda uid: uid.name)
@pytest.mark.parametrize("part", [0.6, 0.8, 0.95, 0.99])
def test_a_file_cut_anywhere_in_its_pixels_is_refused(syntax, part, tmp_path):
    (path,) = write(clean_series(Grid(shape=(64, 64, 1))), tmp_path, syntax)
    whole = path.read_bytes()
    found = frames([path])
    path.write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(StudyRefused) as caught:
        read_values(found)
    assert caught.value.code == "TRUNCATED_PIXEL_DATA"


def test_more_pixels_than_can_be_held_are_refused_before_the_file_is_read(tmp_path):
    header = two_by_two([1, 2, 3, 4], Rows=65535, Columns=65535)
    with pytest.raises(StudyRefused) as caught:
        read_values([Frame(read_instance(write([header], tmp_path)[0]), 0, None, None, None, (), None)])
    assert caught.value.code == "TOO_LARGE"


def test_a_small_file_that_declares_much_is_found_short_before_memory_is_taken(tmp_path):
    assert refusal([two_by_two([1, 2, 3, 4], Rows=30_000, Columns=30_000)], tmp_path) == "TRUNCATED_PIXEL_DATA"


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.100", "1.2.840.10008.1.2.4.94", "1.2.840.113619.5.2"])
def test_video_and_unknown_transfer_syntaxes_are_refused_by_name(syntax, tmp_path):
    (path,) = write([two_by_two([1, 2, 3, 4])], tmp_path)
    found = frames([path])
    found[0].instance.header.file_meta.TransferSyntaxUID = syntax
    with pytest.raises(StudyRefused) as caught:
        read_values(found)
    assert caught.value.code == "UNSUPPORTED_TRANSFER_SYNTAX"


@pytest.mark.parametrize(
    ("sop_class", "code"),
    [("1.2.840.10008.5.1.4.1.1.7", "SECONDARY_CAPTURE"), ("1.2.840.10008.5.1.4.1.1.4", "UNSUPPORTED_PIXEL_FORMAT")],
)
def test_colour_is_refused(sop_class, code, tmp_path):
    header = two_by_two([1, 2, 3, 4], SOPClassUID=sop_class, SamplesPerPixel=3, PhotometricInterpretation="RGB")
    header.PlanarConfiguration, header.BitsAllocated, header.BitsStored, header.HighBit = 0, 8, 8, 7
    header.PixelData = bytes(12)
    assert refusal([header], tmp_path) == code


def test_slices_of_two_sizes_are_refused(tmp_path):
    (wide,) = clean_series(Grid(shape=(4, 2, 1)), "MR")
    assert refusal([two_by_two([1, 2, 3, 4]), wide], tmp_path) == "MIXED_MATRIX"
