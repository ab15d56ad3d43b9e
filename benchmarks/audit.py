"""False alarms and power of `caveat audit`, by simulation; docs/calibration.md has the table.

    python benchmarks/audit.py [--repeats 2000] [--looks 500]        # about ten minutes

Fair records: the coverage of each is drawn anew, Beta(k, n + 1 - k). Broken ones cover as stated, from the first case on or after
60 cases of a fair record. A warning is the first time that the evidence reaches 20, in any of the looks.
"""

from __future__ import annotations

import argparse

import numpy as np

from caveat.inference.audit.audit import WARN_AT
from caveat.inference.audit.evidence import FairRecord
from caveat.inference.calibration.quantile import spacings
from caveat.inference.evaluation.markdown import markdown_table

LEVEL = 0.9
UNITS = (34, 57, 112)
GOOD_CASES = 60


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=2000)
    parser.add_argument("--looks", type=int, default=500)
    options = parser.parse_args()
    rows = [row(n, options.repeats, options.looks) for n in UNITS]
    print(f"{options.repeats} streams a cell; level {LEVEL:.0%}\n")
    print(markdown_table(list(rows[0]), [list(cells.values()) for cells in rows]))


def row(n: int, repeats: int, looks: int) -> dict[str, str]:
    """One record size: alarms of fair records, and cases needed for broken ones."""
    fair, random = FairRecord(n, spacings(n, LEVEL, "two-sided"), LEVEL), np.random.default_rng(n)
    own = random.beta(fair.inside, n + 1 - fair.inside, repeats)
    cells = {"record": f"n = {n}", f"fair, {looks} looks": f"{np.mean(first_alarms(fair, own, looks, random) <= looks):.1%}"}
    for coverage in (0.78, 0.5, 0.3):
        alarms = first_alarms(fair, np.full(repeats, coverage), 200, random)
        cells[f"covers {coverage}: median, 90 %, by 100"] = (
            f"{np.median(alarms):.0f}, {np.quantile(alarms, 0.9):.0f}, {np.mean(alarms <= 100):.2f}"
        )
    for coverage in (0.5, 0.3):
        alarms = first_alarms(fair, own, 200, random, after=coverage)
        cells[f"{coverage} after {GOOD_CASES} good: median"] = f"{np.median(alarms[alarms > GOOD_CASES]) - GOOD_CASES:.0f}"
    return cells


def first_alarms(
    fair: FairRecord, coverage: np.ndarray, looks: int, random: np.random.Generator, after: float | None = None
) -> np.ndarray:
    """Number of the first case with a warning, (streams,); looks + 1 where there is none. Args: after: coverage once it broke."""
    found = np.full(len(coverage), looks + 1)
    for index, own in enumerate(coverage):
        chance = np.full(looks, own)
        if after is not None:
            chance[GOOD_CASES:] = after
        over = np.flatnonzero(fair.evidence(random.uniform(size=looks) < chance) >= WARN_AT)
        found[index] = over[0] + 1 if len(over) else looks + 1
    return found


if __name__ == "__main__":
    main()
