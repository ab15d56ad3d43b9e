"""FoldClass: residuals of units by the network that did not see them, and the interval of CV+ that they give."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from .case import Case
from .fold_bounds import fold_units_needed, guaranteed_rank, guaranteed_units_needed, worst_case
from .quantile import miss_rate, rank
from .scores.conformity_score import ConformityScore
from .size_class import scores_by_side
from .valid_record import Withheld, too_few


@dataclass(frozen=True)
class FoldClass:
    """Scores of the units whose predicted value is at most `up_to`, each with its fold; the counterpart of `SizeClass`.

    A new study is measured by all K networks. Unit i says: the truth lies in the interval that network k(i), which has not seen
    the unit, and the unit's own score give around what network k(i) says of the new study. The answer is the interval about the
    reported value that holds k* of these (with one-sided scores, each end is the k*-th of these ends). So it is never empty,
    holds the value, and holds the interval of CV+; what is proven of that holds of it too.

    Args:
        up_to: in the measurement's unit, infinite for the last class.
        folds: number of each unit's fold, from 0: its network has not seen it, nor stopped its training on it.
        scores: as of a `SizeClass`, but one a unit in the order of `folds`.
        networks: K.
        one_recipe: see `fold_bounds.worst_case`.
        guaranteed: whether the rank is the one that proves 1 - 2 miss without a further term.

    Source: Barber, Candes, Ramdas and Tibshirani 2021, section 3 (CV+).
    """

    up_to: float
    folds: tuple[int, ...]
    scores: Mapping[str, tuple[float, ...]]
    networks: int
    one_recipe: bool = False
    guaranteed: bool = False

    @classmethod
    def of(
        cls, up_to: float, cases: Sequence[Case], score: ConformityScore, sides: str, networks: int, one_recipe: bool
    ) -> FoldClass:
        """Of units, each by its own fold's network. Args: cases: with fold and truth. sides: see `quantile.ONE_SIDED_SCORES`."""
        excesses = [(case.fold, *score.excess(case.of_network(case.fold, networks), case.truth)) for case in cases]
        scores = scores_by_side([below for _, below, _ in excesses], [above for _, _, above in excesses], sides)
        order = sorted(zip((fold for fold, *_ in excesses), *scores.values(), strict=True))  # that of the list says nothing
        columns = {name: tuple(row[index] for row in order) for index, name in enumerate(scores, start=1)}
        return cls(up_to, tuple(fold for fold, *_ in order), columns, networks, one_recipe)

    def with_score(self, score: ConformityScore, cases: Sequence[Case], sides: str) -> FoldClass:
        """As another conformity score would have made it. Args: cases: its units."""
        return self.of(self.up_to, cases, score, sides, self.networks, self.one_recipe)

    @property
    def n(self) -> int:
        """Units."""
        return len(self.folds)

    def interval(self, score: ConformityScore, case: Case, level: float, sides: str) -> tuple[float, float] | None:
        """See `Record.interval`. Args: case: with draws of all K networks in turn."""
        index = self._rank(level)
        if self.why_not(level, sides, "") is not None or index is None:
            return None
        own = [case.of_network(network, self.networks) for network in range(self.networks)]
        either = self.scores.get("either")
        below, above = (self.scores.get(side) or either or [math.inf] * self.n for side in ("below", "above"))
        ends = [score.ends(own[fold], *reach) for fold, *reach in zip(self.folds, below, above, strict=True)]
        if either:
            reaches = sorted(max(score.excess(case, lower)[0], score.excess(case, upper)[1]) for lower, upper in ends)
            lower, upper = score.bounds(case, reaches[index - 1], reaches[index - 1])
        else:
            lowers, uppers = map(sorted, zip(*ends, strict=True))
            lower, upper = max(lowers[self.n - index], 0.0), uppers[index - 1]
        return min(lower, case.value), max(upper, case.value)  # wider costs no coverage

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

    def with_guarantee(self) -> FoldClass:
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
