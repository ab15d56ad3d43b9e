"""What every reader must keep: refuse a file, or read it correctly."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from discover import concrete_subclasses

from caveat.reasons import StudyRefused
from caveat.transforms.image.study_image import HEAD_BYTES, Stated
from caveat.transforms.readers.reader import Reader, all_readers
from caveat.transforms.study.inspect_study import inspect_study

READERS = concrete_subclasses(Reader, "caveat.transforms")
every_reader = pytest.mark.parametrize("reader_class", READERS, ids=lambda kind: kind.__name__)


def read(reader, data):
    return reader.read(BytesIO(data), len(data), Stated())


def test_the_readers_find_themselves():
    assert {type(reader) for reader in all_readers()} == set(READERS)


@every_reader
def test_its_example_is_read(reader_class):
    data, voxels = reader_class.example()
    image = read(reader_class(), data)
    np.testing.assert_array_equal(image.voxels, voxels)
    assert image.voxels.dtype == np.float32
    assert image.voxels.flags.c_contiguous
    assert image.affine.shape == image.original_affine.shape == (4, 4)
    assert (image.spacing_mm is None) == (image.spacing_source == "")
    assert image.spacing_mm is None or len(image.spacing_mm) == voxels.ndim - 1


@every_reader
def test_its_files_are_its_own(reader_class):
    head = reader_class.example()[0][:HEAD_BYTES]
    assert [type(reader) for reader in all_readers() if reader.recognises(head)] == [reader_class]
    for head in (b"", b"\0" * 4096, b"text, and no image", b"\xff" * 4096):
        assert not reader_class().recognises(head)


@every_reader
def test_what_is_cut_is_refused(reader_class):
    data, _ = reader_class.example()
    for length in range(1, len(data), max(len(data) // 50, 1)):
        with pytest.raises(StudyRefused):
            read(reader_class(), data[:length])


@every_reader
def test_one_file_always_gives_the_same(reader_class, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(reader_class.example()[0])
    first, second = inspect_study(path), inspect_study(path)
    assert first.sha256 == second.sha256
    assert first.kind == reader_class.kind
    np.testing.assert_array_equal(first.image.voxels, second.image.voxels)
