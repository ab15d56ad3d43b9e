"""Hippocampi that no network of the bundle has seen, laid out as a hospital's own: for the tutorial of a record of your own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path


def lay_out(data_list: Path, data: Path, folder: Path) -> None:
    """Write scans/images, scans/labels and units.csv, one scan a subject. Args: data_list: of the bundle. data: its folder."""
    unseen = json.loads(data_list.read_text(encoding="utf-8"))["test"]
    first = {entry["unit"]: entry for entry in reversed(unseen)}
    for kind in ("images", "labels"):
        (folder / "scans" / kind).mkdir(parents=True)
    rows = ["image,unit"]
    for entry in reversed(first.values()):
        name = Path(entry["image"]).name
        shutil.copy(data / entry["image"], folder / "scans" / "images" / name)
        shutil.copy(data / entry["label"][0], folder / "scans" / "labels" / name)
        rows.append(f"{name},{entry['unit']}")
    (folder / "units.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
