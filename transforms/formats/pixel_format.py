"""From Pillow's pixels to the stored intensities: every bit kept, polarity and palette applied, upright, without alpha."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import TiffImageFile

from caveat.reasons import StudyRefused

from .picture_palette import colours_of

PALETTE = "P"
CHANNELS = {"1": 1, "L": 1, "I": 1, "I;16": 1, "I;16B": 1, "I;16L": 1, "F": 1, PALETTE: 1, "LA": 2, "RGB": 3, "RGBA": 4}
"""Pillow's modes that are read, with their channels."""
LOW_BYTES = {"B": "L", "L": "B", "N": "B" if np.little_endian else "L"}
"""The order of bytes in a raw mode that makes Pillow keep the low byte of 16, where it keeps the high one by itself."""
BITS_PER_SAMPLE, PHOTOMETRIC, ORIENTATION, SAMPLES = 258, 262, 274, 277
PLANAR, TILE_WIDTH, TILE_LENGTH, SAMPLE_FORMAT = 284, 322, 323, 339
"""TIFF tags."""
TRANSPOSED = (5, 6, 7, 8)
"""EXIF orientations."""
UNSIGNED, SIGNED = 1, 2
IN_FILES_ORDER = re.compile(r"(;(?:16|32))B?(?=[SF]*$)")
"""The size of a value in a raw mode that says which of its bytes comes first, or that the least does."""
LARGEST_TILE_PIXELS = 64 * 1024**2


def bits_of(image: ImageFile, data: bytes) -> int:
    """Bits per channel as stored; Pillow's mode does not tell. Args: image: opened, not decoded; data: the file."""
    if image.format == "PNG":
        return data[24]  # behind signature, frame, width and height
    if isinstance(image, TiffImageFile):
        return int(image.tag_v2.get(BITS_PER_SAMPLE, (1,))[0])
    return 8


def refuse_pixel_format(image: ImageFile, bits: int) -> None:
    """Accept what can be decoded without changing it.

    Args:
        image: opened, not decoded.
        bits: per channel, as stored.

    Raises:
        StudyRefused: UNSUPPORTED_PIXEL_FORMAT, TOO_LARGE.
    """
    if image.mode not in CHANNELS:
        raise StudyRefused("UNSUPPORTED_PIXEL_FORMAT", f"colour model {image.mode}")
    if _is_halved(image, bits) and _raw_mode(image)[:-1] not in ("RGB;16", "RGBA;16"):
        raise StudyRefused("UNSUPPORTED_PIXEL_FORMAT", f"{bits} bits in {CHANNELS[image.mode]} channels")
    if isinstance(image, TiffImageFile):
        tags = image.tag_v2
        if PHOTOMETRIC not in tags:
            raise StudyRefused("UNSUPPORTED_PIXEL_FORMAT", "whether zero is black or white is not stated")
        if tags.get(SAMPLES, 1) != CHANNELS[image.mode]:
            raise StudyRefused("UNSUPPORTED_PIXEL_FORMAT", f"{tags.get(SAMPLES, 1)} channels, one of unknown meaning")
        if _is_halved(image, bits) and tags.get(PLANAR, 1) != 1:
            raise StudyRefused("UNSUPPORTED_PIXEL_FORMAT", f"{bits} bits in separate planes")
        if tags.get(TILE_WIDTH, 1) * tags.get(TILE_LENGTH, 1) > LARGEST_TILE_PIXELS:
            raise StudyRefused("TOO_LARGE", "a tile is larger than any picture that is read")


def whole_pixels(image: ImageFile, bits: int, reopen: Callable[[], ImageFile]) -> np.ndarray:
    """Decode.

    Args:
        image: opened and accepted by `refuse_pixel_format`.
        bits: per channel, as stored.
        reopen: opens the same picture again.

    Returns:
        (rows, columns, 1 or 3), upright.

    Raises:
        StudyRefused: HAS_TRANSPARENCY, UNSUPPORTED_PIXEL_FORMAT, CORRUPT.
    """
    raw_mode = _raw_mode(image)
    _unpack_natively(image)
    orientation = 1 if isinstance(image, TiffImageFile) else _orientation(image)  # Pillow turns TIFF itself
    if image.mode == PALETTE:
        pixels = colours_of(image)
    elif _is_halved(image, bits):
        pixels = _sixteen_bits(image, reopen())
    else:
        pixels = np.asarray(image)
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    if isinstance(image, TiffImageFile):
        pixels = _tiff_values(image, pixels, bits, raw_mode)
    if bits < 8 and image.mode == "L":  # Pillow stretches 2 and 4 bits to 255
        pixels = pixels // (255 // (2**bits - 1))
    return upright(_without_alpha(image, pixels), orientation)


