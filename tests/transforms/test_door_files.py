"""At the door: slices that are damaged, compressed, linked or copied in part are never left out of a volume in silence."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import zipfile

import numpy as np
import pytest
from dicom_grid import Grid, phantom
from dicom_phantoms import clean_series, radiograph, write
from dicom_reading import at_the_door
from phantoms import fundus, picture_bytes, write_nifti
from pydicom import dcmwrite
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian

from caveat.cli import main
from caveat.transforms.study.discover import find_studies

GRID = Grid(shape=(9, 10, 8))
NAMES = {
    "extension": [f"IM{number:04d}.dcm" for number in range(8)],
    "none": [f"IM{number:04d}" for number in range(8)],
    "numbers": [f"{number}" for number in range(8)],
    "identifiers": [f"1.2.840.{number * 37}.{number}" for number in range(8)],
    "another extension": [f"{number:03d}.img" for number in range(8)],
}
DAMAGE = {
    "empty": b"",
    "zeros": bytes(5000),
    "short": bytes(100),
    "page": b"<!DOCTYPE html><html><body>502 Bad Gateway</body></html>",
    "picture": picture_bytes(fundus(20, 24)[0]),
}


def assert_is_whole(image):
    np.testing.assert_array_equal(image.voxels[0], phantom(GRID))


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_end_slice_refuses_its_volume(damage, names, tmp_path):
    paths = write(clean_series(GRID), tmp_path, names=names)
    paths[-1].write_bytes(damage)
    (code,) = at_the_door(tmp_path)
    assert code in ("EMPTY_FILE", "NOT_DICOM")


@pytest.mark.parametrize("ending", [".icloud", ".Xa3b2c"])
def test_a_hidden_file_that_stands_for_a_slice_which_is_not_here(ending, tmp_path):
    path = write(clean_series(GRID), tmp_path)[-1]
    path.rename(path.with_name(f".{path.name}{ending}")).write_bytes(b"bplist00")
    (tmp_path / ".hidden.dcm").touch()
    (tmp_path / "._image0001.dcm").write_bytes(b"resource fork")
    assert at_the_door(tmp_path) == ["NOT_DICOM"]


@pytest.mark.parametrize("sound", [True, False])
def test_slices_each_in_an_archive_of_its_own(sound, tmp_path):
    for path in write(clean_series(GRID), tmp_path)[5:]:
        with zipfile.ZipFile(f"{path}.zip", "w") as archive:
            archive.writestr(path.name, path.read_bytes())
        path.unlink()
    if sound:
        assert_is_whole(at_the_door(tmp_path)[0])
    else:
        (tmp_path / "image0008.dcm.zip").write_bytes(b"PK\x03\x04 cut off")
        assert at_the_door(tmp_path) == ["NOT_DICOM"]


def test_a_damaged_slice_that_lost_its_ending_is_still_one(tmp_path):
    path = write(clean_series(GRID), tmp_path)[-1]
    path.rename(path.with_suffix("")).write_bytes(b"")
    assert at_the_door(tmp_path) == ["EMPTY_FILE"]


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize(("pack", "ending"), [(gzip.compress, ".gz"), (bz2.compress, ".bz2"), (gzip.compress, "")])
def test_compressed_slices_are_slices(pack, ending, names, tmp_path):
    for path in write(clean_series(GRID), tmp_path, names=names)[5:]:
        path.with_name(path.name + ending).write_bytes(pack(path.read_bytes()))
        if ending:
            path.unlink()
    (image,) = at_the_door(tmp_path)
    assert_is_whole(image)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_a_folder_of_compressed_slices_alone(pack, tmp_path):
    for path in write(clean_series(GRID), tmp_path):
        path.with_name(f"{path.name}.z").write_bytes(pack(path.read_bytes()))
        path.unlink()
    (image,) = at_the_door(tmp_path)
    assert_is_whole(image)


@pytest.mark.parametrize("ending", [".xz", ".zst", ".lz4", ".part", ".crdownload"])
@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_slices_in_a_wrapping_that_is_not_opened_refuse_their_volume(ending, names, tmp_path):
    path = write(clean_series(GRID), tmp_path, names=names)[-1]
    path.with_name(path.name + ending).write_bytes(lzma.compress(path.read_bytes()))
    path.unlink()
    assert at_the_door(tmp_path) == ["NOT_DICOM"]


@pytest.mark.parametrize(
    "damage", [lambda data: data[:200], lambda data: data[:-8] + bytes(8), lambda data: data[:2] + b"\xff" * 90]
)
def test_a_damaged_compressed_slice_refuses_its_volume(damage, tmp_path):
    path = write(clean_series(GRID), tmp_path)[-1]
    path.with_name(path.name + ".gz").write_bytes(damage(gzip.compress(path.read_bytes())))
    path.unlink()
    assert at_the_door(tmp_path) == ["CORRUPT_GZIP"]


def test_a_compressed_file_that_holds_too_much(tmp_path, monkeypatch):
    monkeypatch.setattr("caveat.transforms.dicom.packed.ALWAYS_ALLOWED_BYTES", 1000)
    path = write(clean_series(GRID), tmp_path)[-1]
    path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes() + bytes(10**6)))
    path.unlink()
    assert at_the_door(tmp_path) == ["TOO_LARGE"]


@pytest.mark.parametrize("names", ["extension", "none"])
def test_what_lies_beside_slices_in_the_world_is_none(names, tmp_path):
    write(clean_series(GRID), tmp_path, names=NAMES[names])
    for name in (
        "README",
        "LICENSE",
        "VERSION",
        "MD5SUMS",
        "Thumbs.db",
        "IM0003.json",
        "IM0003.dcm.md5",
        "empty.dcm",
        ".DS_Store",
    ):
        (tmp_path / name).write_bytes(b"" if name == "empty.dcm" else b"no image 12")
    (tmp_path / "IM0003.png").write_bytes(DAMAGE["picture"])
    write_nifti(tmp_path / "IM0003.nii.gz")
    images = [found for found in at_the_door(tmp_path) if not isinstance(found, str)]
    assert_is_whole(next(image for image in images if image.voxels.shape == (1, *GRID.shape)))


def test_a_damaged_radiograph_does_not_refuse_others(tmp_path):
    for number in range(3):
        header = radiograph(ImagerPixelSpacing=[0.2, 0.2], StudyInstanceUID=f"1.2.{number}", SeriesInstanceUID=f"1.3.{number}")
        write([header], tmp_path, names=[f"{number}.dcm"])
    (tmp_path / "3.dcm").touch()
    found = at_the_door(tmp_path)
    assert [one if isinstance(one, str) else "ok" for one in found] == ["ok", "ok", "ok", "EMPTY_FILE"]


def test_a_damaged_slice_among_several_studies_refuses_those_it_lies_between(tmp_path):
    for study in (1, 2, 3):
        write(clean_series(GRID, study=study), tmp_path, names=[f"{8 * study + number}" for number in range(8)])
    (tmp_path / "23").write_bytes(b"")
    found = at_the_door(tmp_path)
    assert [one for one in found if isinstance(one, str)] == ["EMPTY_FILE", "EMPTY_FILE"]
    assert len(found) == 3


def into_a_hidden_store(folder, store):
    """As git-annex does: files in a hidden folder under other names, links in their places."""
    for number, path in enumerate(sorted(folder.glob("*.dcm"))):
        target = store / ".git" / "annex" / "objects" / f"{number:02d}" / "key.dcm"
        target.parent.mkdir(parents=True)
        path.rename(target)
        path.symlink_to(target)


@pytest.mark.parametrize("named", ["", "sub-01"])
def test_links_into_the_store_of_the_tree_are_followed(named, tmp_path):
    write(clean_series(GRID), tmp_path / "sub-01")
    into_a_hidden_store(tmp_path / "sub-01", tmp_path)
    (image,) = at_the_door(tmp_path / named)
    assert_is_whole(image)


def test_a_link_whose_file_was_not_fetched_refuses_its_volume(tmp_path):
    write(clean_series(GRID), tmp_path / "sub-01")
    into_a_hidden_store(tmp_path / "sub-01", tmp_path)
    shutil.rmtree(tmp_path / ".git" / "annex" / "objects" / "07")
    assert at_the_door(tmp_path) == ["UNREADABLE_FILE"]


def test_links_to_files_that_are_found_anyway_find_nothing_twice(tmp_path):
    write_nifti(tmp_path / "scan.nii.gz")
    (tmp_path / "latest.nii.gz").symlink_to(tmp_path / "scan.nii.gz")
    assert [study["name"] for study in find_studies(tmp_path)] == ["scan"]


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian], ids=["little", "big"])
@pytest.mark.parametrize("meta", [True, False], ids=["meta", "bare"])
def test_files_without_a_preamble(meta, syntax, tmp_path):
    for path, header in zip(write(clean_series(GRID), tmp_path, syntax), clean_series(GRID), strict=True):
        if meta:
            path.write_bytes(path.read_bytes()[132:])
        elif syntax == ExplicitVRLittleEndian:
            dcmwrite(path, type(header)(header), implicit_vr=False, little_endian=True)
        else:
            data = path.read_bytes()
            path.write_bytes(data[data.index(b"\x00\x08\x00\x05CS") :])
    (image,) = at_the_door(tmp_path)
    assert_is_whole(image)


def test_the_refusal_says_which_file(tmp_path, capsys):
    paths = write(clean_series(GRID), tmp_path)
    paths[-1].write_bytes(b"")
    assert main(["check", str(tmp_path)]) == 0
    assert "EMPTY_FILE: file 8 of 8 by name" in capsys.readouterr().out
