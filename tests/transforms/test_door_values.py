"""At the door: values that mean one thing are never read as another; what is said twice must be said alike."""

from __future__ import annotations

import numpy as np
import pytest
from dicom_grid import Grid, phantom
from dicom_phantoms import clean_series, enhanced_series, item, radiograph, radiograph_picture, stored_pixels, write
from dicom_reading import assert_is_phantom, at_the_door
from pydicom import Dataset
from pydicom.sequence import Sequence as Items

from caveat.cli import main

GRID = Grid(shape=(8, 9, 6))
DETECTOR = {"ImagerPixelSpacing": [0.2, 0.2]}


def lut(values: np.ndarray, kind: str = "HU") -> Items:
    table = item(LUTDescriptor=[len(values), 0, 16], ModalityLUTType=kind)
    table.add_new("LUTData", "OW", values.astype("<u2").tobytes())
    return Items([table])


def window_table(values: np.ndarray) -> Items:
    table = item(LUTDescriptor=[len(values), 0, 16])
    table.add_new("LUTData", "OW", values.astype("<u2").tobytes())
    return Items([table])


@pytest.mark.parametrize(("slope", "code"), [((1, -1024), "BAD_RESCALE"), ((2, 0), "BAD_RESCALE"), ((1, 0), "")])
@pytest.mark.parametrize("enhanced", [False, True])
def test_a_table_beside_a_slope_that_says_otherwise(enhanced, slope, code, tmp_path):
    series = [enhanced_series(GRID)] if enhanced else clean_series(GRID)
    groups = [one for header in series for one in header.get("PerFrameFunctionalGroupsSequence", [])]
    for owner in [one.PixelValueTransformationSequence[0] for one in groups] or series:
        owner.ModalityLUTSequence = lut(np.arange(4096))
        owner.RescaleSlope, owner.RescaleIntercept = slope
    write(series, tmp_path)
    (found,) = at_the_door(tmp_path)
    if code:
        assert found == code
    else:
        np.testing.assert_array_equal(found.voxels[0], phantom(GRID) + 1024)


def test_a_table_for_all_frames_beside_a_slope_for_each(tmp_path):
    header = enhanced_series(GRID)
    header.ModalityLUTSequence = lut(np.arange(4096)[::-1])
    write([header], tmp_path)
    assert at_the_door(tmp_path) == ["BAD_RESCALE"]


