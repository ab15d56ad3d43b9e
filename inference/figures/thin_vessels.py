"""Are vessels drawn too thin where the network is unsure?"""

from __future__ import annotations

import math

from ..metrics.terciles import TERCILES
from ..metrics.thin_vessels import CONTRAST, thin_vessels_by_tercile
from ..stored.stored_study import StoredStudy
from ..stored.truths import Truth


def thin_vessels(
    study: StoredStudy, truth: Truth, map_name: str, widest: float | None = None, reach: float = 3, shortest: int = 1
) -> dict[str, float]:
    """Recall and drawn width along the truth's centre line, by tercile of an uncertainty map at that line.

    Args:
        study: with the map `map_name`, (rows, columns).
        map_name: such as "entropy".
        widest: look at vessels up to this width, pixels; None for all.
        reach: a drawn centre line farther away, pixels, is another vessel.
        shortest: leave out runs of fewer centre-line pixels, the ends of wide vessels.

    Returns:
        by name.
    """
    if map_name not in study.maps:
        return {}
    limit = math.inf if widest is None else widest
    found = thin_vessels_by_tercile(study.mask, truth.mask, truth.region, study.maps[map_name], limit, reach, shortest)
    called = "all vessels" if widest is None else f"vessels up to {widest:g} pixels wide"
    plain = {"n": "centre-line pixels", "recall": "recall", "width difference": "drawn less true width, pixels"}
    out = {f"{called}: {plain[key]}": found[key] for key in plain}
    for quantity in ("recall", "width difference"):
        for part in (*TERCILES, CONTRAST):
            out[f"{called}: {plain[quantity]}, {part} tercile of {map_name}"] = found[f"{quantity} {part}"]
    return out
