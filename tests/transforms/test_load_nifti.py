"""NIfTI: read on the right grid, or refused with a reason. Numbers are those of the list of hostile cases."""

from __future__ import annotations

import gzip
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from phantoms import SPACING_MM, ellipsoid, nifti_bytes, oblique_affine

from caveat.reasons import StudyRefused
from caveat.transforms.image.study_image import Stated
from caveat.transforms.study.inspect_study import inspect_study
from caveat.transforms.study.load_study import LoadStudyd

VOXELS = ellipsoid()
AFFINE = oblique_affine()
VOXEL_ML = np.prod(SPACING_MM)


def read(data, tmp_path, name="volume.nii", stated=None):
    path = tmp_path / name
    path.write_bytes(data)
    return inspect_study(path, stated).image


def refusal(data, tmp_path, name="volume.nii", stated=None):
    with pytest.raises(StudyRefused) as caught:
        read(data, tmp_path, name, stated)
    return caught.value.code


def shifted(mm):
    affine = AFFINE.copy()
    affine[0, 3] += mm
    return affine


def scaled(factor):
    return AFFINE @ np.diag([factor, factor, factor, 1])


def sheared(degrees):
    affine = AFFINE.copy()
    affine[:3, 0] += np.tan(np.deg2rad(degrees)) * affine[:3, 1] / SPACING_MM[1] * SPACING_MM[0]
    return affine


def flat_affine():
    affine = AFFINE.copy()
    affine[:3, 2] = affine[:3, 0] + affine[:3, 1]
    return affine


def rows(affine):
    return {f"srow_{name}": affine[index] for index, name in enumerate("xyz")}


def in_unit(unit, mm):
    """The same place in space, written in another unit."""
    affine = AFFINE.copy()
    affine[:3] /= mm
    return {"affine": affine, "xyzt_units": unit}


def commented(data, length):
    """In gzip, with a comment in its header (RFC 1952, 2.3)."""
    packed = gzip.compress(data)
    return packed[:3] + b"\x10" + packed[4:10] + b"x" * length + b"\0" + packed[10:]


READ = {
    "plain": nifti_bytes(),
    "qform alone": nifti_bytes(qform=AFFINE, sform_code=0, **rows(np.zeros((4, 4)))),
    "qform alone, handedness 0": nifti_bytes(qform=AFFINE, sform_code=0, pixdim=[0, *SPACING_MM, 1, 1, 1, 1]),
    "gzip in two members": gzip.compress(nifti_bytes()[:900]) + gzip.compress(nifti_bytes()[900:]),
    "gzip with an empty first member": gzip.compress(b"") + gzip.compress(nifti_bytes()),
    "gzip with a comment of 8 kB": commented(nifti_bytes(), 8000),
    "gzip in a member for every byte of the header's length": b"".join(
        map(gzip.compress, (nifti_bytes()[:1], nifti_bytes()[1:2], nifti_bytes()[2:]))
    ),
    "one volume in four dimensions": nifti_bytes(VOXELS[..., None]),
    "float64": nifti_bytes(VOXELS.astype(np.float64)),
    "with an extension": nifti_bytes()[:348] + b"\1\0\0\0" + b"\x20\0\0\0\4\0\0\0" + b"x" * 24 + nifti_bytes()[352:],
}
TURN = np.array([[0.6, -0.8, 0, 30], [0.8, 0.6, 0, -7], [0, 0, 1, 12], [0, 0, 0, 1]])
MOVED = {
    "shifted by 1 mm": nifti_bytes(qform=shifted(1)),
    "turned": nifti_bytes(qform=TURN @ AFFINE),
    "turned, big endian, NIfTI-2": nifti_bytes(qform=TURN @ AFFINE, version=2, big_endian=True),
}
READ_NUMBERED = {
    "45 qform 0.1 mm beside the sform": nifti_bytes(qform=shifted(0.1)),
    "49 metres": nifti_bytes(**in_unit(1, 1000)),
    "49 microns": nifti_bytes(**in_unit(3, 0.001)),
    "55 NIfTI-2": nifti_bytes(version=2),
    "55 big endian": nifti_bytes(big_endian=True),
    "55 NIfTI-2, big endian": nifti_bytes(version=2, big_endian=True),
    "55 gzip named .nii": gzip.compress(nifti_bytes()),
    "51 slope 0, intercept 55": nifti_bytes(scl_slope=0, scl_inter=55),
    "51 slope NaN": nifti_bytes(scl_slope=np.nan, scl_inter=np.nan),
}
READ["with an extension"] = READ["with an extension"][:108] + np.float32(384).tobytes() + READ["with an extension"][112:]


