"""MetaImage and NRRD: read on the grid that SimpleITK reads them on, or refused where it would invent, fill or ignore."""

from __future__ import annotations

import gzip
import zlib

import numpy as np
import pytest
import SimpleITK as sitk
from phantoms import SPACING_MM, ellipsoid, metaimage_bytes, nrrd_bytes, oblique_affine

from caveat.reasons import StudyRefused
from caveat.transforms.formats import text_header
from caveat.transforms.image.study_image import Stated
from caveat.transforms.study.inspect_study import inspect_study

VOXELS = ellipsoid()
FORMATS = {"metaimage": metaimage_bytes, "nrrd": nrrd_bytes}
IN_MICRONS = "(900,0,0) (0,1200,0) (0,0,2500)"
both = pytest.mark.parametrize("kind", FORMATS)


def read(data, tmp_path, stated=None):
    path = tmp_path / "volume"
    path.write_bytes(data)
    return inspect_study(path, stated)


def refusal(data, tmp_path, stated=None):
    with pytest.raises(StudyRefused) as caught:
        read(data, tmp_path, stated)
    return caught.value.code


def by_simpleitk(path):
    """Voxels (x, y, z) and the affine in RAS, as another library has them."""
    image = sitk.ReadImage(str(path))
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) @ np.diag(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    return sitk.GetArrayFromImage(image).T, np.diag([-1, -1, 1, 1]) @ affine


@both
@pytest.mark.parametrize("compressed", [False, True], ids=["raw", "compressed"])
@pytest.mark.parametrize("left_handed", [False, True], ids=["right", "left"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint32, np.int64, np.float32, np.float64])
def test_what_simpleitk_writes_is_read_as_simpleitk_reads_it(kind, compressed, left_handed, dtype, tmp_path):
    image = sitk.GetImageFromArray((VOXELS // 10).clip(0).astype(dtype).T)
    lps = np.diag([-1, -1, 1, 1]) @ oblique_affine(left_handed=left_handed)
    image.SetSpacing(SPACING_MM)
    image.SetDirection((lps[:3, :3] / SPACING_MM).ravel())
    image.SetOrigin(lps[:3, 3])
    image.SetMetaData("Some_field", "of a writer's own")
    path = tmp_path / {"metaimage": "volume.mha", "nrrd": "volume.nrrd"}[kind]
    sitk.WriteImage(image, str(path), useCompression=compressed)
    found = inspect_study(path)
    voxels, affine = by_simpleitk(path)
    assert found.kind == kind
    np.testing.assert_array_equal(found.image.voxels[0], voxels)
    np.testing.assert_allclose(found.image.affine, affine, atol=1e-6)
    np.testing.assert_allclose(found.image.affine, oblique_affine(left_handed=left_handed), atol=1e-5)
    np.testing.assert_allclose(found.image.spacing_mm, SPACING_MM, rtol=1e-6)


@both
@pytest.mark.parametrize("change", [{}, {"big_endian": True}, {"compressed": True}], ids=["plain", "big endian", "compressed"])
def test_the_phantoms_are_what_simpleitk_takes_them_for(kind, change, tmp_path):
    """So that a refusal below is one of the change alone."""
    path = tmp_path / {"metaimage": "volume.mha", "nrrd": "volume.nrrd"}[kind]
    path.write_bytes(FORMATS[kind](**change))
    voxels, affine = by_simpleitk(path)
    found = inspect_study(path).image
    np.testing.assert_array_equal(found.voxels[0], VOXELS)
    np.testing.assert_array_equal(voxels, VOXELS)
    np.testing.assert_allclose(found.affine, affine, atol=1e-6)
    assert found.flags == ("SPACING_UNIT_UNSTATED",)


@pytest.mark.parametrize(
    ("space", "turned"),
    [("left-posterior-superior", (-1, -1, 1)), ("LPS", (-1, -1, 1)), ("RAS", (1, 1, 1)), ("left-anterior-superior", (-1, 1, 1))],
)
def test_the_space_of_an_nrrd_says_where_left_is(space, turned, tmp_path):
    lps = np.diag([-1, -1, 1, 1]) @ oblique_affine()
    affine = read(nrrd_bytes(space=space), tmp_path).image.affine
    np.testing.assert_allclose(affine, np.diag([*turned, 1]) @ lps, atol=1e-6)


@pytest.mark.parametrize(
    ("data", "mm"),
    [
        (metaimage_bytes(DistanceUnits="mm"), 1),
        (metaimage_bytes(DistanceUnits="cm", ElementSpacing="0.09 0.12 0.25", Offset="1.1 -0.7 0.3"), 10),
        (nrrd_bytes(**{"space units": '"mm" "mm" "mm"'}), 1),
        (nrrd_bytes(**{"space units": '"millimeters" "millimeters" "millimeters"'}), 1),
        (
            nrrd_bytes(
                **{"space units": '"microns" ' * 3, "space directions": IN_MICRONS, "space origin": "(11e3,-7e3,3e3)"},
            ),
            0.001,
        ),
        (
            nrrd_bytes(**{"space units": '"um" "um" "um"', "space directions": IN_MICRONS, "space origin": "(11e3,-7e3,3e3)"}),
            0.001,
        ),
    ],
)
def test_the_unit_that_is_stated_is_the_unit(data, mm, tmp_path):
    image = read(data, tmp_path).image
    np.testing.assert_allclose(image.spacing_mm, SPACING_MM, rtol=1e-6)
    np.testing.assert_allclose(image.affine[:3, 3], oblique_affine()[:3, 3], rtol=1e-6)
    np.testing.assert_allclose(image.original_affine[:3, 3] * mm, oblique_affine()[:3, 3], rtol=1e-6)
    assert image.flags == ()


def test_an_origin_named_otherwise_is_one(tmp_path):
    data = metaimage_bytes().replace(b"Offset =", b"Position =").replace(b"TransformMatrix =", b"Rotation =")
    np.testing.assert_allclose(read(data, tmp_path).image.affine, oblique_affine(), atol=1e-6)


@pytest.mark.parametrize(
    "data",
    [
        metaimage_bytes(TransformMatrix=None),
        metaimage_bytes(Offset=None),
        nrrd_bytes(space=None),
        nrrd_bytes(space="scanner-xyz"),
        nrrd_bytes(**{"space origin": None}),
        nrrd_bytes(**{"space": None, "space dimension": 3}),
        nrrd_bytes(**{"space directions": None, "spacings": "0.9 1.2 2.5"}),
    ],
    ids=["matrix", "offset", "space", "a scanner's space", "origin", "space without name", "directions"],
)
def test_46_an_orientation_that_is_not_stated_is_assumed_only_on_request(data, tmp_path):
    assert refusal(data, tmp_path) == "NO_ORIENTATION"
    image = read(data, tmp_path, Stated(assume_orientation=True)).image
    assert "ORIENTATION_ASSUMED" in image.flags
    np.testing.assert_allclose(image.spacing_mm, SPACING_MM, rtol=1e-6)


@pytest.mark.parametrize(
    ("data", "oriented"),
    [
        (metaimage_bytes(ElementSpacing=None), True),
        (metaimage_bytes(ElementSpacing="0 0 0"), True),
        (metaimage_bytes(ElementSpacing="nan 1 1"), True),
        (nrrd_bytes(**{"space directions": None}), False),
        (nrrd_bytes(**{"space directions": None, "spacings": "nan nan nan"}), False),
    ],
)
def test_a_spacing_that_is_not_stated_is_the_users(data, oriented, tmp_path):
    assert refusal(data, tmp_path) == "MISSING_SPACING"
    image = read(data, tmp_path, Stated((2.0,), assume_orientation=not oriented)).image
    assert image.spacing_mm == pytest.approx((2.0, 2.0, 2.0))
    assert image.spacing_source == "stated by the user"


def cut(data, size):
    return data[: len(data) - size]


def damaged(data):
    """One bit of the compressed voxels is another."""
    return data[:-20] + bytes([data[-20] ^ 16]) + data[-19:]


def wrong_sum(data):
    return data[:-2] + bytes([data[-2] ^ 255]) + data[-1:]


def with_value(value):
    voxels = VOXELS.astype(np.float32)
    voxels[2, 3, 4] = value
    return voxels


def zlib_behind(voxels):
    """Compressed voxels of another number than declared."""
    start = metaimage_bytes(compressed=True)
    return start[: start.index(b"LOCAL\n") + 6] + zlib.compress(voxels.tobytes(order="F"))


def gzip_behind(voxels):
    start = nrrd_bytes(compressed=True)
    return start[: start.index(b"\n\n") + 2] + gzip.compress(voxels.tobytes(order="F"))


SHORT, LONG = VOXELS[..., :-1], np.concatenate([VOXELS, VOXELS[..., :1]], axis=2)
TURNED_OFF = "1 0.01 0 0 1 0 0 0 1"
REFUSED = {
    "47 matrix not finite": (metaimage_bytes(TransformMatrix="nan 0 0 0 1 0 0 0 1"), "BAD_AFFINE"),
    "47 matrix of zeros": (metaimage_bytes(TransformMatrix="0 0 0 0 0 0 0 0 0"), "BAD_AFFINE"),
    "47 rows longer than 1": (metaimage_bytes(TransformMatrix="2 0 0 0 2 0 0 0 2"), "BAD_AFFINE"),
    "47 two axes along one line": (metaimage_bytes(TransformMatrix="1 0 0 1 0 0 0 0 1"), "SINGULAR_AFFINE"),
    "47 sheared": (metaimage_bytes(TransformMatrix=TURNED_OFF), "SHEARED_AFFINE"),
    "47 offset not finite": (metaimage_bytes(Offset="inf 0 0"), "BAD_AFFINE"),
    "47 nrrd, an axis without length": (nrrd_bytes(**{"space directions": "(0,0,0) (0,1,0) (0,0,1)"}), "SINGULAR_AFFINE"),
    "47 nrrd, not finite": (nrrd_bytes(**{"space directions": "(nan,0,0) (0,1,0) (0,0,1)"}), "BAD_AFFINE"),
    "47 nrrd, too long for a number": (nrrd_bytes(**{"space directions": "(1e308,1e308,0) (0,1,0) (0,0,1)"}), "BAD_AFFINE"),
    "47 nrrd, sheared": (nrrd_bytes(**{"space directions": "(1,0.01,0) (0,1,0) (0,0,1)"}), "SHEARED_AFFINE"),
    "49 microns called mm": (metaimage_bytes(ElementSpacing="900 1200 2500"), "IMPLAUSIBLE_SPACING"),
    "49 a unit that is none": (metaimage_bytes(DistanceUnits="parsec"), "BAD_HEADER"),
    "49 nrrd, units that differ": (nrrd_bytes(**{"space units": '"mm" "cm" "mm"'}), "BAD_HEADER"),
    "50 NaN": (metaimage_bytes(with_value(np.nan)), "NON_FINITE_VOXELS"),
    "50 nrrd, infinite": (nrrd_bytes(with_value(np.inf)), "NON_FINITE_VOXELS"),
    "51 to be rescaled": (metaimage_bytes(ElementToIntensityFunctionSlope=2), "UNSUPPORTED_DATATYPE"),
    "52 fewer voxels": (cut(metaimage_bytes(), 240), "TRUNCATED"),
    "52 fewer voxels, compressed": (zlib_behind(SHORT), "TRUNCATED"),
    "52 more voxels": (metaimage_bytes() + bytes(240), "SIZE_MISMATCH"),
    "52 more voxels, compressed": (zlib_behind(LONG), "SIZE_MISMATCH"),
    "52 junk behind the stream": (metaimage_bytes(compressed=True) + b"junk", "SIZE_MISMATCH"),
    "52 cut stream": (cut(metaimage_bytes(compressed=True), 1), "TRUNCATED"),
    "52 damaged stream": (damaged(metaimage_bytes(compressed=True)), "CORRUPT_GZIP"),
    "52 wrong checksum": (wrong_sum(metaimage_bytes(compressed=True)), "CORRUPT_GZIP"),
    "52 cut in the header": (metaimage_bytes()[:100], "TRUNCATED"),
    "52 nrrd, fewer voxels": (cut(nrrd_bytes(), 240), "TRUNCATED"),
    "52 nrrd, fewer voxels, gzip": (gzip_behind(SHORT), "TRUNCATED"),
    "52 nrrd, more voxels": (nrrd_bytes() + bytes(240), "SIZE_MISMATCH"),
    "52 nrrd, more voxels, gzip": (gzip_behind(LONG), "SIZE_MISMATCH"),
    "52 nrrd, junk behind the stream": (nrrd_bytes(compressed=True) + b"junk", "CORRUPT_GZIP"),
    "52 nrrd, cut stream": (cut(nrrd_bytes(compressed=True), 1), "TRUNCATED"),
    "52 nrrd, wrong checksum": (wrong_sum(nrrd_bytes(compressed=True)), "CORRUPT_GZIP"),
    "52 nrrd, cut in the header": (nrrd_bytes()[:60], "TRUNCATED"),
    "53 32767^3": (metaimage_bytes(DimSize="32767 32767 32767"), "TOO_LARGE"),
    "53 nrrd, 32767^3, gzip": (nrrd_bytes(compressed=True, sizes="32767 32767 32767"), "TOO_LARGE"),
    "53 just under the limit, not there": (metaimage_bytes(compressed=True, DimSize="800 800 800"), "TRUNCATED"),
    "53 a header without end": (b"ObjectType = Image\nComment = " + b"x" * 2**21, "BAD_HEADER"),
    "54 four dimensions": (metaimage_bytes(NDims=4, DimSize="12 10 8 2"), "NOT_3D"),
    "54 two dimensions": (metaimage_bytes(NDims=2, DimSize="12 80"), "NOT_3D"),
    "54 vectors": (metaimage_bytes(ElementNumberOfChannels=3, DimSize="4 10 8"), "UNSUPPORTED_DATATYPE"),
    "54 arrays": (metaimage_bytes(ElementType="MET_SHORT_ARRAY"), "UNSUPPORTED_DATATYPE"),
    "54 no type": (metaimage_bytes(ElementType=None), "UNSUPPORTED_DATATYPE"),
    "54 one slice": (metaimage_bytes(VOXELS[:, :, :1]), "SINGLE_SLICE"),
    "54 nrrd, one row": (nrrd_bytes(VOXELS[:, :1]), "SINGLE_SLICE"),
    "54 a number with an underscore": (metaimage_bytes(ElementSpacing="1_0 1 1"), "BAD_HEADER"),
    "54 a number of other digits": (metaimage_bytes(ElementSpacing="１ 1 1"), "BAD_HEADER"),
    "54 size 0": (metaimage_bytes(DimSize="12 0 8"), "BAD_HEADER"),
    "54 negative size": (metaimage_bytes(DimSize="12 -10 8"), "BAD_HEADER"),
    "54 digits with an underscore": (metaimage_bytes(DimSize="1_2 10 8"), "BAD_HEADER"),
    "54 two sizes": (metaimage_bytes(DimSize="12 80"), "BAD_HEADER"),
    "54 no byte order": (metaimage_bytes(BinaryDataByteOrderMSB=None), "BAD_HEADER"),
    "54 two byte orders": (metaimage_bytes(ElementByteOrderMSB="True"), "BAD_HEADER"),
    "54 two offsets": (metaimage_bytes(Origin="0 0 0"), "BAD_HEADER"),
    "54 a field twice": (metaimage_bytes(DimSize="12 10 8\nDimSize = 12 10 4"), "BAD_HEADER"),
    "54 text": (metaimage_bytes(BinaryData="False"), "UNSUPPORTED_FILE_TYPE"),
    "54 voxels elsewhere in the file": (metaimage_bytes(HeaderSize=10), "UNSUPPORTED_FILE_TYPE"),
    "54 voxels in another file": (metaimage_bytes(ElementDataFile="volume.raw"), "UNSUPPORTED_FILE_TYPE"),
    "54 nrrd, colour": (nrrd_bytes(dimension=4, kinds="RGB-color domain domain domain"), "UNSUPPORTED_DATATYPE"),
    "54 nrrd, complex": (nrrd_bytes(kinds="complex domain domain"), "UNSUPPORTED_DATATYPE"),
    "54 nrrd, over time": (nrrd_bytes(kinds="domain domain time"), "NOT_3D"),
    "54 nrrd, four dimensions": (nrrd_bytes(dimension=4, sizes="12 10 8 1"), "NOT_3D"),
    "54 nrrd, an axis outside space": (nrrd_bytes(**{"space directions": "none (0,1,0) (0,0,1)"}), "NOT_3D"),
    "54 nrrd, blocks": (nrrd_bytes(type="block"), "UNSUPPORTED_DATATYPE"),
    "54 nrrd, no byte order": (nrrd_bytes(endian=None), "BAD_HEADER"),
    "54 nrrd, text": (nrrd_bytes(encoding="ascii"), "UNSUPPORTED_FILE_TYPE"),
    "54 nrrd, lines to skip": (nrrd_bytes(**{"line skip": 1}), "UNSUPPORTED_FILE_TYPE"),
    "54 nrrd, voxels in another file": (nrrd_bytes(**{"data file": "volume.raw"}), "UNSUPPORTED_FILE_TYPE"),
    "54 nhdr without a last line": (b"NRRD0004\ntype: short\ndata file: volume.raw\n", "UNSUPPORTED_FILE_TYPE"),
    "54 nrrd, spacings beside directions": (nrrd_bytes(spacings="1 1 1"), "BAD_HEADER"),
    "54 nrrd, a word between directions": (nrrd_bytes(**{"space directions": "(1,0,0) x (0,1,0) (0,0,1)"}), "BAD_HEADER"),
    "54 nrrd, a field twice": (nrrd_bytes(sizes="12 10 8\nsizes: 12 10 4"), "BAD_HEADER"),
    "54 nrrd of a version to come": (nrrd_bytes().replace(b"NRRD0004", b"NRRD0009"), "BAD_HEADER"),
}


@pytest.mark.parametrize(("data", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_a_volume_that_cannot_be_read_correctly_is_refused(data, code, tmp_path):
    assert refusal(data, tmp_path) == code


def test_simpleitk_would_have_invented_or_ignored_what_is_refused_here(tmp_path):
    """Why the header is read here: four files that the library takes without a word."""
    for name, data, code in (
        ("a.mha", metaimage_bytes(TransformMatrix=None), "NO_ORIENTATION"),
        ("b.mha", metaimage_bytes(ElementSpacing=None), "MISSING_SPACING"),
        ("c.nrrd", nrrd_bytes(space="scanner-xyz"), "NO_ORIENTATION"),
        ("d.mha", metaimage_bytes() + bytes(240), "SIZE_MISMATCH"),
    ):
        (tmp_path / name).write_bytes(data)
        assert sitk.ReadImage(str(tmp_path / name)).GetSize() == VOXELS.shape
        assert refusal(data, tmp_path) == code


def test_pieces_of_a_compressed_volume_fit_together(tmp_path, monkeypatch):
    monkeypatch.setattr("caveat.transforms.formats.voxel_stream.CHUNK_VOXELS", 7)
    monkeypatch.setattr("caveat.transforms.formats.voxel_stream.BLOCK_BYTES", 11)
    for make in FORMATS.values():
        np.testing.assert_array_equal(read(make(compressed=True), tmp_path).image.voxels[0], VOXELS)


def test_each_word_of_a_header_is_looked_at_once(monkeypatch):
    """Converted as a whole, by a parser without a pattern that could go back over a long word."""
    converted = []
    monkeypatch.setattr(text_header, "float", lambda word: converted.append(len(word)) or float(word), raising=False)
    with pytest.raises(StudyRefused, match="BAD_HEADER: 3 words where 3 numbers belong"):
        text_header.numbers(["1" * 20_000, "1" * 20_000 + "x", "1"], 3)
    assert converted == [20_000, 20_001]
