"""Records of version 1, of measurements and of landmarks, as version 2 has them: what they promise stays the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .record_file import unseal

OLDER = ("caveat-record-1", "caveat-point-record-1")
"""Read until the next minor version; `caveat calibrate` writes version 2 alone."""


def upgraded(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a record of version 2. Raises: StudyRefused: RECORD_EDITED where the older one's checksum is not its own."""
    facts = unseal(stored)
    about = {key: facts[key] for key in ("unit", "levels", "gate", "identity", "provenance")} | {"stratified_by": "size"}
    if facts["schema"] == OLDER[0]:
        about |= {key: facts[key] for key in ("measured_in", "score", "sides")}
        return about | {"names": [facts["measurement"]], "promise": "marginal", "strata": [facts["classes"]]}
    names, shape = facts["names"], facts["shape"]
    score: dict[str, Any] = {"name": "Distance"}
    if shape["kind"] == "ellipse":
        pooled = dict(zip(names, shape["pooled"], strict=True))
        score = {"name": "EllipseDistance", "share": shape["share"], "floor": shape["floor"], "pooled": pooled}
    strata = [[{"up_to": None, "n": len(scores), "scores": {"either": scores}}] for scores in facts["scores"]]
    about |= {"measured_in": "mm", "sides": "two-sided", "promise": facts["promise"]}
    return about | {"names": names, "score": score, "strata": strata}
