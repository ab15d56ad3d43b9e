"""`caveat evaluate`: figures from stored predictions and truths."""

from __future__ import annotations

import argparse

from ..bundle_folders import find_bundle
from ..exit_status import ExitStatus
from ..reasons import StudyRefused
from .stored_predictions import add_stored_predictions, check_stored_predictions, refuse_other_bundle


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser("evaluate", help="score stored predictions against the labels of a data list")
    add_stored_predictions(
        parser,
        config="evaluate.yaml",
        writes="the figures",
        data="data list with labels",
        record="a record, or a folder of records, whose intervals or regions are checked",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Compute, save evaluation.json, .csv, .md and plots beside the predictions, print the tables."""
    bundle = find_bundle(options.bundle)
    config = bundle / "configs" / "evaluate.yaml"
    check_stored_predictions(options, config)
    from ..inference.calibration.record import read_records
    from ..inference.calibration.seen import read_seen
    from ..inference.evaluation.evaluate import evaluate
    from ..inference.evaluation.evaluate_coverage import evaluate_coverage
    from ..inference.evaluation.evaluation_config import read_coverage, read_evaluation
    from ..inference.evaluation.evaluation_files import save_evaluation, to_markdown
    from ..inference.evaluation.source import Source
    from ..run_bundle import quieten_libraries
    from ..transforms.study.discover import data_root

    quieten_libraries()
    dataset_dir = data_root()
    settings, coverage = read_evaluation(config), read_coverage(config)
    stated = options.record is not None
    if stated and coverage is None:
        raise StudyRefused("WRONG_USAGE", "the bundle's evaluate.yaml has no entry `coverage`, so no record is looked at")
    refuse_other_bundle(options.predictions, bundle, weights=False)
    table = evaluate(options.predictions, options.data, options.split, settings, dataset_dir)
    if coverage:
        source = Source(options.predictions, options.data, dataset_dir, settings.truths, read_seen(bundle))
        records = read_records(options.record or bundle / "calibration")
        table.coverage = evaluate_coverage(source, options.split, records, coverage, stated)
    save_evaluation(table, options.predictions)
    print(to_markdown(table))
    scored = len({row["sha256"] for row in table.rows})
    print(f"{scored} scored, {len(table.left_out)} left out; {options.predictions / 'evaluation.json'}")
    return ExitStatus.OK
