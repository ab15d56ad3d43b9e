"""Pillow behind a guard: whatever it raises, warns of or logs becomes a reason code."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

from PIL import Image, ImageFile, UnidentifiedImageError

from caveat.reasons import StudyRefused

from ..checks.jpeg_end import ends_with_mark
from ..checks.limits import LARGEST_PICTURE_PIXELS
from .quiet import quiet_library

_one_at_a_time = threading.RLock()
"""Pillow's limits and the filters of warnings are the process's own: a thread that ended last left those of another behind."""


def open_picture(data: bytes, name: str) -> ImageFile.ImageFile:
    """Open a picture without decoding it. Args: data: the whole file; name: Pillow's name of its format, no other is tried."""
    return Image.open(BytesIO(data), formats=[name])


@contextmanager
def guarded_pillow(data: bytes, name: str) -> Iterator[None]:
    """Decode inside this. Pillow's texts hold header words, so they end here.

    Args:
        data: the whole file.
        name: Pillow's name of its format.

    Raises:
        StudyRefused: TOO_LARGE, TRUNCATED, UNSUPPORTED_PIXEL_FORMAT, CORRUPT.
    """
    try:
        with _one_at_a_time, _strict_pillow(), warnings.catch_warnings(), quiet_library("PIL"):
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    except StudyRefused:
        raise
    except Exception as error:  # a damaged picture can make a decoder raise anything
        raise _refusal_of(error, data, name) from None


@contextmanager
def _strict_pillow() -> Iterator[None]:
    settings = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
    Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = LARGEST_PICTURE_PIXELS, False
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = settings


def _refusal_of(error: Exception, data: bytes, name: str) -> StudyRefused:
    """The reason behind an error. The structure of PNG and TIFF was checked before: what is left there is not a cut file."""
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning | MemoryError):
        return StudyRefused("TOO_LARGE", f"the limit is {LARGEST_PICTURE_PIXELS} pixels")
    if isinstance(error, UnidentifiedImageError) and name == "TIFF":
        return StudyRefused("UNSUPPORTED_PIXEL_FORMAT", "a kind of TIFF that is not read")
    if "truncated" in str(error).lower() or (name == "JPEG" and not ends_with_mark(data)):
        return StudyRefused("TRUNCATED")
    return StudyRefused("CORRUPT")
