"""Evidence against a calibration record from which of the new truths its intervals held, valid at every moment.

A record made of n units has the coverage C ~ Beta(k, n + 1 - k), random since its units were (ties only add to it). So what a
*fair* record covers of further units is Polya's urn, whatever images, networks and scores are:

    P0(next is covered | s of m were) = (k + s) / (n + 1 + m).

Evidence E is how much better than that an explanation with too little coverage predicts what was seen, as odds. Under a fair
record E is a martingale of mean 1: it ever reaches 20 with a probability of at most 1/20 (Ville), so one may look after every
case. "C is at least the level" would be another null: about two in five fair records of 90 % cover less than that.

Source: Vovk 2012 (coverage given the calibration set); Ville 1939; Waudby-Smith and Ramdas 2024 (testing by betting).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import betainc, betaln
from scipy.stats import beta

WORST_SHARE = 0.01
"""Of fair records, whose posterior odds are watched: otherwise one that covers 0.78 for 0.9 is hardly told from fair ones."""
LARGEST_LOG = 700.0
"""exp of more is no float."""


@dataclass(frozen=True)
class FairRecord:
    """What is known of the coverage of a fair record.

    Args:
        n: calibration units.
        inside: k, how many of the n + 1 spacings between their scores lie inside the interval (see `methods.spacings`).
        level: that the record promises.
    """

    n: int
    inside: int
    level: float

    def evidence(self, covered: Sequence[bool]) -> np.ndarray:
        """E after each case: half of `worst_records`, half of `change_points`. Args: covered: in order of arrival.

        Returns:
            (cases,), at least 0; 1 says nothing.
        """
        seen = np.concatenate([[0], np.cumsum(np.asarray(covered, dtype=int))])
        return (self.worst_records(seen) + self.change_points(seen)) / 2

    def worst_records(self, seen: np.ndarray) -> np.ndarray:
        """Odds that this is one of the worst records: P(C below its 1 % quantile, given the cases) / 1 %.

        Args:
            seen: covered after 0, 1, ... cases.

        Returns:
            after each case, (cases,).
        """
        covered, cases = seen[1:], np.arange(1, len(seen))
        k, beyond = self.inside, self.n + 1 - self.inside
        return betainc(k + covered, beyond + cases - covered, beta.ppf(WORST_SHARE, k, beyond)) / WORST_SHARE

    def change_points(self, seen: np.ndarray) -> np.ndarray:
        """Odds of a coverage anywhere below the level from case j on, mixed over j = 1, 2, ... with weights 1/(j (j + 1)).

        What is weighted for cases still to come stays at odds of 1. Args and returns: as of `worst_records`.
        """
        most = len(seen) - 1
        now, before = np.tril_indices(most)  # after case now + 1, the change lying `before` cases after the first
        since, covered = now + 1 - before, seen[now + 1] - seen[before]
        fair = self._log_urn(seen)
        odds = _log_below(self.level, most)[since, covered] - (fair[now + 1] - fair[before])
        weighted = np.exp(np.minimum(odds, LARGEST_LOG)) / ((before + 1.0) * (before + 2.0))
        return np.bincount(now, weighted, minlength=most) + 1 / np.arange(2, most + 2)

    def _log_urn(self, seen: np.ndarray) -> np.ndarray:
        """Log of P0 of the cases up to each moment, in their order."""
        cases = np.arange(len(seen))
        k, beyond = self.inside, self.n + 1 - self.inside
        return betaln(k + seen, beyond + cases - seen) - betaln(k, beyond)


@lru_cache(maxsize=8)
def _log_below(level: float, most: int) -> np.ndarray:
    """Log of the probability of s covered of m cases, in their order, with a coverage uniform between 0 and the level.

    Returns:
        (most + 1, most + 1), by m and s; minus infinity where s is more than m.
    """
    cases, covered = np.meshgrid(np.arange(most + 1), np.arange(most + 1), indexing="ij")
    a, b = covered + 1.0, np.maximum(cases - covered, 0) + 1.0
    with np.errstate(divide="ignore"):
        logs = betaln(a, b) + np.log(betainc(a, b, level)) - np.log(level)
    return np.where(covered <= cases, logs, -np.inf)
