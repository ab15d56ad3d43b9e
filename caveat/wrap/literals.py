"""What a config of strangers says, taken as text and numbers: nothing in it is evaluated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ..reasons import StudyRefused

DEEPEST = 20
"""References that lead on to further ones, and lists in lists."""
DEVICE = "device"
"""Where something is computed is ours to say."""


class Literals:
    """A config whose references are followed by text.

    Args:
        config: as it stands in the file.
        said: values of entries in place of what the file has, by id, such as {"pixdim": [1.5, 1.5, 1.5]}.
    """

    def __init__(self, config: Mapping[str, Any], said: Mapping[str, Any] | None = None) -> None:
        self.config = config
        self.said = {key.replace("::", "#"): value for key, value in (said or {}).items()}

    @classmethod
    def read(cls, path: Path, said: Mapping[str, Any] | None = None) -> Literals:
        """Args: path: JSON or YAML. Raises: StudyRefused: SOURCE_NOT_WRAPPED."""
        try:
            config = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
            raise StudyRefused("SOURCE_NOT_WRAPPED", f"{path.name} cannot be read") from error
        if not isinstance(config, Mapping):
            raise StudyRefused("SOURCE_NOT_WRAPPED", f"{path.name} is no config")
        return cls(config, said)

    def __contains__(self, name: str) -> bool:
        return name in self.config or name in self.said

    def of(self, name: str) -> Any:
        """What an entry says. Args: name: such as "network_def" or "inferer#roi_size".

        Raises:
            StudyRefused: SOURCE_NOT_WRAPPED: it is not there, or says something that only a program knows.
        """
        return self._literal(self._stated(name), name, 0)

    def _stated(self, name: str) -> Any:
        if name in self.said:
            return self.said[name]
        found: Any = self.config
        for part in name.split("#"):
            if isinstance(found, list) and part.isdecimal() and int(part) < len(found):
                found = found[int(part)]
            elif isinstance(found, Mapping) and part in found:
                found = found[part]
            else:
                raise StudyRefused("SOURCE_NOT_WRAPPED", f"the config has no entry {name}")
        return found

    def _literal(self, value: Any, name: str, depth: int) -> Any:
        if depth > DEEPEST:
            raise StudyRefused("SOURCE_NOT_WRAPPED", f"{name} leads in a circle")
        if isinstance(value, Mapping):
            return {key: self._inside(name, key, one, depth) for key, one in value.items() if key != DEVICE}
        if isinstance(value, list):
            return [self._inside(name, key, one, depth) for key, one in enumerate(value)]
        if value is None or isinstance(value, int | float):
            return value
        if not isinstance(value, str):  # YAML knows dates, sets and bytes, which no bundle's config states
            raise StudyRefused("SOURCE_NOT_WRAPPED", f"the entry {name} is neither text nor a number")
        if reference := re.fullmatch(r"[@%]([\w#:]+)", value):
            to = reference[1].replace("::", "#")
            return self._literal(self._stated(to), to, depth + 1)
        if value[:1] in ("$", "@", "%"):
            raise StudyRefused(
                "SOURCE_NOT_WRAPPED",
                f"the entry {name} is a program, which is not run; say what it is with --set {name}=VALUE",
            )
        return value

    def _inside(self, name: str, key: Any, value: Any, depth: int) -> Any:
        own = f"{name}#{key}"
        return self._literal(self.said.get(own, value), own, depth + 1)
