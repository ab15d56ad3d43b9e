"""Hippocampi that no network of the bundle has seen, laid out as a hospital's own: for the tutorial of a record of your own.

`python tests/own_scans.py TRAINING_SET` does it in the current folder; TRAINING_SET holds the set's `images` and `labels`.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

DATA_LIST = Path(__file__).resolve().parent.parent / "data_lists" / "hippocampus.json"


def lay_out(hippocampi: Path, folder: Path) -> None:
    """Write scans/images, scans/labels and units.csv, one scan a subject. Args: hippocampi: holds `images` and `labels`."""
    unseen = json.loads(DATA_LIST.read_text(encoding="utf-8"))["test"]
    first = {entry["unit"]: entry for entry in reversed(unseen)}
    for kind in ("images", "labels"):
        (folder / "scans" / kind).mkdir(parents=True)
    rows = ["image,unit"]
    for entry in reversed(first.values()):
        name = Path(entry["image"]).name
        for kind in ("images", "labels"):
            shutil.copy(hippocampi / kind / name, folder / "scans" / kind / name)
        rows.append(f"{name},{entry['unit']}")
    (folder / "units.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    lay_out(Path(sys.argv[1]), Path())
