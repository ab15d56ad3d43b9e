"""`caveat predict`: measure every study of a folder or a list."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..bundle_folders import choose_configs, find_bundle, read_metadata, settings_of
from ..devices import check_device, devices_of
from ..exit_status import ExitStatus
from ..reasons import StudyRefused
from .channel_names import add_channel_names, channel_names
from .dicom_options import add_dicom_options, check_dicom, dicom_overrides
from .numbers import numbers
from .region_options import add_region_options, check_region, region_overrides
from .run_options import add_run_options, check_run_options, measures_of, notes_of, root_of
from .run_report import as_json, as_text, report_of
from .sampling_options import add_sampling_options, check_sampling, sampling_overrides
from .stated_path import stated_input, stated_path
from .stated_record import check_stated_record

if TYPE_CHECKING:
    from ..transforms.study.studies import Studies


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser("predict", help="measure images: segmentation, draws, measurements and a report for each")
    parser.add_argument("bundle", metavar="BUNDLE", help="name of a shipped bundle (see caveat info), or path of a bundle folder")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "-i", "--input", type=stated_input, metavar="INPUT", help="an image, or a folder that is searched through"
    )
    add_channel_names(parser)
    source.add_argument("--data", type=stated_input, metavar="LIST", help="a data list in MONAI's form; needs --split")
    parser.add_argument("--split", metavar="NAME", help="part of the list, such as test")
    parser.add_argument("-o", "--output", type=stated_path, required=True, metavar="OUT", help="folder for the results")
    add_sampling_options(parser)
    add_dicom_options(parser)
    parser.add_argument("--keep-draws", action="store_true", help="also write the label map of every draw")
    parser.add_argument("--image", action="store_true", help="also write the image as it was read, for viewers")
    parser.add_argument(
        "--spacing",
        metavar="MM,...",
        help="pixel size for images that carry none (default: the data list's); stands in the result as stated by you",
    )
    add_region_options(parser)
    parser.add_argument("--level", type=float, metavar="P", help="of the calibrated intervals (default: the bundle's, 0.9)")
    parser.add_argument(
        "--record",
        type=stated_input,
        metavar="PATH",
        help="a calibration record of your own, or a folder of them (default: the bundle's)",
    )
    parser.add_argument(
        "--guaranteed",
        action="store_true",
        help="with a record of cross-validation: wider intervals, proven for 2 P - 1 (default: those that cover P as a rule)",
    )
    parser.add_argument(
        "--series",
        type=int,
        metavar="N",
        help="number of the DICOM series, as caveat check counts them (default: the bundle's rules)",
    )
    parser.add_argument("--allow-gaps", action="store_true", help="interpolate missing slices of a DICOM series, flagged")
    parser.add_argument("--allow-tilt", action="store_true", help="resample a DICOM series taken with a tilted gantry, flagged")
    parser.add_argument("--assume-orientation", action="store_true", help="accept NIfTI files that state no orientation, flagged")
    parser.add_argument("--anonymous-names", action="store_true", help="number the output folders; no file name appears anywhere")
    add_run_options(parser)
    parser.add_argument("--verbose", action="store_true", help="log what each step does, with tracebacks")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Measure all studies, print what was measured and the counts."""
    bundle = find_bundle(options.bundle)
    check_usage(options, read_metadata(bundle))
    check_run_options(options, settings_of(bundle))
    check_region(options, bundle)
    check_series(options, bundle)
    check_written(options, bundle)
    check_dicom(options, bundle)
    check_record(options, bundle)
    configs = choose_configs(bundle, options.sampler)
    from ..transforms.place.shared_mask import refuse_shared_mask

    studies = studies_of(options)
    refuse_shared_mask(options.roi if options.point is None else options.point, len(studies))
    # All that needs no network was said by now.
    from ..transforms.output.run_folder import refuse_occupied

    refuse_occupied(options.output, studies, options.resume)
    for device in devices_of(options.device):
        check_device(device)
    logging.basicConfig(level=logging.DEBUG if options.verbose else logging.ERROR, format="%(message)s", stream=sys.stderr)
    from ..run.job import Job
    from ..run.run import run as run_all

    threads = options.threads or settings_of(bundle).get("threads", 1)
    job = Job(bundle, tuple(configs), overrides(options), threads, options.verbose)
    finished = run_all(
        measures_of(options, job, len(studies)), studies, options.output, root_of(options), options.resume, notes_of(options)
    )
    report = report_of(finished, options.output)
    print(as_json(report) if options.json else as_text(report))
    return status_of(report, options.strict)


