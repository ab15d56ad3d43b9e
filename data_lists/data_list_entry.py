"""One entry of a data list, made from files that are there."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

DATA = Path(os.environ.get("CAVEAT_DATA", Path(__file__).resolve().parent.parent.parent / "shared" / "data"))
"""What the paths in a list are relative to."""


def only_file(pattern: Path, needed: bool = True) -> Path | None:
    """The one file of a name with any extension.

    Args:
        pattern: a path whose last part may hold "*".
        needed: whether it must be there.

    Returns:
        Its path, or None where there is none and none is needed.

    Raises:
        FileNotFoundError: there is none, or it is still compressed.
        ValueError: there are several.
    """
    found = sorted(path for path in pattern.parent.glob(pattern.name) if path.is_file())
    if any(path.suffix == ".gz" for path in found):
        raise FileNotFoundError(f"{pattern} is compressed: unzip it first")
    if len(found) > 1:
        raise ValueError(f"{pattern} names {len(found)} files, expected one")
    if needed and not found:
        raise FileNotFoundError(f"{pattern} is not there")
    return found[0] if found else None


def describe(
    image: Path, labels: Sequence[Path | None], region: Path | None, unit: str, data_root: Path = DATA
) -> dict[str, Any]:
    """An entry in the order that all lists have.

    Args:
        image: of the study.
        labels: one per rater; None is left out, and no label at all leaves out the key.
        region: where the study is measured, None leaves out the key.
        unit: of exchangeability.
        data_root: paths in it are written relative to it, others in full.
    """
    entry: dict[str, Any] = {"image": relative(image, data_root)}
    given = [relative(label, data_root) for label in labels if label is not None]
    if given:
        entry["label"] = given
    if region is not None:
        entry["region"] = relative(region, data_root)
    return entry | {"unit": unit, "sha256": hashlib.sha256(image.read_bytes()).hexdigest()}


def relative(path: Path, data_root: Path) -> str:
    """A path as it stands in a list."""
    path, root = path.resolve(), data_root.resolve()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def write_list(parts: dict[str, list[dict[str, Any]]], file: Path) -> None:
    """Write a list as JSON."""
    file.write_text(json.dumps(parts, indent=1) + "\n", encoding="utf-8")
