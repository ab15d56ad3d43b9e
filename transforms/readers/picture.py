"""PNG, JPEG and TIFF pictures (and the GIF files in which published masks come)."""

from __future__ import annotations

import re
from io import BytesIO
from typing import BinaryIO

import numpy as np
from PIL import Image

from caveat.reasons import StudyRefused

from ..checks.gif_blocks import end_of_gif
from ..checks.intensity import refuse_non_finite
from ..checks.jpeg_end import refuse_early_end
from ..checks.jpeg_scans import refuse_many_scans, scans_and_end
from ..checks.limits import refuse_large_picture
from ..checks.png_chunks import refuse_broken_png
from ..checks.tiff_directory import refuse_broken_tiff
from ..formats.guarded_pillow import guarded_pillow, open_picture
from ..formats.picture_aspect import unsquare_aspect
from ..formats.picture_image import picture_image
from ..formats.picture_pages import is_one_of_several
from ..formats.pixel_format import bits_of, is_transposed, refuse_pixel_format, whole_pixels
from ..image.study_image import Stated, StudyImage
from .reader import Reader

MAGICS = {
    "PNG": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "JPEG": re.compile(rb"\xff\xd8\xff"),
    "TIFF": re.compile(rb"II\x2a\x00|MM\x00\x2a|II\x2b\x00|MM\x00\x2b"),
    "GIF": re.compile(rb"GIF8[79]a"),
}
"""By Pillow's names."""
BLANK = b"\0 \t\r\n"
ENDS = {"PNG": refuse_broken_png, "JPEG": lambda data: scans_and_end(data)[1], "GIF": end_of_gif}
"""Where a picture ends; what stands behind it may be another one, which Pillow does not look for."""


class PictureReader(Reader):
    """Pictures in their stored intensities."""

    kind = "picture"
    extensions = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".gif")

    def recognises(self, head: bytes) -> bool:
        """See `Reader`."""
        return format_of(head) != ""

    def read(self, file: BinaryIO, size: int, stated: Stated) -> StudyImage:
        """See `Reader`."""
        return read_picture(file.read(size), stated)

    @staticmethod
    def example() -> tuple[bytes, np.ndarray]:
        """See `Reader`."""
        pixels = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
        file = BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        return file.getvalue(), np.moveaxis(pixels, -1, 0)


def format_of(data: bytes) -> str:
    """Pillow's name of a picture's format, "" for anything else. Args: data: the first bytes at least."""
    return next((name for name, magic in MAGICS.items() if magic.match(data)), "")


def read_picture(data: bytes, stated: Stated) -> StudyImage:
    """Decode one picture.

    Args:
        data: the whole file.
        stated: what the user or a data list states.

    Returns:
        Voxels (channels, rows, columns): 1 channel (grey, or a palette of greys) or 3, upright.

    Raises:
        StudyRefused: TRUNCATED, CORRUPT, TOO_LARGE, MULTI_PAGE, UNSUPPORTED_PIXEL_FORMAT, HAS_TRANSPARENCY, NON_FINITE_VOXELS,
            and as `picture_image`.
    """
    name = format_of(data)
    with guarded_pillow(data, name):
        if name == "TIFF":
            refuse_broken_tiff(data)
        end = ENDS[name](data) if name in ENDS else len(data)
        if format_of(data[end:].lstrip(BLANK)):
            raise StudyRefused("MULTI_PAGE")
        image = open_picture(data, name)
        refuse_large_picture(image.height, image.width)
        if is_one_of_several(image, lambda: open_picture(data, name)):
            raise StudyRefused("MULTI_PAGE")
        if name == "JPEG":
            refuse_many_scans(scans_and_end(data)[0], image.height * image.width)
        bits = bits_of(image, data)
        refuse_pixel_format(image, bits)
        unsquare = unsquare_aspect(image, data, is_transposed(image))
        pixels = whole_pixels(image, bits, lambda: open_picture(data, name))
        if name == "JPEG":
            refuse_early_end(data[:end], np.asarray(image), lambda noisy: np.asarray(open_picture(noisy, name)))
    found = picture_image(pixels, stated, unsquare)
    refuse_non_finite(found.voxels)
    return found
