"""`caveat audit`: does the record hold on own cases?"""

from __future__ import annotations

import argparse
from pathlib import Path

from ..bundle_folders import find_bundle
from ..exit_status import ExitStatus
from ..reasons import StudyRefused
from .stated_record import check_stated_record


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "audit",
        help="watch whether the intervals hold the truths of own cases, and warn once they do not; may be run after each case",
    )
    parser.add_argument(
        "bundle", metavar="BUNDLE", help="name of a shipped bundle, or path of a bundle folder; its calibrate.yaml is used"
    )
    parser.add_argument(
        "-p",
        "--predictions",
        type=Path,
        required=True,
        metavar="OUT",
        help="folder that caveat predict wrote; audit.json and audit.md go there too",
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="LIST",
        help='data list with labels, in order of arrival, that states "drawn": {"units": "consecutive" or "random", '
        '"blind": true}; its paths start from CAVEAT_DATA (../shared/data)',
    )
    parser.add_argument("--split", default="test", metavar="NAME", help="part of the list (default: test)")
    parser.add_argument(
        "--record",
        type=Path,
        metavar="PATH",
        help="the record, or folder of records, that made the intervals (default: the bundle's)",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Compute, save audit.json and audit.md beside the predictions, print what they say."""
    bundle = find_bundle(options.bundle)
    config = bundle / "configs" / "calibrate.yaml"
    for path, kind in ((config, "the bundle has no calibrate.yaml"), (options.data, "--data names no file")):
        if not path.is_file():
            raise StudyRefused("WRONG_USAGE", kind)
    if not options.predictions.is_dir():
        raise StudyRefused("WRONG_USAGE", "--predictions names no folder")
    check_stated_record(options.record)
    from ..inference.audit.audit import audit
    from ..inference.audit.audit_files import save_audit
    from ..inference.calibration.point_record import read_point_records
    from ..inference.calibration.record import read_records
    from ..inference.calibration.settings import read_calibration
    from ..run_bundle import quieten_libraries
    from ..transforms.discover import data_root

    quieten_libraries()
    place = options.record or bundle / "calibration"
    records = [*read_records(place), *read_point_records(place)]
    found = audit(options.predictions, options.data, options.split, read_calibration(config), data_root(), records)
    print(save_audit(found, options.predictions))
    print(f"{found['units'] - found['withheld']} of {found['units']} units counted; {options.predictions / 'audit.json'}")
    return ExitStatus.OK
