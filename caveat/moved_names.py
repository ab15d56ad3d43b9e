"""Names in a bundle's configs that lie elsewhere since modules have folders."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

from .reasons import StudyRefused
from .transforms.files.regular_file import text_of

CONFIGS = ("*/*.yaml", "*/*.yml", "*/*.json")
"""A bundle's own, in its `configs` and `settings`."""
AS_IT_IS = {"encoding": "utf-8", "errors": "surrogateescape"}
"""Whatever else stands in a config is kept, and is no matter of names."""


def with_new_names(text: str) -> tuple[str, dict[str, str]]:
    """A config with every name where it is now. Returns: also the older names that it held, with the new ones."""
    found: dict[str, str] = {}

    def renamed(match: re.Match[str]) -> str:
        found[match[0]] = _moved()[match[1]] + match[2]
        return found[match[0]]

    older = "|".join(map(re.escape, sorted(_moved(), reverse=True)))  # a longer one before what it begins with
    return re.sub(rf"(?<![\w.])({older})((?:\.\w+)*)(?!\w)", renamed, text), found


def configs_of(bundle: Path) -> list[Path]:
    """The configs of a bundle's folder, to be read with `config_text`."""
    return sorted(path for pattern in CONFIGS for path in bundle.glob(pattern) if path.parent.name in ("configs", "settings"))


def config_text(path: Path) -> str:
    """A config as it is. Raises: StudyRefused: UNREADABLE_FILE."""
    try:
        return text_of(path, **AS_IT_IS)
    except OSError as error:
        raise StudyRefused("UNREADABLE_FILE", f"{path.name} among the configs: {error.strerror}") from None


def refuse_older_names(bundle: Path) -> None:
    """Raises: StudyRefused: NAMES_MOVED, with the first name and where it is now; as `config_text`."""
    for path in configs_of(bundle):
        for older, newer in with_new_names(config_text(path))[1].items():
            raise StudyRefused("NAMES_MOVED", f"{path.name} says {older}, which is now {newer}")


@cache
def _moved() -> dict[str, str]:
    return tomllib.loads(Path(__file__).with_name("moved.toml").read_text(encoding="utf-8"))
