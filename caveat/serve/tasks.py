"""What can be measured: the bundles that are shipped and those that this user allowed, in their own words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ..bundle_folders import bundles_of_the_user, read_metadata, shipped_bundles


@dataclass(frozen=True)
class Task:
    """A bundle as a user chooses it.

    Args:
        name: by which the page asks for it. bundle: as `caveat predict` takes it. title: what it measures. about: first lines of
            its page.
    """

    name: str
    bundle: str
    title: str
    about: str


def installed_tasks() -> dict[str, Task]:
    """By the name that the page uses: of no path, since the page may be another machine's."""
    shipped = [(name, name, folder) for name, folder in shipped_bundles().items()]
    own = [(f"own-{number}", str(folder), folder) for number, folder in enumerate(bundles_of_the_user(), start=1)]
    return {name: Task(name, bundle, _title(folder), first_lines(folder)) for name, bundle, folder in (*shipped, *own)}


def _title(bundle: Path) -> str:
    return str(read_metadata(bundle).get("task") or bundle.name)


def first_lines(bundle: Path) -> str:
    """The paragraph below the title of a bundle's page, without its marks of Markdown; nothing where it has no page."""
    try:
        page = (bundle / "docs" / "README.md").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    paragraphs = [part.strip() for part in page.split("\n\n") if part.strip() and not part.lstrip().startswith("#")]
    return re.sub(r"\s+", " ", re.sub(r"[*`]+|\[([^\]]*)\]\([^)]*\)", r"\1", paragraphs[0])) if paragraphs else ""
