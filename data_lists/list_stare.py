"""Write a data list of STARE's vessel set, for users who have it: `python data_lists/list_stare.py FOLDER LIST`.

FOLDER is laid out as published (Hoover et al. 2000): the unpacked archives stare-images/, labels-ah/ and labels-vk/ beside each
other, each file unzipped (gunzip *.ppm.gz). The set has no published halves (it is customarily used by leaving one out), so all
of it is the list's test part. Which patient a photograph belongs to is not published: the unit is the photograph.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from data_list_entry import DATA, describe, only_file, write_list

LABELLED = (1, 2, 3, 4, 5, 44, 77, 81, 82, 139, 162, 163, 235, 236, 239, 240, 255, 291, 319, 324)
OBSERVERS = ("ah", "vk")


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, write the list."""
    parser = argparse.ArgumentParser(description="Write a data list of STARE's vessel set in its published layout.")
    parser.add_argument("folder", type=Path, help="holds stare-images/, labels-ah/ and labels-vk/")
    parser.add_argument("list", type=Path, help="JSON to write")
    options = parser.parse_args(arguments)
    write_list(list_stare(options.folder), options.list)


def list_stare(folder: Path, data_root: Path = DATA) -> dict[str, list[dict[str, Any]]]:
    """The list of a STARE folder.

    Args:
        folder: holds stare-images/, labels-ah/ and labels-vk/.
        data_root: what paths in the list are relative to, where the folder lies in it.

    Raises:
        FileNotFoundError: a photograph is missing.
    """
    entries = [
        describe(
            image=only_file(folder / "stare-images" / f"im{number:04d}.*"),
            labels=[only_file(folder / f"labels-{name}" / f"im{number:04d}.{name}.*", needed=False) for name in OBSERVERS],
            region=None,
            unit=f"photograph {number:04d}",
            data_root=data_root,
        )
        for number in LABELLED
    ]
    return {"training": [], "early_stopping": [], "calibration": [], "test": entries}


if __name__ == "__main__":
    main()