def numbered(table, number):
    """The rows of a table that belong to one case of the list of hostile cases."""
    rows = {name: row for name, row in table.items() if name.startswith(f"{number} ")}
    columns = ("data", "code") if isinstance(next(iter(rows.values())), tuple) else "data"
    return pytest.mark.parametrize(columns, rows.values(), ids=rows.keys())


@pytest.mark.parametrize("data", READ.values(), ids=READ.keys())
def test_a_volume_is_read_on_its_grid(data, tmp_path):
    assert_plain(read(data, tmp_path))


@numbered(READ_NUMBERED, 45)
def test_45_forms_that_agree_within_half_a_mm_are_read(data, tmp_path):
    assert_plain(read(data, tmp_path))


@pytest.mark.parametrize("data", MOVED.values(), ids=MOVED.keys())
def test_a_motion_between_the_two_forms_is_flagged_and_the_sform_taken(data, tmp_path):
    """As registration writes it: the volume is the same, the place is the sform's."""
    image = read(data, tmp_path)
    assert image.flags == ("QFORM_MOVED",)
    assert_plain(replace(image, flags=()))


@numbered(READ_NUMBERED, 49)
def test_49_a_unit_is_heeded(data, tmp_path):
    assert_plain(read(data, tmp_path))


@numbered(READ_NUMBERED, 51)
def test_51_a_slope_of_nothing_scales_nothing(data, tmp_path):
    assert_plain(read(data, tmp_path))


@numbered(READ_NUMBERED, 55)
def test_55_byte_orders_versions_and_names_are_no_obstacle(data, tmp_path):
    assert_plain(read(data, tmp_path))


def assert_plain(image):
    """The phantom, on its grid, with nothing to be said of it."""
    np.testing.assert_array_equal(image.voxels[0], VOXELS)
    assert image.voxels.dtype == np.float32
    assert image.voxels.flags.c_contiguous
    np.testing.assert_allclose(image.affine, AFFINE, atol=2e-5)
    np.testing.assert_allclose(image.spacing_mm, SPACING_MM, rtol=1e-5)
    assert image.spacing_source == "NIfTI header"
    assert image.flags == ()


def test_55_a_plain_file_named_gz_is_read(tmp_path):
    np.testing.assert_array_equal(read(nifti_bytes(), tmp_path, "volume.nii.gz").voxels[0], VOXELS)


def test_55_a_left_handed_grid_stays_left_handed(tmp_path):
    affine = oblique_affine(left_handed=True)
    image = read(nifti_bytes(affine=affine), tmp_path)
    np.testing.assert_allclose(image.affine, affine, atol=2e-5)
    assert np.linalg.det(image.affine) < 0


def test_48_the_sform_decides_over_pixdim(tmp_path):
    image = read(nifti_bytes(pixdim=[1, 1, 1, 1, 1, 1, 1, 1]), tmp_path)
    assert abs(np.linalg.det(image.affine)) == pytest.approx(VOXEL_ML, rel=1e-5)
    assert image.flags == ("PIXDIM_DISAGREES",)


def test_an_unknown_unit_is_mm_and_flagged(tmp_path):
    image = read(nifti_bytes(xyzt_units=0), tmp_path)
    assert image.flags == ("SPACING_UNIT_UNSTATED",)
    np.testing.assert_allclose(image.spacing_mm, SPACING_MM, rtol=1e-5)


