"""What a config of strangers says, taken as text and numbers: nothing in it is evaluated."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml
from monai.bundle import ConfigParser

from ..reasons import StudyRefused

DEEPEST = 20
"""References that lead on to further ones, and lists in lists."""
MOST = 100_000
"""Values that are read: a few lines of references, or of YAML's aliases, may stand for more than any memory holds."""
DEVICE = "device"
"""Where something is computed is ours to say."""

LEFT_OUT = object()
"""Said in place of an entry that is to be taken for not there."""


class Literals:
    """A config whose references are followed by text.

    Args:
        config: as it stands in the file.
        said: values of entries in place of what the file has, by id, such as {"pixdim": [1.5, 1.5, 1.5]}.
    """

    def __init__(self, config: Mapping[str, Any], said: Mapping[str, Any] | None = None) -> None:
        self.config = config
        self.said = {key.replace("::", "#"): value for key, value in (said or {}).items()}
        self.read_so_far = 0

    @classmethod
    def read(cls, path: Path, said: Mapping[str, Any] | None = None) -> Literals:
        """As MONAI reads one file: entries named "a::b" or "+a" change others. Nothing is evaluated.

        Args:
            path: JSON or YAML.

        Raises:
            StudyRefused: SOURCE_NOT_WRAPPED.
        """
        try:
            config = ConfigParser.load_config_files([path])
        except (OSError, ValueError, LookupError, TypeError, AttributeError, yaml.YAMLError, RecursionError) as error:
            raise StudyRefused("SOURCE_NOT_WRAPPED", f"{path.name} cannot be read") from error
        if not isinstance(config, Mapping):
            raise StudyRefused("SOURCE_NOT_WRAPPED", f"{path.name} is no config")
        return cls(config, said)

    def __contains__(self, name: str) -> bool:
        return name in self.config or name in self.said

    def of(self, name: str, unread: Collection[str] = ()) -> Any:
        """What an entry says.

        Args:
            name: such as "network_def" or "inferer#roi_size".
            unread: keys of entries inside it that are ours to say, and left out whatever stands there.

        Raises:
            StudyRefused: SOURCE_NOT_WRAPPED: it is not there, or says something that only a program knows.
        """
        return self._literal(self._stated(name), name, 0, {DEVICE, *unread})

    def as_stated(self, name: str) -> Any:
        """What stands there, to be looked at and never made; None where it is not there, or leads on and on."""
        for _ in range(DEEPEST):
            self._count()
            try:
                found = self._stated(name)
            except StudyRefused:
                return None
            if not (name := _reference(found)):
                return None if found is LEFT_OUT else found
        return None

    def _count(self) -> None:
        self.read_so_far += 1
        if self.read_so_far > MOST:
            raise StudyRefused("SOURCE_NOT_WRAPPED", f"the config stands for more than {MOST} values")

    def _stated(self, name: str, depth: int = 0) -> Any:
        if depth > DEEPEST:
            raise StudyRefused("SOURCE_NOT_WRAPPED", f"{name} leads in a circle")
        if name in self.said:
            return self.said[name]
        found: Any = self.config
        for part in name.split("#"):
            if to := _reference(found):
                found = self._stated(to, depth + 1)
            if isinstance(found, list) and part.isdecimal() and int(part) < len(found):
                found = found[int(part)]
            elif isinstance(found, Mapping) and part in found:
                found = found[part]
            else:
                way_out = f"""where it stands elsewhere say --set '{name}="@ITS_NAME"'"""
                raise StudyRefused("SOURCE_NOT_WRAPPED", f"the config has no entry {name}; {way_out}")
        return found

    def _literal(self, value: Any, name: str, depth: int, unread: Collection[str]) -> Any:
        self._count()
        if depth > DEEPEST:
            raise StudyRefused("SOURCE_NOT_WRAPPED", f"{name} leads in a circle")
        if isinstance(value, Mapping):
            return self._entries(value, name, depth, unread)
        if isinstance(value, list):
            return list(self._entries(dict(enumerate(value)), name, depth, unread).values())
        if value is None or isinstance(value, int | float):
            return value
        if not isinstance(value, str):  # YAML knows dates, sets and bytes, which no bundle's config states
            raise StudyRefused("SOURCE_NOT_WRAPPED", f"the entry {name} is neither text nor a number")
        if to := _reference(value):
            return self._literal(self._stated(to), to, depth + 1, unread)
        if value[:1] in ("$", "@", "%"):
            raise StudyRefused(
                "SOURCE_NOT_WRAPPED",
                f"the entry {name} is a program, which is not run; say what it is with --set {name}=VALUE",
            )
        return value

    def _entries(self, value: Mapping[Any, Any], name: str, depth: int, unread: Collection[str]) -> dict[Any, Any]:
        said = {key: self.said.get(f"{name}#{key}", one) for key, one in value.items() if key not in unread}
        return {key: self._literal(one, f"{name}#{key}", depth + 1, unread) for key, one in said.items() if one is not LEFT_OUT}


def is_off(step: Mapping[str, Any]) -> bool:
    """Whether a component is switched off, as MONAI takes it. Args: step: as it stands in a config."""
    stated = step.get("_disabled_", False)
    return stated.strip().lower() == "true" if isinstance(stated, str) else bool(stated)


def _reference(value: Any) -> str:
    """The entry that a text refers to, "" where it is none; "$@name" is a program that comes to the same."""
    found = re.fullmatch(r"(?:\$?@|%)([\w#:]+)", value.strip()) if isinstance(value, str) else None
    return found[1].replace("::", "#") if found else ""
