"""What can be measured: the bundles that are installed, in their own words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ..bundle_folders import read_metadata, shipped_bundles


@dataclass(frozen=True)
class Task:
    """A bundle as a user chooses it. Args: name: of its folder. title: what it measures. about: first lines of its page."""

    name: str
    title: str
    about: str


def installed_tasks() -> dict[str, Task]:
    """By the name of the bundle."""
    return {name: Task(name, read_metadata(folder)["task"], first_lines(folder)) for name, folder in shipped_bundles().items()}


def first_lines(bundle: Path) -> str:
    """The paragraph below the title of a bundle's page, without its marks of Markdown."""
    page = (bundle / "docs" / "README.md").read_text(encoding="utf-8")
    paragraphs = [part.strip() for part in page.split("\n\n") if part.strip() and not part.lstrip().startswith("#")]
    return re.sub(r"\s+", " ", re.sub(r"[*`]+|\[([^\]]*)\]\([^)]*\)", r"\1", paragraphs[0]))
