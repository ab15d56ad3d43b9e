"""`caveat stress`: degrade the images of a list on purpose, and see what becomes of the answers."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..bundle_folders import find_bundle, read_metadata
from ..exit_status import ExitStatus
from ..reasons import StudyRefused
from .numbers import numbers
from .sampling_options import add_sampling_options, check_device, check_sampling, choose_configs, sampling_overrides
from .stated_record import check_stated_record

if TYPE_CHECKING:
    from ..inference.stress.stress import StressSettings

LIGHT_WRITERS = [
    {"_target_": "caveat.transforms.writers.segmentation.SegmentationWriter"},
    {"_target_": "caveat.transforms.writers.result_json.ResultJsonWriter"},
]
"""All that the figures are made of: no reports, no maps."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser("stress", help="degrade images on purpose and see what becomes of the answers")
    parser.add_argument("bundle", metavar="BUNDLE", help="name of a shipped bundle, or path of a bundle folder")
    parser.add_argument("--data", type=Path, required=True, metavar="LIST", help="data list with labels; paths as for predict")
    parser.add_argument(
        "--split", nargs="+", default=["test"], metavar="NAME", help="part of the list (default: test); several with --stream"
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--corruption", metavar="NAME", help="one corruption, or all: each at every strength, predicted and scored")
    what.add_argument(
        "--stream", type=Path, metavar="FILE", help="only write a mixed list: shares of the units degraded as the file says"
    )
    parser.add_argument(
        "--levels",
        metavar="S,...",
        help="strengths of the one corruption (default: those fixed for all bundles, or the bundle's)",
    )
    parser.add_argument("--level", type=float, default=0.9, metavar="P", help="of the intervals that are judged (default: 0.9)")
    parser.add_argument("--record", type=Path, metavar="PATH", help="records of your own (default: the bundle's)")
    add_sampling_options(parser)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="folder for images, predictions, figures")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the mixed list, or degrade, predict and score set by set and print the table.

    Raises:
        StudyRefused: WRONG_USAGE, and as `caveat predict`.
    """
    bundle = find_bundle(options.bundle)
    check_usage(options, bundle, read_metadata(bundle))
    options.output.mkdir(parents=True, exist_ok=True)
    from ..transforms.discover import DATA_ROOT

    dataset_dir = Path(os.environ.get("CAVEAT_DATA", DATA_ROOT))
    if options.stream is not None:
        return write_mixed_stream(options, dataset_dir)
    return stress(options, bundle, dataset_dir)


def check_usage(options: argparse.Namespace, bundle: Path, metadata: dict[str, Any]) -> None:
    """What can be said to be wrong before anything is written. Raises: StudyRefused: WRONG_USAGE, and of a stated record."""
    if not options.data.is_file():
        raise StudyRefused("WRONG_USAGE", "--data names no file")
    predicting = sampling_overrides(options) or any(
        said is not None for said in (options.levels, options.sampler, options.record)
    )
    if options.stream is not None and predicting:
        raise StudyRefused("WRONG_USAGE", "--stream only writes images and a list; predict them with caveat predict")
    if options.stream is None and len(options.split) != 1:
        raise StudyRefused("WRONG_USAGE", "--corruption takes one --split")
    if options.stream is None and not (bundle / "configs" / "evaluate.yaml").is_file():
        raise StudyRefused("WRONG_USAGE", "the bundle has no evaluate.yaml, which says how truths are read")
    if not 0 < options.level < 1:
        raise StudyRefused("WRONG_USAGE", "--level lies between 0 and 1")
    check_sampling(options, metadata)
    check_device(options.device)
    check_stated_record(options.record)


def write_mixed_stream(options: argparse.Namespace, dataset_dir: Path) -> int:
    """Degrade the units that the stream draws, print how many."""
    from ..inference.stress.degraded import LIST
    from ..inference.stress.mixed_stream import read_stream, write_stream

    counts = write_stream(options.data, options.split, read_stream(options.stream), dataset_dir, options.output)
    for split, strata in counts.items():
        print(f"{split}: {', '.join(f'{count} {name}' for name, count in strata.items())}")
    print(f"{options.output / LIST}: its paths start from {options.output}, so set CAVEAT_DATA to that folder")
    return ExitStatus.OK


def stress(options: argparse.Namespace, bundle: Path, dataset_dir: Path) -> int:
    """Degrade, predict and score every set."""
    from ..inference.evaluate import read_entries
    from ..inference.stress.degraded import dimensions_of, write_degraded, write_list
    from ..inference.stress.strengths import chosen_degradations, read_strengths
    from ..inference.stress.stress import CLEAN, PREDICTIONS, score_sets
    from ..inference.stress.stress_files import save_stress, to_markdown
    from ..inference.stress.summary import scores_and_errors, summarise_sets

    (split,) = options.split
    entries = read_entries(options.data, split)
    if not entries:
        raise StudyRefused("NO_INPUT_FOUND", "this part of the list is empty")
    strengths = read_strengths(bundle, dimensions_of(entries, dataset_dir))
    wanted = [CLEAN, *chosen_degradations(strengths, options.corruption, numbers(options.levels, float))]
    sets, refused, unexpected = {}, {}, 0
    for number, done in enumerate(wanted, start=1):
        folder = options.output / f"{done.corruption}_{done.strength:g}"
        print(f"{number} of {len(wanted)}: {done.corruption} {done.strength:g}", file=sys.stderr)
        pairs = [(entry, None if done == CLEAN else done) for entry in entries]
        degraded, refused[done] = write_degraded(pairs, dataset_dir, folder)
        data_list = write_list({split: degraded}, folder)
        unexpected += sum(row["code"] == "UNEXPECTED_ERROR" for row in refused[done])
        if degraded:
            unexpected += predict(options, bundle, data_list, folder / PREDICTIONS)
        sets[done] = folder
    table = score_sets(sets, split, settings_of(options, bundle), refused)
    summary, scores = summarise_sets(table), scores_and_errors(table)
    save_stress(table, summary, scores, options.output)
    print(to_markdown(table, summary, scores))
    print(f"{len(sets)} sets of {len(entries)} images; {options.output / 'stress.json'}")
    return ExitStatus.FAILED if unexpected else ExitStatus.OK


def predict(options: argparse.Namespace, bundle: Path, data_list: Path, output: Path) -> int:
    """Run the bundle's ordinary workflow on a set. Returns: how many studies failed unexpectedly."""
    from ..run_bundle import run_bundle
    from ..transforms.discover import studies_from_list

    overrides: dict[str, Any] = {
        "datalist": studies_from_list(data_list, options.split[0], data_root=data_list.parent),
        "output_dir": str(output),
        "writers": LIGHT_WRITERS,
    } | sampling_overrides(options)
    return run_bundle(bundle, choose_configs(bundle, options.sampler), overrides)[1]


def settings_of(options: argparse.Namespace, bundle: Path) -> StressSettings:
    """How the bundle's answers are judged."""
    from monai.bundle import ConfigParser

    from ..inference.calibration.record import read_records
    from ..inference.evaluation_config import read_evaluation
    from ..inference.stress.stress import StressSettings

    parser = ConfigParser()
    parser.read_config(bundle / "configs" / "inference.yaml")
    records = read_records(options.record or bundle / "calibration")
    truths = read_evaluation(bundle / "configs" / "evaluate.yaml").truths
    return StressSettings(truths, parser.get_parsed_content("measurements"), records, options.level)
