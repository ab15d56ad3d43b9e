"""Does the study's own score tell the poor results from the good ones?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..metrics.risk_coverage import excess_risk_coverage_area, risk_coverage_area


def failure_detection(rows: Sequence[dict[str, Any]], certainty: str, goodness: str = "Dice") -> dict[str, float]:
    """Risk-coverage area over studies, with 1 - Dice as the risk.

    Args:
        rows: of one reading against one rater; the study's scores stand in them under their names.
        certainty: a study score, larger is more certain.
        goodness: a metric, 1 is best.

    Returns:
        AURC and E-AURC by name, and the mean risk, which a score without knowledge gets; empty where a study lacks the score.
    """
    if not rows or not all(certainty in row["study_scores"] for row in rows):
        return {}
    risk = 1 - np.array([row["metrics"][goodness] for row in rows])
    uncertainty = -np.array([row["study_scores"][certainty] for row in rows])
    named = f"over studies, risk 1 - {goodness}, by {certainty}"
    return {
        f"AURC {named}": risk_coverage_area(risk, uncertainty),
        f"E-AURC {named}": excess_risk_coverage_area(risk, uncertainty),
        f"AURC of a score without knowledge, risk 1 - {goodness}": float(risk.mean()),
    }
