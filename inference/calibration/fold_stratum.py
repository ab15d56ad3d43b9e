"""FoldStratum: residuals of units by the network that did not see them, and the regions of CV+ that they give."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from .fold_bounds import fold_units_needed, guaranteed_rank, guaranteed_units_needed, worst_case
from .quantile import miss_rate, rank
from .regions.interval import Interval
from .regions.region import Region
from .rows import Row
from .scores.conformity_score import ConformityScore
from .scores.interval_score import IntervalScore
from .sides import Columns, excess_of, scores_by_side
from .valid_record import Withheld, too_few


@dataclass(frozen=True)
class FoldStratum:
    """Scores of the units whose stratifying number is at most `up_to`, each with its fold; the counterpart of `SplitStratum`.

    A new study is measured by all K networks. Unit i says: the truth lies in the region that network k(i), which has not seen
    the unit, and the unit's own score give around what network k(i) says of the new study. The answer is the region about the
    reported value that holds k* of these (with one-sided scores, each end is the k*-th of these ends). So it is never empty,
    holds the value, and holds the region of CV+; what is proven of that holds of it too.

    Args:
        up_to: infinite for the last stratum.
        folds: number of each unit's fold, from 0: its network has not seen it, nor stopped its training on it.
        scores: as of a `SplitStratum`, but one a unit in the order of `folds`.
        networks: K.
        one_recipe: see `fold_bounds.worst_case`.
        guaranteed: whether the rank is the one that proves 1 - 2 miss without a further term.

    Source: Barber, Candes, Ramdas and Tibshirani 2021, section 3 (CV+).
    """

    up_to: float
    folds: tuple[int, ...]
    scores: Columns
    networks: int
    one_recipe: bool = False
    guaranteed: bool = False

    @classmethod
    def of_rows(
        cls, up_to: float, rows: Sequence[Row], score: ConformityScore, sides: str, networks: int, one_recipe: bool
    ) -> FoldStratum:
        """Of units, each by its own fold's network. Args: rows: with fold and truth. sides: see `quantile.ONE_SIDED_SCORES`."""
        folds = [_fold(row) for row in rows]
        excesses = [
            excess_of(score, row, tuple(case.of_network(fold, networks) for case in row))
            for fold, row in zip(folds, rows, strict=True)
        ]
        scores = scores_by_side(excesses, sides)
        order = sorted(zip(folds, *scores.values(), strict=True))  # that of the list says nothing
        columns = {name: tuple(unit[index] for unit in order) for index, name in enumerate(scores, start=1)}
        return cls(up_to, tuple(int(fold) for fold, *_ in order), columns, networks, one_recipe)

    def with_score(self, score: ConformityScore, rows: Sequence[Row], sides: str) -> FoldStratum:
        """As another conformity score would have made it. Args: rows: its units."""
        return self.of_rows(self.up_to, rows, score, sides, self.networks, self.one_recipe)

    @property
    def n(self) -> int:
        """Units."""
        return len(self.folds)

    def regions(self, score: ConformityScore, row: Row, level: float, sides: str) -> list[Region] | None:
        """See `Record.regions`. Args: row: the components that share the stratum, with draws of all K networks in turn."""
        index = self._rank(level)
        if self.why_not(level, sides, "") is not None or index is None:
            return None
        own = [tuple(case.of_network(network, self.networks) for case in row) for network in range(self.networks)]
        if sides == "two-sided":
            reach = sorted(self._reach(score, row, own[fold], q) for fold, q in self._units())[index - 1]
            return [score.region(case, (reach,) * score.ends).holding(case.value) for case in row]
        (case,) = row
        return [self._one_sided(score, [one[0] for one in own], index).holding(case.value)]  # wider costs no coverage

    def _units(self) -> list[tuple[int, float]]:
        return list(zip(self.folds, self.scores["either"], strict=True))

    @staticmethod
    def _reach(score: ConformityScore, row: Row, of_network: Row, q: float) -> float:
        """About the reported values, of regions that hold those of one network at the score of one of its units."""
        return max(max(score.about(case, other, (q,) * score.ends)) for case, other in zip(row, of_network, strict=True))

    def _one_sided(self, score: ConformityScore, own: Sequence[Any], index: int) -> Interval:
        if not isinstance(score, IntervalScore):
            raise ValueError("a region about a place has no sides")
        below, above = (self.scores.get(side) or [math.inf] * self.n for side in ("below", "above"))
        ends = [score.bounds(own[fold], *reach) for fold, *reach in zip(self.folds, below, above, strict=True)]
        lowers, uppers = map(sorted, zip(*ends, strict=True))
        return score.interval(max(lowers[self.n - index], 0.0), uppers[index - 1])

    def proven(self, level: float, sides: str) -> float:
        """Coverage at worst, in [0, 1]: 0 where the level is not available."""
        return 0.0 if self.why_not(level, sides, "") else float(self._proven(level))

    def why_not(self, level: float, sides: str, unit: str) -> Withheld | None:
        """Why the level is not available, None where it is. Args: unit: its name, for the sentence."""
        miss, ends = miss_rate(level), len(self.scores)
        if miss >= Fraction(1, 2):
            return Withheld("NOTHING_PROVEN", f"cross-validation proves nothing at {100 * level:.6g} %")
        if self.guaranteed:
            needed = guaranteed_units_needed(self.networks, miss / ends)
        else:
            needed = fold_units_needed(self.networks, miss, ends, self.one_recipe)
        if self._rank(level) is None or self._proven(level) <= 0:
            return too_few(level, needed, unit, self.n)
        return None

    def to_json(self) -> dict[str, Any]:
        """As it stands on a record."""
        return {
            "up_to": self.up_to if math.isfinite(self.up_to) else None,
            "n": self.n,
            "networks": self.networks,
            "one_recipe": self.one_recipe,
            "folds": list(self.folds),
            "unit_scores": {name: list(scores) for name, scores in self.scores.items()},
        }

    def with_guarantee(self) -> FoldStratum:
        """The same residuals, with the rank that proves 1 - 2 miss."""
        return replace(self, guaranteed=True)

    def _rank(self, level: float) -> int | None:
        share = miss_rate(level) / len(self.scores)
        return guaranteed_rank(self.n, self.networks, share) if self.guaranteed else rank(self.n, share)

    def _proven(self, level: float) -> Fraction:
        """Misses of two one-sided scores add up."""
        sizes = Counter(self.folds)
        proven = worst_case(self._rank(level) or 1, [sizes[fold] for fold in range(self.networks)], self.one_recipe)
        return 1 - len(self.scores) * (1 - proven)


def _fold(row: Row) -> int:
    fold = row[0].fold
    if fold is None:
        raise ValueError("a unit of a record of cross-validation needs its fold")
    return fold
