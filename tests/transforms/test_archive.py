"""Archives: unpacked whole, or refused before anything is left behind. Case 67 of the list of hostile cases, and around it."""

from __future__ import annotations

import io
import stat
import struct
import tarfile
import zipfile
import zlib

import pytest
from phantoms import nifti_bytes

from caveat.reasons import StudyRefused
from caveat.transforms.study.archive import ArchiveLimits, extract_archive

CANARY = "Kanarienvogel"


def packed(*entries, method=zipfile.ZIP_DEFLATED):
    """A zip archive. Args: entries: (name or ZipInfo, bytes)."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return file.getvalue()


def extracted(data, tmp_path, limits=None):
    """Paths and bytes of what came out."""
    (tmp_path / "archive.zip").write_bytes(data)
    folder = tmp_path / "out"
    extract_archive(tmp_path / "archive.zip", folder, limits)
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refusal(data, tmp_path, limits=None):
    with pytest.raises(StudyRefused) as caught:
        extracted(data, tmp_path, limits)
    assert not (tmp_path / "out").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["archive.zip"]
    assert CANARY not in str(caught.value)
    return caught.value.code


def special(mode):
    info = zipfile.ZipInfo(f"{CANARY}.png")
    info.create_system, info.external_attr = 3, mode << 16
    return info


def changed(data, field, value):
    """Another value in local header and directory. Args: field: offset in each."""
    data = bytearray(data)
    for magic, offset in ((b"PK\x03\x04", field[0]), (b"PK\x01\x02", field[1])):
        struct.pack_into("<H", data, data.index(magic) + offset, value)
    return bytes(data)


FLAGS, METHOD = (6, 8), (8, 10)
PLAIN = packed(("a.nii", nifti_bytes()))


def nested_tar():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"))
    return file.getvalue()


def lying_about_its_place(more):
    """Args: more: bytes by which the directory is said to begin later than it does."""
    data = bytearray(PLAIN)
    end = data.index(b"PK\x05\x06")
    struct.pack_into("<I", data, end + 16, struct.unpack_from("<I", data, end + 16)[0] + more)
    return bytes(data)


def lying_about_its_size():
    """50 MB of zeros that the directory calls ten bytes."""
    data = bytearray(packed(("a", bytes(50_000_000))))
    struct.pack_into("<I", data, data.index(b"PK\x01\x02") + 24, 10)
    return bytes(data)


def test_files_come_out_as_they_went_in(tmp_path):
    files = {"a/first.nii.gz": nifti_bytes(), "a/b/IM0001": b"1", "b/first.png": b"2", "first.nii": b""}
    assert extracted(packed(("a/", b""), *files.items()), tmp_path) == files
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700


def test_names_are_made_harmless_and_stay_apart(tmp_path):
    names = [
        "=cmd()/<script>.png",
        "\u5f20/1.dcm",
        "\u674e/1.dcm",
        "./here/eye.nii.gz",
        "here/eye.png",
        ".hidden/x.png",
        "__MACOSX/y",
    ]
    found = extracted(packed(*((name, name.encode()) for name in names)), tmp_path)
    assert list(sorted(found)) == sorted(
        ["_cmd_/_script_.png", "_/1.dcm", "_-2/1.dcm", "here/eye.nii.gz", "here/eye-2.png", ".hidden/x.png", "__MACOSX/y"]
    )
    assert found["_/1.dcm"] == "\u5f20/1.dcm".encode()


def test_names_that_come_to_one_are_told_apart_by_what_they_were_and_not_by_their_order(tmp_path):
    """Files of a patient are found by what their names have in common: a number would give a sequence to another one."""
    for number, names in enumerate((("\u5c71", "\u7530"), ("A", "\u00c4"), ("P (1)", "P 1 "), (".-A", "A"))):
        folder = tmp_path / str(number)
        folder.mkdir()
        first, second = names
        entries = [f"{first}_flair.nii.gz", f"{second}_flair.nii.gz", f"{second}_t1.nii.gz", f"{first}_t1.nii.gz"]
        by_content = {
            data.decode(): name for name, data in extracted(packed(*((e, e.encode()) for e in entries)), folder).items()
        }
        of = {name: {by_content[f"{name}_{word}.nii.gz"].replace(word, "") for word in ("flair", "t1")} for name in names}
        visible = [stems for name, stems in of.items() if not name.startswith(".")]
        assert all(len(stems) == 1 for stems in visible) and len(set.union(*visible)) == len(visible), by_content


def test_the_marker_of_a_split_archive_is_no_other_file(tmp_path):
    assert extracted(b"PK00" + packed(("eye.png", b"1")), tmp_path) == {"eye.png": b"1"}


def test_a_small_archive_of_an_empty_mask_is_no_bomb(tmp_path):
    assert extracted(packed(("mask.nii", bytes(1_000_000))), tmp_path) == {"mask.nii": bytes(1_000_000)}


REFUSED = {
    "up and out": packed((f"../{CANARY}.png", b"1")),
    "up and out, further in": packed((f"a/../../{CANARY}.png", b"1")),
    "up and out, Windows": packed((f"..\\{CANARY}.png", b"1")),
    "absolute": packed((f"/{CANARY}.png", b"1")),
    "a drive": packed((f"C:\\{CANARY}.png", b"1")),
    "no name": packed((zipfile.ZipInfo("."), b"1")),
    "a link": packed((special(stat.S_IFLNK), b"/etc/passwd")),
    "a device": packed((special(stat.S_IFCHR), b"")),
    "a FIFO": packed((special(stat.S_IFIFO), b"")),
    "one name in two cases": packed((f"{CANARY}.png", b"1"), (f"{CANARY.upper()}.PNG", b"2")),
    "a file that is a folder too": packed((CANARY, b"1"), (f"{CANARY}/a.png", b"2")),
    "encrypted": changed(PLAIN, FLAGS, 1),
    "another compression": packed((f"{CANARY}.png", b"1" * 100), method=zipfile.ZIP_LZMA),
    "a zip within": packed((f"{CANARY}.png", PLAIN)),
    "a zip within, behind other bytes": packed((f"{CANARY}.ZIP", b"#!/bin/sh\n" + PLAIN)),
    "a zip behind another": PLAIN + packed((f"{CANARY}.dcm", b"1")),
    "a tar within": packed((f"{CANARY}.png", nested_tar())),
    "ratio 1000": packed((f"{CANARY}.png", bytes(50_000_000))),
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED.keys())
def test_67_what_is_no_plain_file_is_refused(data, tmp_path):
    assert refusal(data, tmp_path) == "ARCHIVE_REFUSED"


def test_67_a_name_twice_is_refused(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate"):
        data = packed((f"{CANARY}.png", b"1"), (f"{CANARY}.png", b"2"))
    assert refusal(data, tmp_path) == "ARCHIVE_REFUSED"


def test_67_a_million_entries_are_refused_before_they_are_listed(tmp_path):
    entry = PLAIN[PLAIN.index(b"PK\x01\x02") : PLAIN.index(b"PK\x05\x06")]
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, 1_000_000 * len(entry), 0, 0)
    assert refusal(entry * 1_000_000 + end, tmp_path) == "ARCHIVE_REFUSED"


@pytest.mark.parametrize("limits", [ArchiveLimits(entries=2), ArchiveLimits(total_bytes=2_500)], ids=["entries", "bytes"])
def test_67_limits_are_kept(limits, tmp_path):
    data = packed(*((f"{CANARY}{number}", bytes([number]) * 1000) for number in range(3)))
    assert refusal(data, tmp_path, limits) == "ARCHIVE_REFUSED"


def test_67_a_size_that_is_declared_is_not_believed(tmp_path):
    assert refusal(lying_about_its_size(), tmp_path) in ("ARCHIVE_REFUSED", "CORRUPT")


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"PK", PLAIN[:-30], PLAIN[: len(PLAIN) // 2], PLAIN[:60] + bytes([PLAIN[60] ^ 255]) + PLAIN[61:]),
        *(zlib.compress(b"no"), lying_about_its_place(10)),
    ],
    ids=["empty", "two letters", "without its directory", "half", "damaged", "something else", "entries before its beginning"],
)
def test_a_damaged_archive_leaves_nothing(data, tmp_path):
    assert refusal(data, tmp_path) == "CORRUPT"


def test_what_is_there_is_not_written_into(tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(StudyRefused, match="OUTPUT_NOT_WRITABLE"):
        extracted(PLAIN, tmp_path)
    with pytest.raises(StudyRefused, match="UNREADABLE_FILE"):
        extract_archive(tmp_path / "absent.zip", tmp_path / "new")
