"""How intensities were prepared when a network was trained, in a word, as a transform of MONAI."""

from __future__ import annotations

from typing import Any

from ..reasons import StudyRefused

WORDS = "none, zscore, zscore-nonzero, range, quantiles:LOW,HIGH (in %), window:LOW,HIGH"


def intensity_transform(words: str) -> list[dict[str, Any]]:
    """None or one entry of a preprocessing.

    Args:
        words: see `WORDS`. "zscore": mean 0 and deviation 1, each channel by itself, of its elements that are not 0 with
            "-nonzero"; "range": smallest to largest becomes 0 to 1; "quantiles": these percentiles become 0 and 1, what lies
            beyond is clipped; "window": these intensities do, such as Hounsfield units.

    Raises:
        StudyRefused: WRONG_USAGE.
    """
    name, _, limits = words.partition(":")
    if name in ("quantiles", "window"):
        low, high = _limits(limits)
        onto = {"keys": "image", "b_min": 0.0, "b_max": 1.0, "clip": True}
        if name == "window":
            return [{"_target_": "ScaleIntensityRanged", "a_min": low, "a_max": high, **onto}]
        return [{"_target_": "ScaleIntensityRangePercentilesd", "lower": low, "upper": high, "channel_wise": True, **onto}]
    plain: dict[str, list[dict[str, Any]]] = {
        "none": [],
        "zscore": [{"_target_": "NormalizeIntensityd", "keys": "image", "channel_wise": True}],
        "zscore-nonzero": [{"_target_": "NormalizeIntensityd", "keys": "image", "channel_wise": True, "nonzero": True}],
        "range": [{"_target_": "ScaleIntensityd", "keys": "image", "channel_wise": True}],
    }
    if words not in plain:
        raise StudyRefused("WRONG_USAGE", f"--intensities is one of {WORDS}")
    return plain[words]


def _limits(text: str) -> tuple[float, float]:
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise StudyRefused("WRONG_USAGE", f"--intensities is one of {WORDS}") from None
    if not low < high:
        raise StudyRefused("WRONG_USAGE", "--intensities: the first limit is below the second")
    return low, high
