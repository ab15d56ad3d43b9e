"""At the door: numbers that cannot be held, or that nobody means; pages that are no pictures of their own; cut files."""

from __future__ import annotations

import gzip
from io import BytesIO

import numpy as np
import pytest
import tifffile
from dicom_grid import Grid, phantom
from dicom_phantoms import clean_series, enhanced_series, radiograph, write
from dicom_reading import at_the_door
from phantoms import ellipsoid, metaimage_bytes, nifti_bytes, nrrd_bytes, picture_bytes

from caveat.cli import main

GRID = Grid(shape=(9, 10, 8))
GREY = np.random.default_rng(0).integers(0, 256, (40, 50), np.uint8)


def tiff(*pages: tuple[np.ndarray, int], **options: object) -> bytes:
    """Pages, each with its NewSubfileType."""
    file = BytesIO()
    with tifffile.TiffWriter(file, **options) as writer:
        for pixels, kind in pages:
            writer.write(pixels, subfiletype=kind, photometric="mask" if kind & 4 else "minisblack")
    return file.getvalue()


def door(tmp_path, name: str, data: bytes):
    (tmp_path / name).write_bytes(data)
    (found,) = at_the_door(tmp_path)
    return found


def with_value(value: int, dtype: str) -> np.ndarray:
    voxels = ellipsoid().astype(dtype)
    voxels[1, 2, 3] = value
    return voxels


@pytest.mark.parametrize(("value", "flagged"), [(2**24, False), (2**24 + 1, True), (2**24 + 2, False), (2**31 - 1, True)])
@pytest.mark.parametrize("form", ["int32", "uint32", "int64", "uint64", "float64"])
def test_whole_numbers_that_float32_cannot_hold(form, value, flagged, tmp_path):
    image = door(tmp_path, "volume.nii", nifti_bytes(with_value(value, form)))
    assert image.voxels.max() == np.float32(value)
    assert ("VALUES_ROUNDED" in image.flags) is flagged


def test_the_same_in_other_files(tmp_path):
    voxels = with_value(2**24 + 1, "int32")
    for name, data in {
        "a.mha": metaimage_bytes(voxels),
        "b.nrrd": nrrd_bytes(voxels),
        "c.tif": tiff((GREY.astype(np.uint32) + 2**24, 0)),
    }.items():
        (tmp_path / name[0]).mkdir()
        assert "VALUES_ROUNDED" in door(tmp_path / name[0], name, data).flags


def test_measured_numbers_are_rounded_without_a_word(tmp_path):
    image = door(tmp_path, "volume.nii", nifti_bytes(ellipsoid().astype(np.float64) * 1e7 + 0.3))
    assert "VALUES_ROUNDED" not in image.flags


@pytest.mark.parametrize(("bits", "flags"), [(24, ()), (32, ("VALUES_ROUNDED",))])
def test_dicom_of_32_bits(bits, flags, tmp_path):
    series = clean_series(GRID, "MR")
    for header in series:
        stored = np.frombuffer(header.PixelData, "<u2").astype("<u4")
        stored[0] = 2 ** (bits - 1) + 1
        header.BitsAllocated, header.BitsStored, header.HighBit, header.PixelData = 32, bits, bits - 1, stored.tobytes()
    write(series, tmp_path)
    (image,) = at_the_door(tmp_path)
    assert image.flags == flags and image.voxels[0, 0, 0, 0] == np.float32(2 ** (bits - 1) + 1)


@pytest.mark.parametrize("modality", ["CT", "PT"])
@pytest.mark.parametrize("rescale", [("1e30", 0), ("1e-30", 0), (1, "1e30"), ("-1e20", 0)], ids=str)
def test_a_rescale_that_nobody_means(rescale, modality, tmp_path):
    series = clean_series(GRID, modality)
    for header in series:
        header.RescaleSlope, header.RescaleIntercept = rescale
    write(series, tmp_path)
    assert at_the_door(tmp_path) == ["BAD_RESCALE"]


