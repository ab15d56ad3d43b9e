"""`caveat stress`: degrade the images of a list on purpose, and see what becomes of the answers."""

from __future__ import annotations

import argparse
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..bundle_folders import choose_configs, find_bundle, read_metadata, settings_of
from ..devices import check_device, devices_of
from ..did_you_mean import did_you_mean
from ..exit_status import ExitStatus
from ..reasons import StudyRefused
from ..say import say
from .numbers import numbers
from .sampling_options import add_sampling_options, check_sampling, sampling_overrides
from .stated_path import stated_input, stated_path
from .stated_record import check_stated_record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..inference.calibration.read_cases import Stated
    from ..inference.calibration.record import Record
    from ..inference.stored.list_part import Truths
    from ..inference.stress.degraded import Degradation
    from ..inference.stress.stress_set import ListPart, StressSet

LIGHT_WRITERS = [
    {"_target_": "caveat.transforms.writers.segmentation.SegmentationWriter"},
    {"_target_": "caveat.transforms.writers.result_json.ResultJsonWriter"},
]
"""All that the figures are made of: no reports, no maps. A bundle of landmarks has no segmentation, and none is written."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser("stress", help="degrade images on purpose and see what becomes of the answers")
    parser.add_argument("bundle", metavar="BUNDLE", help="name of a shipped bundle, or path of a bundle folder")
    parser.add_argument(
        "--data", type=stated_input, required=True, metavar="LIST", help="data list with labels or points; paths as for predict"
    )
    parser.add_argument(
        "--split", nargs="+", default=["test"], metavar="NAME", help="part of the list (default: test); several with --stream"
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--corruption", metavar="NAME", help="one corruption, or all: each at every strength, predicted and scored")
    what.add_argument(
        "--stream",
        type=stated_input,
        metavar="FILE",
        help="only write a mixed list: shares of the units degraded as the file says",
    )
    parser.add_argument(
        "--levels",
        metavar="S,...",
        help="strengths of the one corruption (default: those fixed for all bundles, or the bundle's); of a turn also to the "
        "other side, as in --levels=-15,15",
    )
    parser.add_argument(
        "--images",
        type=stated_input,
        metavar="FOLDER",
        help="folder of degraded images: written there, or used where an earlier run on the same list wrote them (default: OUT, "
        "written anew)",
    )
    parser.add_argument("--spacing", metavar="MM,...", help="pixel size for images that carry none (default: the data list's)")
    parser.add_argument("--level", type=float, default=0.9, metavar="P", help="of the intervals that are judged (default: 0.9)")
    parser.add_argument("--record", type=stated_input, metavar="PATH", help="records of your own (default: the bundle's)")
    add_sampling_options(parser)
    parser.add_argument(
        "-o", "--output", type=stated_path, required=True, metavar="OUT", help="folder for images, predictions, figures"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the mixed list, or degrade, predict and score set by set and print the table.

    Raises:
        StudyRefused: WRONG_USAGE, and as `caveat predict`.
    """
    from ..transforms.study.discover import data_root

    bundle = find_bundle(options.bundle)
    check_usage(options, bundle, read_metadata(bundle))
    dataset_dir = data_root()
    if options.stream is not None:
        return write_mixed_stream(options, bundle, dataset_dir)
    return stress(options, bundle, dataset_dir)


