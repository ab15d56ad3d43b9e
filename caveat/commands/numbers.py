"""Numbers separated by commas, as options state them."""

from __future__ import annotations

import math
from typing import Any

from ..reasons import StudyRefused


def numbers(option: str, text: str | None, kind: type, signed: bool = False, count: int | None = None) -> list[Any] | None:
    """Numbers separated by commas.

    Args:
        option: that they are stated with.
        text: as stated, None where it was not.
        kind: of number, int or float.
        signed: accept zero and below.
        count: how many there must be, None for any.

    Raises:
        StudyRefused: WRONG_USAGE.
    """
    if text is None:
        return None
    try:
        values = [kind(part) for part in text.split(",")]
    except ValueError as error:
        raise StudyRefused("WRONG_USAGE", f"{option} expects numbers separated by commas") from error
    if not all(math.isfinite(value) and (signed or value > 0) for value in values):
        raise StudyRefused("WRONG_USAGE", f"{option} expects {'finite numbers' if signed else 'numbers above zero'}")
    if count is not None and len(values) != count:
        raise StudyRefused("WRONG_USAGE", f"{option} expects {count} numbers, got {len(values)}")
    return values
