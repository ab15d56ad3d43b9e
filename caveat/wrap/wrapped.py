"""What a wrapped network becomes: a bundle folder like the shipped ones, of settings, metadata and links to the weights."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..compose_bundle import main as compose
from ..reasons import StudyRefused
from .page import page_of

PLAIN_WORDS = re.compile(r"[^\W_][\w .,:;()/+'-]*")
"""Of names that enter a config: none begins with what a parser of MONAI evaluates."""
LONGEST_NAME = 80
"""Files are named after measurements, and these after classes."""
OF_MEMBERS = r"\$from caveat\.networks\.weights\.members import \w+|\$joint_sha256\(@members_sha256\)"
LOADED = r"\$load_members\(@network_def, @bundle_root \+ '/models', @members\)\.to\(@device\)|\$@network_def\.to\(@device\)"
PROGRAMS = re.compile(rf"%backbone|{OF_MEMBERS}|{LOADED}|\$@bundle_root \+ '/models(/\w+\.pt)?'")
"""What a wrapped bundle's configs evaluate, and nothing else."""


@dataclass(frozen=True)
class Wrapped:
    """A bundle that is to be written.

    Args:
        settings: `settings/inference.yaml`, over the base settings that it names.
        overlays: name of a sampler to what stands in its config over inference.yaml.
        more: other configs by name, such as "calibrate".
        metadata: `configs/metadata.json`.
        weights: name in `models/` to the file that it stands for: linked, never copied.
        taken: what was taken over, and from where, line by line. not_taken: what was not, and the line to edit.
        calibrate: makes records in the folder of the bundle, see `describe`; None where there is nothing to make them of.
    """

    settings: Mapping[str, Any]
    overlays: Mapping[str, Mapping[str, Any]]
    more: Mapping[str, Mapping[str, Any]]
    metadata: Mapping[str, Any]
    weights: Mapping[str, Path]
    taken: tuple[tuple[str, str], ...] = ()
    not_taken: tuple[str, ...] = ()
    calibrate: Callable[[Path], list[dict[str, str]]] | None = None

    def write(self, folder: Path) -> list[dict[str, str]]:
        """Write the bundle aside, with its records, and rename it into place.

        Returns:
            what the records say, see `describe`.

        Raises:
            StudyRefused: OUTPUT_OCCUPIED, OUTPUT_NOT_WRITABLE; SOURCE_NOT_WRAPPED where a config would evaluate what is not ours;
                what the records are refused with: there is no bundle then.
        """
        if any(text[:1] in ("$", "%") and not PROGRAMS.fullmatch(text) for text in self._texts()):
            raise StudyRefused(
                "SOURCE_NOT_WRAPPED", "text of the source that begins with $ or % would stand in a config, and be run"
            )
        if os.path.lexists(folder):
            raise StudyRefused("OUTPUT_OCCUPIED", "a bundle is written once, to a folder that is not there yet")
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            aside = Path(tempfile.mkdtemp(prefix=".", suffix=".partial", dir=folder.parent))
            try:
                rows = self._fill(aside)
                aside.chmod(0o755)
                aside.rename(folder)
                return rows
            finally:
                shutil.rmtree(aside, ignore_errors=True)
        except OSError as error:
            raise StudyRefused("OUTPUT_NOT_WRITABLE") from error

    def _texts(self) -> Iterator[str]:
        """Everything that a parser of MONAI will read."""
        waiting: list[Any] = [self.settings, self.overlays, self.more, self.metadata]
        while waiting:
            one = waiting.pop()
            if isinstance(one, str):
                yield one
            elif isinstance(one, Mapping):
                waiting += [*one.keys(), *one.values()]
            elif isinstance(one, list | tuple):
                waiting += one

    def _fill(self, folder: Path) -> list[dict[str, str]]:
        for name in ("settings", "configs", "models", "calibration", "docs"):
            (folder / name).mkdir()
        _write_yaml(folder / "settings" / "inference.yaml", self.settings)
        compose([str(folder)])
        for name, content in {**self.overlays, **self.more}.items():
            _write_yaml(folder / "configs" / f"{name}.yaml", content)
        metadata = json.dumps(self.metadata, indent=1, ensure_ascii=False) + "\n"
        (folder / "configs" / "metadata.json").write_text(metadata, encoding="utf-8")
        for name, file in self.weights.items():
            (folder / "models" / name).symlink_to(file.resolve())
        rows = self.calibrate(folder) if self.calibrate is not None else []
        page = page_of(self.metadata, self.taken, self.not_taken, rows)
        (folder / "docs" / "README.md").write_text(page, encoding="utf-8")
        return rows


def _write_yaml(path: Path, content: Mapping[str, Any]) -> None:
    plain = json.loads(json.dumps(content))  # nothing stands in it twice, which YAML would write as an alias
    path.write_text(yaml.safe_dump(plain, sort_keys=False, width=130, default_flow_style=None), encoding="utf-8")


def refuse_program(value: Any, what: str, code: str = "WRONG_USAGE") -> None:
    """Refuse what a parser of MONAI would take for more than it says: text that begins with "$", "@" or "%", keys of its own.

    Args:
        value: literals. what: they are, for the refusal. code: of it.

    Raises:
        StudyRefused: with the code.
    """
    if isinstance(value, str) and value[:1] in ("$", "@", "%"):
        raise StudyRefused(code, f"{what}: text that begins with $, @ or % is a program of MONAI's, and is not taken")
    if isinstance(value, Mapping):
        for key, one in value.items():
            if not re.fullmatch(r"[A-Za-z]\w*", str(key)):
                raise StudyRefused(code, f"{what}: a name that is no name of a parameter")
            refuse_program(one, what, code)
    elif isinstance(value, list):
        for one in value:
            refuse_program(one, what, code)


def refuse_odd_words(words: str, what: str) -> str:
    """Names of classes and the like, which stand in configs and sentences. Raises: StudyRefused: WRONG_USAGE."""
    if not words:
        raise StudyRefused("WRONG_USAGE", f"{what}: a name is empty")
    if len(words) > LONGEST_NAME:
        raise StudyRefused("WRONG_USAGE", f"{what}: a name has at most {LONGEST_NAME} letters")
    if not PLAIN_WORDS.fullmatch(words):
        raise StudyRefused("WRONG_USAGE", f"{what}: a name begins with a letter or a digit, and is plain words")
    return words


def class_names(names: Sequence[str], what: str) -> list[str]:
    """Names of all classes, as the network numbers them.

    Raises:
        StudyRefused: WRONG_USAGE: odd words; one name twice, which measurements could not be told apart by; a background that is
            not the first, as every class but the first is measured.
    """
    found = [refuse_odd_words(name.strip(), what) for name in names]
    lower = [name.lower() for name in found]
    if len(set(lower)) < len(lower):
        raise StudyRefused("WRONG_USAGE", f"{what}: a name stands twice")
    if "background" in lower[1:]:
        raise StudyRefused("WRONG_USAGE", f"{what}: background comes first, then the others as the network numbers them")
    return found
