"""A measurement without a network: a run folder as `caveat predict --dicom` leaves it; and a watch, to be killed."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from dicom_results import CODES, measured

from caveat.pacs.access import access
from caveat.pacs.archive import Archive
from caveat.pacs.rules import Rule
from caveat.pacs.watch import Watch
from caveat.transforms.output.study_folder import WriteStudyd
from caveat.transforms.writers.dicom_picture import DicomPictureWriter
from caveat.transforms.writers.dicom_report import DicomReportWriter
from caveat.transforms.writers.dicom_segmentation import DicomSegmentationWriter

RULES = [Rule("MR", "hippocampus_volume", smallest=5)]


def measure(bundle: str, images: Path, folder: Path, options: Sequence[str] = ()) -> str:
    """The phantom's ellipsoid, by a threshold; what stands there already is kept, as by --resume."""
    study = measured(sorted(images.iterdir()))
    writers = [DicomSegmentationWriter(CODES), DicomReportWriter(CODES), DicomPictureWriter(64)]
    if not (folder / "x").is_dir():
        WriteStudyd(folder, writers)(study)
    listed = [{"number": study["number"], "name": "x"}]
    (folder / "run.json").write_text(json.dumps({"sealed": True, "studies": listed}), encoding="ascii")
    return ""


def watch_of(url: str, output: Path) -> Watch:
    """A watch that measures so."""
    return Watch(Archive(access(url), "/dicom-web"), RULES, output, predict=measure)


if __name__ == "__main__":
    print(watch_of(sys.argv[1], Path(sys.argv[2])).run(lambda: False, 0.1, once=True))
