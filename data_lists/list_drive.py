"""Write a data list of DRIVE, for users who have it: `python data_lists/list_drive.py FOLDER LIST`.

FOLDER is laid out as published (Staal et al. 2004): training/ and test/, each with images/, 1st_manual/ and mask/, test/ also
with 2nd_manual/. The published halves are kept; the last four photographs of the training half stop the training. Which patient
a photograph belongs to is not published: the unit is the photograph.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from data_list_entry import DATA, describe, only_file, write_list

STOPPING = (37, 38, 39, 40)
HALVES = {"training": range(21, 41), "test": range(1, 21)}


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, write the list."""
    parser = argparse.ArgumentParser(description="Write a data list of DRIVE in its published layout.")
    parser.add_argument("folder", type=Path, help="holds training/ and test/")
    parser.add_argument("list", type=Path, help="JSON to write")
    options = parser.parse_args(arguments)
    write_list(list_drive(options.folder), options.list)


def list_drive(folder: Path, data_root: Path = DATA) -> dict[str, list[dict[str, Any]]]:
    """The list of a DRIVE folder.

    Args:
        folder: holds training/ and test/.
        data_root: what paths in the list are relative to, where the folder lies in it.

    Raises:
        FileNotFoundError: a photograph is missing.
    """
    parts: dict[str, list[dict[str, Any]]] = {"training": [], "early_stopping": [], "calibration": [], "test": []}
    for half, numbers in HALVES.items():
        for number in numbers:
            part = "early_stopping" if number in STOPPING else half
            parts[part].append(entry(folder / half, half, number, data_root))
    return parts


def entry(half: Path, name: str, number: int, data_root: Path) -> dict[str, Any]:
    """One photograph, with each observer's mask and the field of view where they are there."""
    observers = (half / "1st_manual" / f"{number:02d}_manual1.*", half / "2nd_manual" / f"{number:02d}_manual2.*")
    return describe(
        image=only_file(half / "images" / f"{number:02d}_{name}.*"),
        labels=[only_file(pattern, needed=False) for pattern in observers],
        region=only_file(half / "mask" / f"{number:02d}_{name}_mask.*", needed=False),
        unit=f"photograph {number:02d}",
        data_root=data_root,
    )


if __name__ == "__main__":
    main()