def captured(bits: int, **tags: object) -> list[Dataset]:
    """A CT as a screen shows it, with its places in space."""
    series = clean_series(GRID)
    for header in series:
        header.SOPClassUID, header.ImageType = "1.2.840.10008.5.1.4.1.1.7", ["DERIVED", "SECONDARY"]
        header.RescaleSlope, header.RescaleIntercept, header.RescaleType = 1, 0, "US"
        if bits == 8:
            header.PixelData = (stored_pixels(header) // 16).astype(np.uint8).tobytes()
            header.BitsAllocated, header.BitsStored, header.HighBit = 8, 8, 7
        for name, value in tags.items():
            setattr(header, name, value)
    return series


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"RescaleType": ""},
        {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2"},
        {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2", "RescaleType": ""},
        {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7.2"},
    ],
    ids=str,
)
def test_a_windowed_capture_is_no_hounsfield_units(tags, tmp_path):
    write(captured(8, **tags), tmp_path)
    assert at_the_door(tmp_path) == ["CT_WITHOUT_RESCALE"]


def test_a_capture_of_more_bits_is_none_either_unless_it_says_so(tmp_path):
    write(captured(12), tmp_path / "a")
    write(captured(12, RescaleIntercept=-1024, RescaleType="HU"), tmp_path / "b")
    assert at_the_door(tmp_path / "a") == ["CT_WITHOUT_RESCALE"]
    (image,) = at_the_door(tmp_path / "b")
    np.testing.assert_array_equal(image.voxels[0], phantom(GRID))
    assert image.flags == ("DERIVED_IMAGE",)


@pytest.mark.parametrize("said", ["COLOR", "MIXED", "TRUE_COLOR"])
@pytest.mark.parametrize("where", ["object", "shared", "one frame", "single frames"])
def test_pixels_that_stand_for_colours(said, where, tmp_path):
    series = clean_series(GRID) if where == "single frames" else [enhanced_series(GRID)]
    frames = series[0].get("PerFrameFunctionalGroupsSequence")
    if where in ("object", "single frames"):
        for header in series:
            header.PixelPresentation = said
    else:
        group = series[0].SharedFunctionalGroupsSequence[0] if where == "shared" else frames[3]
        group.CTImageFrameTypeSequence = Items([item(PixelPresentation=said)])
    write(series, tmp_path)
    assert at_the_door(tmp_path) == ["UNSUPPORTED_PIXEL_FORMAT"]


def test_pixels_that_are_said_to_be_grey(tmp_path):
    header = enhanced_series()
    header.PixelPresentation = "MONOCHROME"
    write([header], tmp_path)
    assert_is_phantom(at_the_door(tmp_path)[0])


def test_a_perfusion_map_in_colour(shared_data):
    assert at_the_door(shared_data / "dicom_objects" / "eCT_Supplemental.dcm") == ["UNSUPPORTED_PIXEL_FORMAT"]


@pytest.mark.parametrize(
    ("series", "signed", "mark", "limit"),
    [
        (clean_series(GRID), False, 63536, None),
        (clean_series(GRID), False, 40000, 65535),
        (clean_series(GRID, signed=True), True, -32768, None),
        (clean_series(GRID, signed=True), True, -20000, -3000),
        ([enhanced_series(GRID)], False, 63536, None),
    ],
    ids=["single frames", "a range", "signed", "a range, signed", "enhanced"],
)
def test_padding_that_the_bits_stored_cannot_hold(series, signed, mark, limit, tmp_path):
    """Twelve bits are stored, and the mark stands in all sixteen."""
    for header in series:
        values = np.frombuffer(header.PixelData, "<i2" if signed else "<u2").reshape(-1, 9, 8).copy()
        values[:, 0, :3] = mark
        header.PixelData = values.tobytes()
        for keyword, end in (("PixelPaddingValue", mark), ("PixelPaddingRangeLimit", limit)):
            if end is not None:
                header.add_new(keyword, "SS" if signed else "US", end)
    write(series, tmp_path)
    (image,) = at_the_door(tmp_path)
    true = phantom(GRID).astype(float)
    true[:3, 0] = np.nan
    true[:3, 0] = np.nanmin(true)
    np.testing.assert_array_equal(image.voxels[0], true)
    assert image.flags == ("PADDING_REPLACED",)


def test_padding_of_a_radiograph_that_the_bits_stored_cannot_hold(tmp_path):
    header = radiograph(**DETECTOR)
    values = stored_pixels(header)
    values[0, :3] = 63536
    header.PixelData = values.tobytes()
    header.add_new("PixelPaddingValue", "US", 63536)
    write([header], tmp_path)
    (image,) = at_the_door(tmp_path)
    true = radiograph_picture().astype(float)
    true[0, :3] = np.nan
    true[0, :3] = np.nanmin(true)
    np.testing.assert_array_equal(image.voxels[0], true)


FALLING = np.arange(4096)[::-1]


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("second", [False, True])
def test_a_radiograph_whose_window_falls_is_flagged(second, photometric, tmp_path):
    tables = window_table(FALLING)
    header = radiograph(photometric=photometric, **DETECTOR)
    header.VOILUTSequence = Items([*window_table(FALLING[::-1]), *tables]) if second else tables
    write([header], tmp_path)
    (image,) = at_the_door(tmp_path)
    np.testing.assert_array_equal(image.voxels[0], radiograph_picture())
    assert image.flags == ("POLARITY_CONTRADICTED",)


def test_a_radiograph_whose_presentation_table_falls(tmp_path):
    write([radiograph(PresentationLUTSequence=window_table(FALLING), **DETECTOR)], tmp_path)
    assert at_the_door(tmp_path)[0].flags == ("POLARITY_CONTRADICTED",)


def test_a_radiograph_whose_window_has_a_negative_width(tmp_path):
    write([radiograph(WindowCenter=2000, WindowWidth=-400, **DETECTOR)], tmp_path)
    assert at_the_door(tmp_path)[0].flags == ("POLARITY_CONTRADICTED",)


def test_a_window_that_rises_or_is_damaged_is_not_flagged(tmp_path):
    damaged = window_table(FALLING)
    damaged[0].LUTDescriptor = [7, 0, 16]
    for number, tables in enumerate((window_table(FALLING[::-1]), damaged)):
        write([radiograph(VOILUTSequence=tables, **DETECTOR)], tmp_path / str(number))
        assert at_the_door(tmp_path / str(number))[0].flags == ()


@pytest.mark.parametrize("enhanced", [False, True])
def test_a_type_that_some_slices_of_a_ct_leave_out_is_hounsfield_units(enhanced, tmp_path):
    series = [enhanced_series()] if enhanced else clean_series()
    groups = [one for header in series for one in header.get("PerFrameFunctionalGroupsSequence", [])]
    for owner in ([one.PixelValueTransformationSequence[0] for one in groups] or series)[::2]:
        del owner.RescaleType
    write(series, tmp_path)
    assert_is_phantom(at_the_door(tmp_path)[0])


def test_hounsfield_units_in_small_letters(tmp_path):
    series = clean_series(GRID)
    for header in series[::2]:
        header.RescaleType = "hu"
    write(series, tmp_path)
    np.testing.assert_array_equal(at_the_door(tmp_path)[0].voxels[0], phantom(GRID))


def test_a_type_that_differs_is_still_refused(tmp_path):
    series = clean_series(GRID)
    series[2].RescaleType = "US"
    write(series, tmp_path)
    assert at_the_door(tmp_path) == ["INCONSISTENT_RESCALE"]


def test_a_mosaic_is_called_one(tmp_path, capsys):
    (header,) = clean_series(GRID, "MR")[:1]
    header.ImageType = ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]
    write([header], tmp_path)
    assert main(["check", str(tmp_path)]) == 0
    assert "UNSUPPORTED_MULTIFRAME: a mosaic" in capsys.readouterr().out


