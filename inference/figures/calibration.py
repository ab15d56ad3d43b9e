"""Whether the probabilities keep their word, in a region that the name states."""

from __future__ import annotations

from ..metrics.band import band_around
from ..metrics.calibration_error import adaptive_calibration_error, brier, expected_calibration_error, top_label
from ..stored.stored_study import StoredStudy
from ..stored.truths import Truth


def calibration(
    study: StoredStudy, truth: Truth, region_name: str = "region", band: float | None = None, bins: int = 15
) -> dict[str, float]:
    """Both calibration errors, of the foreground class and of the top label, and the Brier score.

    Args:
        study: with "probability" of the foreground, (*spatial), and "segmentation".
        region_name: how the names call the region.
        band: None for the truth's whole region; else only elements at most this far from truth or reported mask.
        bins: of both errors.

    Returns:
        by name, in full.
    """
    if "probability" not in study.maps:
        return {}
    region = truth.region if band is None else band_around(truth.mask, study.mask, truth.region, band)
    probability, positive = study.maps["probability"][region], truth.mask[region]
    out = {}
    for kind, (confidence, correct) in {
        "foreground": (probability, positive),
        "top label": top_label(probability, positive),
    }.items():
        named = f"{bins} bins, {kind}, {region_name}"
        out[f"expected calibration error, equal-width, {named}"] = expected_calibration_error(confidence, correct, bins)
        out[f"adaptive calibration error, equal-mass, {named}"] = adaptive_calibration_error(confidence, correct, bins)
    return out | {f"Brier score, {region_name}": brier(probability, positive)}
