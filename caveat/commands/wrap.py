"""`caveat wrap`: a trained network of one's own becomes a bundle."""

from __future__ import annotations

import argparse
import json
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..bundle_folders import allow
from ..exit_status import ExitStatus
from ..reasons import StudyRefused
from ..transforms.files.one_line import one_line
from .calibrate import print_table
from .numbers import numbers
from .stated_path import stated_input, stated_path

if TYPE_CHECKING:
    from ..wrap.nnunet_validation import TrainingSet
    from ..wrap.wrapped import Wrapped


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser("wrap", help="make a bundle of a trained network of your own")
    parser.add_argument(
        "source",
        nargs="?",
        type=stated_input,
        metavar="SOURCE",
        help="folder of a MONAI bundle, or trained folder of nnU-Net v2; nothing for a network of PyTorch",
    )
    parser.add_argument(
        "-o", "--output", type=stated_path, required=True, metavar="BUNDLE", help="folder to write, named as the bundle"
    )
    parser.add_argument(
        "--weights",
        type=stated_input,
        nargs="+",
        default=[],
        metavar="FILE",
        help="state dict, checkpoint that holds one, or TorchScript (which runs: give files that you trust); several are an "
        "ensemble (default: those of SOURCE)",
    )
    parser.add_argument("--classes", metavar="NAME,...", help="as the network numbers them, background first (default: SOURCE's)")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="ENTRY=VALUE",
        help="what an entry of SOURCE's config comes to, as JSON, where it is a program, which is not run; ENTRY= leaves it out",
    )
    parser.add_argument(
        "--flips", default="", metavar="AXIS,...", help="axes, from 0, that augmentation mirrors: as in training (default: none)"
    )
    parser.add_argument(
        "--modality",
        choices=("CT", "MR", "other"),
        default="other",
        help="of the images: which DICOM series are looked at (default: all)",
    )
    parser.add_argument("--licence", default="", metavar="WORDS", help="of the weights")
    parser.add_argument(
        "--truth", default="", metavar="WORDS", help='whose masks it learned, such as "as our radiologist outlines it"'
    )
    add_record_options(parser.add_argument_group("a record from nnU-Net's own cross-validation"))
    add_network_options(parser.add_argument_group("a network of PyTorch"))
    parser.set_defaults(run=run)


def add_record_options(record: argparse._ArgumentGroup) -> None:
    """Add where an nnU-Net was trained, and on whom."""
    record.add_argument(
        "--trained-on",
        type=stated_input,
        metavar="FOLDER",
        help="nnUNet_raw/DatasetNNN_NAME, with imagesTr and labelsTr: with the masks in fold_*/validation they make a record",
    )
    unit = record.add_mutually_exclusive_group()
    unit.add_argument(
        "--unit",
        metavar="PATTERN",
        help="regular expression that finds the patient in a case's name, such as '(sub-[0-9]+)'; '.+': each case is one",
    )
    unit.add_argument("--units", type=stated_input, metavar="CSV", help="table with the columns image (name of a case) and unit")


def add_network_options(network: argparse._ArgumentGroup) -> None:
    """Add what a network of PyTorch does not say itself."""
    network.add_argument(
        "--network",
        metavar="MODULE:FACTORY",
        help="what builds it, such as monai.networks.nets:UNet; it is imported and run. Not for TorchScript, which is whole",
    )
    network.add_argument("--arguments", default="{}", metavar="JSON", help="that the factory takes, by name")
    network.add_argument("--channels", type=int, default=1, metavar="N", help="of an image (default: 1)")
    network.add_argument(
        "--roi", metavar="X,Y,Z", help="window in elements; -1 is the whole axis; of pictures Y,X; X,Y,1 for a network of slices"
    )
    network.add_argument("--multiple", type=int, default=1, metavar="N", help="that windows must be of (default: 1)")
    network.add_argument("--spacing", metavar="MM,...", help="of the grid that it was trained on (default: each image's own)")
    network.add_argument("--orientation", default="RAS", metavar="CODES", help="of its axes in training (default: RAS)")
    network.add_argument(
        "--columns-first", action="store_true", help="it saw pictures as MONAI reads them, columns before rows: --roi is X,Y then"
    )
    network.add_argument(
        "--intensities",
        metavar="HOW",
        help="how they were prepared: none, zscore, zscore-nonzero, range, quantiles:LOW,HIGH (in %%), window:LOW,HIGH",
    )
    network.add_argument(
        "--link",
        choices=("softmax", "sigmoid"),
        default="softmax",
        help="sigmoid where classes may overlap or there is one channel: it has none for the background (default: softmax)",
    )


