"""What `--record` names."""

from __future__ import annotations

from pathlib import Path

from ..reasons import StudyRefused


def check_stated_record(place: Path | None) -> None:
    """A record that is stated must be one: else the user takes the absence of intervals for an answer.

    Args:
        place: of the option, None where it was not stated.

    Raises:
        StudyRefused: WRONG_USAGE where there is no record; RECORD_EDITED, RECORD_AMBIGUOUS.
    """
    if place is None:
        return
    from ..inference.calibration.record import read_records

    if not read_records(place):
        raise StudyRefused("WRONG_USAGE", "--record names no record, and no folder of records")
