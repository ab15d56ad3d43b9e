"""Volumes and pictures that are made to hurt: memory, measured in a process of its own; words, looked for in all that comes out.

The other cases of the list, 45 to 61, stand with their formats: `test_load_nifti.py`, `test_load_text_volume.py`,
`test_load_picture.py`, `test_load_study.py`; case 67 in `test_archive.py`.
"""

from __future__ import annotations

import gzip
import struct
import subprocess
import sys
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from phantoms import ellipsoid, fundus, metaimage_bytes, nifti_bytes, nrrd_bytes, png_chunk, raw_png
from PIL import Image

from caveat.reasons import StudyRefused
from caveat.transforms.study.inspect_study import inspect_study
from caveat.transforms.study.load_study import LoadStudyd

ROOT = Path(__file__).resolve().parents[2]
CANARY = "Kanarienvogel"
MOST_KILOBYTES = 200_000
"""That a process may take at its peak, Python and the libraries with it."""
READ = """
import re, sys
from pathlib import Path
from caveat.reasons import StudyRefused
from caveat.transforms.study.inspect_study import inspect_study
try:
    inspect_study(sys.argv[1])
except StudyRefused as refused:
    print(refused.code, re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])
"""
"""The kernel's own mark: what `getrusage` gives is at least what the process that started this one took."""


def refused_within_memory(data, tmp_path):
    """The code that a file is refused with, in a process that stays small."""
    path = tmp_path / "bomb"
    path.write_bytes(data)
    answer = subprocess.run([sys.executable, "-c", READ, str(path)], capture_output=True, text=True, cwd=ROOT, check=True)
    code, kilobytes = answer.stdout.split()
    assert int(kilobytes) < MOST_KILOBYTES
    return code


def zeros_behind(start, wbits, megabytes=3000):
    """Zeros in a thousandth of their size behind a beginning, deflated: one piece of the stream, repeated."""
    compressor = zlib.compressobj(9, wbits=wbits)
    head = compressor.compress(start) + compressor.flush(zlib.Z_FULL_FLUSH)
    for _ in range(2):  # the second is a piece that follows one of its kind
        piece = compressor.compress(bytes(2**20)) + compressor.flush(zlib.Z_FULL_FLUSH)
    return head + piece * megabytes


def behind(whole, end, wbits):
    """A header of text, and a bomb in place of its voxels."""
    return whole[: whole.index(end) + len(end)] + zeros_behind(b"", wbits)


