"""`caveat audit` on a bundle's own test part, and against another rater than the record promises.

    python benchmarks/audit_test_part.py hippocampus_volume PREDICTIONS data_lists/hippocampus_cross_validation.json
    python benchmarks/audit_test_part.py cephalometric_landmarks out/cephalograms/ensemble data_lists/cephalograms.json \\
        --units 40 [--rater junior]

Predictions are those that state intervals, `caveat predict BUNDLE --data LIST --split test`. The test parts were drawn at random,
and outlined or marked years before these networks were trained, so they may stand in for own cases; the lists do not say so,
since they are no audits.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import replace
from pathlib import Path

from caveat.bundle_folders import find_bundle
from caveat.inference.audit.audit import audit
from caveat.inference.audit.audit_files import to_markdown
from caveat.inference.audit.how_drawn import KEY
from caveat.inference.calibration.record import read_records
from caveat.inference.calibration.settings import read_calibration
from caveat.inference.stored.point_truths import PointTruths
from caveat.transforms.study.discover import data_root


def main() -> None:
    """Print what audit.md would say."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle")
    parser.add_argument("predictions", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--units", type=int, help="the first so many units (default: all)")
    parser.add_argument("--rater", help="of landmarks, in place of the one whom the record promises")
    options = parser.parse_args()
    bundle = find_bundle(options.bundle)
    settings = read_calibration(bundle / "configs" / "calibrate.yaml")
    if options.rater and settings.of_landmarks:
        settings = replace(settings, truths=PointTruths([options.rater], settings.names, settings.truths.folder))
    part = json.loads(options.data.read_text(encoding="utf-8"))["test"]
    units = list(dict.fromkeys(entry["unit"] for entry in part))[: options.units]
    records = read_records(bundle / "calibration")
    with tempfile.TemporaryDirectory() as folder:
        stated = Path(folder) / options.data.name
        chosen = [entry for entry in part if entry["unit"] in units]
        stated.write_text(json.dumps({"test": chosen, KEY: {"units": "random", "blind": True}}), encoding="utf-8")
        print(to_markdown(audit(options.predictions, stated, "test", settings, data_root(), records)))


if __name__ == "__main__":
    main()
