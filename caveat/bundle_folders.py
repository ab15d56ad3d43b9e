"""Which bundles there are, and which may run: a bundle is code."""

from __future__ import annotations

import json
import os
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from .did_you_mean import did_you_mean
from .moved_names import refuse_older_names
from .reasons import StudyRefused
from .transforms.files.add_line import add_line
from .transforms.files.regular_file import text_of

ALLOW_LIST = "CAVEAT_BUNDLES"
"""Environment variable: folders, separated as in PATH, whose bundles may run besides the shipped ones."""
CONFIG_HOME = "XDG_CONFIG_HOME"
"""Environment variable: where programs keep a user's settings, ~/.config where it is not set."""


ENTRY_POINTS = "caveat.bundles"
"""Group of entry points: installed packages that hold bundles, a folder each, as this one does."""


def shipped_bundles() -> dict[str, Path]:
    """Name to folder of every bundle inside this package, and of those that come as packages beside it, by name.

    A name that begins with "_" is no bundle's, or that of one without weights yet. Of two of one name the first package's stands
    here, ours before others; `find_bundle` takes neither for the other.
    """
    return {name: folders[0] for name, folders in sorted(_installed().items())}


def _installed() -> dict[str, list[Path]]:
    """Name to every folder of it."""
    found: dict[str, list[Path]] = {}
    for package in ("caveat.bundles", *sorted(point.value for point in entry_points(group=ENTRY_POINTS))):
        for folder in _folders_of(package):
            if not folder.name.startswith("_") and (folder / "configs" / "metadata.json").is_file():
                known = found.setdefault(folder.name, [])
                known += [] if any(folder.samefile(one) for one in known) else [folder]
    return found


def _folders_of(package: str) -> list[Path]:
    """What lies in a package, which is looked up and not imported; nothing where that cannot be: what else there is runs."""
    try:
        found = find_spec(package)
        places = (found and found.submodule_search_locations) or ()
        return [folder for place in places for folder in Path(place).iterdir()]
    except Exception:  # half removed, misnamed, or within a package that raises whatever it likes
        return []


def find_bundle(name: str) -> Path:
    """The folder of a shipped bundle, or of one below a folder of the allow-list.

    Raises:
        StudyRefused: BUNDLE_NOT_FOUND, BUNDLE_NOT_TRUSTED, NAMES_MOVED; WRONG_USAGE for a name that two packages have.
    """
    installed = _installed()
    if len(installed.get(name, ())) > 1:
        raise StudyRefused(
            "WRONG_USAGE", f"{len(installed[name])} installed packages have a bundle of this name: give its folder"
        )
    if name in installed:
        return installed[name][0]
    if "\0" in name:  # of a file of rules
        raise StudyRefused("BUNDLE_NOT_FOUND")
    folder = Path(os.path.realpath(name))  # where Path.resolve raises: a name that is too long, links that lead in a circle
    if not os.path.isfile(folder / "configs" / "metadata.json"):
        raise StudyRefused("BUNDLE_NOT_FOUND", did_you_mean(name, installed))
    if any(folder.samefile(one) for folders in installed.values() for one in folders) or any(
        folder.is_relative_to(entry) for entry in _allowed_folders()
    ):
        refuse_older_names(folder)
        return folder
    raise StudyRefused("BUNDLE_NOT_TRUSTED", f"the folder is not below one named in {ALLOW_LIST}")


def bundles_of_the_user() -> list[Path]:
    """Bundles that may run besides the shipped ones: the folders of the allow-list, and what lies in them."""
    shipped = shipped_bundles().values()
    candidates = [one for entry in _allowed_folders() for one in (entry, *_folders_in(entry))]
    return [one for one in dict.fromkeys(candidates) if one not in shipped and _says_what_it_is(one)]


def _says_what_it_is(folder: Path) -> bool:
    try:
        return isinstance(read_metadata(folder), dict)
    except (OSError, ValueError, RecursionError):
        return False


def _allowed_folders() -> list[Path]:
    named = [*os.environ.get(ALLOW_LIST, "").split(os.pathsep), *own_bundles()]
    return [Path(os.path.realpath(entry)) for entry in named if entry]


def _folders_in(folder: Path) -> list[Path]:
    try:
        return sorted(Path(entry.path) for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False))
    except OSError:  # it was moved, or may not be read
        return []


def own_list() -> Path:
    """The file that names the bundles which this user wrapped, a folder a line."""
    return Path(os.environ.get(CONFIG_HOME) or Path.home() / ".config") / "caveat" / "bundles"


def own_bundles() -> list[str]:
    """Folders on that list; none where it cannot be read."""
    try:
        return own_list().read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError, RuntimeError):  # no home either
        return []


def allow(folder: Path) -> bool:
    """Put a bundle that this program wrote on the list. Returns: whether it stands there now."""
    place = os.path.realpath(folder)
    if place in own_bundles():
        return True
    if "\n" in place or "\r" in place:
        return False
    try:
        line = f"{place}\n".encode()
        own_list().parent.mkdir(parents=True, exist_ok=True)
        with own_list().open("ab+", buffering=0) as file:
            return add_line(file, line)
    except (OSError, UnicodeEncodeError, RuntimeError):
        return False


def read_metadata(bundle: Path) -> dict[str, Any]:
    """The bundle's `metadata.json`."""
    return json.loads(text_of(bundle / "configs" / "metadata.json"))


def settings_of(bundle: Path) -> dict[str, Any]:
    """The settings that the bundle's inference.yaml can be asked to change, as they stand in it."""
    return yaml.safe_load((bundle / "configs" / "inference.yaml").read_text(encoding="utf-8"))


def choose_configs(bundle: Path, sampler: str | None) -> list[Path]:
    """The bundle's inference.yaml, and the overlay of the chosen sampler.

    Raises:
        StudyRefused: WRONG_USAGE for a sampler the bundle does not have, WEIGHTS_NOT_TRAINED for one without weights.
    """
    metadata = read_metadata(bundle)
    samplers = metadata.get("samplers", {})
    if sampler in metadata.get("samplers_not_trained", {}):
        raise StudyRefused("WEIGHTS_NOT_TRAINED")
    if sampler is not None and sampler not in samplers:
        raise StudyRefused("WRONG_USAGE", f"no such sampler: {did_you_mean(sampler, samplers)}")
    overlay = bundle / "configs" / f"{sampler}.yaml"
    return [bundle / "configs" / "inference.yaml"] + ([overlay] if overlay.is_file() else [])
