"""Whether a head still has its skull, and whether it is all there: `HeadPreparationd`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
from monai.transforms import MapTransform
from scipy import ndimage

from caveat.reasons import StudyRefused

WITH_SKULL, STRIPPED, UNCLEAR = "with skull", "stripped", "unclear"
STRIPPED_UP_TO, SKULL_FROM = 0.42, 0.50
"""Contrast of the rim. 76 training heads with skull have 0.53 and more, 20 stripped ones 0.35 and less."""
RIM, BENEATH, INNER = (0, 5), (3, 8), 10
"""Pixels from the outline inwards: scalp, what lies beneath it, and from where on there is brain alone."""
SMALLEST_PIXELS = 1000
"""Of a slice that is looked at, and at least this share of the largest:"""
SMALLEST_SHARE = 0.3
EDGE_ROWS, WIDEST_EDGE = 4, 0.65
"""Within its last rows a head is narrower than this share of its width (an ellipse of 60 rows: 0.5), unless it was cut."""


class HeadPreparationd(MapTransform):
    """Note in `meta`, as `preparation`, whether a head has its skull or was stripped; flag a head that ends in a straight edge.

    Under the bright scalp lies dark bone; in a stripped image the cortex itself is the rim. So the upper quartile of the rim less
    the lower quartile of what lies beneath it, in units of the median of the brain, tells the two apart slice by slice, and the
    median over the slices decides. Between the limits it is "unclear". What ends in a straight edge is flagged HEAD_CUT: part of
    it may lie beyond the field of view.

    Args:
        keys: (1, x, y, slices), 0 outside the head, as `StandardiseHeadd` leaves it.

    Raises:
        StudyRefused: NOT_THIS_KIND: no slice shows a head.
    """

    identity = "caveat.HeadPreparationd/1"

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Args: data: with the volumes. Returns: the same, with more in their `meta`."""
        out = dict(data)
        for key in self.key_iterator(out):
            volume = out[key]
            slices = np.moveaxis(volume[0].numpy(), -1, 0)
            heads = np.stack([largest_piece(one > 0) for one in slices])
            volume.meta["preparation"] = preparation(slices, heads)
            if ends_in_an_edge(slices, heads):
                volume.meta["flags"] = [*volume.meta.get("flags", []), "HEAD_CUT"]
        return out


def preparation(slices: np.ndarray, heads: np.ndarray) -> str:
    """Args: slices: (slices, x, y). heads: bool, of the same shape. Returns: one of the three words."""
    contrasts = [contrast for one, head in _shown(slices, heads) if (contrast := rim_contrast(one, head)) is not None]
    if not contrasts:
        raise StudyRefused("NOT_THIS_KIND", "no slice shows a head")
    contrast = float(np.median(contrasts))
    return STRIPPED if contrast <= STRIPPED_UP_TO else WITH_SKULL if contrast >= SKULL_FROM else UNCLEAR


def rim_contrast(one: np.ndarray, head: np.ndarray) -> float | None:
    """Upper quartile of the rim less the lower quartile beneath it, in medians of the inside; None where there is no inside."""
    depth = ndimage.distance_transform_edt(head)
    inside = one[depth > INNER]
    middle = float(np.median(inside)) if inside.size else 0.0
    if middle <= 0:
        return None
    rim, beneath = (one[(depth > first) & (depth <= last)] for first, last in (RIM, BENEATH))
    return float(np.quantile(rim, 0.75) - np.quantile(beneath, 0.25)) / middle


def ends_in_an_edge(slices: np.ndarray, heads: np.ndarray) -> bool:
    """Whether on some side most slices end in a straight edge. Args: see `preparation`."""
    widths = [edge_widths(head) for _, head in _shown(slices, heads)]
    return bool(widths) and float(np.median(widths, axis=0).max()) > WIDEST_EDGE


def edge_widths(head: np.ndarray) -> list[float]:
    """How wide a head still is in its last rows, as a share of its width, on each of four sides. Args: head: bool (x, y)."""
    found = []
    for turned in (head, head.T):
        rows = turned[turned.any(axis=1)]
        width = np.ptp(np.flatnonzero(rows.any(axis=0))) + 1
        found += [float(end.any(axis=0).sum() / width) for end in (rows[:EDGE_ROWS], rows[-EDGE_ROWS:])]
    return found


def largest_piece(mask: np.ndarray) -> np.ndarray:
    """The largest connected piece, after holes are filled: dark bone parts the brain from the scalp. Args: mask: bool (x, y)."""
    filled = ndimage.binary_fill_holes(mask)
    labels, count = ndimage.label(filled)
    if not count:
        return mask
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return labels == sizes.argmax()


def _shown(slices: np.ndarray, heads: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """The slices that show enough of the head."""
    sizes = heads.sum(axis=(1, 2))
    enough = max(SMALLEST_PIXELS, SMALLEST_SHARE * sizes.max(initial=0))
    return [(slices[number], heads[number]) for number in np.flatnonzero(sizes >= enough)]