@pytest.mark.parametrize(("slope", "code"), [(1000, "BAD_RESCALE"), (1e-6, "BAD_RESCALE"), (10, ""), (0.5, ""), (0.001, "")])
def test_steps_of_hounsfield_units(slope, code, tmp_path):
    series = clean_series(GRID)
    for header in series:
        header.RescaleSlope = slope
    write(series, tmp_path)
    (found,) = at_the_door(tmp_path)
    assert found == code if code else found.voxels.shape[1:] == GRID.shape


@pytest.mark.parametrize(("slope", "inter"), [(1e30, 0), (1e-30, 0), (1, 1e20)])
def test_a_scaling_of_nifti_that_nobody_means(slope, inter, tmp_path):
    assert door(tmp_path, "volume.nii", nifti_bytes(scl_slope=slope, scl_inter=inter)) == "BAD_HEADER"


SMALL, MASK = (GREY[::4, ::4], 1), GREY > 9
PAGES = {
    "a thumbnail": ([(GREY, 0), SMALL], ""),
    "a pyramid": ([(GREY, 0), (GREY[::2, ::2], 1), SMALL], ""),
    "another page": ([(GREY, 0), (GREY[::-1], 0)], "MULTI_PAGE"),
    "a mask": ([(GREY, 0), (MASK, 4)], "MULTI_PAGE"),
    "a mask of the thumbnail": ([(GREY, 0), SMALL, (MASK[::4, ::4], 5)], "MULTI_PAGE"),
    "the thumbnail first": ([SMALL, (GREY, 0)], "MULTI_PAGE"),
    "a copy that is no smaller": ([(GREY, 0), (GREY[::-1], 1)], "MULTI_PAGE"),
    "two pages of a document": ([(GREY, 2), (GREY, 2)], "MULTI_PAGE"),
}


@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize(("pages", "code"), PAGES.values(), ids=PAGES)
def test_pages_of_a_tiff(pages, code, bigtiff, tmp_path):
    found = door(tmp_path, "picture.tif", tiff(*pages, bigtiff=bigtiff))
    if code:
        assert found == code
    else:
        np.testing.assert_array_equal(found.voxels[0], GREY)


@pytest.mark.parametrize("first", [0, 1])
def test_smaller_copies_in_directories_of_their_own(first, tmp_path):
    file = BytesIO()
    with tifffile.TiffWriter(file) as writer:
        writer.write(GREY, subifds=1, subfiletype=first, photometric="minisblack")
        writer.write(GREY[::2, ::2], subfiletype=1, photometric="minisblack")
    found = door(tmp_path, "picture.tif", file.getvalue())
    assert found == "MULTI_PAGE" if first else (found.voxels[0] == GREY).all()


@pytest.mark.parametrize("imagej", [True, False])
def test_a_stack_of_pictures_with_one_directory(imagej, tmp_path):
    file = BytesIO()
    tifffile.imwrite(file, np.stack([GREY, GREY[::-1]]), imagej=imagej, truncate=True, photometric="minisblack")
    assert door(tmp_path, "stack.tif", file.getvalue()) == "MULTI_PAGE"


ORIENTATIONS = {
    "as ITK writes it": ("1 0 0 0 1 0 0 0 1", "RAI", ""),
    "where the axes end": ("1 0 0 0 1 0 0 0 1", "LPS", ""),
    "not known": ("1 0 0 0 1 0 0 0 1", "???", ""),
    "turned": ("0 0 1 1 0 0 0 1 0", "IRA", ""),
    "oblique": ("0.8 0.6 0 -0.6 0.8 0 0 0 1", "RAI", ""),
    "left is right": ("1 0 0 0 1 0 0 0 1", "LAI", "BAD_HEADER"),
    "feet are head": ("1 0 0 0 1 0 0 0 -1", "RAI", "BAD_HEADER"),
    "sagittal called axial": ("0 1 0 0 0 1 1 0 0", "RAI", "BAD_HEADER"),
}


@pytest.mark.parametrize(("matrix", "letters", "code"), ORIENTATIONS.values(), ids=ORIENTATIONS)
def test_letters_of_a_metaimage_that_contradict_its_matrix(matrix, letters, code, tmp_path):
    found = door(tmp_path, "volume.mha", metaimage_bytes(TransformMatrix=matrix, AnatomicalOrientation=letters))
    assert found == code if code else found.voxels.shape == (1, 12, 10, 8)