def status_of(report: dict[str, Any], strict: bool) -> ExitStatus:
    """Refused studies are results; one that failed unexpectedly, or was not begun, is none."""
    if report["not_begun"] or any("UNEXPECTED_ERROR" in study["reasons"] for study in report["studies"]):
        return ExitStatus.FAILED
    if strict and report["counts"]["refused"] == len(report["studies"]):
        return ExitStatus.ALL_REFUSED
    return ExitStatus.OK


def check_usage(options: argparse.Namespace, metadata: dict[str, Any]) -> None:
    """What can be said to be wrong before any library is loaded.

    Raises:
        StudyRefused: WRONG_USAGE, OUTPUT_NOT_WRITABLE.
    """
    if options.data is not None and options.split is None:
        raise StudyRefused("WRONG_USAGE", "--data needs --split")
    check_sampling(options, metadata)
    numbers("--spacing", options.spacing, float)
    if options.input is not None and options.output.resolve().is_relative_to(options.input.resolve()):
        raise StudyRefused("OUTPUT_NOT_WRITABLE", "the output lies inside the input: keep images and results apart")


def check_series(options: argparse.Namespace, bundle: Path) -> None:
    """What is for bundles that read DICOM, and for those that read volumes: their inference.yaml has settings of these names.

    Raises:
        StudyRefused: WRONG_USAGE.
    """
    said = {"series": options.series is not None, "allow_gaps": options.allow_gaps, "allow_tilt": options.allow_tilt}
    if {name for name, asked in said.items() if asked} - set(settings_of(bundle)):
        raise StudyRefused("WRONG_USAGE", "--series is for bundles that read DICOM, --allow-gaps and --allow-tilt for volumes")
    if options.series is not None and options.series < 1:
        raise StudyRefused("WRONG_USAGE", f"--series counts from 1, got {options.series}")


def check_written(options: argparse.Namespace, bundle: Path) -> None:
    """Draws are kept as label maps by bundles whose inference.yaml has `keep_draws`, the image by those that have `image`.

    Raises:
        StudyRefused: WRONG_USAGE.
    """
    if options.image and "image" not in settings_of(bundle):
        raise StudyRefused("WRONG_USAGE", "this bundle was composed before --image was there; compose it again")
    if options.keep_draws and "keep_draws" not in settings_of(bundle):
        raise StudyRefused("WRONG_USAGE", "this bundle makes no label maps; result.json has every draw of its points")


def check_record(options: argparse.Namespace, bundle: Path) -> None:
    """A level and a record are for bundles that give intervals: their inference.yaml has `level` and `record`.

    Raises:
        StudyRefused: WRONG_USAGE, and as `check_stated_record`.
    """
    if options.guaranteed and "guaranteed" not in settings_of(bundle):
        raise StudyRefused(
            "WRONG_USAGE", "--guaranteed is for bundles whose records are of cross-validation; others are proven as they are"
        )
    if options.level is None and options.record is None:
        return
    if not {"level", "record"} <= set(settings_of(bundle)):
        raise StudyRefused("WRONG_USAGE", "this bundle gives no intervals, so there is no --level and no --record")
    if options.level is not None and not 0 < options.level < 1:
        raise StudyRefused("WRONG_USAGE", f"--level must lie between 0 and 1, got {options.level:g}")
    check_stated_record(options.record)


def studies_of(options: argparse.Namespace) -> Studies:
    """What is to be measured. Raises: StudyRefused: NO_INPUT_FOUND, UNREADABLE_FOLDER, WRONG_USAGE of a list."""
    from ..transforms.study.discover import find_studies, studies_from_list

    if options.data is not None:
        return studies_from_list(options.data, options.split, anonymous=options.anonymous_names)
    return find_studies(options.input, options.anonymous_names, channel_names(options))


def overrides(options: argparse.Namespace) -> dict[str, Any]:
    """What the options change in the bundle's config; what was not said is not changed.

    Paths are objects that a config parser leaves as they are: it would run a text that begins with "$".
    """
    said = {
        "spacing": numbers("--spacing", options.spacing, float),
        "series": options.series,
        "allow_gaps": options.allow_gaps or None,
        "allow_tilt": options.allow_tilt or None,
        "level": options.level,
        "guaranteed": options.guaranteed or None,
        "record": None if options.record is None else options.record.resolve(),
        "keep_draws": options.keep_draws or None,
        "image": options.image or None,
        "maps": options.maps,
        "threads": options.threads,
        "assume_orientation": options.assume_orientation or None,
    }
    chosen = {key: value for key, value in said.items() if value is not None}
    changed = sampling_overrides(options) | region_overrides(options) | dicom_overrides(options) | chosen
    return changed | {"output_dir": options.output.resolve()}