def check_usage(options: argparse.Namespace, bundle: Path, metadata: dict[str, Any]) -> None:
    """What can be said to be wrong before anything is written. Raises: StudyRefused: WRONG_USAGE, and of a stated record."""
    if not options.data.is_file():
        raise StudyRefused("WRONG_USAGE", "--data names no file")
    said = (options.levels, options.sampler, options.record, options.images, options.spacing)
    predicting = sampling_overrides(options) or any(one is not None for one in said)
    if options.stream is not None and predicting:
        raise StudyRefused("WRONG_USAGE", "--stream only writes images and a list; predict them with caveat predict")
    if options.corruption is not None:
        check_corruption(options.corruption)
    numbers("--levels", options.levels, float, signed=True)
    numbers("--spacing", options.spacing, float)
    if options.stream is None and len(options.split) != 1:
        raise StudyRefused("WRONG_USAGE", "--corruption takes one --split")
    if not (bundle / "configs" / "evaluate.yaml").is_file():
        raise StudyRefused("WRONG_USAGE", "the bundle has no evaluate.yaml, which says how truths are read")
    if not 0 < options.level < 1:
        raise StudyRefused("WRONG_USAGE", "--level lies between 0 and 1")
    check_sampling(options, metadata)
    if len(devices_of(options.device)) > 1:
        raise StudyRefused("WRONG_USAGE", "caveat stress takes one --device")
    check_device(options.device)
    check_stated_record(options.record)


def check_corruption(name: str) -> None:
    """Raises: StudyRefused: WRONG_USAGE. Each corruption is a file of its name, so none is loaded here."""
    from ..transforms import corruptions

    files = {module.name for module in pkgutil.iter_modules(corruptions.__path__)} - {"corruption"}  # what one is
    names = ["all", *sorted(files)]
    if name not in names:
        raise StudyRefused("WRONG_USAGE", f"no such corruption: {did_you_mean(name, names)}")


def write_mixed_stream(options: argparse.Namespace, bundle: Path, dataset_dir: Path) -> int:
    """Degrade the units that the stream draws, print how many."""
    from ..inference.stress.degraded import LIST
    from ..inference.stress.mixed_stream import read_stream, write_stream

    stream, points_dir = read_stream(options.stream), points_folder(truths_of(bundle))
    counts = write_stream(options.data, options.split, stream, dataset_dir, options.output, points_dir)
    for split, strata in counts.items():
        print(f"{split}: {', '.join(f'{count} {name}' for name, count in strata.items())}")
    print(f"{options.output / LIST}: its paths start from {options.output}, so set CAVEAT_DATA to that folder")
    return ExitStatus.OK


def stress(options: argparse.Namespace, bundle: Path, dataset_dir: Path) -> int:
    """Degrade, predict and score every set."""
    from ..inference.stress.degraded import dimensions_of
    from ..inference.stress.made_from import taken
    from ..inference.stress.strengths import chosen_degradations, read_strengths
    from ..inference.stress.stress_set import CLEAN, entries_hash

    truths = truths_of(bundle)
    part = part_of(options, dataset_dir, points_folder(truths))
    strengths = read_strengths(bundle, dimensions_of(part.entries, dataset_dir))
    levels = numbers("--levels", options.levels, float, signed=True)
    wanted = [CLEAN, *chosen_degradations(strengths, options.corruption, levels)]
    with taken(options.output, {"stress": entries_hash(part)}) as held:
        sets, unexpected = make_sets(options, bundle, part, wanted)
        print(report(options, bundle, sets, truths))
        held.note([])
    print(f"{len(sets)} sets of {len(part.entries)} images; {options.output / 'stress.json'}")
    return ExitStatus.FAILED if unexpected else ExitStatus.OK


def part_of(options: argparse.Namespace, dataset_dir: Path, points_dir: Path | None) -> ListPart:
    """What is degraded, each image with its spacing. Raises: StudyRefused: WRONG_USAGE, NO_INPUT_FOUND."""
    from ..inference.stored.list_part import read_entries
    from ..inference.stress.stress_set import ListPart

    (split,) = options.split
    entries = read_entries(options.data, split)
    if not entries:
        raise StudyRefused("NO_INPUT_FOUND", "this part of the list is empty")
    spacing = numbers("--spacing", options.spacing, float)
    stated = {} if spacing is None else {"spacing_mm": spacing}
    return ListPart(split, [stated | entry for entry in entries], dataset_dir, points_dir)


