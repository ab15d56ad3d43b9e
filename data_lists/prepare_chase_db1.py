"""Write the fixed splits of CHASE_DB1: the customary one, and seven folds of two children.

Run once, before any training: `python data_lists/prepare_chase_db1.py`. Both eyes of a child stay together. The customary
split tests on children 11-14; 05 and 10 stop the training. Of the seven folds each holds a child of 01-07 and one of 08-14,
between which the observers' habits change.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

HERE = Path(__file__).resolve().parent
DATA = Path(os.environ.get("CAVEAT_DATA", HERE.parent.parent / "shared" / "data"))
CHILDREN = range(1, 15)
STOPPING = (5, 10)
TEST = (11, 12, 13, 14)
FOLDS = 7


def main() -> None:
    """Write chase_db1.json and chase_db1_cross_validation.json beside this file."""
    training = [child for child in CHILDREN if child not in (*TEST, *STOPPING)]
    customary = {"training": training, "early_stopping": STOPPING, "calibration": [], "test": TEST}
    write("chase_db1", {part: [entry(child, eye) for child in children for eye in "LR"] for part, children in customary.items()})
    folds = [entry(child, eye) | {"fold": (child - 1) % FOLDS} for child in CHILDREN for eye in "LR"]
    write("chase_db1_cross_validation", {"training": folds})


def write(name: str, parts: dict[str, list[dict[str, object]]]) -> None:
    """Write one list. Args: parts: entries by part."""
    (HERE / f"{name}.json").write_text(json.dumps(parts, indent=1) + "\n", encoding="utf-8")


def entry(child: int, eye: str) -> dict[str, object]:
    """One photograph: image, both observers' masks, the published field of view, the child as unit, sha256 of the image."""
    image = f"chase_db1/images/Image_{child:02d}{eye}.jpg"
    return {
        "image": image,
        "label": [f"chase_db1/observer{n}/Image_{child:02d}{eye}_{order}HO.png" for n, order in ((1, "1st"), (2, "2nd"))],
        "region": f"chase_db1/fov/Image_{child:02d}{eye}_fov.png",
        "unit": f"child {child:02d}",
        "sha256": hashlib.sha256((DATA / image).read_bytes()).hexdigest(),
    }


if __name__ == "__main__":
    main()
