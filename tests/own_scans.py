"""Hippocampi that no network of the bundle has seen, laid out as a hospital's own: for the tutorial of a record of your own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

SUBJECTS = 40


def lay_out(data_list: Path, data: Path, folder: Path) -> None:
    """Write scans/images, scans/labels and units.csv. Args: data_list: of the bundle. data: that its paths start from."""
    parts = json.loads(data_list.read_text(encoding="utf-8"))
    first = {entry["unit"]: entry for entry in reversed([*parts["calibration"], *parts["test"]])}
    ordered = list(dict.fromkeys(entry["unit"] for entry in [*parts["calibration"], *parts["test"]]))[:SUBJECTS]
    for kind in ("images", "labels"):
        (folder / "scans" / kind).mkdir(parents=True)
    rows = ["image,unit"]
    for entry in map(first.__getitem__, ordered):
        name = Path(entry["image"]).name
        shutil.copy(data / entry["image"], folder / "scans" / "images" / name)
        shutil.copy(data / entry["label"][0], folder / "scans" / "labels" / name)
        rows.append(f"{name},{entry['unit']}")
    (folder / "units.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