def deflated_picture(rows, columns):
    header = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    chunks = [png_chunk(b"IHDR", header), png_chunk(b"IDAT", zeros_behind(b"", 15)), png_chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def declaring(shape, **fields):
    return nifti_bytes(dim=[3, *shape, 1, 1, 1, 1], **fields)[:352]


BOMBS = {
    "32767^3": (declaring((32767,) * 3), "TOO_LARGE"),
    "3 GB, declared": (zeros_behind(declaring((1000,) * 3, datatype=16, bitpix=32), 31), "TOO_LARGE"),
    "3 GB behind 1 MB declared": (zeros_behind(declaring((100,) * 3, datatype=2, bitpix=8), 31), "SIZE_MISMATCH"),
    "MetaImage, 3 GB, declared": (behind(metaimage_bytes(compressed=True, DimSize="2000 2000 400"), b"LOCAL\n", 15), "TOO_LARGE"),
    "MetaImage, 3 GB behind 1 kB": (behind(metaimage_bytes(compressed=True), b"LOCAL\n", 15), "SIZE_MISMATCH"),
    "NRRD, 3 GB, declared": (behind(nrrd_bytes(compressed=True, sizes="2000 2000 400"), b"\n\n", 31), "TOO_LARGE"),
    "NRRD, 3 GB behind 1 kB": (behind(nrrd_bytes(compressed=True), b"\n\n", 31), "SIZE_MISMATCH"),
}


@pytest.mark.parametrize(("data", "code"), BOMBS.values(), ids=BOMBS.keys())
def test_53_a_volume_that_unfolds_takes_no_memory(data, code, tmp_path):
    assert refused_within_memory(data, tmp_path) == code


@pytest.mark.parametrize("size", [(10_000, 12_000), (40_000, 40_000)], ids=["120 M", "1600 M"])
def test_59_a_picture_that_unfolds_takes_no_memory(size, tmp_path):
    assert refused_within_memory(deflated_picture(*size), tmp_path) == "TOO_LARGE"


def test_61_a_constant_volume_is_refused_in_every_format(tmp_path):
    flat = np.full((12, 10, 8), 7, np.int16)
    for make in (nifti_bytes, metaimage_bytes, nrrd_bytes):
        (tmp_path / "flat").write_bytes(make(flat))
        with pytest.raises(StudyRefused, match="CONSTANT_IMAGE"):
            LoadStudyd(keys="image", kinds=("nifti", "metaimage", "nrrd"))({"image": tmp_path / "flat"})


def extension(code):
    """A NIfTI extension that holds the word: 4 is AFNI's, 6 a comment, 2 DICOM."""
    content = CANARY.encode().ljust(24, b"\0")
    whole = bytearray(nifti_bytes(vox_offset=384))
    return bytes(whole[:348]) + b"\1\0\0\0" + struct.pack("<2i", 32, code) + content + bytes(whole[352:])


def with_canary():
    """Files with the word in every text that they can carry, sound and damaged, by what they are."""
    exif = Image.Exif()
    exif[270] = exif[315] = CANARY
    png = raw_png(fundus(40, 44)[0], 2, png_chunk(b"eXIf", exif.tobytes()[6:]), png_chunk(b"tEXt", b"Title\0" + CANARY.encode()))
    fields = {"Comment": CANARY, "PatientName": CANARY, "Name": CANARY}
    keys = {"content": CANARY, "sample units": CANARY, "PatientName:=" + CANARY + "\n# " + CANARY + "\nlabels": '"a" "b" "c"'}
    meta, nrrd, nifti = metaimage_bytes(**fields), nrrd_bytes(**keys), extension(6)
    return {
        "PNG": png,
        "PNG, cut": png[:-60],
        "NIfTI": nifti,
        "NIfTI, DICOM in it": extension(2),
        "NIfTI, cut": nifti[:-60],
        "NIfTI, cut within the word": nifti[:366],
        "MetaImage": meta,
        "MetaImage, cut": meta[:-60],
        "MetaImage, cut in the header": meta[: meta.index(b"PatientName") + 16],
        "MetaImage of a wrong word": metaimage_bytes(ElementType=CANARY),
        "MetaImage of a wrong number": metaimage_bytes(DimSize=f"12 {CANARY} 8"),
        "MetaImage of a wrong unit": metaimage_bytes(DistanceUnits=CANARY),
        "MetaImage of another file": metaimage_bytes(ElementDataFile=f"{CANARY}.raw"),
        "NRRD": nrrd,
        "NRRD, cut": nrrd[:-60],
        "NRRD of a wrong word": nrrd_bytes(type=CANARY),
        "NRRD of a wrong number": nrrd_bytes(sizes=f"12 {CANARY} 8"),
        "NRRD of a wrong unit": nrrd_bytes(**{"space units": f'"{CANARY}" "mm" "mm"'}),
        "NRRD of another file": nrrd_bytes(**{"data file": f"{CANARY}.raw"}),
    }


@pytest.mark.parametrize("data", with_canary().values(), ids=with_canary().keys())
def test_79_no_text_of_the_file_and_no_path_comes_out(data, tmp_path, capfd, caplog):
    path = tmp_path / f"{CANARY}.dat"
    path.write_bytes(data)
    caplog.set_level("DEBUG")
    try:
        said = repr(LoadStudyd(keys="image", kinds=("picture", "nifti", "metaimage", "nrrd"))({"image": path})["image"].meta)
    except StudyRefused as refused:
        assert refused.__suppress_context__ or refused.__context__ is None
        said = str(refused) + refused.found
    captured = capfd.readouterr()
    for word in (CANARY, str(tmp_path)):
        assert word not in said + captured.out + captured.err + caplog.text


def test_79_files_with_words_are_read_all_the_same(tmp_path):
    """So that the test above is not one of refusals alone."""
    for name in ("PNG", "NIfTI", "NIfTI, DICOM in it", "MetaImage", "NRRD"):
        (tmp_path / "file").write_bytes(with_canary()[name])
        assert inspect_study(tmp_path / "file").image.voxels.size > 0


SEEDS = {
    "MetaImage": metaimage_bytes(ellipsoid((4, 3, 2))),
    "MetaImage, compressed": metaimage_bytes(ellipsoid((4, 3, 2)), compressed=True),
    "NRRD": nrrd_bytes(ellipsoid((4, 3, 2))),
    "NRRD, gzip": nrrd_bytes(ellipsoid((4, 3, 2)), compressed=True),
    "NIfTI with an extension": gzip.compress(extension(4), mtime=0),
}
CHANGES = st.lists(
    st.tuples(st.integers(0, 1500), st.sampled_from([*b"0123456789-+.e()=:\n naif", 0, 255])), min_size=1, max_size=4
)


@pytest.mark.filterwarnings("error", "ignore:Implicitly cleaning up:ResourceWarning")  # rubbish of an earlier test
@pytest.mark.parametrize("seed", SEEDS.values(), ids=SEEDS.keys())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(changes=CHANGES)
def test_a_mutated_file_is_refused_or_read_whole(seed, changes, tmp_path):
    data = bytearray(seed)
    for position, value in changes:
        data[position % len(data)] = value
    (tmp_path / "file").write_bytes(data)
    with suppress(StudyRefused):
        image = inspect_study(tmp_path / "file").image
        assert np.isfinite(image.voxels).all() and np.isfinite(image.affine).all()
        assert image.voxels.size == 24 or seed is SEEDS["NIfTI with an extension"]
        assert all(0.01 <= spacing <= 20 for spacing in image.spacing_mm)
