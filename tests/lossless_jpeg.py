"""A lossless JPEG of any precision, as no library at hand writes it."""

from __future__ import annotations

import struct

import numpy as np

LENGTHS = bytes([0, 0, 0, 0, 17, *[0] * 11])
"""Of Huffman codes: all 17 categories have five bits."""


def lossless_jpeg(pixels: np.ndarray, bits: int) -> bytes:
    """Process 14, predictor 1. Args: pixels: (rows, columns), from 0 to 2**bits - 1. Source: ITU-T T.81, annex H."""
    rows, columns = pixels.shape
    values = pixels.astype(np.int64)
    predicted = np.empty_like(values)
    predicted[:, 1:] = values[:, :-1]
    predicted[1:, 0] = values[:-1, 0]
    predicted[0, 0] = 1 << (bits - 1)
    data = "".join(map(_code, (values - predicted).ravel().tolist()))
    data += "1" * (-len(data) % 8)
    scan = int(data, 2).to_bytes(len(data) // 8, "big").replace(b"\xff", b"\xff\x00")
    frame = b"\xff\xc3" + struct.pack(">HBHHBBBB", 11, bits, rows, columns, 1, 1, 0x11, 0)
    table = b"\xff\xc4" + struct.pack(">HB", 36, 0) + LENGTHS + bytes(range(17))
    start = b"\xff\xda" + struct.pack(">HBBBBBB", 8, 1, 1, 0, 1, 0, 0)
    return b"\xff\xd8" + frame + table + start + scan + b"\xff\xd9"


def _code(difference: int) -> str:
    """Category and the bits that follow it. Differences are modulo 65536; the one of category 16 has none."""
    difference = (difference + 32767) % 65536 - 32767
    category = abs(difference).bit_length()
    if category == 16:
        return f"{category:05b}"
    extra = difference if difference > 0 else difference + (1 << category) - 1
    return f"{category:05b}" + (f"{extra:0{category}b}" if category else "")
