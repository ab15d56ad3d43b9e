"""A JPEG that ends before its picture does, an end mark behind it: decoders fill the rest with grey and say nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from caveat.reasons import StudyRefused

END_OF_IMAGE = b"\xff\xd9"
NOISE = b"\x55\xaa" * 16
FILLER = NOISE + b"".join(bytes([0xFF, 0xD0 + index % 8]) + NOISE for index in range(16))
"""Entropy-coded noise, also behind each of the eight restart marks."""


def ends_with_mark(data: bytes) -> bool:
    """Whether a JPEG ends as one should. Args: data: the whole file."""
    return data.rstrip(b"\0").endswith(END_OF_IMAGE)


def refuse_early_end(data: bytes, pixels: np.ndarray, decode: Callable[[bytes], np.ndarray]) -> None:
    """Accept a JPEG whose pixels stay the same with noise in front of its end mark: a decoder that has them all ignores it.

    Args:
        data: the whole file. Where something stands behind the picture's end, nothing is checked.
        pixels: as `decode` gives them for it.
        decode: a JPEG's bytes to its pixels.

    Raises:
        StudyRefused: TRUNCATED.
    """
    if not ends_with_mark(data):
        return
    noisy = data.rstrip(b"\0")[: -len(END_OF_IMAGE)] + FILLER + END_OF_IMAGE
    if not np.array_equal(decode(noisy), pixels):
        raise StudyRefused("TRUNCATED", "the picture's data end before its last row")
