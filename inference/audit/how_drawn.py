"""What the list of an audit must say of itself: evidence counts only for cases that nobody picked."""

from __future__ import annotations

from pathlib import Path

from caveat.reasons import StudyRefused

from ...transforms.study.data_list import read_list

KEY = "drawn"
WAYS = ("consecutive", "random")


def how_drawn(data_list: Path) -> str:
    """How the units of a list came into it.

    Args:
        data_list: MONAI's form, with an entry "drawn": {"units": "consecutive" or "random", "blind": true} beside its parts.

    Returns:
        one of `WAYS`.

    Raises:
        StudyRefused: WRONG_USAGE where the list does not state it, or the truths were drawn with the result in sight: cases that
            were picked, or edited from our own mask, are no audit.
    """
    stated = read_list(data_list).get(KEY)
    if not isinstance(stated, dict) or stated.get("units") not in WAYS or stated.get("blind") is not True:
        raise StudyRefused(
            "WRONG_USAGE",
            f'the list does not state "{KEY}": {{"units": "consecutive" or "random", "blind": true}}: that its units were not '
            "picked, stand in order of arrival, and had their truth drawn without sight of mask and interval",
        )
    return str(stated["units"])
