"""Parts of a mask."""

from __future__ import annotations

import numpy as np
from scipy import ndimage


def cut_out(mask: np.ndarray) -> np.ndarray:
    """The mask in the smallest box that holds it, and one element around. Returns: bool, of size 0 for an empty mask."""
    box = ndimage.find_objects(mask.astype(np.uint8))
    return np.pad(mask[box[0]], 1) if box else np.zeros((0,) * mask.ndim, bool)


def largest_piece(mask: np.ndarray) -> np.ndarray:
    """The connected piece (by faces, edges or corners) of most elements, of equal ones the first. Args: mask: not empty."""
    pieces, count = ndimage.label(mask, touching(mask.ndim))
    return pieces == 1 + int(np.bincount(pieces.ravel(), minlength=count + 1)[1:].argmax())


def touching(dimensions: int) -> np.ndarray:
    """Which neighbours make one piece: by a face, an edge or a corner."""
    return ndimage.generate_binary_structure(dimensions, dimensions)