def is_transposed(image: ImageFile) -> bool:
    """Whether a picture's rows are columns once it stands upright. Args: image: opened, not decoded."""
    return _orientation(image) in TRANSPOSED


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turn a picture as its EXIF orientation says. Args: pixels: (rows, columns, channels); orientation: 1 to 8, others are 1.

    Source: EXIF 2.32, tag 274; as `PIL.ImageOps.exif_transpose`, for any type of pixel.
    """
    if orientation in TRANSPOSED:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def _orientation(image: ImageFile) -> Any:
    return (image.tag_v2 if isinstance(image, TiffImageFile) else image.getexif()).get(ORIENTATION, 1)


def _raw_mode(image: ImageFile) -> str:
    """How Pillow is going to unpack the pixels."""
    arguments = image.tile[0][3] if image.tile else ""
    return str(arguments[0] if isinstance(arguments, tuple) else arguments)


def _is_halved(image: ImageFile, bits: int) -> bool:
    """Whether Pillow keeps only the high byte of each value."""
    return bits > 8 and image.mode in ("RGB", "RGBA", "LA")


def _sixteen_bits(high: ImageFile, low: ImageFile) -> np.ndarray:
    """Decode twice, once for each byte. Args: high, low: the same picture, opened. Returns: (rows, columns, channels) uint16."""

    def swapped(arguments: Any) -> Any:
        if isinstance(arguments, tuple):
            return (swapped(arguments[0]), *arguments[1:])
        return arguments[:-1] + LOW_BYTES[arguments[-1]]

    low.tile = [tile._replace(args=swapped(tile.args)) for tile in low.tile]
    return np.asarray(high).astype(np.uint16) * 256 + np.asarray(low)


def _unpack_natively(image: ImageFile) -> None:
    """Make Pillow take what libtiff gives it, values in this machine's order of bytes, as such: of signed and real numbers it
    would turn the bytes again where the file's order is another.
    """
    image.tile = [
        tile._replace(args=(IN_FILES_ORDER.sub(r"\1N", tile.args[0]), *tile.args[1:]))
        if tile.codec_name == "libtiff" and isinstance(tile.args, tuple)
        else tile
        for tile in image.tile
    ]


def _tiff_values(image: TiffImageFile, pixels: np.ndarray, bits: int, raw_mode: str) -> np.ndarray:
    """Undo what Pillow leaves of a TIFF's own conventions: white is zero, unsigned 32 bits, and signed 8."""
    sample_format = image.tag_v2.get(SAMPLE_FORMAT, (UNSIGNED,))[0]
    if bits == 8 and sample_format == SIGNED:
        pixels = pixels.view(np.int8)
    if bits == 32 and sample_format == UNSIGNED and pixels.dtype == np.int32:
        pixels = pixels.view(np.uint32)
    inverted_already = raw_mode.rpartition(";")[2].rstrip("R").endswith("I")  # "L;I", "1;IR", "L;4I"
    if image.tag_v2[PHOTOMETRIC] == 0 and not inverted_already:
        if sample_format != UNSIGNED:
            raise StudyRefused("UNSUPPORTED_PIXEL_FORMAT", "white is zero, in signed or real numbers")
        pixels = 2**bits - 1 - pixels.astype(np.int64)
    return pixels


def _without_alpha(image: ImageFile, pixels: np.ndarray) -> np.ndarray:
    """Drop an alpha channel, or a colour that stands for transparency, where it hides nothing."""
    channels = pixels.shape[-1]
    key = image.info.get("transparency")
    if channels in (2, 4):
        alpha = pixels[..., -1]
        opaque = 65535 if pixels.dtype == np.uint16 else 255
        hidden = int((alpha != opaque).sum())
        pixels = pixels[..., :-1]
    else:
        key = key if pixels.dtype != bool or key is None else bool(key)
        hidden = 0 if key is None or isinstance(key, bytes) else int((pixels == np.asarray(key)).all(axis=-1).sum())
    if hidden:
        raise StudyRefused("HAS_TRANSPARENCY", f"{hidden} pixels")
    return pixels