def test_46_an_orientation_is_assumed_only_on_request(tmp_path):
    data = nifti_bytes(sform_code=0)
    assert refusal(data, tmp_path) == "NO_ORIENTATION"
    image = read(data, tmp_path, stated=Stated(assume_orientation=True))
    assert "ORIENTATION_ASSUMED" in image.flags
    assert abs(np.linalg.det(image.affine)) == pytest.approx(VOXEL_ML, rel=1e-5)


def test_a_missing_spacing_may_be_stated(tmp_path):
    data = nifti_bytes(sform_code=0, pixdim=[1, 0, 0, 0, 1, 1, 1, 1])
    assert refusal(data, tmp_path) == "MISSING_SPACING"
    stated = Stated((2.0,))
    assert refusal(data, tmp_path, stated=stated) == "NO_ORIENTATION"
    image = read(data, tmp_path, stated=replace(stated, assume_orientation=True))
    assert image.spacing_mm == (2.0, 2.0, 2.0)
    assert image.spacing_source == "stated by the user"


def without_size(factor=1.0):
    """A volume that says how it lies, and not how large its voxels are."""
    affine = np.diag([-factor, -factor, factor, 1.0])
    return nifti_bytes(affine=affine, xyzt_units=0, pixdim=[1, 0, 0, 0, 1, 1, 1, 1])


def test_a_size_that_nothing_states_is_unknown_and_may_be_stated(tmp_path):
    image = read(without_size(), tmp_path)
    assert (image.spacing_mm, image.spacing_source, image.flags) == (None, "", ())
    np.testing.assert_allclose(image.affine, np.diag([-1, -1, 1, 1]))
    stated = read(without_size(), tmp_path, stated=Stated((0.5, 0.5, 6.0)))
    assert (stated.spacing_mm, stated.spacing_source) == ((0.5, 0.5, 6.0), "stated by the user")
    np.testing.assert_allclose(stated.affine, np.diag([-0.5, -0.5, 6, 1]))


def test_an_sform_that_is_no_unit_step_is_a_size(tmp_path):
    assert read(without_size(factor=2.0), tmp_path).spacing_mm == (2.0, 2.0, 2.0)


def test_a_volume_of_unknown_size_is_measured_only_where_the_bundle_says_so(tmp_path):
    path = tmp_path / "volume.nii"
    path.write_bytes(without_size())
    with pytest.raises(StudyRefused, match="MISSING_SPACING"):
        LoadStudyd("image")({"image": path})
    assert LoadStudyd("image", unknown_spacing=True)({"image": path})["image"].meta["spacing_source"] == ""
    stated = LoadStudyd("image", spacing=2.0)({"image": path})["image"]
    assert stated.pixdim.tolist() == [2.0, 2.0, 2.0]


def test_a_stated_spacing_does_not_override_the_header(tmp_path):
    image = read(nifti_bytes(), tmp_path, stated=Stated((9.0, 9.0, 9.0)))
    assert image.spacing_source == "NIfTI header"
    np.testing.assert_allclose(image.spacing_mm, SPACING_MM, rtol=1e-5)


@pytest.mark.parametrize(("slope", "intercept"), [(0.5, 0), (0.5, -3), (-2, 7), (1, 4)])
def test_51_slope_and_intercept(slope, intercept, tmp_path):
    image = read(nifti_bytes(scl_slope=slope, scl_inter=intercept), tmp_path)
    np.testing.assert_array_equal(image.voxels[0], VOXELS * slope + intercept)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int32, np.uint32, np.int64, np.uint64, np.float32])