def run(options: argparse.Namespace) -> int:
    """Write the bundle, allow it to run, and say what was taken over."""
    wrapped = wrap(options)
    records = wrapped.write(options.output)
    allowed = allow(options.output)
    for what, how in wrapped.taken:
        print(one_line(f"{what:<14} {how}"))
    for line in wrapped.not_taken:
        print(one_line(f"not taken over: {line}"))
    for name, meaning in wrapped.metadata["samplers"].items():
        print(f"{'sampler':<14} {name}: {meaning}")
    if records:
        print()
        print_table(records)
    print(f"\nbundle: {options.output}")
    if not allowed:
        print("it runs once its folder is named in CAVEAT_BUNDLES")
    print(f"next: caveat predict {options.output} -i IMAGES -o OUT")
    return ExitStatus.OK


def wrap(options: argparse.Namespace) -> Wrapped:
    """What the options ask for. Raises: StudyRefused."""
    if os.path.lexists(options.output):
        raise StudyRefused("OUTPUT_OCCUPIED", "a bundle is written once, to a folder that is not there yet")
    if options.trained_on is None and (options.unit is not None or options.units is not None):
        raise StudyRefused("WRONG_USAGE", "--unit and --units say whom an nnU-Net was trained on: give --trained-on too")
    if options.source is None:
        refuse_training_set(options)
        return wrap_plain(options)
    if options.network is not None or not options.source.is_dir():
        raise StudyRefused("WRONG_USAGE", "SOURCE is a folder, and says itself what the network is")
    from ..run_bundle import quieten_libraries

    quieten_libraries()
    if (options.source / "plans.json").is_file():
        return wrap_nnunet(options)
    refuse_near_nnunet(options.source)
    refuse_training_set(options)
    from ..wrap.zoo import Zoo

    return Zoo(folder=options.source, weights=options.weights, said=said_of(options.set), **common(options)).wrap()


def refuse_near_nnunet(source: Path) -> None:
    """A folder above a trained one of nnU-Net, or a fold of it. Raises: StudyRefused: SOURCE_NOT_WRAPPED."""
    if any(source.glob("*/plans.json")) or any(source.glob("*/*/plans.json")):
        near = "it lies below this one"
    elif (source.resolve().parent / "plans.json").is_file():
        near = "it is the one above this fold"
    else:
        return
    raise StudyRefused(
        "SOURCE_NOT_WRAPPED",
        f"of nnU-Net the folder with plans.json is wrapped, as nnUNetTrainer__nnUNetPlans__3d_fullres: {near}",
    )


def refuse_training_set(options: argparse.Namespace) -> None:
    """Raises: StudyRefused: WRONG_USAGE."""
    if options.trained_on is not None:
        raise StudyRefused("WRONG_USAGE", "--trained-on is for nnU-Net, which keeps what its folds said of the cases left out")


def wrap_nnunet(options: argparse.Namespace) -> Wrapped:
    """A trained folder of nnU-Net. Raises: StudyRefused."""
    from ..wrap.nnunet import Nnunet

    about = common(options)
    if options.weights or options.set or about.pop("classes") or about.pop("flip_axes"):
        raise StudyRefused("WRONG_USAGE", "a folder of nnU-Net says weights and classes itself")
    return Nnunet(folder=options.source, trained_on=training_set(options), **about).wrap()


def training_set(options: argparse.Namespace) -> TrainingSet | None:
    """What a record is made of, None where none is asked for. Raises: StudyRefused: WRONG_USAGE."""
    from ..listing.units import units_by_pattern, units_by_table
    from ..wrap.nnunet_validation import TrainingSet

    if options.trained_on is None:
        return None
    if options.units is not None:
        return TrainingSet(options.trained_on, partial(units_by_table, table=options.units))
    if options.unit is not None:
        return TrainingSet(options.trained_on, partial(units_by_pattern, pattern=options.unit))
    raise StudyRefused("WRONG_USAGE", "say which patient each case is of: --unit, --units; --unit '.+' where each case is one")


