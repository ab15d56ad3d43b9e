"""Write the fixed splits of CHASE_DB1: the customary one, and five folds by child.

Run once, before any training: `python data_lists/prepare_chase_db1.py`. Both eyes of a child stay together. The customary
split tests on children 11-14; 05 and 10 stop the training. In fold k the test children are every fifth child from k on,
and two children of the next fold stop the training. The set is too small for calibration units.
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
FOLDS = 5


def main() -> None:
    """Write chase_db1.json and chase_db1_fold1.json to chase_db1_fold5.json beside this file."""
    write("chase_db1", TEST, STOPPING)
    for fold in range(1, FOLDS + 1):
        test = [child for child in CHILDREN if (child - fold) % FOLDS == 0]
        following = [child for child in CHILDREN if (child - fold - 1) % FOLDS == 0]
        write(f"chase_db1_fold{fold}", test, following[:2])


def write(name: str, test: list[int] | tuple[int, ...], stopping: list[int] | tuple[int, ...]) -> None:
    """Write one list; the children that neither test nor stop train."""
    training = [child for child in CHILDREN if child not in (*test, *stopping)]
    parts = {"training": training, "early_stopping": stopping, "calibration": [], "test": test}
    lists = {part: [entry(child, eye) for child in children for eye in "LR"] for part, children in parts.items()}
    (HERE / f"{name}.json").write_text(json.dumps(lists, indent=1) + "\n", encoding="utf-8")


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
