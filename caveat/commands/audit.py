"""`caveat audit`: does the record hold on own cases?"""

from __future__ import annotations

import argparse

from ..bundle_folders import find_bundle
from ..exit_status import ExitStatus
from .stored_predictions import add_stored_predictions, check_stored_predictions, refuse_other_bundle


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "audit",
        help="watch whether the intervals hold the truths of own cases, and warn once they do not; may be run after each case",
    )
    add_stored_predictions(
        parser,
        config="calibrate.yaml",
        writes="audit.json and audit.md",
        data='data list with labels, in order of arrival, that states "drawn": {"units": "consecutive" or "random", '
        '"blind": true}',
        record="the record, or folder of records, that made the intervals",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Compute, save audit.json and audit.md beside the predictions, print what they say."""
    bundle = find_bundle(options.bundle)
    config = bundle / "configs" / "calibrate.yaml"
    check_stored_predictions(options, config)
    from ..inference.audit.audit import audit
    from ..inference.audit.audit_files import save_audit
    from ..inference.calibration.record import read_records
    from ..inference.calibration.settings import read_calibration
    from ..run_bundle import quieten_libraries
    from ..transforms.study.discover import data_root

    quieten_libraries()
    refuse_other_bundle(options.predictions, bundle)
    records = read_records(options.record or bundle / "calibration")
    found = audit(options.predictions, options.data, options.split, read_calibration(config), data_root(), records)
    print(save_audit(found, options.predictions))
    print(f"{found['units'] - found['withheld']} of {found['units']} units counted; {options.predictions / 'audit.json'}")
    return ExitStatus.OK
