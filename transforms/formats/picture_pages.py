"""Whether a file holds one picture: smaller copies of it, for quick display, are none of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

SUBFILE_TYPE, OLD_SUBFILE_TYPE, SUB_DIRECTORIES = 254, 255, 330
"""Tags of TIFF."""
REDUCED, OLD_REDUCED = 1, 2


def is_one_of_several(image: Image.Image, reopen: Callable[[], Image.Image]) -> bool:
    """Whether a file holds other pictures than the first, or the first is itself a smaller copy of another one.

    Args:
        image: opened, at its first picture.
        reopen: opens the same file again.

    Source: TIFF 6.0, tags 254 and 255; TIFF Technical Note 1, tag 330.
    """
    if not isinstance(image, TiffImageFile):
        return getattr(image, "n_frames", 1) > 1
    try:
        pages = _pages(cast(TiffImageFile, reopen()))
    except Exception:  # Pillow raises anything at a page that it does not know, a mask for instance, which is no copy
        return True
    if _is_reduced(image):
        return len(pages) > 1 or SUB_DIRECTORIES in image.tag_v2
    smaller = [reduced and pixels < image.width * image.height for reduced, pixels in pages[1:]]
    return not all(smaller)


def _pages(image: TiffImageFile) -> list[tuple[bool, int]]:
    """Of each page, whether it is a smaller copy, and its pixels."""
    found = []
    for page in range(image.n_frames):
        image.seek(page)
        found.append((_is_reduced(image), image.width * image.height))
    return found


def _is_reduced(image: TiffImageFile) -> bool:
    kinds = image.tag_v2
    return kinds.get(SUBFILE_TYPE, 0) == REDUCED or kinds.get(OLD_SUBFILE_TYPE, 1) == OLD_REDUCED