GOOD = {"ImagerPixelSpacing": [0.2, 0.2], "PixelSpacing": [0.15, 0.15], "NominalScannedPixelSpacing": [0.1, 0.1]}


@pytest.mark.parametrize("zero", GOOD)
@pytest.mark.parametrize("good", GOOD)
def test_zeros_are_no_spacing_of_a_radiograph_beside_one(good, zero, tmp_path):
    if good != zero:
        write([radiograph(**{good: GOOD[good], zero: [0, 0]})], tmp_path)
        (image,) = at_the_door(tmp_path)
        assert image.spacing_mm == tuple(GOOD[good])


@pytest.mark.parametrize("zero", GOOD)
def test_zeros_alone_are_refused_unless_a_spacing_is_stated(zero, tmp_path):
    write([radiograph(**{zero: [0, 0]})], tmp_path)
    assert at_the_door(tmp_path) == ["BAD_SPACING"]
    (image,) = at_the_door(tmp_path, spacing_mm=(0.2,))
    assert (image.spacing_mm, image.spacing_source) == ((0.2, 0.2), "stated by the user")


def test_an_aspect_ratio_that_is_none_is_called_so(tmp_path, capsys):
    write([radiograph(PixelAspectRatio=[1, 0])], tmp_path)
    assert main(["check", str(tmp_path)]) == 0
    assert "NON_SQUARE_PIXELS: their aspect ratio is no two numbers above zero" in capsys.readouterr().out
