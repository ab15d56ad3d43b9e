"""A mask says where to look in one image."""

from __future__ import annotations

import os
from typing import Any

from caveat.reasons import StudyRefused


def refuse_shared_mask(stated: Any, studies: int) -> None:
    """In another patient's image a mask is a box around whatever lies there; numbers are what the user says of all.

    Args:
        stated: point or box: numbers, the path of a mask, or nothing. studies: how many are to be measured.

    Raises:
        StudyRefused: WRONG_USAGE.
    """
    if studies > 1 and isinstance(stated, str | os.PathLike) and os.path.isfile(stated):
        raise StudyRefused("WRONG_USAGE", f"a mask given to --point or --roi is of one image, here are {studies}")