def common(options: argparse.Namespace) -> dict[str, Any]:
    """What every source may be told."""
    from ..wrap.wrapped import class_names, refuse_odd_words, refuse_program

    for option, words in (("--truth", options.truth), ("--licence", options.licence)):
        refuse_program(words, option)  # they stand in the bundle's metadata, which its config refers to
    classes = options.classes.split(",") if options.classes else []
    return {
        "name": refuse_odd_words(options.output.name, "-o"),
        "classes": class_names(classes, "--classes"),
        "flip_axes": numbers("--flips", options.flips or None, int, signed=True) or [],
        "truth": options.truth,
        "licence": options.licence,
    }


def wrap_plain(options: argparse.Namespace) -> Wrapped:
    """A network of PyTorch. Raises: StudyRefused."""
    for option, given in (("--weights", options.weights), ("--classes", options.classes), ("--roi", options.roi)):
        if not given:
            raise StudyRefused("WRONG_USAGE", f"a network of PyTorch needs {option}")
    if options.intensities is None:
        raise StudyRefused(
            "WRONG_USAGE", "say with --intensities how they were prepared: another way gives wrong numbers, and no error"
        )
    window = numbers("--roi", options.roi, int, signed=True) or []
    spacing = numbers("--spacing", options.spacing, float)
    arguments = read_arguments(options.arguments)
    check_usage(options, window, spacing)
    from ..run_bundle import quieten_libraries

    quieten_libraries()
    from ..wrap.plain import Plain
    from ..wrap.task import Task

    about = common(options)
    flips = about.pop("flip_axes")
    task = Task(channels=options.channels, volumes=len(window) == 3, link=options.link, modality=options.modality, **about)
    return Plain(
        task=task,
        factory=options.network,
        weights=options.weights,
        window=window,
        arguments=arguments,
        multiple=options.multiple,
        spacing=spacing,
        orientation=options.orientation,
        intensities=options.intensities,
        flip_axes=flips,
        columns_first=options.columns_first,
    ).wrap()


def check_usage(options: argparse.Namespace, window: list[int], spacing: list[float] | None) -> None:
    """What can be said to be wrong before any library is loaded. Raises: StudyRefused: WRONG_USAGE."""
    if len(window) not in (2, 3):
        raise StudyRefused("WRONG_USAGE", "--roi has two numbers for pictures and three for volumes")
    if spacing is not None and len(window) == 2:
        raise StudyRefused("WRONG_USAGE", "--spacing is for volumes: few pictures know theirs")
    if options.columns_first and len(window) == 3:
        raise StudyRefused("WRONG_USAGE", "--columns-first is for pictures: of volumes --orientation says it")
    if spacing is not None and len(spacing) != 3:
        raise StudyRefused("WRONG_USAGE", "--spacing has three numbers")
    if len(options.classes.split(",")) < 2:
        raise StudyRefused("WRONG_USAGE", "--classes names the background and at least one more")
    if options.channels < 1 or options.multiple < 1 or any(n > 1 and n % options.multiple for n in window):
        raise StudyRefused("WRONG_USAGE", "--channels and --multiple are at least 1, and --roi is a multiple of --multiple")
    if sorted(options.orientation) not in (sorted(axes) for axes in _orientations()):
        raise StudyRefused("WRONG_USAGE", "--orientation has one letter of L or R, one of A or P, one of S or I")
    if options.network is not None and options.network.count(":") != 1:
        raise StudyRefused("WRONG_USAGE", "--network is a module and what it builds the network with, such as mynet:build")


def _orientations() -> list[str]:
    return [side + front + top for side in "LR" for front in "AP" for top in "SI"]


def read_arguments(text: str) -> dict[str, Any]:
    """Raises: StudyRefused: WRONG_USAGE: it is no JSON object."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise StudyRefused("WRONG_USAGE", '--arguments is a JSON object, such as {"in_channels": 1}')
    return found


def said_of(texts: list[str]) -> dict[str, Any]:
    """Entries and their values. Raises: StudyRefused: WRONG_USAGE: one is no ENTRY=VALUE with a value in JSON."""
    from ..wrap.literals import LEFT_OUT

    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        try:
            found[name] = json.loads(value) if value else LEFT_OUT
        except ValueError:
            raise StudyRefused(
                "WRONG_USAGE", '--set is ENTRY=VALUE with VALUE in JSON: pixdim=[1.5,1.5,1.5], mode="nearest"'
            ) from None
        if not name or not equals:
            raise StudyRefused("WRONG_USAGE", "--set is ENTRY=VALUE")
    return found