def make_sets(
    options: argparse.Namespace, bundle: Path, part: ListPart, wanted: Sequence[Degradation]
) -> tuple[dict[Degradation, StressSet], int]:
    """Degrade and predict. Returns: the sets, and how many studies failed unexpectedly."""
    from ..inference.stress.degraded import LIST
    from ..inference.stress.stress_set import PREDICTIONS, StressSet, write_set

    sets, unexpected = {}, 0
    for number, done in enumerate(wanted, start=1):
        name = f"{done.corruption}_{done.strength:g}"
        say(f"{number} of {len(wanted)}: {done.corruption} {done.strength:g}")
        folder = (options.images or options.output) / name
        refused = write_set(part, done, folder, reuse=options.images is not None)
        sets[done] = StressSet(folder, options.output / name / PREDICTIONS, refused)
        unexpected += sum(row["code"] == "UNEXPECTED_ERROR" for row in refused)
        if len(refused) < len(part.entries):
            unexpected += predict(options, bundle, folder / LIST, sets[done].predictions)
    return sets, unexpected


def predict(options: argparse.Namespace, bundle: Path, data_list: Path, output: Path) -> int:
    """Run the bundle's ordinary workflow on a set. Returns: how many studies failed unexpectedly."""
    from ..run_bundle import run_bundle
    from ..transforms.study.discover import studies_from_list

    overrides: dict[str, Any] = {
        "datalist": studies_from_list(data_list, options.split[0], data_list.parent),
        "output_dir": output,
        "resume": True,  # what was predicted of the same images with the same settings stands
        "writers": LIGHT_WRITERS,
    } | sampling_overrides(options)
    said = {
        "spacing": numbers("--spacing", options.spacing, float),
        "level": options.level,
        "record": None if options.record is None else options.record.resolve(),
        "refuse_other_kinds": False,  # flagged: how wrong the numbers of refused studies are is what is measured
    }
    own = settings_of(bundle)
    overrides |= {key: value for key, value in said.items() if value is not None and key in own}
    return run_bundle(bundle, choose_configs(bundle, options.sampler), overrides)[1]


def report(options: argparse.Namespace, bundle: Path, sets: Mapping[Degradation, StressSet], truths: Truths) -> str:
    """Score the sets and write the figures. Returns: the markdown."""
    from ..inference.stress.stress import StressSettings, score_sets
    from ..inference.stress.stress_files import save_stress

    (split,) = options.split
    settings = StressSettings(truths, targets_of(bundle, truths), records_of(options, bundle), options.level)
    return save_stress(score_sets(sets, split, settings), options.output)


def records_of(options: argparse.Namespace, bundle: Path) -> list[Record]:
    """The user's records, or the bundle's; of landmarks those of the kind of region that the predictions state."""
    from ..inference.calibration.record import read_records
    from ..inference.calibration.regions.disc import Disc

    return read_records(options.record or bundle / "calibration", settings_of(bundle).get("region_shape", Disc.kind))


def truths_of(bundle: Path) -> Truths:
    """How the bundle's evaluate.yaml reads truths."""
    from ..inference.evaluation.evaluation_config import read_evaluation

    return read_evaluation(bundle / "configs" / "evaluate.yaml").truths


def points_folder(truths: Truths) -> Path | None:
    """What the list's tables of points are relative to, None for the folder of the images."""
    from ..inference.stored.point_truths import PointTruths

    return truths.folder if isinstance(truths, PointTruths) else None


def targets_of(bundle: Path, truths: Truths) -> Sequence[Stated]:
    """The landmarks that truths are of, the class of the bundle's answer, or the measurements of its config."""
    from monai.bundle import ConfigParser

    from ..inference.stored.class_truths import ClassTruths
    from ..inference.stored.point_truths import PointTruths
    from ..inference.targets.class_label import ClassLabel
    from ..inference.targets.landmark import landmarks

    if isinstance(truths, PointTruths):
        return landmarks(truths.names)
    parser = ConfigParser()
    parser.read_config(bundle / "configs" / "inference.yaml")
    if isinstance(truths, ClassTruths):
        return [ClassLabel(parser["answer::name"], truths.classes)]
    return parser.get_parsed_content("measurements")
