"""PNG, JPEG and TIFF pictures (and the GIF and PPM files in which published masks and photographs come)."""

from __future__ import annotations

import re
from io import BytesIO
from typing import BinaryIO

import numpy as np
from PIL import Image

from caveat.reasons import StudyRefused

from ..checks.intensity import refuse_non_finite
from ..checks.jpeg_end import refuse_early_end
from ..checks.limits import refuse_large_picture
from ..checks.png_chunks import refuse_broken_png
from ..checks.tiff_directory import refuse_broken_tiff
from ..guarded_pillow import guarded_pillow, open_picture
from ..pixel_format import bits_of, refuse_pixel_format, whole_pixels
from ..reader import Reader, Stated, StudyImage
from ..stated_spacing import stated_spacing

MAGICS = {
    "PNG": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "JPEG": re.compile(rb"\xff\xd8\xff"),
    "TIFF": re.compile(rb"II\x2a\x00|MM\x00\x2a|II\x2b\x00|MM\x00\x2b"),
    "GIF": re.compile(rb"GIF8[79]a"),
    "PPM": re.compile(rb"P[56]\s(?:\s|#[^\n]*\n)*\d+\s+\d+\s+255\s"),
}
"""By Pillow's names. PPM only with 255 grey levels: Pillow rescales others."""
STRUCTURE = {"PNG": refuse_broken_png, "TIFF": refuse_broken_tiff}
"""Checks of what Pillow does not look at."""


class PictureReader(Reader):
    """Pictures in their stored intensities. Resolution tags never give mm: they are a print's."""

    kind = "picture"
    extensions = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".gif", ".ppm", ".pgm")

    def recognises(self, head: bytes) -> bool:
        """See `Reader`."""
        return format_of(head) != ""

    def read(self, file: BinaryIO, size: int, stated: Stated) -> StudyImage:
        """See `Reader`."""
        voxels = read_picture(file.read())
        affine, spacing = np.eye(4), None
        if stated.spacing_mm:
            spacing = stated_spacing(stated.spacing_mm, dimensions=2)
            affine[[0, 1], [0, 1]] = spacing
        return StudyImage(
            voxels=voxels,
            affine=affine,
            original_affine=np.eye(4),
            spacing_mm=spacing,
            spacing_source=stated.spacing_source if spacing else "",
            flags=() if spacing else ("NO_PIXEL_SPACING",),
        )

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


def read_picture(data: bytes) -> np.ndarray:
    """Decode one picture.

    Args:
        data: the whole file.

    Returns:
        (channels, rows, columns) float32: 1 channel (grey, or a palette of greys) or 3, upright.

    Raises:
        StudyRefused: TRUNCATED, CORRUPT, TOO_LARGE, MULTI_PAGE, UNSUPPORTED_PIXEL_FORMAT, HAS_TRANSPARENCY, NON_FINITE_VOXELS.
    """
    name = format_of(data)
    with guarded_pillow(data, name):
        if name in STRUCTURE:
            STRUCTURE[name](data)
        image = open_picture(data, name)
        refuse_large_picture(image.height, image.width)
        if getattr(image, "is_animated", False) or getattr(image, "n_frames", 1) > 1:
            raise StudyRefused("MULTI_PAGE")
        bits = bits_of(image, data)
        refuse_pixel_format(image, bits)
        pixels = whole_pixels(image, bits, lambda: open_picture(data, name))
        if name == "JPEG":
            refuse_early_end(data, np.asarray(image), lambda noisy: np.asarray(open_picture(noisy, name)))
    voxels = np.ascontiguousarray(np.moveaxis(pixels, -1, 0), dtype=np.float32)
    refuse_non_finite(voxels)
    return voxels
