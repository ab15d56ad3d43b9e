"""result.json: what a program reads."""

from __future__ import annotations

import json
import math
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

from ..files.arrays import plain
from ..files.older_keys import older_keys
from ..files.stored_result import EMPTY_RESULT
from .writer import Writer


class ResultJsonWriter(Writer):
    """result.json: the study's `result`, keys in the order of result.schema.json, floats with 6 significant digits."""

    of_refusals = True

    def write(self, study: Mapping[Hashable, Any], folder: Path) -> None:
        """Args: study: with `result`."""
        result = {**EMPTY_RESULT, **plain(study["result"])}
        text = json.dumps(six_digits({**result, **older_keys(result)}), ensure_ascii=True, indent=1, allow_nan=False)
        (folder / "result.json").write_text(text + "\n", encoding="ascii")

    @classmethod
    def example(cls) -> ResultJsonWriter:
        """See `Writer.example`."""
        return cls()


def six_digits(value: Any) -> Any:
    """Floats with 6 significant digits, at any depth; one that is no number is None, for JSON has no other word for it."""
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: six_digits(item) for key, item in value.items()}
    if isinstance(value, list):
        return [six_digits(item) for item in value]
    return value
