"""The first directory of a TIFF file: does the file hold what it points to?"""

from __future__ import annotations

from io import BytesIO
from typing import Any, Literal

from PIL.TiffImagePlugin import ImageFileDirectory_v2

from caveat.reasons import StudyRefused

BIG_TIFF = (b"II\x2b\x00", b"MM\x00\x2b")
STRIPS, TILES = (273, 279), (324, 325)
"""Tags of offsets and of lengths."""
COLUMNS, ROWS, BITS_PER_SAMPLE, COMPRESSION, SAMPLES, ROWS_PER_STRIP, PLANAR = 256, 257, 258, 259, 277, 278, 284
SUB_DIRECTORIES = 330
UNCOMPRESSED, SEPARATE = 1, 2
TYPE_BYTES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""Of one value, by the type's code; others have one."""


def refuse_broken_tiff(data: bytes) -> None:
    """Accept a TIFF whose first directory and pixels lie inside the file.

    Args:
        data: the whole file, beginning with its magic.

    Raises:
        StudyRefused: TRUNCATED, SIZE_MISMATCH, MULTI_PAGE, CORRUPT.

    Source: TIFF 6.0, sections 2 and 15.
    """
    start = data[: 16 if data[:4] in BIG_TIFF else 8]
    order: Literal["little", "big"] = "little" if data[:1] == b"I" else "big"
    offset = int.from_bytes(start[8:] if len(start) == 16 else start[4:], order)
    end_of_directory, is_last = _refuse_cut_directory(data, offset, order, is_big=len(start) == 16)
    directory = ImageFileDirectory_v2(start)
    file = BytesIO(data)
    file.seek(offset)
    directory.load(file)
    for tags in (STRIPS, TILES):
        end = max(map(sum, _places(directory, tags)), default=0)
        if end > len(data):
            raise StudyRefused("TRUNCATED", f"pixels up to byte {end} of {len(data)}")
    lengths = _numbers(directory.get(STRIPS[1]))
    if directory.get(COMPRESSION, UNCOMPRESSED) != UNCOMPRESSED or not lengths:
        return
    rows, strip = int(directory[ROWS]), int(directory.get(ROWS_PER_STRIP, directory[ROWS]))
    declared = _declared_bytes(directory, rows)
    if sum(lengths) < declared:
        raise StudyRefused("TRUNCATED", f"{declared} bytes of pixels declared, {sum(lengths)} are there")
    if sum(lengths) > _declared_bytes(directory, rows + min(strip, rows)):  # the last strip may be filled up
        raise StudyRefused("SIZE_MISMATCH", f"{declared} bytes of pixels declared, {sum(lengths)} are there")
    behind = len(data) - max(end_of_directory, *map(sum, _places(directory, STRIPS)))
    if is_last and SUB_DIRECTORIES not in directory and behind >= declared:  # a stack as ImageJ writes it, with one directory
        raise StudyRefused("MULTI_PAGE", f"{behind} bytes behind a picture of {declared}")


def _refuse_cut_directory(data: bytes, offset: int, order: Literal["little", "big"], is_big: bool) -> tuple[int, bool]:
    """Accept a directory that lies in the file, with what its entries point to.

    Args:
        offset: of the directory.
        is_big: whether it is a BigTIFF's.

    Returns:
        Its end, or that of the last of its values; and whether no other directory follows.

    Raises:
        StudyRefused: TRUNCATED.

    Source: TIFF 6.0, section 2; BigTIFF: counts of 8 bytes, and values of 8 in place of 4.
    """
    width, entry = (8, 20) if is_big else (4, 12)
    first = offset + (8 if is_big else 2)
    count = int.from_bytes(data[offset:first], order)
    end = first + count * entry + width
    is_last = not any(data[end - width : end])  # where the next directory is
    for at in range(first, min(first + count * entry, len(data) - entry + 1), entry):
        values = int.from_bytes(data[at + 4 : at + 4 + width], order)
        size = values * TYPE_BYTES.get(int.from_bytes(data[at + 2 : at + 4], order), 1)
        place = int.from_bytes(data[at + 4 + width : at + entry], order) if size > width else 0
        end = max(end, place + size if size > width else 0)
    if first > len(data) or end > len(data):
        raise StudyRefused("TRUNCATED", f"a directory up to byte {end} of {len(data)}")
    return end, is_last


def _places(directory: ImageFileDirectory_v2, tags: tuple[int, int]) -> list[tuple[int, int]]:
    """First byte and length of each strip or tile."""
    offsets, lengths = (_numbers(directory.get(tag)) for tag in tags)
    return list(zip(offsets, lengths, strict=False))


def _declared_bytes(directory: ImageFileDirectory_v2, rows: int) -> int:
    """Bytes of so many rows of an uncompressed picture, each beginning at a byte of its own."""
    bits = int(_numbers(directory.get(BITS_PER_SAMPLE, 1))[0])
    samples = int(directory.get(SAMPLES, 1))
    in_row, planes = (1, samples) if directory.get(PLANAR, 1) == SEPARATE else (samples, 1)
    return planes * rows * ((int(directory[COLUMNS]) * in_row * bits + 7) // 8)


def _numbers(value: Any) -> tuple[int, ...]:
    if value is None:
        return ()
    return tuple(int(number) for number in (value if isinstance(value, tuple) else (value,)))
