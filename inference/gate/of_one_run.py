"""Files of a bundle's `calibration/` folder that are made of one network's predictions, and hold for it alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from caveat.reasons import StudyRefused

from ...transforms.files.whole_file import write_text

OF_ONE_RUN = ("weights_sha256", "preprocessing_sha256")
"""Entries of a bundle's facts that decide features and heat maps."""


@dataclass(frozen=True)
class OfOneRun:
    """Base of frozen dataclasses that have the fields `OF_ONE_RUN` beside their own."""

    schema: ClassVar[str]
    what: ClassVar[str]
    """What the file is, for a refusal."""

    def belongs_to(self, bundle: Mapping[str, Any]) -> bool:
        """Whether weights and preprocessing are those of a bundle's facts."""
        return all(bundle.get(key) == getattr(self, key) for key in OF_ONE_RUN)

    @property
    def sha256(self) -> str:
        """Of its text."""
        return hashlib.sha256(self.to_text().encode("ascii")).hexdigest()

    def to_text(self) -> str:
        """As JSON."""
        return json.dumps({"schema": self.schema} | asdict(self), sort_keys=True) + "\n"

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """The inverse of `asdict`, from JSON. May raise ValueError, KeyError, TypeError, AttributeError."""
        raise NotImplementedError

    def write(self, path: Path) -> None:
        """Write the file that a bundle ships."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, self.to_text(), encoding="ascii")

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Read it. Returns: None where there is no file.

        Raises:
            StudyRefused: CORRUPT, the file is another one.
        """
        if not path.is_file():
            return None
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
            if facts.pop("schema") != cls.schema:
                raise ValueError
            return cls.from_facts(facts)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StudyRefused("CORRUPT", cls.what) from error


def run_behind(results: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The weights and the preprocessing that made stored predictions. Args: results: at least one.

    Raises:
        StudyRefused: MIXED_PREDICTIONS, of several networks.
    """
    runs = {tuple(result["bundle"].get(key, "") for key in OF_ONE_RUN) for result in results}
    if len(runs) > 1:
        raise StudyRefused("MIXED_PREDICTIONS", "their weights or preprocessing differ")
    return dict(zip(OF_ONE_RUN, runs.pop(), strict=True))
