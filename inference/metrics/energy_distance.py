"""Energy distance between the draws' distribution and the raters', in three forms that must be named.

The forms differ in the pairs of an element with itself, whose distance is 0:

- V keeps them on both sides. It is the form of the literature, is never negative, and falls as draws are added even where
  the sampler is perfect: by the mean distance of two different draws over N. Compare it at equal N only.
- U leaves them out on both sides: unbiased where draws and raters are both samples. It may be negative.
- R leaves them out on the draws' side only: unbiased in the draws, with the raters as the whole population. It too may be
  negative.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from .diversity import diversity
from .mask_distance import MaskDistances

Form = Literal["V", "U", "R"]


def energy_distance(distances: MaskDistances, form: Form) -> float:
    """2 mean d(S, Y) - mean d(S, S') - mean d(Y, Y'), also called generalised energy distance or D^2.

    Args:
        distances: of draws S and raters Y.
        form: "V", "U" or "R", see above.

    Returns:
        0 is best, at most 2. NaN where a form leaves no pair (one draw in U and R, one rater in U) or a distance is NaN.

    Raises:
        ValueError: the form is none of the three.

    Source: Szekely and Rizzo 2013; Kohl et al. 2018 (V).
    """
    if form not in get_args(Form):
        raise ValueError(f"one of the forms {get_args(Form)} expected")
    within_draws = distances.draws.mean() if form == "V" else diversity(distances.draws)
    within_raters = diversity(distances.raters) if form == "U" else distances.raters.mean()
    return float(2 * distances.cross.mean() - within_draws - within_raters)


def energy_distances(distances: MaskDistances, sizes: Sequence[int] = (1, 4, 8, 16)) -> dict[str, float]:
    """The three forms for the first 1, 4, 8 and 16 draws, up to as many as there are.

    Args:
        distances: of all draws.
        sizes: numbers of draws; those above the number there is are left out.

    Returns:
        by form and number of draws, as "energy distance V, 16 draws".
    """
    return {
        f"energy distance {form}, {size} draw{'s' if size > 1 else ''}": energy_distance(distances.first(size), form)
        for form in get_args(Form)
        for size in sizes
        if size <= len(distances.cross)
    }
