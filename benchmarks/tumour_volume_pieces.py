"""How often a piece of a tumour's mask is real, by the share of the draws that have it; what dropping unlikely ones would do.

    python benchmarks/tumour_volume_pieces.py     # after tumour_volume_predict.py out_of_fold

Out of fold, by ten dropout draws of the one network that has not seen the patient. A piece is real where it meets the outline.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from tumour_volume_tables import PARTS, Outlined, out_of_fold

from caveat.inference.evaluation.markdown import markdown_table
from caveat.inference.metrics.overlap import dice

SHARES = (0.0, 0.25, 0.55, 0.75, 0.95, 1.0)
"""Bounds of the bins: of ten draws up to two, three to five, six or seven, eight or nine, all."""
TOUCHING = np.ones((3, 3, 3))


@dataclass(frozen=True)
class Piece:
    """Of a written mask. Args: number: its label. existence: share of the draws. real: whether it meets the outline. largest:
    whether it is the patient's largest."""

    number: int
    existence: float
    real: bool
    largest: bool


def main() -> None:
    """Print the reliability of existence, and Dice without unlikely pieces, by preparation."""
    studies = out_of_fold()
    for word in PARTS.values():
        ones = [one for one in studies if one.entry["preparation"] == word]
        pieces = [piece for one in ones for piece in pieces_of(one)]
        print(f"\n{word}: {len(ones)} patients, {len(pieces)} pieces\n")
        head = ["share of draws", "pieces", "real", "share real", "the patient's largest: real"]
        print(markdown_table(head, [row(pieces, low, high) for low, high in itertools.pairwise(SHARES)]))
        for least in SHARES[:-1]:
            kept = [dice(without_unlikely(one, least), one.true, np.ones_like(one.true)) for one in ones]
            print(f"pieces in more than {least:g} of the draws alone: mean Dice {np.mean(kept):.4f}")


def pieces_of(one: Outlined) -> list[Piece]:
    """The pieces of the written mask, each with the share of the listed piece whose centre is nearest."""
    labels, count = ndimage.label(one.found, TOUCHING)
    if not count:
        return []
    centres = np.array(ndimage.center_of_mass(one.found, labels, range(1, count + 1)))
    if one.result["input"]["spacing_mm"] is not None:
        centres = centres @ one.affine[:3, :3].T + one.affine[:3, 3]
    listed = np.array([lesion["centre"] for lesion in one.result["lesions"]])
    nearest = np.linalg.norm(centres[:, None] - listed[None], axis=2).argmin(axis=1)
    real = np.bincount(labels[one.true], minlength=count + 1)[1:] > 0
    sizes = np.bincount(labels.ravel())[1:]
    shares = [one.result["lesions"][index]["existence"] for index in nearest]
    return [Piece(index + 1, shares[index], bool(real[index]), index == sizes.argmax()) for index in range(count)]


def row(pieces: Sequence[Piece], low: float, high: float) -> list[str]:
    """One bin."""
    ones = [piece for piece in pieces if low < piece.existence <= high]
    largest = [piece.real for piece in ones if piece.largest]
    share = f"{np.mean([piece.real for piece in ones]):.2f}" if ones else "-"
    return [
        f"{low:g} to {high:g}",
        str(len(ones)),
        str(sum(piece.real for piece in ones)),
        share,
        f"{sum(largest)} of {len(largest)}",
    ]


def without_unlikely(one: Outlined, least: float) -> np.ndarray:
    """The mask without pieces of at most a share of the draws."""
    kept = [piece.number for piece in pieces_of(one) if piece.existence > least]
    return np.isin(ndimage.label(one.found, TOUCHING)[0], kept)


if __name__ == "__main__":
    main()