def test_every_real_type_is_read(dtype, tmp_path):
    voxels = (VOXELS // 10).clip(0).astype(dtype)
    np.testing.assert_array_equal(read(nifti_bytes(voxels), tmp_path).voxels[0], voxels)


def test_pieces_of_a_large_volume_fit_together(tmp_path, monkeypatch):
    monkeypatch.setattr("caveat.transforms.formats.voxel_stream.CHUNK_VOXELS", 7)
    np.testing.assert_array_equal(read(gzip.compress(nifti_bytes()), tmp_path).voxels[0], VOXELS)


def with_value(value):
    voxels = VOXELS.astype(np.float32)
    voxels[2, 3, 4] = value
    return voxels


def overflowing():
    voxels = VOXELS.astype(np.float64)
    voxels[2, 3, 4] = 1e300
    return voxels


def cut(data, share):
    return data[: int(len(data) * share)]


def wrong_checksum():
    data = bytearray(gzip.compress(nifti_bytes()))
    data[-6] ^= 255
    return bytes(data)


def damaged_inside():
    data = bytearray(gzip.compress(nifti_bytes()))
    data[len(data) // 2] ^= 255
    return bytes(data)


def analyze():
    image = nib.Spm99AnalyzeImage(VOXELS, AFFINE)
    return image.header.binaryblock


SURFACE = np.arange(27307 * 6, dtype=np.float32).reshape(27307, 1, 6)
"""Numbers of the 163842 places of a surface, as they are wrapped into an image."""
FOUR = np.stack([VOXELS, VOXELS], axis=-1)
COLOUR = np.zeros(VOXELS.shape, dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
PIXDIM_0 = [1, 0, 0, 0, 1, 1, 1, 1]
REFUSED = {
    "45 qform scaled 1.3 times": (nifti_bytes(qform=scaled(1.3), pixdim=[1, 1.17, 1.56, 3.25, 1, 1, 1, 1]), "AFFINE_CONFLICT"),
    "45 qform flipped": (nifti_bytes(qform=oblique_affine(left_handed=True)), "AFFINE_CONFLICT"),
    "45 qform coded, pixdim 1": (nifti_bytes(qform=AFFINE, pixdim=[1] * 8), "AFFINE_CONFLICT"),
    "54 a surface": (nifti_bytes(SURFACE, np.eye(4)), "SINGLE_SLICE"),
    "54 one slice": (nifti_bytes(VOXELS[:, :, :1]), "SINGLE_SLICE"),
    "54 gzip without NIfTI behind a long comment": (commented(b"x" * 9000, 8000), "UNSUPPORTED_FILE_TYPE"),
    "46 no code": (nifti_bytes(sform_code=0), "NO_ORIENTATION"),
    "46 negative codes": (nifti_bytes(sform_code=-1, qform_code=-3), "NO_ORIENTATION"),
    "46 Analyze": (analyze(), "NO_ORIENTATION"),
    "47 sform zero": (nifti_bytes(**rows(np.zeros((4, 4)))), "SINGULAR_AFFINE"),
    "47 sform singular": (nifti_bytes(**rows(flat_affine())), "SINGULAR_AFFINE"),
    "47 sform NaN": (nifti_bytes(**rows(np.full((4, 4), np.nan))), "BAD_AFFINE"),
    "47 sform infinite": (nifti_bytes(**rows(np.full((4, 4), np.inf))), "BAD_AFFINE"),
    "47 sform huge": (nifti_bytes(**rows(AFFINE * 1e30)), "IMPLAUSIBLE_SPACING"),
    "47 sheared": (nifti_bytes(affine=sheared(0.3)), "SHEARED_AFFINE"),
    "47 quaternion longer than 1": (nifti_bytes(qform=AFFINE, sform_code=0, quatern_b=3.0), "BAD_AFFINE"),
    "47 quaternion NaN": (nifti_bytes(qform=AFFINE, sform_code=0, quatern_b=np.nan), "BAD_AFFINE"),
    "48 pixdim 0, no form": (nifti_bytes(sform_code=0, pixdim=PIXDIM_0), "MISSING_SPACING"),
    "48 pixdim NaN, qform": (nifti_bytes(qform=AFFINE, sform_code=0, pixdim=[1, np.nan, 1, 1, 1, 1, 1, 1]), "MISSING_SPACING"),
    "49 mm called microns": (nifti_bytes(xyzt_units=3), "IMPLAUSIBLE_SPACING"),
    "49 mm called metres": (nifti_bytes(xyzt_units=1), "IMPLAUSIBLE_SPACING"),
    "49 a unit that is none": (nifti_bytes(xyzt_units=5), "BAD_HEADER"),
    "50 NaN": (nifti_bytes(with_value(np.nan)), "NON_FINITE_VOXELS"),
    "50 infinite": (nifti_bytes(with_value(-np.inf)), "NON_FINITE_VOXELS"),
    "50 larger than float32": (nifti_bytes(overflowing()), "NON_FINITE_VOXELS"),
    "51 slope infinite": (nifti_bytes(scl_slope=np.inf), "BAD_HEADER"),
    "51 intercept NaN": (nifti_bytes(scl_slope=2, scl_inter=np.nan), "BAD_HEADER"),
    "52 fewer slices than declared": (nifti_bytes()[: -2 * 120], "TRUNCATED"),
    "52 fewer, gzip": (gzip.compress(nifti_bytes()[: -2 * 120]), "TRUNCATED"),
    "52 more slices than declared": (nifti_bytes(dim=[3, 12, 10, 5, 1, 1, 1, 1]), "SIZE_MISMATCH"),
    "52 more, gzip": (gzip.compress(nifti_bytes(dim=[3, 12, 10, 5, 1, 1, 1, 1])), "SIZE_MISMATCH"),
    "52 junk behind": (nifti_bytes(extra=b"junk"), "SIZE_MISMATCH"),
    "52 junk behind, in gzip": (gzip.compress(nifti_bytes(extra=b"junk")), "SIZE_MISMATCH"),
    "52 junk behind gzip": (gzip.compress(nifti_bytes()) + b"junk", "CORRUPT_GZIP"),
    "52 cut gzip": (cut(gzip.compress(nifti_bytes()), 0.67), "TRUNCATED"),
    "52 gzip cut by its last byte": (gzip.compress(nifti_bytes())[:-1], "TRUNCATED"),
    "52 bad checksum": (wrong_checksum(), "CORRUPT_GZIP"),
    "52 damaged gzip": (damaged_inside(), "CORRUPT_GZIP"),
    "52 cut in the header": (nifti_bytes()[:200], "TRUNCATED"),
    "52 cut behind the header": (nifti_bytes()[:352], "TRUNCATED"),
    "52 NIfTI-2, cut in the header": (nifti_bytes(version=2)[:400], "TRUNCATED"),
    "53 32767^3": (nifti_bytes(dim=[3, 32767, 32767, 32767, 1, 1, 1, 1]), "TOO_LARGE"),
    "53 NIfTI-2, 2^62 per axis": (nifti_bytes(version=2, dim=[3, 2**62, 2**62, 2**62, 1, 1, 1, 1]), "TOO_LARGE"),
    "53 declared just under the limit, not there": (nifti_bytes(dim=[3, 800, 800, 800, 1, 1, 1, 1]), "TRUNCATED"),
    "53 the same in gzip": (gzip.compress(nifti_bytes(dim=[3, 800, 800, 800, 1, 1, 1, 1])), "TRUNCATED"),
    "54 two volumes": (nifti_bytes(FOUR), "NOT_3D"),
    "54 two dimensions": (nifti_bytes(VOXELS[:, :, 0]), "NOT_3D"),
    "54 complex": (nifti_bytes(VOXELS.astype(np.complex64)), "UNSUPPORTED_DATATYPE"),
    "54 RGB": (nifti_bytes(COLOUR), "UNSUPPORTED_DATATYPE"),
    "54 float128": (nifti_bytes(datatype=1536, bitpix=128), "UNSUPPORTED_DATATYPE"),
    "54 one bit": (nifti_bytes(datatype=1, bitpix=1), "UNSUPPORTED_DATATYPE"),
    "54 unknown type": (nifti_bytes(datatype=77), "UNSUPPORTED_DATATYPE"),
    "54 bits that are not the type's": (nifti_bytes(bitpix=8), "BAD_HEADER"),
    "54 dim 0": (nifti_bytes(dim=[3, 12, 0, 8, 1, 1, 1, 1]), "BAD_HEADER"),
    "54 negative dim": (nifti_bytes(dim=[3, 12, -10, 8, 1, 1, 1, 1]), "BAD_HEADER"),
    "54 no dimensions": (nifti_bytes(dim=[0, 12, 10, 8, 1, 1, 1, 1]), "BAD_HEADER"),
    "54 300 dimensions": (nifti_bytes(dim=[300, 12, 10, 8, 1, 1, 1, 1]), "BAD_HEADER"),
    "54 vox_offset 0": (nifti_bytes(vox_offset=0), "BAD_HEADER"),
    "54 vox_offset NaN": (nifti_bytes(vox_offset=np.nan), "BAD_HEADER"),
    "54 vox_offset 352.5": (nifti_bytes(vox_offset=352.5), "BAD_HEADER"),
    "54 vox_offset 1e30": (nifti_bytes(vox_offset=1e30), "TOO_LARGE"),
    "54 vox_offset behind the end": (nifti_bytes(vox_offset=400_000), "TRUNCATED"),
}


@numbered(REFUSED, 45)
def test_45_forms_that_contradict_each_other_are_refused(data, code, tmp_path):
    assert refusal(data, tmp_path) == code


@numbered(REFUSED, 46)
def test_46_no_orientation_is_refused(data, code, tmp_path):
    assert refusal(data, tmp_path) == code


@numbered(REFUSED, 47)
def test_47_an_affine_that_is_none_is_refused(data, code, tmp_path):
    assert refusal(data, tmp_path) == code


@numbered(REFUSED, 48)
def test_48_no_spacing_is_refused(data, code, tmp_path):
    assert refusal(data, tmp_path) == code


@numbered(REFUSED, 49)
def test_49_a_unit_that_cannot_be_is_refused(data, code, tmp_path):
    assert refusal(data, tmp_path) == code


@numbered(REFUSED, 50)
def test_50_voxels_that_are_no_finite_numbers_are_refused(data, code, tmp_path):
    assert refusal(data, tmp_path) == code


@numbered(REFUSED, 51)
def test_51_a_slope_or_an_intercept_that_is_no_number_is_refused(data, code, tmp_path):
    assert refusal(data, tmp_path) == code


@numbered(REFUSED, 52)
def test_52_more_or_fewer_bytes_than_declared_are_refused(data, code, tmp_path):
    assert refusal(data, tmp_path) == code


@numbered(REFUSED, 53)
def test_53_what_is_too_large_is_refused(data, code, tmp_path):
    assert refusal(data, tmp_path) == code


@numbered(REFUSED, 54)
def test_54_what_is_no_volume_of_numbers_is_refused(data, code, tmp_path):
    assert refusal(data, tmp_path) == code


def test_a_header_and_voxels_in_two_files_are_refused(tmp_path):
    assert refusal(nifti_bytes(magic=b"ni1"), tmp_path) == "UNSUPPORTED_FILE_TYPE"


def test_another_library_reads_the_same(tmp_path):
    path = tmp_path / "volume.nii.gz"
    nib.save(nib.Nifti1Image(VOXELS, AFFINE), path)
    image = inspect_study(path).image
    np.testing.assert_array_equal(image.voxels[0], nib.load(path).get_fdata())
    np.testing.assert_array_equal(image.affine, nib.load(path).affine)


def test_real_volumes_are_read_as_nibabel_reads_them(shared_data):
    paths = sorted((shared_data / "hippocampus" / "images").glob("*.nii*"))[:3]
    if not paths:
        pytest.skip("no volumes here")
    for path in paths:
        image = inspect_study(path).image
        np.testing.assert_array_equal(image.voxels[0], nib.load(path).get_fdata(dtype=np.float32))
        np.testing.assert_allclose(image.affine, nib.load(path).affine, atol=1e-6)