def beginnings(tmp_path) -> dict[str, bytes]:
    """Whole files, of which the first bytes say what they are."""
    paths = write([clean_series(GRID)[0], enhanced_series(GRID), radiograph()], tmp_path / "made", names=["a", "b", "c"])
    return {
        "slice.dcm": paths[0].read_bytes(),
        "enhanced.dcm": paths[1].read_bytes(),
        "film.dcm": paths[2].read_bytes(),
        "volume.nii": nifti_bytes(),
        "volume.nii.gz": gzip.compress(nifti_bytes()),
        "volume.mha": metaimage_bytes(),
        "volume.nrrd": nrrd_bytes(),
        "picture.png": picture_bytes(GREY),
        "picture.jpg": picture_bytes(GREY, "JPEG"),
        "picture.tif": picture_bytes(GREY, "TIFF"),
        "picture.gif": picture_bytes(GREY, "GIF"),
    }


@pytest.mark.parametrize("length", [140, 250, 345, "header", -40])
def test_a_file_that_ends_early_says_so(length, tmp_path):
    for name, data in beginnings(tmp_path).items():
        headers = {".dcm": data.find(b"\xe0\x7f\x10\x00"), ".nii": 352, ".gz": 20}
        end = headers.get(name[name.rindex(".") :], 100) if length == "header" else length
        (tmp_path / name).mkdir()
        found = door(tmp_path / name, name, data[:end])
        assert found in ("TRUNCATED", "TRUNCATED_PIXEL_DATA") if end < 0 else found == "TRUNCATED", name


FOREIGN = {
    "T1.mgz": (gzip.compress(b"\0\0\0\1\0\0\1\0\0\0\1\0\0\0\1\0" + bytes(300)), "FreeSurfer MGH or MGZ: mri_convert"),
    "T1.mgh": (b"\0\0\0\1\0\0\1\0\0\0\1\0\0\0\1\0" + bytes(300), "FreeSurfer MGH or MGZ: mri_convert"),
    "scan.PAR": (b"# === DATA DESCRIPTION FILE ======\n#\n", "Philips PAR/REC: parrec2nii"),
    "anat+orig.HEAD": (b"\ntype  = string-attribute\nname  = TYPESTRING\ncount = 15\n", "AFNI: 3dAFNItoNIFTI"),
    "anat+orig.BRIK": (bytes(range(256)), "voxels of AFNI: 3dAFNItoNIFTI"),
    "anat+orig.BRIK.gz": (gzip.compress(bytes(range(256))), "voxels of AFNI: 3dAFNItoNIFTI"),
    "dwi.mif": (b"mrtrix image\ndim: 3,4,5\n", "MRtrix: mrconvert"),
}


@pytest.mark.parametrize(("name", "content"), FOREIGN.items(), ids=FOREIGN)
def test_a_volume_of_another_program_is_named_with_the_way_to_convert_it(name, content, tmp_path, capsys):
    (tmp_path / name).write_bytes(content[0])
    assert main(["check", str(tmp_path)]) == 0
    assert f"UNSUPPORTED_FILE_TYPE: {content[1]}" in capsys.readouterr().out


def test_sizes_of_all_kinds_are_in_one_order(tmp_path, capsys):
    (tmp_path / "a.png").write_bytes(picture_bytes(GREY))
    write([radiograph(ImagerPixelSpacing=[0.1, 0.2])], tmp_path / "film")
    write(clean_series(GRID, study=2), tmp_path / "ct")
    assert main(["check", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "50 x 40" in said and "40 x 48" in said and "0.2 x 0.1 mm" in said and "9 x 10 x 8" in said
    assert phantom(GRID).shape == (9, 10, 8)


def test_colour_of_another_class_is_no_capture(tmp_path):
    header = radiograph()
    header.SOPClassUID, header.Modality = "1.2.840.10008.5.1.4.1.1.6.1", "US"
    header.SamplesPerPixel, header.PhotometricInterpretation, header.PlanarConfiguration = 3, "RGB", 0
    header.PixelData = header.PixelData * 3
    write([header], tmp_path)
    assert at_the_door(tmp_path) == ["UNSUPPORTED_PIXEL_FORMAT"]
