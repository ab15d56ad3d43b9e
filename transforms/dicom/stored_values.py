"""Stored values of one file's frames, whatever its transfer syntax: those of their containers, and as many bits as are stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from pydicom.encaps import encapsulate
from pydicom.pixels import get_decoder
from pydicom.uid import JPEGLSTransferSyntaxes, JPEGTransferSyntaxes, RLELossless

from caveat.reasons import StudyRefused

from ..checks.jpeg_end import refuse_early_end
from ..checks.jpeg_scans import refuse_many_scans, scans_and_end
from .codestream import AFTER_END, END, refuse_other_codestream
from .instance import Instance
from .pixel_bytes import encoded_frames, native_frames
from .pixel_layout import LOSSLESS, NATIVE, PixelLayout
from .rle import decode_rle

PADS, MOST_PADS = b"\0\xff", 4
"""Bytes that stand before an end mark without belonging to the image, and so many of them at most."""


def container_values(instance: Instance, layout: PixelLayout, indices: Sequence[int]) -> Iterator[np.ndarray]:
    """Read and decode frames, one at a time. pydicom is to be kept quiet around it.

    Args:
        instance: the file.
        layout: what its header says of its pixels.
        indices: of frames in the file, ascending.

    Yields:
        (rows, columns) whole numbers, with whatever stands above the bits stored.

    Raises:
        StudyRefused: TRUNCATED_PIXEL_DATA, CORRUPT_PIXEL_DATA, CODESTREAM_MISMATCH, SIZE_MISMATCH, UNSUPPORTED_PIXEL_FORMAT,
            TOO_LARGE.
    """
    try:
        if layout.syntax in NATIVE:
            yield from native_frames(instance, layout, indices)
        else:
            for frame in encoded_frames(instance, layout, indices):
                yield decode(frame, layout)
    except StudyRefused:
        raise
    except EOFError:
        raise StudyRefused("TRUNCATED_PIXEL_DATA", "the file ends within its pixels") from None
    except Exception as error:  # whatever pydicom and the decoders make of a damaged file; their texts may hold words of it
        raise StudyRefused("CORRUPT_PIXEL_DATA", type(error).__name__) from None


def decode(frame: bytes, layout: PixelLayout) -> np.ndarray:
    """Decode one compressed frame, after it was found to be of the size that the header declares.

    Returns:
        (rows, columns) whole numbers.

    Raises:
        StudyRefused: CODESTREAM_MISMATCH, TRUNCATED_PIXEL_DATA, CORRUPT_PIXEL_DATA, TOO_LARGE; decoders raise anything else.
    """
    bits = refuse_other_codestream(frame, layout)
    if layout.syntax == RLELossless:
        return decode_rle(frame, layout)
    if layout.syntax in JPEGTransferSyntaxes:
        refuse_many_scans(scans_and_end(frame)[0], layout.rows * layout.columns)
    pixels = (
        _decompress_padded(frame, layout, bits) if layout.syntax in JPEGLSTransferSyntaxes else _decompress(frame, layout, bits)
    )
    if layout.syntax in JPEGTransferSyntaxes:  # the only decoder that fills what a frame lacks
        try:
            refuse_early_end(frame.rstrip(AFTER_END), pixels, lambda noisy: _decompress(noisy, layout, bits))
        except Exception:  # the noise is no picture: it was decoded, so something was missing
            raise StudyRefused("TRUNCATED_PIXEL_DATA", "a compressed frame ends before its last row") from None
    return pixels


def _decompress(frame: bytes, layout: PixelLayout, bits: int) -> np.ndarray:
    """By pydicom's decoder, chosen by name, so that what else is installed changes nothing. Args: bits: in the codestream."""
    plugin = "pyjpegls" if layout.syntax in JPEGLSTransferSyntaxes else "pylibjpeg"
    options: dict[str, Any] = {  # pydicom's annotation takes each of them for all of them
        "rows": layout.rows,
        "columns": layout.columns,
        "samples_per_pixel": 1,
        "photometric_interpretation": "MONOCHROME2",
        "bits_allocated": 8 if bits <= 8 else 16,
        "bits_stored": min(layout.bits_stored, bits),
        "pixel_representation": int(layout.signed),
        "number_of_frames": 1,
    }
    decoder = get_decoder(layout.syntax)
    pixels, _ = decoder.as_array(encapsulate([frame]), index=0, raw=True, decoding_plugin=plugin, **options)
    return pixels


def _decompress_padded(frame: bytes, layout: PixelLayout, bits: int) -> np.ndarray:
    """JPEG-LS, also where an encoder made the length even before the end mark: the decoder takes that byte for a fault.

    It checks that a scan ends where its data does, so no byte too many can be left out.
    """
    body = frame.rstrip(AFTER_END).removesuffix(END)
    for pads in range(MOST_PADS):
        if body[len(body) - pads :].strip(PADS):
            break
        with suppress(Exception):
            return _decompress(body[: len(body) - pads] + END, layout, bits)
    return _decompress(frame, layout, bits)


def within_bits(pixels: np.ndarray, layout: PixelLayout) -> np.ndarray:
    """Values from `layout.lowest` to `layout.highest`, sign extended.

    What lies above the bits stored is not part of the value (overlays of old, or nothing). After lossy compression values that
    lie outside are overshoots, which would come out at the other end: they are clipped.

    Source: DICOM PS3.5, 8.1.1.
    """
    unused = 8 * pixels.dtype.itemsize - layout.bits_stored
    if layout.syntax not in LOSSLESS:
        return np.clip(pixels, layout.lowest, layout.highest)
    if unused <= 0:
        return pixels
    return (pixels << unused) >> unused if layout.signed else pixels & layout.highest
