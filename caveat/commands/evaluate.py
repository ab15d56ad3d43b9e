"""`caveat evaluate`: figures from stored predictions and truths."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from ..bundle_folders import find_bundle
from ..exit_status import ExitStatus
from ..reasons import StudyRefused


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser("evaluate", help="score stored predictions against the labels of a data list")
    parser.add_argument(
        "bundle", metavar="BUNDLE", help="name of a shipped bundle, or path of a bundle folder; its evaluate.yaml is used"
    )
    parser.add_argument(
        "-p",
        "--predictions",
        type=Path,
        required=True,
        metavar="OUT",
        help="folder that caveat predict wrote; the figures go there too",
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="LIST",
        help="data list with labels; its paths start from CAVEAT_DATA (../shared/data)",
    )
    parser.add_argument("--split", default="test", metavar="NAME", help="part of the list (default: test)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Compute, save evaluation.json, .csv and .md beside the predictions, print the table."""
    config = find_bundle(options.bundle) / "configs" / "evaluate.yaml"
    for path, kind in ((config, "the bundle has no evaluate.yaml"), (options.data, "--data names no file")):
        if not path.is_file():
            raise StudyRefused("WRONG_USAGE", kind)
    if not options.predictions.is_dir():
        raise StudyRefused("WRONG_USAGE", "--predictions names no folder")
    from ..inference.evaluate import evaluate
    from ..inference.evaluation_config import read_evaluation
    from ..inference.evaluation_files import save_evaluation, to_markdown
    from ..transforms.discover import DATA_ROOT

    dataset_dir = Path(os.environ.get("CAVEAT_DATA", DATA_ROOT))
    table = evaluate(options.predictions, options.data, options.split, read_evaluation(config), dataset_dir)
    save_evaluation(table, options.predictions)
    print(to_markdown(table))
    scored = len({row["sha256"] for row in table.rows})
    print(f"{scored} scored, {len(table.left_out)} left out; {options.predictions / 'evaluation.json'}")
    return ExitStatus.OK
